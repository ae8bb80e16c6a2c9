"""What each endpoint costs, in both of PixelLab's currencies.

Dollars: the vendor's price page as transcribed in August 2026, the row of the next larger size. Generations: the
vendor's API texts (August 2026), and where these say "20 to 40", the sizes of the dollar rows. Where the page names no
price (the pro animations and rotations, template animations) the nearest product's stands in: the bill counts, not the
list.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from pixelrouter.testing.simulator.pixellab.fields import Size
from pixelrouter.types import Money

_PIXELS_A_GENERATION = 65536
_PRO_USD = {256: "0.095", 341: "0.125", 512: "0.185"}
_PRO_GENERATIONS = {256: "20", 341: "25", 512: "40"}


@dataclass(frozen=True)
class Price:
    """The same thing in either currency; which one is taken, the account decides."""

    usd: Money
    generations: Money

    @classmethod
    def of(cls, usd: str, generations: str | int = 1) -> Price:
        return cls(Money.of(usd), Money.of(generations, "generations"))


ENHANCEMENT = Price.of("0.002", "0.05")


def _row(table: dict[int, str], value: int) -> str:
    """The row of the smallest key that is not below the value; above the last, the last."""
    return next((price for limit, price in table.items() if value <= limit), list(table.values())[-1])


def pixflux(size: Size, *, transparent: bool) -> Price:
    if transparent and size.side <= 128:
        return Price.of(_row({64: "0.0084", 128: "0.00848"}, size.side))
    return Price.of(_row({128: "0.00793", 320: "0.0101", 400: "0.0132"}, size.side))


def pixen(size: Size) -> Price:
    return Price.of(_row({32: "0.0070", 64: "0.00718", 128: "0.00793", 256: "0.0089", 512: "0.0169"}, size.side))


def bitforge(size: Size, *, transparent: bool) -> Price:
    if transparent:
        return Price.of(_row({32: "0.00734", 64: "0.00738", 128: "0.00821", 200: "0.01285"}, size.side))
    return Price.of(_row({32: "0.0071", 64: "0.00716", 128: "0.00797", 200: "0.01122"}, size.side))


def pro(size: Size) -> Price:
    return Price.of(_row(_PRO_USD, size.side), _row(_PRO_GENERATIONS, size.side))


def image_to_pixelart(size: Size) -> Price:
    return Price.of(_row({64: "0.0060", 128: "0.00666", 256: "0.01164"}, size.side))


def rotate(size: Size) -> Price:
    return Price.of(_row({64: "0.01057", 128: "0.01091"}, size.side))


def animation_v3(width: int, height: int, frames: int) -> Price:
    dollars = _row({4: "0.0221", 8: "0.0302", 16: "0.0424"}, frames)
    return Price.of(dollars, ceil(width * height * frames / _PIXELS_A_GENERATION))


def rotations_v3(width: int, height: int) -> Price:
    return Price.of("0.0377", ceil(width * height * 8 / _PIXELS_A_GENERATION))


def character(size: Size, directions: int) -> Price:
    rows = {4: {48: "0.0105", 64: "0.0122"}, 8: {48: "0.0133", 64: "0.0173"}}[directions]
    return Price.of(_row(rows, size.side))


def character_v3(width: int, height: int, *, from_text: bool) -> Price:
    """From text, one generation more: the picture that is then turned."""
    width, height = (max(width, height),) * 2 if from_text else (width, height)
    return Price.of("0.045", ceil(width * height * 8 / _PIXELS_A_GENERATION) + int(from_text))


def tileset(tile: int) -> Price:
    return Price.of(_row({16: "0.0079", 32: "0.0099"}, tile), 3)


def isometric_tile(size: Size) -> Price:
    return Price.of(_row({32: "0.0156", 64: "0.0166"}, size.side))


RESIZE = Price.of("0.0178")
REMOVE_BACKGROUND = Price.of("0.0059")
EDIT_IMAGE = Price.of("0.0118")
ANIMATE_WITH_TEXT = Price.of("0.01565")
ANIMATE_WITH_SKELETON = Price.of("0.0157")
ESTIMATE_SKELETON = Price.of("0.0051")
MAP_OBJECT = Price.of("0.0099")
TEMPLATE_ANIMATION = Price.of("0.0157")
