"""Moving previews for pages and chats: GIF, and APNG, which keeps every millisecond. Enlarged by a whole factor."""

from __future__ import annotations

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.clips import clips
from pixelrouter.assets.sprite import Sprite

SIDE = 128  # pixels that the longer side has at least
TURN_MS = 250  # of each view of a figure that is turned around


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.gif``: animations clip by clip, views as a turntable; nothing for stills.

    A GIF counts in steps of 10 ms: frames are rounded so that each begins as near as can be to where it should, and
    the whole lasts as long as it should.
    """
    return _preview(sprite, stem, ".gif")


def export_apng(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.apng``: the same, indexed, with the durations as they are."""
    return _preview(sprite, stem, ".apng")


def _preview(sprite: Sprite, stem: str, ending: str) -> Files:
    import numpy as np
    from PIL.Image import Resampling

    from pixelrouter.formats import encode

    turns = sprite.task == "views" and len(sprite.frames) > 1
    if not (sprite.moves or turns):
        return {}
    factor = -(-SIDE // max(sprite.size))
    size = (sprite.size[0] * factor, sprite.size[1] * factor)
    large = [np.asarray(frame.convert("RGBA").resize(size, Resampling.NEAREST)) for frame in sprite.frames]
    if turns:
        shown = [(number, TURN_MS) for number in range(len(large))]
    else:
        shown = [pair for clip in clips(sprite) for pair in zip(clip.frames, clip.times, strict=True)]
    loop = 0 if sprite.loop or turns else None
    made = encode([large[number] for number, _ in shown], ending, [time for _, time in shown], loop)
    return {stem + ending: made.data}
