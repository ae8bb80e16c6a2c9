"""Corner tiles between two grounds: whether every two that may lie side by side fit, and how they look on a map.

A corner Wang tile is named ``wang-`` and four digits, its corners north-west, north-east, south-west and south-east;
1 is the upper ground. Two tiles may lie side by side where the corners that meet are equal (Lagae and Dutré, "An
alternative for Wang tiles: colored edges versus colored corners", 2006).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.decode import Source, decode
from pixelrouter.pixels.tiles.seam import appearance, stands_out

# An edge up to this mean score does not show: above TILEABLE, since of 64 edges some stand out by chance. Measured in
# November 2026 on 72 drawn sets of 16 to 32 pixels: all pass; 71 fail once a border tile is mirrored, 60 once one is
# turned by four pixels.
FITS = 0.8

CODES = tuple(f"{number:04b}" for number in range(16))
_NAME = re.compile(r"(?:^|[^0-9A-Za-z])([01]{4})(?:[^0-9A-Za-z]|$)|^([01]{4})$")

Side = Literal["right", "below"]


@dataclass(frozen=True)
class Joint:
    """``second`` lies to the right of ``first`` or below it; ``score`` as a seam's: above :data:`FITS` it shows."""

    first: str
    second: str
    side: Side
    score: float


@dataclass(frozen=True)
class WangReport:
    """How the tiles of a set fit. ``edges``: for each tile and each of its sides the mean score of all its joints
    there, as ``{"wang-0110": {"top": 0.1, "right": ...}}``; ``missing``: the codes for which there is no tile.

    ``score``: the worst edge. One joint may be a little more visible than usual by chance; an edge at which all the
    joints are is wrong.
    """

    score: float
    edges: dict[str, dict[str, float]]
    joints: tuple[Joint, ...]
    missing: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the set is complete and no edge shows."""
        return self.score <= FITS and not self.missing

    @property
    def faults(self) -> tuple[tuple[str, str, float], ...]:
        """Tile, side and score of the edges that show, the worst first."""
        found = [(n, s, v) for n, sides in self.edges.items() for s, v in sides.items() if v > FITS]
        return tuple(sorted(found, key=lambda fault: -fault[2]))

    def as_dict(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "fits": self.fits,
            "threshold": FITS,
            "missing": list(self.missing),
            "edges": self.edges,
            "joints": [asdict(joint) for joint in self.joints],
        }


def corners(name: str) -> str | None:
    """The four digits in a tile's name, ``"0110"`` in ``"wang-0110"`` or ``"shore-0110.png"``; None without."""
    found = _NAME.search(name)
    return (found[1] or found[2]) if found else None


def check_wang(tiles: Mapping[str, Source]) -> WangReport:
    """How well the tiles of a set fit, ``{"wang-0000": image, ...}``; several tiles may have the same corners.

    Each joint is scored as a seam, see :mod:`pixelrouter.pixels.tiles.seam`, against what lies inside the two tiles.
    Raises InvalidRequest for names without corners and for tiles of different sizes.
    """
    sized = _read(tiles)
    codes = {name: _code(name) for name in sized}
    looks = {name: appearance(rgba) for name, rgba in sized.items()}
    insides = {
        "right": {name: np.diff(look, axis=1) for name, look in looks.items()},
        "below": {name: np.diff(look.transpose(1, 0, 2), axis=1) for name, look in looks.items()},
    }
    joints = []
    for first, a in codes.items():
        for second, b in codes.items():
            sides: list[Side] = []
            if (a[1], a[3]) == (b[0], b[2]):
                sides.append("right")
            if (a[2], a[3]) == (b[0], b[1]):
                sides.append("below")
            for side in sides:
                one, other = looks[first], looks[second]
                across = other[:, 0] - one[:, -1] if side == "right" else other[0] - one[-1]
                inner = np.concatenate([insides[side][first], insides[side][second]], axis=1)
                joints.append(Joint(first, second, side, stands_out(iter([(inner, across)]))))
    edges: dict[str, dict[str, list[float]]] = {name: {} for name in codes}
    for joint in joints:
        here, there = ("right", "left") if joint.side == "right" else ("bottom", "top")
        edges[joint.first].setdefault(here, []).append(joint.score)
        edges[joint.second].setdefault(there, []).append(joint.score)
    means = {name: {s: float(np.mean(scores)) for s, scores in sides.items()} for name, sides in edges.items()}
    worst = max((score for sides in means.values() for score in sides.values()), default=0.0)
    missing = tuple(code for code in CODES if code not in codes.values())
    return WangReport(worst, means, tuple(joints), missing)


def wang_map(tiles: Mapping[str, Source], columns: int = 8, rows: int = 6, *, seed: int = 0) -> Image.Image:
    """A map of both grounds laid with a set's tiles, RGBA; the same for the same seed. Raises as :func:`check_wang`,
    and InvalidRequest where a tile is missing.
    """
    sized = _read(tiles)
    by_code: dict[str, list[Bytes]] = {}
    for name, rgba in sized.items():
        by_code.setdefault(_code(name), []).append(rgba)
    missing = [code for code in CODES if code not in by_code]
    if missing:
        raise InvalidRequest(f"The set has no tile {', '.join(missing)}.", hint="A map needs all sixteen.")
    if min(columns, rows) < 1:
        raise InvalidRequest("columns and rows are 1 or more.")
    chance = np.random.default_rng(seed)
    upper = chance.integers(0, 2, (rows + 1, columns + 1))
    lines = []
    for y in range(rows):
        codes = ["".join(map(str, upper[y : y + 2, x : x + 2].ravel())) for x in range(columns)]
        lines.append(np.concatenate([by_code[c][int(chance.integers(len(by_code[c])))] for c in codes], axis=1))
    return Image.fromarray(np.concatenate(lines))


def _read(tiles: Mapping[str, Source]) -> dict[str, Bytes]:
    if not tiles:
        raise InvalidRequest("There are no tiles.")
    read = {name: np.asarray(decode(tile).image) for name, tile in tiles.items()}
    first, shape = next((name, rgba.shape) for name, rgba in read.items())
    for name, rgba in read.items():
        if rgba.shape != shape:
            raise InvalidRequest(
                f"The tiles of a set have one size: {first} is {shape[1]}x{shape[0]}, {name} "
                f"{rgba.shape[1]}x{rgba.shape[0]}.",
                hint="Name the set's own files only, or finish them to one size first: --size 16.",
            )
    return read


def _code(name: str) -> str:
    code = corners(name)
    if code is None:
        raise InvalidRequest(
            f"{name!r} does not say its corners.", hint="Name tiles wang-0000 to wang-1111: nw, ne, sw, se; 1 is upper."
        )
    return code
