"""A Wang tileset: which tiles there are, and how the vendor describes each.

Source: the vendor's description of create-tileset (August 2026): 16 tiles, or 25 where transition_size is 1, which then
cover 21 corner combinations. Which 21 the vendor does not say; here the 5 beside the usual 16 have transition above
and lower or upper below, and 4 of them come twice, told apart by ``row_3`` of their pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

Corners = tuple[str, str, str, str]  # NW, NE, SW, SE
_CODES = {"lower": 0, "upper": 1, "transition": 2}
_ANY = 255
_CLIFFS: tuple[Corners, ...] = (
    ("transition", "transition", "lower", "lower"),
    ("transition", "lower", "lower", "lower"),
    ("lower", "transition", "lower", "lower"),
    ("transition", "transition", "transition", "lower"),
    ("transition", "transition", "lower", "transition"),
)


@dataclass(frozen=True)
class Tile:
    """One tile of a set: its corners, and the terrain code below it where that tells twins apart."""

    corners: Corners
    below: int = _ANY


def layout(transition_size: float) -> list[Tile]:
    """Every tile of a set, in the order of the vendor's answer."""
    usual = [Tile((a, b, c, d)) for a, b, c, d in product(("lower", "upper"), repeat=4)]
    if transition_size < 1:
        return usual
    return usual + [Tile(corners) for corners in _CLIFFS] + [Tile(corners, 0) for corners in _CLIFFS[:4]]


def described(tile: Tile, number: int, tile_id: str, image: dict[str, Any]) -> dict[str, Any]:
    """The tile as GET /tilesets/{id} shows it."""
    nw, ne, sw, se = (_CODES[corner] for corner in tile.corners)
    named = dict(zip(("NW", "NE", "SW", "SE"), tile.corners, strict=True))
    return {
        "id": tile_id,
        # The vendor's example names the corners that are lower.
        "name": "+".join(place for place, terrain in named.items() if terrain == "lower") or "none",
        "image": image,
        "corners": named,
        "pattern_4x4": {
            "row_0": [_ANY] * 4,
            "row_1": [_ANY, nw, ne, _ANY],
            "row_2": [_ANY, sw, se, _ANY],
            "row_3": [_ANY, tile.below, tile.below, _ANY],
        },
        "original_position": {"row": number // 4, "col": number % 4},
        "description": ", ".join(f"{terrain} at {place}" for place, terrain in named.items()),
        "connections": None,
    }
