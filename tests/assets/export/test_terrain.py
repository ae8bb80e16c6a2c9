from __future__ import annotations

from pixelrouter.assets.export.terrain import corner_codes, ground_colors
from pixelrouter.assets.sprite import Sprite
from tests.assets.export import sprites

BLUE, SAND = ((*bytes.fromhex(color[1:]),) for color in sprites.PALETTE[1:3])


def grounds(lower: str, upper: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """The colours of two tiles whose pixels are entries of the palette, row by row."""
    tiles = []
    for pixels in (lower, upper):
        tile = sprites.frame(0).crop((0, 0, 4, len(pixels) // 4))
        tile.putdata([int(pixel) for pixel in pixels])
        tiles.append(tile)
    names = ("wang-0000", "wang-1111")
    sprite = Sprite("shore", tuple(tiles), sprites.PALETTE, "tileset", names)
    return ground_colors(sprite, corner_codes(sprite))


def test_the_most_frequent_colour_that_is_seen() -> None:
    assert grounds("22212222", "33343332") == (BLUE, SAND)
    assert grounds("00000220", "33340000") == (BLUE, SAND)


def test_a_draw_does_not_depend_on_the_order() -> None:
    assert grounds("22441111", "33333333") == grounds("11114422", "33333333")
    assert grounds("2244", "3333") == grounds("4422", "3333") == (BLUE, SAND)


def test_the_colours_always_differ() -> None:
    for both in ("2222", "0000"):
        lower, upper = grounds(both, both)
        assert lower != upper


def test_only_corner_tiles_have_corners() -> None:
    assert corner_codes(sprites.wang([9, 4])) == {0: "1001", 1: "0100"}
    views = Sprite("x", sprites.views().frames, sprites.PALETTE, "views", ("wang-0110",))
    assert corner_codes(views) == {}
    mixed = Sprite("x", sprites.wang().frames, sprites.PALETTE, "tileset", ("rock", "wang-0110", "1010"))
    assert corner_codes(mixed) == {1: "0110", 2: "1010"}
