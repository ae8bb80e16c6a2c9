"""One palette out of a folder of art, so that new sprites have the colours of the old ones."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelrouter.errors import InvalidRequest, UnknownPalette
from pixelrouter.pixels.color import Bytes, Floats, nearest, pack, squares, to_hex, to_oklab, unpack
from pixelrouter.pixels.decode import Source, decode, to_array

MAX_COLORS = 256
_WEIGHED = 1536  # colours compared each with each; more are put together with their like first
_GREY = 0.025  # OKLab chroma below which a colour has no hue to speak of
_SECTORS = 12  # of the circle of hues, each a ramp

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Covered:
    """How well a palette shows one image: distances are OKLab, over its visible pixels.

    ``colors`` it has, ``pixels`` that are visible, ``changed``: those whose exact colour the palette lacks.
    """

    name: str
    colors: int
    pixels: int
    changed: int
    mean: float
    max: float


@dataclass(frozen=True)
class Extracted:
    """A shared palette: ``colors`` in ramps, how many distinct ones there were, and each image's ``coverage``."""

    colors: tuple[str, ...]
    found: int
    coverage: tuple[Covered, ...]

    @property
    def exact(self) -> bool:
        """Whether every visible pixel of every image keeps its colour."""
        return not any(one.changed for one in self.coverage)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-ready data."""
        return {"colors": list(self.colors), "found": self.found, "images": [asdict(one) for one in self.coverage]}


def extract_palette(images: Iterable[Source], colors: int | None = None) -> Extracted:
    """The colours that images share: at most ``colors``, else as many as there are, up to 256.

    Every colour of the art is kept where that is possible. Where there are more, the two that are least missed as two
    become one, again and again, and the one that is seen more stays as it is: no colour is made that nobody drew.
    What a pair costs is the square of its OKLab distance, times the root of the rarer one's share: so near duplicates
    go first, and a rare accent far from all others stays. A colour's share is taken of each image and then summed, so
    that a large image counts no more than a small one. All frames count; pixels below half opacity do not.

    The order is that of :func:`in_ramps`. Raises UnknownPalette where no pixel is visible, UnreadableImage, and
    InvalidRequest for a number that is not 1 to 256.
    """
    if colors is not None and not (type(colors) is int and 1 <= colors <= MAX_COLORS):
        raise InvalidRequest(f"A palette of {colors!r} colours cannot be made.", hint="Ask for 1 to 256.")
    counted = [(_name(image, at), *_counted(image)) for at, image in enumerate(images, 1)]
    values = np.unique(np.concatenate([each for _, each, _ in counted] or [np.zeros(0, np.uint32)]))
    if not len(values):
        raise UnknownPalette("No pixel is visible in the art.", hint="Give images with opaque pixels.")
    share = np.zeros(len(values))
    for _, each, counts in counted:
        share[np.searchsorted(values, each)] += counts / max(1, int(counts.sum()))
    kept = unpack(_fewer(values, share, colors or MAX_COLORS))
    palette = kept[_ramps(kept)]
    lab = to_oklab(palette)
    coverage = tuple(_covered(name, each, counts, palette, lab) for name, each, counts in counted)
    return Extracted(to_hex(palette), len(values), coverage)


def _name(image: Source, number: int) -> str:
    return os.fspath(image) if isinstance(image, str | os.PathLike) else f"image {number}"


def _counted(image: Source) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The visible colours of all frames as ``0xRRGGBB``, and the pixels of each."""
    seen = []
    for frame in decode(image).frames:
        rgba = to_array(frame)
        seen.append(pack(rgba[rgba[..., 3] >= 128][:, :3]))
    values, counts = np.unique(np.concatenate(seen), return_counts=True)
    return values, counts.astype(np.int64)


def _fewer(values: NDArray[np.uint32], share: Doubles, limit: int) -> NDArray[np.uint32]:
    """At most ``limit`` of the distinct colours."""
    if len(values) <= limit:
        return values
    values, share = _alike(values, share)
    keep = np.ones(len(values), dtype=np.bool_)
    gaps = squares(to_oklab(unpack(values)), to_oklab(unpack(values)))
    np.fill_diagonal(gaps, np.inf)
    cost, partner = np.full(len(values), np.inf), np.zeros(len(values), dtype=np.intp)
    stale = np.arange(len(values))
    for _ in range(len(values) - limit):
        for row in stale:
            price = gaps[row] * np.sqrt(np.minimum(share[row], share))
            partner[row] = price.argmin()
            cost[row] = price[partner[row]]
        one = int(cost.argmin())
        other = int(partner[one])
        stays, goes = (one, other) if (share[one], -one) >= (share[other], -other) else (other, one)
        share[stays] += share[goes]
        keep[goes] = False
        gaps[goes, :] = gaps[:, goes] = np.inf
        cost[goes] = np.inf
        stale = np.flatnonzero(keep & ((partner == goes) | (partner == stays)))
        stale = np.union1d(stale, [stays])
    return values[keep]


def _alike(values: NDArray[np.uint32], share: Doubles) -> tuple[NDArray[np.uint32], Doubles]:
    """So few colours that each can be compared with each: of those alike in their leading bits the most seen stays."""
    for bits in (7, 6, 5, 4):
        if len(values) <= _WEIGHED:
            break
        _, place = np.unique(pack(unpack(values) >> np.uint8(8 - bits)), return_inverse=True)
        order = np.lexsort((values, -share, place))
        first = order[np.r_[True, np.diff(place[order]) > 0]]
        total = np.bincount(place, share).astype(np.float64)
        rank = np.argsort(values[first])
        values, share = values[first][rank], total[rank]
    return values, share


def in_ramps(colors: Iterable[str]) -> tuple[str, ...]:
    """Colours in an order for people: the greys, then twelve sectors of hue, from pink over red and green to purple.

    Each goes from dark to light. ``colors`` are "#rrggbb". Hue, lightness and what counts as grey (a chroma below
    0.025) are OKLab's; colours of one lightness are ordered by their hex digits.
    """
    rgb = np.array([tuple(bytes.fromhex(c.removeprefix("#"))) for c in colors], dtype=np.uint8).reshape(-1, 3)
    return to_hex(rgb[_ramps(rgb)])


def _ramps(rgb: Bytes) -> NDArray[np.intp]:
    lab = to_oklab(rgb).astype(np.float64).round(5)  # so that no last bit decides
    hue = np.arctan2(lab[:, 2], lab[:, 1]) % (2 * np.pi)
    sector = np.rint(hue * (_SECTORS / (2 * np.pi))).astype(np.intp) % _SECTORS + 1
    sector[np.hypot(lab[:, 1], lab[:, 2]) < _GREY] = 0
    return np.lexsort((pack(rgb), lab[:, 0], sector))


def _covered(name: str, values: NDArray[np.uint32], counts: NDArray[np.int64], palette: Bytes, lab: Floats) -> Covered:
    """What becomes of an image whose pixels go to the nearest colours of the palette."""
    pixels = int(counts.sum())
    if not pixels:
        return Covered(name, 0, 0, 0, 0.0, 0.0)
    own = to_oklab(unpack(values))
    gap = np.sqrt(((own - lab[nearest(own, lab)]).astype(np.float64) ** 2).sum(axis=1))
    missing = ~np.isin(values, pack(palette))
    gap[~missing] = 0.0
    mean = round(float((gap * counts).sum() / pixels), 5)
    return Covered(name, len(values), pixels, int(counts[missing].sum()), mean, round(float(gap.max()), 5))
