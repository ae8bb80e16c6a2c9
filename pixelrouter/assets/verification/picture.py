"""What a finished picture has to be: the rules of size, colours, alpha, frames, tiles and motion, on decoded pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.sprite import MAX_SHEET
from pixelrouter.assets.verification.report import Issue, issue
from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import TILEABLE, check_wang, seam_score
from pixelrouter.pixels.check.look import at_native
from pixelrouter.pixels.check.motion import (
    HEIGHT,
    HEIGHT_LEAST,
    MIDDLE,
    MIDDLE_LEAST,
    baseline_limit,
    leaves_the_ground,
    motion,
)
from pixelrouter.pixels.check.shape_rules import orphans
from pixelrouter.pixels.color import Bytes, pack, parse_hex
from pixelrouter.pixels.tiles.wang import corners
from pixelrouter.types import VIEW_NAMES

_REROLL = "Pick another candidate (`pixelrouter gallery`), or `pixelrouter reroll {name}`."
_BUILD = "Run `pixelrouter build`: finishing again is free."
_JOINTS = 1.0  # above FITS of `tile check`: large tiles that were drawn to fit score up to 0.94, mirrored ones more
_STRAY = 0.5  # severity, 0..1, from which stray pixels are told: one in fifteen; texture and sparks have fewer


@dataclass(frozen=True, slots=True)
class Limits:
    """What passes, where the caller knows better: pixels of jitter (None: by the cell's height), and seam scores."""

    jitter: float | None = None
    seam: float = TILEABLE
    joints: float = _JOINTS


def check_picture(rgba: Bytes, asset: Asset, names: Sequence[str], limits: Limits) -> Iterator[Issue]:
    """What is wrong with an asset's sheet ``(h, w, 4)``; ``names`` are those of its frames, where they are known."""
    yield from _colors(rgba, asset)
    columns, rows = rgba.shape[1] // asset.size[0], rgba.shape[0] // asset.size[1]
    if wrong := _wrong_size(rgba, asset):
        yield wrong
        return
    cells = _cells(rgba, asset.size)
    used = _used(cells, rows)
    count = _count(asset, names) or used
    if not used <= count <= len(cells):
        yield issue("frames", f"It has {used} {_word(asset)}s, not {count}.", _REROLL.format(name=asset.name))
        count = min(count, len(cells))
    frames = cells[:count]
    yield from _blank(frames, asset)
    yield from _stray(frames, asset)
    if asset.task == "animation":
        yield from _animation(frames, asset, columns, rows, limits)
    elif asset.task == "views":
        yield from _twins(frames, asset, names, ring=False)
    yield from _tiles(frames, asset, names, limits)


def _wrong_size(rgba: Bytes, asset: Asset) -> Issue | None:
    width, height = asset.size
    have = f"{rgba.shape[1]}x{rgba.shape[0]}"
    if asset.task in ("animation", "views", "tileset"):
        if rgba.shape[1] % width or rgba.shape[0] % height:
            return issue("size", f"The sheet of {have} is not made of cells of {width}x{height}.", _BUILD)
    elif rgba.shape[:2] != (height, width):
        return issue("size", f"It is {have}, not {width}x{height}.", _BUILD)
    return None


def _colors(rgba: Bytes, asset: Asset) -> Iterator[Issue]:
    """Palette, number of colours, alpha and background."""
    alpha = rgba[..., 3]
    visible = np.unique(pack(rgba[..., :3][alpha > 0]))
    if asset.palette is not None:
        off = visible[~np.isin(visible, pack(parse_hex(asset.palette)))]
        if len(off):
            what = f"{_few(off)} {'is' if len(off) == 1 else 'are'} not in the palette"
            yield issue("palette", f"{what} {asset.palette_name}".rstrip() + ".", _BUILD)
    if asset.colors is not None and len(visible) > asset.colors:
        yield issue("colors", f"It has {len(visible)} colours, not {asset.colors} at most.", _BUILD)
    partial = int(((alpha > 0) & (alpha < 255)).sum())
    if partial:
        yield issue("alpha", f"{partial} pixel{_s(partial)} half transparent.", _BUILD)
    hidden = int((rgba[..., :3].any(axis=2) & (alpha == 0)).sum())
    if hidden:
        yield issue("hidden", f"{hidden} clear pixel{_s(hidden)} not black: an engine's filter brings it out.", _BUILD)
    if asset.transparent is True and (alpha == 255).all():
        yield issue("background", "It has no transparent pixel.", _REROLL.format(name=asset.name))
    if asset.transparent is False and (alpha < 255).any():
        yield issue("background", f"{int((alpha < 255).sum())} pixels are not opaque.", _BUILD)


def _few(codes: Any) -> str:
    """The first colours in words."""
    names = [f"#{int(code) & 0xFFFFFF:06x}" for code in codes[:3]]
    more = len(codes) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _s(count: int) -> str:
    return " is" if count == 1 else "s are"


def _cells(rgba: Bytes, size: tuple[int, int]) -> list[Bytes]:
    width, height = size
    return [
        rgba[top : top + height, left : left + width]
        for top in range(0, rgba.shape[0], height)
        for left in range(0, rgba.shape[1], width)
    ]


def _count(asset: Asset, names: Sequence[str]) -> int | None:
    """How many frames there should be; None where nobody said."""
    if asset.task == "views":
        return len(VIEW_NAMES[asset.views]) if asset.views else len(names) or None
    if asset.task == "tileset":
        return 16 if asset.tiles == "wang" and len(names) <= 16 else len(names) or None
    if asset.task == "animation":
        return asset.frames if asset.frames and not asset.views else len(names) or None
    return 1


def _used(cells: Sequence[Bytes], rows: int) -> int:
    """How many cells are used for certain: in a sheet of several rows those of one colour at the end may be padding."""
    if rows == 1:
        return len(cells)
    return max((at + 1 for at, cell in enumerate(cells) if (cell != cell[0, 0]).any()), default=1)


def _word(asset: Asset) -> str:
    return {"views": "view", "tileset": "tile"}.get(asset.task, "frame")


def _numbers(found: Sequence[int], word: str) -> str:
    """Frames in words, counted from 0 as the exports do."""
    listed = ", ".join(str(number) for number in found[:5])
    return f"{word}{'s' if len(found) > 1 else ''} {listed}{', …' if len(found) > 5 else ''}"


def _blank(frames: Sequence[Bytes], asset: Asset) -> Iterator[Issue]:
    """Empty frames. The last of a film that shows something vanish may be."""
    empty = [at for at, frame in enumerate(frames) if not frame[..., 3].any()]
    if not empty:
        return
    if len(frames) == 1:
        yield issue("blank", "It is empty: no pixel is visible.", _REROLL.format(name=asset.name))
        return
    gone = asset.task == "animation" and empty == [len(frames) - 1]
    what = f"{_numbers(empty, _word(asset)).capitalize()} {'is' if len(empty) == 1 else 'are'} empty."
    yield issue("blank", what, _REROLL.format(name=asset.name), severity="warning" if gone else "error")


def _stray(frames: Sequence[Bytes], asset: Asset) -> Iterator[Issue]:
    """Pixels that are unlike all around them: the rule of ``pixelrouter check``."""
    found = [(one, at) for at, frame in enumerate(frames) for one in orphans(at_native(frame)).findings]
    worst, at = max(found, key=lambda pair: (pair[0].severity, -pair[1]), default=(None, 0))
    if worst is None or worst.severity < _STRAY:
        return
    where = f" in {_word(asset)} {at}" if len(frames) > 1 else ""
    yield issue(
        "stray",
        f"{worst.count} stray pixels{where} are unlike everything around them.",
        "Finish it with fewer colours, or paint them over and run `pixelrouter adopt`.",
    )


def _animation(frames: list[Bytes], asset: Asset, columns: int, rows: int, limits: Limits) -> Iterator[Issue]:
    """Each film of the sheet: rows are films of their own, unless one film was too long for a row."""
    films = [frames]
    if rows > 1 and (columns + 1) * asset.size[0] <= MAX_SHEET:
        films = [frames[at : at + columns] for at in range(0, len(frames), columns)]
    for number, film in enumerate(films):
        label = f"Row {number}: " if len(films) > 1 else ""
        yield from _twins(film, asset, (), ring=True, label=label)
        yield from _moving(film, asset, limits, label)


def _twins(
    frames: Sequence[Bytes], asset: Asset, names: Sequence[str], *, ring: bool, label: str = ""
) -> Iterator[Issue]:
    """Frames that follow each other and are the same; of views any two. All the same is an error: nothing moves."""
    data = [frame.tobytes() for frame in frames]
    if len(data) < 2:
        return
    if len(set(data)) == 1:
        what = f"{label}All {len(data)} {_word(asset)}s are the same."
        yield issue("identical", what, _REROLL.format(name=asset.name), severity="error")
        return
    same = [at for at in range(1, len(data)) if (data[at] == data[at - 1] if ring else data[at] in data[:at])]
    if same:
        of = "the one before" if ring else "an earlier one"
        told = ", ".join(names[at] for at in same) if len(names) == len(data) else _numbers(same, _word(asset))
        yield issue("identical", f"{label}{told}: the same as {of}.", _REROLL.format(name=asset.name))


def _moving(film: Sequence[Bytes], asset: Asset, limits: Limits, label: str) -> Iterator[Issue]:
    found = motion(film)
    if found is None or leaves_the_ground(asset.name, asset.action or ""):
        return
    advice = (
        "Register the frames (`pixelrouter sheet register`) and `pixelrouter adopt` the result, or "
        + _REROLL[0].lower()
        + _REROLL[1:].format(name=asset.name)
    )
    words = (asset.name, asset.action or "")
    most = baseline_limit(asset.size[1], *words) if limits.jitter is None else limits.jitter
    if found.baseline > most:
        what = f"{label}The feet of frame {found.frames[0]} are {found.baseline:g} pixels off the others' line"
        yield issue("jitter", f"{what} ({most:g} pass).", advice)
    if found.height > max(HEIGHT_LEAST, HEIGHT * found.figure):
        what = f"{label}The figure of frame {found.frames[1]} is {found.height:g} pixels taller or shorter"
        yield issue("height", f"{what} than the others' {found.figure:g}.", advice)
    if found.middle > max(MIDDLE_LEAST, MIDDLE * asset.size[0]):
        yield issue("drift", f"{label}Frame {found.frames[2]} stands {found.middle:g} pixels aside.", advice)


def _tiles(frames: Sequence[Bytes], asset: Asset, names: Sequence[str], limits: Limits) -> Iterator[Issue]:
    """Seams: of tiles that repeat alone, and of a set of corner tiles."""
    codes = [corners(name) for name in names]
    if asset.task == "tileset" and len(codes) == len(frames) and all(codes):
        yield from _joints(frames, asset, names, limits)
        return
    axes = _axes(asset)
    if not axes:
        return
    for at, frame in enumerate(frames):
        seam = seam_score(frame, axes)
        if seam.score > limits.seam:
            which = f"Tile {at}: the" if len(frames) > 1 else "The"
            what = f"{which} seam scores {seam.score:.2f}; up to {limits.seam:g} it does not show."
            yield issue(
                "seam", what, f"`pixelrouter tile seamless` takes it out, then `pixelrouter adopt {asset.name}`."
            )


def _axes(asset: Asset) -> Any:
    """In which directions a picture repeats: "both", "x", "y", or "" where it does not."""
    if asset.task == "tileset":
        return "both" if asset.tiles != "wang" else ""
    across, down = (asset.options.get(name) is True for name in ("tile_x", "tile_y"))
    return "both" if across and down else "x" if across else "y" if down else ""


def _joints(frames: Sequence[Bytes], asset: Asset, names: Sequence[str], limits: Limits) -> Iterator[Issue]:
    try:
        found = check_wang(dict(zip(names, frames, strict=True)))
    except InvalidRequest as error:
        yield issue("joints", error.message, error.hint or _REROLL.format(name=asset.name))
        return
    if found.missing:
        listed = ", ".join(f"wang-{code}" for code in found.missing)
        yield issue("joints", f"The set lacks {listed}.", _REROLL.format(name=asset.name))
    if found.score > limits.joints:
        name, side, score = found.faults[0] if found.faults else ("", "", found.score)
        what = f"The {side} edge of {name} scores {score:.2f}; up to {limits.joints:g} it does not show."
        yield issue("joints", what, _REROLL.format(name=asset.name))
