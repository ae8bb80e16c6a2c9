"""Near-duplicate colours made one: what noise, JPEG or a model's wobble made of one colour becomes one colour again.

How far apart two colours of one origin may lie is measured in the picture itself. Noise is added to sRGB values, so
it is measured there and not in OKLab, where the same noise is many times larger near black than near white.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelrouter.pixels.color import Bytes, Floats, Ints, pack, squares, to_oklab, unpack

Counts = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
Slices = tuple[slice, slice]

ROUNDING = 0.5  # sRGB levels; noise too small to be measured, which any picture has that was not drawn as it is

_RARE = 2000  # a colour of fewer than one pixel in this many (or of one or two pixels) is rare
_NOISY = 0.03  # share of rare pixels from which a picture may be noisy; most drawn sprites stay below
_FAR = 60.0  # sRGB levels; neighbours that differ by more are two colours of the drawing for certain
_NEAR = 20.0  # sRGB levels; neighbours that differ by less may be one colour and noise
_UNEQUAL = 0.18  # share of exactly equal neighbours, among the near ones, below which every colour is suspect
_DRAWN = 0.8  # the share from which the picture was drawn so
_SCATTERED = 5.0  # times the noise; rare colours further from all others than this were drawn
_LEAST = 0.25  # sRGB levels; what is left of rounding
_MOST = 10.0  # sRGB levels; what looks like more is a picture of many colours
_PAIRS = 20_000  # differences looked at
_SAMPLE = 512  # pixels whose distances to one another bound the noise
_REACH = 4.0  # standard deviations: holds 99.9 % of a normal cloud in three dimensions
_CLOUD = 3.2  # the same: what the densest colour takes at once; two clouds of like weight are apart from here
_LIGHT = 0.4  # a colour with less than this share of a neighbour's pixels, within the reach, is of its cloud
_STRAY = 0.03  # a colour with less than this share of a neighbour's pixels, within twice the reach, is its rim
_RIM = 1.0  # sRGB levels; the noise that a rim has at least, in a picture that has any
_CROWD = 0.25  # colours in the rim for each that is not, from which it is a crowd
_ROWS = 96  # colours whose distances to all others are held at once
_VOXELS = 1536  # colours clustered at once; more are put together with their like first


def measure_noise(frames: Sequence[Bytes], *, drawn: bool = True) -> float:
    """The standard deviation of the noise in frames ``(h, w, 4)``, in sRGB levels a channel; 0 for drawn colours.

    Noise makes colours that hardly any pixel has. How such pixels differ from their neighbours is a mixture: from one
    of the same colour by the noise, from another colour by any amount. Expectation-maximisation tells them apart.
    Second differences are asked as well, for a smooth gradient has steps like noise, but steps that go on. ``drawn``
    says that the pixels may be the artist's own: then many equal neighbours are enough to believe it. JPEG leaves
    many as well, but what it adds lies close to the colours that were there.
    """
    seen = [frame[..., 3] > 0 for frame in frames]
    packed = [pack(frame[..., :3]) for frame in frames]
    values, counts = np.unique(np.concatenate([p[s] for p, s in zip(packed, seen, strict=True)]), return_counts=True)
    equal = _equal(packed, frames, seen)
    few = counts <= max(2, counts.sum() / _RARE)
    if drawn and equal >= _DRAWN:
        return 0.0
    if counts[few].sum() <= _NOISY * counts.sum():
        if equal >= _UNEQUAL:
            return 0.0
        few[:] = True  # many pixels and little noise: every colour has several
    odd = [np.isin(p, values[few]) & s for p, s in zip(packed, seen, strict=True)]
    steps, bends = _steps(frames, seen, odd)
    spread = _spread(values, counts, few)
    noise = min(_scale(steps), spread)
    if equal >= _DRAWN and spread > _SCATTERED * noise:
        return 0.0
    if 0 < _scale(bends) < noise / 2:
        noise = _scale(bends)
    return noise if _LEAST < noise < _MOST else 0.0


def _equal(packed: Sequence[NDArray[np.uint32]], frames: Sequence[Bytes], seen: Sequence[Mask]) -> float:
    """The share of exactly equal neighbours among those near enough to be one colour and noise."""
    near = equal = 0
    for frame, key, visible in zip(frames, packed, seen, strict=True):
        color = frame[..., :3].astype(np.int32)
        for here, there in (_along(visible, 1, axis) for axis in (0, 1)):
            both = visible[here] & visible[there]
            near += int((both & (((color[here] - color[there]) ** 2).sum(axis=-1) < _NEAR**2)).sum())
            equal += int((both & (key[here] == key[there])).sum())
    return equal / near if near else 1.0


def _along(array: Mask, steps: int, axis: int) -> tuple[Slices, Slices]:
    """Index of every pixel that has one ``steps`` further along an axis, and of that one."""
    end = array.shape[axis] - steps if array.shape[axis] > steps else 0
    here, there = [slice(None)] * 2, [slice(None)] * 2
    here[axis], there[axis] = slice(0, end), slice(steps, steps + end)
    return (here[0], here[1]), (there[0], there[1])


def _steps(frames: Sequence[Bytes], seen: Sequence[Mask], odd: Sequence[Mask]) -> tuple[Floats, Floats]:
    """Squared first differences at odd pixels, and second differences scaled so that noise gives the same."""
    steps, bends = [], []
    for frame, visible, rare in zip(frames, seen, odd, strict=True):
        color = frame[..., :3].astype(np.int32)
        for axis in (0, 1):
            a, b = _along(visible, 1, axis)
            step = color[b] - color[a]
            both = visible[a] & visible[b]
            steps.append((step**2).sum(axis=-1)[both & (rare[a] | rare[b])])
            c, d = _along(both, 1, axis)
            middle = rare[a][d]
            bends.append(((step[d] - step[c]) ** 2).sum(axis=-1)[both[c] & both[d] & middle] / 3)
    return np.concatenate(steps).astype(np.float32), np.concatenate(bends).astype(np.float32)


def _scale(squares: Floats) -> float:
    """The noise in squared differences; 0 if there are too few.

    Those of one colour follow a chi distribution with three degrees of freedom, the others are taken as spread evenly
    (expectation-maximisation for a mixture: Dempster, Laird and Rubin 1977).
    """
    squares = squares[squares < _FAR**2]
    if len(squares) < 8:
        return 0.0
    squares = squares[:: len(squares) // _PAIRS + 1] + 0.25  # for rounding; it keeps the scale above zero
    variance, same = max(float(np.quantile(squares, 0.1)) / 3, 0.1), 0.3
    for _ in range(25):
        alike = same * np.sqrt(2 / np.pi) * squares / variance**1.5 * np.exp(-squares / (2 * variance))
        share = alike / (alike + (1 - same) / _FAR)
        same = float(share.mean())
        variance = max(float((share * squares).sum() / max(3 * float(share.sum()), 1e-12)), 0.05)
    return float(np.sqrt(variance / 2))


def _spread(values: NDArray[np.uint32], counts: Counts, few: Mask) -> float:
    """An upper bound of the noise: how close the pixels of a sample come to a typical odd one, wherever they lie.

    It keeps a texture without flat parts, whose steps look like noise to its neighbours, from being taken for noise.
    """
    rare, every = _sample(values[few], counts[few]), _sample(values, counts)
    distance = np.sqrt(_squares(rare, every))
    return 1.7 * float(np.median(np.partition(distance, 5, axis=1)[:, 5]))


def _sample(values: NDArray[np.uint32], counts: Counts) -> Floats:
    """Colours of pixels taken evenly from all, sorted by colour."""
    ends = np.cumsum(counts)
    at = np.searchsorted(ends, (np.arange(_SAMPLE) + 0.5) * ends[-1] / _SAMPLE)
    return unpack(values[at]).astype(np.float32)


def merge_noise(colors: Bytes, counts: Counts, noise: float) -> tuple[Bytes, Ints]:
    """One colour for each cloud of the distinct colours ``(n, 3)``: the colours left ``(k, 3)``, and which is whose.

    The densest colour takes everything in its cloud, then the densest of the rest, and so on; its pixels' mean is the
    colour left. A colour that few pixels have, close to one that many have, is a stray and goes to it. Every colour
    finally belongs to the nearest that is left.
    """
    place = _voxels(colors, noise)
    weight = np.bincount(place, counts)
    sums = [np.bincount(place, counts * colors[:, c]) for c in range(3)]
    middle: Floats = (np.stack(sums, axis=1) / weight[:, None]).astype(np.float32)
    density = _density(middle, weight, noise)
    reach = (_CLOUD * noise) ** 2
    centers, mass = [], []
    while (density > 0).any():
        top = int(density.argmax())
        apart = _squares(middle[top : top + 1], middle)[0]
        cloud = (apart <= reach) & (density > 0)
        core = weight * (cloud & (apart <= (2 * noise) ** 2))
        centers.append((core[:, None] * middle).sum(axis=0) / core.sum())
        mass.append(float(weight[cloud].sum()))
        density[cloud] = 0
    found = np.array(centers, dtype=np.float32)
    left = found[~_strays(found, np.array(mass), noise)]
    owner = _owners(middle, left)[place]
    return np.rint(left).clip(0, 255).astype(np.uint8), np.asarray(owner, dtype=np.intp)


def _density(middle: Floats, weight: NDArray[Any], noise: float) -> Floats:
    """How many pixels lie around each colour, by a Gaussian as wide as the noise."""
    shrink, mass = np.float32(-0.5 / noise**2), weight.astype(np.float32)
    sums = [(np.exp(_squares(middle[rows], middle) * shrink) * mass).sum(axis=1) for rows in _parts(len(middle))]
    return np.asarray(np.concatenate(sums), dtype=np.float32)


def _owners(colors: Floats, centers: Floats) -> Ints:
    """Which of the centres is nearest to each colour."""
    near = [_squares(colors[rows], centers).argmin(axis=1) for rows in _parts(len(colors))]
    return np.asarray(np.concatenate(near), dtype=np.intp)


def _parts(count: int) -> list[slice]:
    """Rows in parts, so that a table of all distances is never held."""
    return [slice(start, start + _ROWS) for start in range(0, count, _ROWS)]


def _voxels(colors: Bytes, noise: float) -> Ints:
    """Which voxel each colour falls into; none is wider than the noise unless they are too many."""
    width = max(1, round(noise))
    while True:
        cells, place = np.unique(pack(colors // np.uint8(width)), return_inverse=True)
        if len(cells) <= _VOXELS:
            return np.asarray(place.reshape(-1), dtype=np.intp)
        width += 1


def _strays(centers: Floats, mass: NDArray[np.float64], noise: float) -> Mask:
    """Which centres are the rim of a heavier one: much lighter and close, or very much lighter and not far.

    JPEG, blur and a model's wobble leave far more pixels at the rim than noise does, the fewer the further out. Where
    that is seen, the rim is wider; colours that were drawn do not crowd around others.
    """

    def away(rows: slice) -> Floats:
        """From the nearest centre of which these are at most such a share: ``(shares, rows)``."""
        apart, share = _squares(centers[rows], centers), mass[rows, None] / mass[None, :]
        nearest = [np.where(share <= most, apart, np.inf).min(axis=1) for most in (_LIGHT, 5 * _STRAY, _STRAY)]
        return np.asarray(np.sqrt(nearest), dtype=np.float32)

    light, lighter, lightest = np.concatenate([away(rows) for rows in _parts(len(centers))], axis=1)
    reach = _REACH * noise
    stray = (light <= reach) | (lighter <= 1.5 * reach)
    rim = lightest / (_REACH * max(noise, _RIM))
    near, far, clear = ((rim > low) & (rim <= high) for low, high in ((2, 3), (3, 4.5), (4.5, np.inf)))
    crowded = near.sum() > max(far.sum(), _CROWD * clear.sum(), 2)
    return np.asarray(stray | (rim <= (3.5 if crowded else 2.0)), dtype=np.bool_)


def _squares(a: Floats, b: Floats) -> Floats:
    """Squared distances ``(n, k)``."""
    return np.asarray(squares(a, b, np.float32), dtype=np.float32)


def merge_within(colors: Bytes, counts: Counts, radius: float) -> tuple[Bytes, Ints]:
    """The same with a radius in OKLab: the colour of most pixels takes every colour within, then the next, and so on.

    No colour is made up, so what is left lies further apart than the radius and would not be merged again.
    """
    lab = to_oklab(colors)
    free = np.ones(len(colors), dtype=np.bool_)
    kept = []
    for index in np.argsort(-counts, kind="stable"):
        if free[index]:
            kept.append(int(index))
            free &= ((lab - lab[index]) ** 2).sum(axis=1) > radius**2
    return colors[kept], _owners(lab, lab[kept])
