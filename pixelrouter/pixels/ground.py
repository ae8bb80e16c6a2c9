"""The ground behind a figure, as the border of a picture shows it: one colour, a slow gradient, or a checkerboard.

A ground is described by the colour it would have at every pixel, and by how far from that a pixel may lie and still be
ground. Both are measured: the border of a clean PNG is exact, that of a noisy JPEG is not. Colours are compared in
sRGB bytes, because noise, compression and vignettes are even there, also in the dark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats

Doubles = NDArray[np.float64]

_REACH = 40.0  # byte distance from the fit within which a border pixel may still belong to the ground
_EXACT = 6.0  # tolerance on a ground without any noise
_LEAST, _MOST = 12.0, 56.0  # tolerance on a noisy one: compression is worse beside the figure than at the border
_NOISY = 0.003  # share of the ground's pixels that must be off before it counts as noisy
_VALLEY = 56.0  # how far the tolerance may be widened
_SHARE = 0.5  # of the border must be ground; a figure may touch the rest
_POINTS = 4096  # a surface is fitted to at most so many pixels
_BAND = 128  # rows at a time: bounds the memory


@dataclass(frozen=True)
class Ground:
    """A ground over a picture of ``shape`` (h, w): one or two smooth surfaces, and the distance that still counts.

    ``surfaces``: polynomial coefficients ``(terms_y, terms_x, 3)`` over -1..1, bytes. A checkerboard has two, and
    ``squares`` says which of them shows where; None if it is too irregular to say.
    """

    shape: tuple[int, int]
    surfaces: tuple[Doubles, ...]
    tolerance: float
    squares: Squares | None = None

    def colors(self, rows: slice, surface: int = 0) -> Floats:
        """The colours ``(rows, w, 3)`` of a surface, bytes as floats."""
        coefficients = self.surfaces[surface]
        y = np.vander(_axis(self.shape[0])[rows], coefficients.shape[0], increasing=True).astype(np.float32)
        x = np.vander(_axis(self.shape[1]), coefficients.shape[1], increasing=True).astype(np.float32)
        across = np.tensordot(coefficients.astype(np.float32), x, axes=(1, 1))  # terms_y, 3, w
        return np.asarray(np.tensordot(y, across, axes=(1, 0)).transpose(0, 2, 1), dtype=np.float32)

    def distance(self, rgb: Bytes) -> Floats:
        """How far each pixel of ``(h, w, 3)`` is from the ground, in bytes (Euclid): ``(h, w)``."""
        out = np.empty(self.shape, dtype=np.float32)
        for start in range(0, self.shape[0], _BAND):
            rows = slice(start, min(start + _BAND, self.shape[0]))
            part = rgb[rows].astype(np.float32)
            first = _length(part - self.colors(rows))
            if len(self.surfaces) == 2:
                first = self._checked(rows, part, first)
            out[rows] = first
        return out

    def _checked(self, rows: slice, part: Floats, first: Floats) -> Floats:
        """Of a checkerboard: the distance to the square that shows, to either or a mixture where two squares meet."""
        one, other = self.colors(rows), self.colors(rows, 1)
        second = _length(part - other)
        way = other - one
        share = ((part - one) * way).sum(axis=-1) / np.maximum((way * way).sum(axis=-1), 1e-6)
        either = _length(part - one - way * share.clip(0, 1)[..., None])
        if self.squares is None:
            return either
        shows = self.squares.second(np.arange(self.shape[0])[rows], np.arange(self.shape[1]))
        seam = self.squares.seam(np.arange(self.shape[0])[rows], np.arange(self.shape[1]))
        return np.asarray(np.where(seam, either, np.where(shows, second, first)), dtype=np.float32)


@dataclass(frozen=True)
class Squares:
    """Where the squares of a checkerboard lie: ``(pitch, offset)`` in pixels for y and x, and the square at 0, 0."""

    y: tuple[float, float]
    x: tuple[float, float]
    flip: bool

    def second(self, y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether the second colour shows, for every pair of a row and a column."""
        rows, columns = (np.floor((at + 0.5 - o) / p) for at, (p, o) in ((y, self.y), (x, self.x)))
        return np.asarray((rows[:, None] + columns[None, :]) % 2 == (0 if self.flip else 1))

    def seam(self, y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether a pixel is so close to the edge of a square that either colour may show."""
        near = []
        for at, (pitch, offset) in ((y, self.y), (x, self.x)):
            phase = (at + 0.5 - offset) / pitch
            near.append(np.abs(phase - np.rint(phase)) * pitch <= max(0.75, pitch / 8))
        return np.asarray(near[0][:, None] | near[1][None, :])


def find_ground(rgb: Bytes) -> Ground | None:
    """The ground of a picture ``(h, w, 3)``, or None if its border has none."""
    height, width = rgb.shape[:2]
    y, x = _border(height, width)
    colors = rgb[y, x].astype(np.float64)
    if (checked := _checkerboard(rgb, colors)) is not None:
        return checked
    thin = slice(None, None, max(1, len(y) // _POINTS))
    at = (_axis(height)[y[thin]], _axis(width)[x[thin]])
    surface, rest = _fit_border(at, colors[thin])
    tolerance = _tolerance(rest)
    if (rest <= tolerance).mean() < _SHARE:
        return None
    return Ground((height, width), (surface,), tolerance)


def refine(ground: Ground, rgb: Bytes, mask: NDArray[np.bool_]) -> Ground:
    """The ground fitted again to all the pixels that were found to be ground, with a surface that may bend more."""
    y, x = np.nonzero(mask)
    if len(ground.surfaces) > 1 or len(y) < 200:
        return ground
    thin = slice(None, None, max(1, len(y) // _POINTS))
    y, x = y[thin], x[thin]
    at = (_axis(ground.shape[0])[y], _axis(ground.shape[1])[x])
    colors = rgb[y, x].astype(np.float64)
    surface = _fit(at, colors, 4)
    rest = _length(colors - _evaluate(surface, at))
    return Ground(ground.shape, (surface,), max(_tolerance(rest), min(ground.tolerance, _LEAST)))


def widen(ground: Ground, distance: Floats, mask: NDArray[np.bool_]) -> Ground:
    """The ground with the tolerance that the figure leaves room for, if the ground is not exact.

    Compression spoils the ground most where it meets the figure, far from the border where it was measured. The
    tolerance grows to where the fewest pixels lie: the valley between what is ground and what is figure.
    """
    if (distance[mask] > 1.5).mean() < _NOISY:
        return ground
    least = max(ground.tolerance, _LEAST)
    edges = np.arange(least, _VALLEY + 1, 2.0)
    if len(edges) < 3:
        return ground
    count = np.histogram(distance[~mask], edges)[0].astype(np.float64)
    smooth = np.convolve(np.pad(count, 1, mode="edge"), np.ones(3), mode="valid")
    at = int(np.flatnonzero(smooth <= smooth.min() + 0.02 * smooth.max())[0])
    return replace(ground, tolerance=float(edges[at] + 2.0))


def _tolerance(rest: NDArray[np.floating]) -> float:
    """How far from the fit a pixel may lie, from how far the border lies."""
    inside = rest[rest <= _REACH]
    if not len(inside):
        return _EXACT
    spread = float(np.quantile(inside, 0.97))
    return _EXACT if spread < 1.0 else float(np.clip(1.35 * spread + 8, _LEAST, _MOST))


def _fit_border(at: tuple[Doubles, Doubles], colors: Doubles) -> tuple[Doubles, NDArray[np.floating]]:
    """A smooth surface through the largest part of the border, and every border pixel's distance from it.

    Grown from the most frequent colour: what lies near the fit joins it, and the fit is made again (iterated
    reweighting with weights 0 and 1), so that a figure at the border does not bend it.
    """
    _, index, counts = np.unique(
        (colors // 16).astype(np.int64) @ [256, 16, 1], return_inverse=True, return_counts=True
    )
    center = np.median(colors[index.reshape(-1) == counts.argmax()], axis=0)
    surface = center[None, None, :]
    rest = _length(colors - center)
    for degree, reach in ((0, 40), (1, 40), (1, 40), (1, 32), (1, 32), (2, 32), (2, 32), (2, 32), (2, 24), (2, 24)):
        inside = rest <= max(reach, 1.0)
        if np.count_nonzero(inside) < 4 * (degree + 1) ** 2:
            break
        surface = _fit(at, colors[:], degree, inside)
        rest = _length(colors - _evaluate(surface, at))
    return surface, rest


def _fit(at: tuple[Doubles, Doubles], colors: Doubles, degree: int, use: NDArray[np.bool_] | None = None) -> Doubles:
    """Least squares: the polynomial ``(degree + 1, degree + 1, 3)`` in y and x whose total degree is ``degree``."""
    y, x = at if use is None else (at[0][use], at[1][use])
    values = colors if use is None else colors[use]
    powers = [(j, i) for j in range(degree + 1) for i in range(degree + 1 - j)]
    terms = np.stack([y**j * x**i for j, i in powers], axis=1)
    # A little weight on small coefficients keeps the surface calm where no ground was seen.
    calm = np.diag([1e-4 * len(y) * (j + i) for j, i in powers])
    found = np.linalg.solve(terms.T @ terms + calm + 1e-9 * np.eye(len(powers)), terms.T @ values)
    out = np.zeros((degree + 1, degree + 1, 3))
    for (j, i), row in zip(powers, found, strict=True):
        out[j, i] = row
    return out


def _evaluate(surface: Doubles, at: tuple[Doubles, Doubles]) -> Doubles:
    y = np.vander(at[0], surface.shape[0], increasing=True)
    x = np.vander(at[1], surface.shape[1], increasing=True)
    return np.asarray(np.einsum("nj,ni,jic->nc", y, x, surface))


def _checkerboard(rgb: Bytes, colors: Doubles) -> Ground | None:
    """The two-tone squares with which models draw "transparent", or None.

    Two colours must share the border, about half each, and change places along at least one horizontal and one
    vertical side in steps of one length.
    """
    first = _mode(colors)
    rest = _length(colors - first)
    if not np.any(rest > _REACH / 2):
        return None
    second = _mode(colors[rest > _REACH / 2])
    other = _length(colors - second)
    apart = float(_length(first - second))
    near, far = (rest < other) & (rest <= 0.3 * apart), (other <= rest) & (other <= 0.3 * apart)
    # A slow gradient has all the colours between two, a checkerboard next to none.
    if min(near.mean(), far.mean()) < 0.2 or (near | far).mean() < 0.6:
        return None
    between = np.minimum(rest, other)[~(near | far)] <= apart
    if between.sum() > 0.2 * len(colors):
        return None
    height, width = rgb.shape[:2]
    steps: dict[str, list[tuple[float, float]]] = {"y": [], "x": []}
    for axis, line in (("x", rgb[0]), ("x", rgb[-1]), ("y", rgb[:, 0]), ("y", rgb[:, -1])):
        if (step := _steps(line.astype(np.float64), first, second)) is not None:
            steps[axis].append(step)
    if not steps["y"] or not steps["x"]:
        return None
    pitches = [step[0] for step in steps["y"] + steps["x"]]
    if max(pitches) > 1.5 * min(pitches):
        return None
    spread = _tolerance(np.minimum(rest, other)[near | far])
    surfaces = (first[None, None, :], second[None, None, :])
    squares = _squares(rgb, steps["y"][0], steps["x"][0], first, second)
    return Ground((height, width), surfaces, min(spread, apart / 3), squares)


def _squares(
    rgb: Bytes, y: tuple[float, float], x: tuple[float, float], first: Doubles, second: Doubles
) -> Squares | None:
    """The squares, if the border agrees with them nearly everywhere."""
    height, width = rgb.shape[:2]
    rows, columns = _border(height, width)
    colors = rgb[rows, columns].astype(np.float64)
    one, two = _length(colors - first), _length(colors - second)
    clear = np.minimum(one, two) <= _REACH / 2
    for flip in (False, True):
        squares = Squares(y, x, flip)
        second_shows = squares.second(np.arange(height), np.arange(width))[rows, columns]
        use = clear & ~squares.seam(np.arange(height), np.arange(width))[rows, columns]
        if use.any() and (second_shows == (two < one))[use].mean() >= 0.97:
            return squares
    return None


def _steps(line: Doubles, first: Doubles, second: Doubles) -> tuple[float, float] | None:
    """Pitch and offset of squares along one side ``(n, 3)``, or None if it does not alternate evenly."""
    one, two = _length(line - first), _length(line - second)
    known = np.flatnonzero(np.minimum(one, two) <= _length(first - second) / 2)
    label = (two < one)[known]
    turns = np.flatnonzero(label[1:] != label[:-1])
    cuts = (known[turns] + known[turns + 1] + 1) / 2
    gaps = np.diff(cuts)
    if len(gaps) < 3:
        return None
    pitch = float(np.median(gaps))
    even = np.abs(gaps - pitch) <= max(1.0, 0.25 * pitch)
    if even.mean() < 0.7:
        return None
    # The longest row of even steps tells pitch and offset most exactly.
    order = np.rint((cuts - cuts[0]) / pitch)
    good = np.concatenate([[True], even]) if even.all() else np.ones(len(cuts), dtype=np.bool_)
    slope, offset = np.polyfit(order[good], cuts[good], 1)
    return (float(slope), float(offset)) if slope >= 0.75 else None


def _mode(colors: Doubles) -> Doubles:
    """The most frequent colour of ``(n, 3)``, as the median of all that lie near it."""
    _, index, counts = np.unique(
        (colors // 16).astype(np.int64) @ [256, 16, 1], return_inverse=True, return_counts=True
    )
    center = np.median(colors[index.reshape(-1) == counts.argmax()], axis=0)
    return np.asarray(np.median(colors[_length(colors - center) <= _REACH / 2], axis=0))


def _border(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the border pixels, once round."""
    edge = np.zeros((height, width), dtype=np.bool_)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    y, x = np.nonzero(edge)
    return y, x


def _axis(length: int) -> Doubles:
    return np.linspace(-1, 1, length) if length > 1 else np.zeros(1)


def _length(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.sqrt((vectors * vectors).sum(axis=-1)))
