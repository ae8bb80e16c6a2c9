"""Showing what finishing did to an image and why: the grid over the input, the result, colours, and the difference.

Here the facts are gathered; :mod:`pixelrouter.pixels.explain.page` writes them as a page and
:mod:`pixelrouter.pixels.explain.picture` draws them as one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelrouter.pixels.alpha.harden import OPAQUE_FROM
from pixelrouter.pixels.color import Bytes, Floats, Ints, pack, parse_hex, to_oklab
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.finish import Finished, finish
from pixelrouter.pixels.grid import THRESHOLD, Lattice
from pixelrouter.pixels.grid.lattice import Doubles
from pixelrouter.pixels.snap import snap
from pixelrouter.pixels.spec import FinishSpec

SWATCHES = 64  # colours of the input that are shown
FULL_HEAT = 0.25  # OKLab distance at which the heat map is brightest; black and white are 1 apart
VIEW = 1536  # longest side of what is shown; larger inputs are thinned out by a whole factor
CLOSE = 8  # screen pixels between grid lines, below which they would hide the picture
_SEEN = 0.1  # OKLab distance that the eye sees at once
HEAT = ("#101018", "#4b1d6b", "#b5305a", "#f2803a", "#ffe98a")  # the heat map from no difference to FULL_HEAT
_SAMPLES = 4096  # pixels that decide where the result lies in the input


@dataclass(frozen=True)
class Swatch:
    """A colour ``#rrggbb`` and how many pixels have it."""

    color: str
    count: int


@dataclass(frozen=True)
class Axis:
    """The grid along one axis: where it is cut, in source pixels, and where an even grid would be cut."""

    name: str
    period: float
    phase: float
    cuts: Doubles
    even: Doubles

    @property
    def offsets(self) -> Doubles:
        """How far each cut line is from an even one, in source pixels."""
        return self.cuts - self.even

    @property
    def drift(self) -> float:
        """The largest of those, of the lines inside the picture."""
        return float(np.abs(self.offsets[1:-1]).max(initial=0.0))


