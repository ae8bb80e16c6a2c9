"""Draws a sprite in the terminal: two pixels a character cell, as upper and lower half block."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from PIL.Image import Image

UPPER, LOWER, EMPTY = "\u2580", "\u2584", " "
GAP = 2  # cells between two sprites
Pixel = tuple[int, int, int, int]


def show(images: Sequence[Image]) -> None:
    """Draw the images on stdout, if that is a terminal that can: colour (NO_COLOR), half blocks (its encoding)."""
    console = Console(file=sys.stdout)
    if not console.is_terminal or console.is_dumb_terminal or console.no_color or os.environ.get("NO_COLOR"):
        return
    try:
        (UPPER + LOWER).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return
    console.print(preview(images, columns=console.width, lines=max(console.height - 4, 8)), end="")


def preview(images: Sequence[Image], *, columns: int, lines: int) -> Text:
    """The RGBA images side by side, as many as fit; each shrunk by a whole factor if it is too big.

    A cell shows the pixel above as foreground and the one below as background; transparent pixels (alpha below 128)
    show the terminal's own background.
    """
    width, height = images[0].size
    step = max(1, -(-width // columns), -(-height // (2 * lines)))
    across = max(1, (columns + GAP) // (-(-width // step) + GAP))
    rows = range(0, height, 2 * step)
    text = Text(no_wrap=True, end="")
    for y in rows:
        for number, image in enumerate(images[:across]):
            text.append(" " * GAP if number else "")
            for x in range(0, width, step):
                below = _pixel(image, x, y + step) if y + step < height else (0, 0, 0, 0)
                text.append(*_cell(_pixel(image, x, y), below))
        text.append("\n")
    return text


def _pixel(image: Image, x: int, y: int) -> Pixel:
    red, green, blue, alpha = image.getpixel((x, y))  # type: ignore[misc]  # RGBA images give four channels
    return red, green, blue, alpha


def _cell(top: Pixel, bottom: Pixel) -> tuple[str, Style]:
    if top[3] < 128 and bottom[3] < 128:
        return EMPTY, Style()
    if bottom[3] < 128:
        return UPPER, Style(color=_color(top))
    if top[3] < 128:
        return LOWER, Style(color=_color(bottom))
    return UPPER, Style(color=_color(top), bgcolor=_color(bottom))


def _color(pixel: Pixel) -> str:
    return f"#{pixel[0]:02x}{pixel[1]:02x}{pixel[2]:02x}"
