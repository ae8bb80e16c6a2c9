"""What a palette file holds, and what every reader of one needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pixelrouter.errors import UnknownPalette

MAX_ENTRIES = 4096  # of a file; what an image can use is 256 of them
CLEAR = 0  # the alpha of an entry that is no colour


@dataclass(frozen=True)
class Palette:
    """A palette file as it is: every entry in its order, repeats included.

    ``colors``: ``("#rrggbb", ...)``, at least one. ``names``: one a colour, "" where the file has none. ``alpha``: 0 to
    255 a colour, None where the format or the file has none. ``transparent``: the index that the file says is not
    drawn; None for none. ``name`` of the palette, ``format`` as in :data:`~pixelrouter.pixels.PALETTE_FORMATS`.
    ``scale``: pixels a side that a colour takes in a picture, else 1. ``warnings``: what was odd, in words.
    """

    colors: tuple[str, ...]
    names: tuple[str, ...] = ()
    name: str = ""
    alpha: tuple[int, ...] | None = None
    transparent: int | None = None
    format: str = ""
    scale: int = 1
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", ("",) * len(self.colors))
        if self.alpha is not None and all(alpha == 255 for alpha in self.alpha):
            object.__setattr__(self, "alpha", None)

    @property
    def visible(self) -> tuple[str, ...]:
        """The colours that can be seen, each once: without entries of alpha 0, unless all have it.

        The colour at ``transparent`` stays: Aseprite writes 0 there into every .act file, whether or not a colour is
        meant, and a palette that lost its black would be worse than one with a colour too many.
        """
        if self.alpha is None or not any(self.alpha):
            return tuple(dict.fromkeys(self.colors))
        return tuple(dict.fromkeys(c for c, alpha in zip(self.colors, self.alpha, strict=True) if alpha != CLEAR))


@dataclass(frozen=True)
class Sheet:
    """What is written: colours as (r, g, b), one name a colour ("" for none), and what only some formats can hold."""

    colors: tuple[tuple[int, int, int], ...]
    names: tuple[str, ...]
    name: str = ""
    alpha: tuple[int, ...] | None = None
    transparent: int | None = None
    scale: int = 1


def hexed(red: int, green: int, blue: int) -> str:
    """``#rrggbb`` of three bytes."""
    return f"#{red:02x}{green:02x}{blue:02x}"


def bounded(what: str, count: int) -> None:
    """Raise UnknownPalette where there are no entries, or too many."""
    if not count:
        raise UnknownPalette(f"{what} holds no colour.", hint="A palette needs 1 to 256 colours.")
    if count > MAX_ENTRIES:
        raise UnknownPalette(f"{what} holds more than {MAX_ENTRIES} colours.", hint="A palette has at most 256.")


def one_line(text: str) -> str:
    """A name for a file of lines: no line breaks, no control characters, one space between words."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def own_name(name: str, color: str) -> str:
    """A name as read, "" for one that only repeats the colour, which is what is written where there is none."""
    return "" if name.lower().lstrip("#") == color[1:] else name


def faded(alpha: Sequence[int]) -> str | None:
    """A warning for alpha that finished pixel art cannot have."""
    half = sum(0 < value < 255 for value in alpha)
    if alpha and not any(alpha):
        return "Every entry has alpha 0; all are taken as colours."
    return f"{half} entries are half transparent; they are taken as opaque colours." if half else None