@dataclass(frozen=True)
class Explanation:
    """What finishing found in an image and what it did. ``source`` is the first frame, RGBA."""

    source: Image.Image
    spec: FinishSpec
    finished: Finished
    lattice: Lattice
    cells: Bytes | None  # the colours of the cells before they were fitted and reduced; None if there were no cells
    columns: Ints  # for each source column the column of the result, -1 where it was cropped
    rows: Ints

    def html(self, title: str = "image") -> str:
        """A page of its own: no script, no other file, light and dark."""
        from pixelrouter.pixels.explain.page import page

        return page(self, title)

    def picture(self, title: str = "image") -> Image.Image:
        """The same as one RGB picture."""
        from pixelrouter.pixels.explain.picture import draw

        return draw(self, title)

    @property
    def believed(self) -> bool:
        """Whether the result was made from the grid that is shown."""
        return self.finished.report.method == "snap"

    @property
    def gridded(self) -> bool:
        """Whether there are lines to show: a grid was used or looked for, and its cells are not the pixels."""
        return min(self.lattice.grid.period) > 1

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        """The grid in x and in y."""
        grid = self.lattice.grid
        x = Axis("x", grid.period[0], grid.phase[0], self.lattice.x, _even(self.lattice.x))
        y = Axis("y", grid.period[1], grid.phase[1], self.lattice.y, _even(self.lattice.y))
        return x, y

    @cached_property
    def before(self) -> tuple[Swatch, ...]:
        """The most frequent colours of the input, at most SWATCHES.

        Where there are more, alike shades are one: noise makes thousands of the same black.
        """
        rgba = np.asarray(self.source)
        return _swatches(rgba[..., :3][rgba[..., 3] >= OPAQUE_FROM])

    @cached_property
    def after(self) -> tuple[Swatch, ...]:
        """Every colour of the palette, in its order, with the pixels of all frames."""
        frames = [np.asarray(frame) for frame in self.finished.frames]
        packed = np.concatenate([pack(frame[..., :3][frame[..., 3] > 0]) for frame in frames])
        wanted = pack(parse_hex(self.finished.palette))
        values, counts = np.unique(packed, return_counts=True)
        count = dict(zip(values.tolist(), counts.tolist(), strict=True))
        return tuple(
            Swatch(name, count.get(int(value), 0)) for name, value in zip(self.finished.palette, wanted, strict=True)
        )

    @cached_property
    def visible(self) -> int:
        """How many pixels of the input are visible."""
        return int((np.asarray(self.source)[..., 3] >= OPAQUE_FROM).sum())

    @cached_property
    def thinning(self) -> int:
        """The whole factor by which the input is thinned out to be shown."""
        return -(-max(self.source.size) // VIEW)

    @cached_property
    def view(self) -> Bytes:
        """The input as it is shown, ``(h, w, 4)``."""
        step = self.thinning
        return np.ascontiguousarray(np.asarray(self.source)[step // 2 :: step, step // 2 :: step])

    @cached_property
    def difference(self) -> Floats:
        """OKLab distance between the input and the result laid back over it, ``(h, w)`` of the view; NaN where cropped.

        Transparency counts as a middle grey, and a difference in alpha at least a quarter of itself.
        """
        step = self.thinning
        rows, columns = self.rows[step // 2 :: step], self.columns[step // 2 :: step]
        back = np.asarray(self.finished.image)[rows.clip(0)[:, None], columns.clip(0)[None, :]]
        lab = np.linalg.norm(to_oklab(_on_grey(self.view)) - to_oklab(_on_grey(back)), axis=2)
        alpha = np.abs(self.view[..., 3].astype(np.float32) - back[..., 3]) / 255
        out = np.maximum(lab, alpha * FULL_HEAT).astype(np.float32)
        out[(rows < 0)[:, None] | (columns < 0)[None, :]] = np.nan
        return np.asarray(out)

    @cached_property
    def heat(self) -> Image.Image:
        """:attr:`difference` as an RGBA picture, transparent where the input was cropped."""
        known = ~np.isnan(self.difference)
        at = np.where(known, self.difference, 0).clip(0, FULL_HEAT) / FULL_HEAT * (len(HEAT) - 1)
        anchors = parse_hex(HEAT).astype(np.float32)
        colors = [np.interp(at, np.arange(len(HEAT)), anchors[:, channel]) for channel in range(3)]
        alpha = np.where(known, 255, 0)
        return Image.fromarray(np.rint(np.stack([*colors, alpha], axis=2)).astype(np.uint8))

    @cached_property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """What was changed, in words: pairs of a thing and what became of it."""
        report = self.finished.report
        rows = [("Size", f"{_by(report.source_size)} source pixels became {_by(report.size)} pixels")]
        rows.append(("Colours", self._colors()))
        if self.cells is not None:
            rows.append(("Cells", self._fitting()))
            rows.append(("Alpha", self._alpha()))
        partial = np.asarray(self.source)[..., 3]
        if count := int(((partial > 0) & (partial < 255)).sum()):
            rows.append(("Soft edges", f"{count:,} source pixels were partly transparent"))
        if (known := self.difference[~np.isnan(self.difference)]).size:
            far = (known > _SEEN).mean()
            words = (
                f"{known.mean():.3f} OKLab on average; {far:.1%} of the picture is further than {_SEEN} from the input"
            )
            rows.append(("Difference", words))
        return tuple(rows)

    def _colors(self) -> str:
        report = self.finished.report
        text = f"{report.colors_before:,} in the input"
        if self.cells is not None and self.believed:
            visible = self.cells[..., 3] >= OPAQUE_FROM
            cells = len(np.unique(pack(self.cells[..., :3][visible])))
            text += f", {cells:,} in the cells"
        return f"{text}, {report.colors_after:,} in the result"

    def _fitting(self) -> str:
        have, want = self.lattice.grid.size, self.finished.report.size
        if have == want:
            return f"{_by(have)}: none cropped, none added"
        if self._placed() is None:
            return f"{_by(have)} became {_by(want)}: resampled"
        parts = [
            f"{abs(h - w)} {name} {'cropped' if h > w else 'added'}"
            for name, h, w in zip(("columns", "rows"), have, want, strict=True)
            if h != w
        ]
        return f"{_by(have)} became {_by(want)}: {', '.join(parts)}"

    def _placed(self) -> tuple[Ints, Ints] | None:
        """For each column and row of cells that of the result; None where cells were resampled."""
        x, y = _middles(self.lattice.x), _middles(self.lattice.y)
        columns = self.columns[x.clip(0, len(self.columns) - 1)]
        rows = self.rows[y.clip(0, len(self.rows) - 1)]
        kept_x, kept_y = columns[columns >= 0], rows[rows >= 0]
        if (np.diff(kept_x) != 1).any() or (np.diff(kept_y) != 1).any():
            return None
        return columns, rows

    def _alpha(self) -> str:
        placed = self._placed()
        if placed is None or self.cells is None:
            return "cells were resampled"
        columns, rows = placed
        kept = (rows >= 0)[:, None] & (columns >= 0)[None, :]
        result = np.asarray(self.finished.image)[rows.clip(0)[:, None], columns.clip(0)[None, :], 3] >= OPAQUE_FROM
        had = self.cells[..., 3] >= OPAQUE_FROM
        cleared, filled = int((had & ~result & kept).sum()), int((~had & result & kept).sum())
        if not cleared and not filled:
            return "no cell changed"
        return f"{cleared:,} cells made transparent, {filled:,} made opaque"


def explain(image: Source, spec: FinishSpec) -> Explanation:
    """An image finished, with what there is to see about it. Raises as :func:`pixelrouter.pixels.finish` does."""
    decoded = decode(image)
    finished = finish(decoded, spec)
    rgba = np.asarray(decoded.image)
    lattice = _lattice(finished)
    method = finished.report.method
    cells = rgba if method == "native" else snap(rgba, lattice) if method == "snap" else None
    columns, rows = _lay_back(rgba, lattice, cells, np.asarray(finished.image))
    return Explanation(decoded.image, spec, finished, lattice, cells, columns, rows)


def _lattice(finished: Finished) -> Lattice:
    """The lattice that finishing used, or the one that it did not believe in; a conversion looks for none."""
    if finished.lattice is None or finished.report.method == "convert":
        return Lattice.native(*finished.report.source_size, finished.report.confidence)
    return finished.lattice


def _even(cuts: Doubles) -> Doubles:
    """The even grid that comes closest to the cut lines; the first and last may be cut off by the border."""
    if len(cuts) < 5:
        return cuts
    number = np.arange(len(cuts))
    slope, start = np.polyfit(number[1:-1], cuts[1:-1], 1)
    even = slope * number + start
    even[[0, -1]] = cuts[[0, -1]]
    return np.asarray(even, dtype=np.float64)


def _lay_back(rgba: Bytes, lattice: Lattice, cells: Bytes | None, result: Bytes) -> tuple[Ints, Ints]:
    """For each source column and row that of the result, -1 for none: of the ways a result is fitted, the one in
    which it is most like the input.
    """
    height, width = rgba.shape[:2]
    size = (result.shape[1], result.shape[0])
    ways = [(_stretch(width, 0, size[0], size[0]), _stretch(height, 0, size[1], size[1]))]
    least = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * least)), max(1, round(height * least))
    ways.append(
        (
            _stretch(width, (size[0] - inner[0]) // 2, inner[0], size[0]),
            _stretch(height, (size[1] - inner[1]) // 2, inner[1], size[1]),
        )
    )
    if cells is not None and (offset := _offset(cells, result)) is not None:
        ways.insert(
            0, (_through(lattice.x, width, offset[0], size[0]), _through(lattice.y, height, offset[1], size[1]))
        )
        if cells.shape == result.shape:
            return ways[0]
    step = max(1, int(np.sqrt(height * width / _SAMPLES)))
    view = _on_grey(rgba[::step, ::step]).astype(np.int16)

    def unlike(way: tuple[Ints, Ints]) -> float:
        columns, rows = way[0][::step], way[1][::step]
        back = _on_grey(result[rows.clip(0)[:, None], columns.clip(0)[None, :]])
        gap = np.abs(view - back).mean(axis=2)
        inside = (rows >= 0)[:, None] & (columns >= 0)[None, :]
        return float(gap[inside].mean()) if inside.any() else np.inf

    return min(ways, key=unlike)


def _stretch(length: int, first: int, count: int, total: int) -> Ints:
    """Source positions to ``count`` cells that begin at ``first``, all of equal width."""
    at = first + np.floor((np.arange(length) + 0.5) * count / length).astype(np.intp)
    return np.where((at >= 0) & (at < total), at, -1)


def _through(cuts: Doubles, length: int, offset: int, total: int) -> Ints:
    """Source positions to cells of the lattice to cells of the result, which begins at cell ``offset``."""
    at = np.searchsorted(cuts[1:-1], np.arange(length) + 0.5, side="right") - offset
    return np.where((at >= 0) & (at < total), at, -1).astype(np.intp)


def _offset(cells: Bytes, result: Bytes) -> tuple[int, int] | None:
    """The cell (x, y) at which the result begins, negative where it was padded; None if it was resampled for sure."""
    have, want = (cells.shape[1], cells.shape[0]), (result.shape[1], result.shape[0])
    if have == want:
        return 0, 0
    tries = [range(min(0, h - w), max(0, h - w) + 1) for h, w in zip(have, want, strict=True)]
    if len(tries[0]) * len(tries[1]) > _SAMPLES:
        # Only empty margin is cropped that far, so the visible parts tell.
        corners = [_corner(part) for part in (cells, result)]
        if corners[0] is None or corners[1] is None:
            return None
        return corners[0][0] - corners[1][0], corners[0][1] - corners[1][1]
    # Enough of the pixels that both have, to compare them at every offset.
    x, y = (np.unique(np.linspace(0, min(h, w) - 1, 48).astype(np.intp)) for h, w in zip(have, want, strict=True))
    before, after = _on_grey(cells).astype(np.int16), _on_grey(result).astype(np.int16)

    def unlike(offset: tuple[int, int]) -> float:
        dx, dy = offset
        a = before[(y + max(0, dy))[:, None], (x + max(0, dx))[None, :]]
        b = after[(y + max(0, -dy))[:, None], (x + max(0, -dx))[None, :]]
        return float(np.abs(a - b).mean())

    return min(((dx, dy) for dy in tries[1] for dx in tries[0]), key=unlike)


def _corner(rgba: Bytes) -> tuple[int, int] | None:
    """Where the visible part begins, (x, y)."""
    visible = rgba[..., 3] >= OPAQUE_FROM
    if not visible.any():
        return None
    return int(visible.any(axis=0).argmax()), int(visible.any(axis=1).argmax())


def _on_grey(rgba: Bytes) -> Bytes:
    alpha = rgba[..., 3:].astype(np.uint16)
    return np.asarray((rgba[..., :3] * alpha + 128 * (255 - alpha) + 127) // 255, dtype=np.uint8)


def _swatches(rgb: Bytes) -> tuple[Swatch, ...]:
    """At most SWATCHES colours of ``(n, 3)`` bytes, the most frequent first; if there are more, of each 16 levels a
    channel the most frequent one stands for all.
    """
    values, counts = np.unique(pack(rgb), return_counts=True)
    order: NDArray[np.intp] = np.argsort(-counts, kind="stable")
    values, counts = values[order], counts[order]
    if len(values) > SWATCHES:
        _, first, shade = np.unique(values & 0xF0F0F0, return_index=True, return_inverse=True)
        values, counts = values[first], np.bincount(shade, counts).astype(np.intp)
        order = np.argsort(-counts, kind="stable")[:SWATCHES]
        values, counts = values[order], counts[order]
    return tuple(Swatch(f"#{value:06x}", count) for value, count in zip(values.tolist(), counts.tolist(), strict=True))


def _middles(cuts: Doubles) -> Ints:
    return np.floor((cuts[1:] + cuts[:-1]) / 2).astype(np.intp)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def enlargement(size: tuple[int, int], side: int = 512) -> int:
    """The whole factor by which a picture of ``size`` is enlarged to be about ``side`` screen pixels, at least 1."""
    return max(1, side // max(size))


def verdict(confidence: float, method: str) -> str:
    """What the confidence means here, as a sentence."""
    if method == "native":
        return "The image is at 1x already, so there is no grid to find: every pixel is a cell."
    if method == "convert":
        return "A conversion looks for no grid: the picture is scaled down to the size asked for."
    if confidence >= THRESHOLD:
        return f"At or above {THRESHOLD}, so the image counts as enlarged pixel art."
    return f"Below {THRESHOLD}, so the image counts as one without a grid, like a photo or a drawing."
