"""The .aseprite files we write, read back by other people's readers and by our own."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image
from py_aseprite import AsepriteFile as PyAseprite
from py_aseprite import CelChunk, FrameTagsChunk, LayerChunk, OldPaleteChunk_0x0004, PaletteChunk, SliceChunk

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.export import exporter
from pixelrouter.assets.sprite import Sprite
from pixelrouter.formats.aseprite_reading import read_aseprite
from tests.assets.export.samples import PALETTE, film, rgba, sprite, still, tiles, views

EVERY = [still, film, views, tiles, lambda: sprite(3, "animation", clear=False, loop=False)]


def written(made: Sprite) -> bytes:
    return exporter("aseprite")(made, "stem", "")["stem.aseprite"]


def shown(made: Sprite) -> list[np.ndarray[Any, Any]]:
    """What a reader has to see: tiles as one canvas, everything else frame by frame."""
    return [rgba(image) for image in ((made.sheet,) if made.task == "tileset" else made.frames)]


def chunks(data: bytes, kind: type) -> list[list[Any]]:
    return [[one for one in frame.chunks if isinstance(one, kind)] for frame in PyAseprite(data).frames]


def drawn(data: bytes) -> list[np.ndarray[Any, Any]]:
    """The frames as ``py_aseprite`` tells of them, put on a canvas here."""
    file = PyAseprite(data)
    old, new = chunks(data, OldPaleteChunk_0x0004)[0][0], chunks(data, PaletteChunk)[0][0]
    # Its reader of the new chunk takes green for blue (0.0.7): colours come from the old one, alpha from the new.
    colors = [(*color, one["alpha"]) for color, one in zip(old.packets[0]["colors"], new.colors, strict=True)]
    table = np.array(colors, dtype=np.uint8)
    background = bool(chunks(data, LayerChunk)[0][0].flags & 8)
    if not background:
        table[file.header.palette_mask] = 0
    frames: list[np.ndarray[Any, Any]] = []
    for cels in chunks(data, CelChunk):
        canvas = np.zeros((file.header.height, file.header.width, 4), dtype=np.uint8)
        for cel in cels:
            if cel.cel_type == 1:
                canvas = frames[cel.data["link"][0]]
                continue
            box = cel.data["width"], cel.data["height"]
            pixels = np.frombuffer(bytes(cel.data["data"]), dtype=np.uint8).reshape(box[1], box[0])
            canvas[cel.y_pos : cel.y_pos + box[1], cel.x_pos : cel.x_pos + box[0]] = table[pixels]
        frames.append(canvas)
    return frames


@pytest.mark.parametrize("make", EVERY)
def test_py_aseprite_sees_every_pixel(make: Any) -> None:
    made = make()
    found = drawn(written(made))
    for one, other in zip(found, shown(made), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the PyPI package aseprite needs Python 3.12")
@pytest.mark.parametrize("make", EVERY)
def test_aseprite_py_sees_every_pixel(make: Any) -> None:
    import aseprite

    made = make()
    found = aseprite.Sprite.from_bytes(written(made))
    for at, other in enumerate(shown(made)):
        flat = np.frombuffer(bytes(found.flatten(frame=at)), dtype=np.uint8).reshape(other.shape)
        assert np.array_equal(np.where(flat[..., 3:] == 0, 0, flat), other)
    assert [frame.duration_ms for frame in found.frames] == list(made.times if made.task != "tileset" else (100,))
    assert found.color_mode == 8


@pytest.mark.parametrize("make", EVERY)
def test_our_own_reader_sees_every_pixel(make: Any) -> None:
    made = make()
    found = read_aseprite(written(made))
    for one, other in zip(found.frames, shown(made), strict=True):
        assert np.array_equal(one, other)


def test_a_film_keeps_times_tags_and_pivot() -> None:
    data = written(film())
    (tags,) = chunks(data, FrameTagsChunk)[0]
    assert [(one["name"], one["from"], one["to"], one["loop"]) for one in tags.tags] == [
        ("idle", 0, 1, 0),
        ("walk", 2, 5, 2),
    ]
    assert [frame.frame_duration for frame in PyAseprite(data).frames] == [100, 83, 84, 250, 100, 1000]
    (pivot,) = chunks(data, SliceChunk)[0]
    assert pivot.name == "hero"
    assert pivot.slices[0]["pivot"] == {"x": 6, "y": 10}


def test_a_frame_that_repeats_is_linked() -> None:
    kinds = [cels[0].cel_type for cels in chunks(written(film()), CelChunk)]
    assert kinds == [2, 2, 2, 2, 1, 2]
    assert chunks(written(film()), CelChunk)[4][0].data["link"] == (1,)


def test_views_are_tagged_frames() -> None:
    found = read_aseprite(written(views()))
    assert [(tag.name, tag.first, tag.last) for tag in found.tags] == [
        ("south", 0, 0), ("west", 1, 1), ("north", 2, 2), ("east", 3, 3)
    ]  # fmt: skip
    grouped = sprite(4, "views", names=("walk/0", "walk/1", "idle/0", "idle/1"))
    assert [(tag.name, tag.first, tag.last) for tag in read_aseprite(written(grouped)).tags] == [
        ("walk", 0, 1),
        ("idle", 2, 3),
    ]


def test_tiles_lie_on_one_canvas_with_a_grid_and_slices() -> None:
    made = tiles()
    data = written(made)
    found = read_aseprite(data)
    assert len(found.frames) == 1
    assert found.grid == (8, 8)
    for one, tile in zip(found.slices, made.frames, strict=True):
        x, y, width, height = one.keys[0].box
        assert np.array_equal(found.frames[0][y : y + height, x : x + width], rgba(tile))
    assert [one.name for one in found.slices] == list(made.names)
    assert chunks(data, LayerChunk)[0][0].flags & 8  # opaque: a background, in which index 0 is a colour


def test_palette_keeps_its_order() -> None:
    found = read_aseprite(written(still()))
    names = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue, _ in (color.rgba for color in found.palette)]
    assert names == ["#000000", *PALETTE]
    assert [color.rgba[3] for color in found.palette] == [0, 255, 255, 255, 255]
    assert found.transparent == 0


@pytest.mark.parametrize(
    ("loop", "direction", "repeat"), [(True, "forward", 0), (False, "reverse", 1), (False, "pingpong_reverse", 2)]
)
def test_what_is_played_once_says_so(loop: bool, direction: Any, repeat: int) -> None:
    made = sprite(3, "animation", loop=loop, tags=(FrameTag("die", 0, 2, direction),))
    (tag,) = read_aseprite(written(made)).tags
    assert (tag.direction, tag.repeat) == (direction, repeat)


def test_a_film_without_names_is_one_tag() -> None:
    assert [tag.name for tag in read_aseprite(written(sprite(2, "animation", name="slime"))).tags] == ["slime"]


def test_provenance_is_the_sprites_own_text() -> None:
    made = sprite(1, facts={"source": "trainedAlgorithmicMedia", "backend": "procedural"})
    assert json.loads(read_aseprite(written(made)).note) == made.facts
    assert read_aseprite(written(still())).note == ""


def test_partial_alpha_and_several_clear_entries() -> None:
    made = still()
    image = made.frames[0].copy()
    image.info["transparency"] = bytes([0, 255, 0, 128])
    found = read_aseprite(written(Sprite("glass", (image,), PALETTE)))
    assert np.array_equal(found.frames[0], rgba(image))
    assert (found.frames[0][..., 3] == 128).any()
    (cel,) = chunks(written(Sprite("glass", (image,), PALETTE)), CelChunk)[0]
    assert 2 not in bytes(cel.data["data"])  # readers that know one clear index only see it as clear, too


def test_a_palette_that_is_too_short_is_filled_up() -> None:
    low, high = Image.new("P", (2, 1), 0), Image.new("P", (2, 1), 7)
    for image in (low, high):
        image.putpalette([9, 9, 9, 200, 0, 0])
    found = read_aseprite(written(Sprite("short", (low, high), PALETTE, task="animation")))
    assert len(found.palette) == 8
    assert found.frames[1].tolist() == [[[0, 0, 0, 255]] * 2]


def test_an_empty_frame_has_no_cel() -> None:
    made = sprite(2, "animation")
    blank = made.frames[0].point([0] * 256)
    blank.info["transparency"] = 0
    data = written(Sprite("blink", (made.frames[0], blank), PALETTE, task="animation"))
    assert [len(cels) for cels in chunks(data, CelChunk)] == [1, 0]
    assert not read_aseprite(data).frames[1].any()


def test_the_same_sprite_gives_the_same_bytes() -> None:
    assert written(film()) == written(film())
    assert int.from_bytes(written(film())[:4], "little") == len(written(film()))
