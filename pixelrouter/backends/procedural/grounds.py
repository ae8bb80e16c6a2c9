"""Tiles: one ground that repeats without a seam, and the sixteen corner tiles between two grounds.

A corner Wang tile has one of two grounds at each corner (Wang tiles with coloured corners: Lagae and Dutré, "An
alternative for Wang tiles", 2006). Here every pixel depends on the four corners, on its place in the tile and on
nothing else, and both grounds repeat; so any tiles with equal corners fit, as if the whole map had been drawn at once.
"""

from __future__ import annotations

import numpy as np

from pixelrouter.backends.procedural import lexicon
from pixelrouter.backends.procedural.colors import DEEP, OUTLINE, SHADE
from pixelrouter.backends.procedural.draw import Sprite, limited, paint
from pixelrouter.backends.procedural.pen import Frame, Pen
from pixelrouter.backends.procedural.rng import Floats, Ints, Rng
from pixelrouter.backends.procedural.subjects import NOUNS, SUBJECTS, Subject
from pixelrouter.backends.procedural.subjects.tiles import wrapping_noise

#: What lies on a ground when nobody says.
_PAIRS = {
    "grass_tile": "dirt",
    "dirt_tile": "grass",
    "sand_tile": "grass",
    "water_tile": "sand",
    "lava_tile": "stone",
    "snow_tile": "stone",
    "stone_tile": "grass",
    "brick_tile": "stone",
    "plank_tile": "stone",
}
CODES = tuple(f"{number:04b}" for number in range(16))
_EDGE = 0.5


def ground_of(prompt: str, subject: str | None = None) -> tuple[Subject, lexicon.Plan]:
    """The ground that the words name; anything that is none becomes stone in the words' colours."""
    plan = lexicon.read(prompt, NOUNS)
    what = SUBJECTS.get(subject or plan.subject or "")
    if what is None or not what.tile:
        plan = lexicon.read(f"{prompt} tile", NOUNS)
        what = SUBJECTS[plan.subject or "stone_tile"]
    return what, plan


def upper_of(prompt: str, upper: str | None, subject: str | None = None) -> str:
    """What lies on the ground: as asked, else what goes well with it."""
    return upper if upper is not None and upper.strip() else _PAIRS[ground_of(prompt, subject)[0].name]


def _ground(prompt: str, seed: int, width: int, height: int, subject: str | None = None) -> Pen:
    what, plan = ground_of(prompt, subject)
    rng = Rng(f"{' '.join(prompt.lower().split())}\x1f{seed}")
    return paint(what, Frame(width, height, min(width, height) / 2, min(width, height) / 2), plan, rng)


def seamless(prompt: str, seed: int, width: int, height: int, subject: str | None = None) -> Sprite:
    """One tile that repeats in both directions."""
    return limited(*_ground(prompt, seed, width, height, subject).rgb())


def wang(prompt: str, upper: str, seed: int, width: int, height: int, subject: str | None = None) -> dict[str, Sprite]:
    """Corner code (nw, ne, sw, se; 1 where ``upper`` lies) -> tile. All share one palette."""
    painter = Painter(prompt, upper, seed, width, height, subject)
    rows = [painter.tile(*(int(bit) for bit in code)) for code in CODES]
    whole = limited(np.concatenate(rows), painter.table)
    return {
        code: Sprite(whole.pixels[at * height : (at + 1) * height], whole.palette, whole.transparent)
        for at, code in enumerate(CODES)
    }


class Painter:
    """Draws tiles of two grounds as colour numbers into ``table``."""

    def __init__(self, prompt: str, upper: str, seed: int, width: int, height: int, subject: str | None = None) -> None:
        below, above = _ground(prompt, seed, width, height, subject), _ground(upper, seed + 1, width, height)
        lower_numbers, lower_table = below.rgb()
        upper_numbers, upper_table = above.rgb()
        self.table = lower_table + upper_table
        shift = len(lower_table)
        self._lower, self._upper = lower_numbers, upper_numbers + shift
        self._shade = below.material * 7 + np.clip(below.tone - 2, DEEP, SHADE)
        self._rim = above.material * 7 + np.where(above.tone > SHADE, DEEP, OUTLINE) + shift
        rng = Rng(f"wang\x1f{prompt}\x1f{upper}\x1f{seed}")
        self._wobble = self._ragged(above, rng)
        # A line of one pixel; thicker where pixels are small.
        self._line = max(1, round(min(width, height) / 20)) / min(width, height)
        self._x = (np.arange(width) + 0.5) / width
        self._y = ((np.arange(height) + 0.5) / height)[:, None]

    @staticmethod
    def _ragged(pen: Pen, rng: Rng) -> Floats:
        """How far the border strays from its smooth course, about -0.2 to 0.2; it repeats as the grounds do."""
        coarse = wrapping_noise(pen, 4, 4, rng.bits()) - 0.5
        fine = wrapping_noise(pen, 8, 8, rng.bits()) - 0.5
        return np.asarray(0.3 * coarse + 0.16 * fine)

    def tile(self, nw: int, ne: int, sw: int, se: int) -> Ints:
        """The tile (height, width) between four corners."""
        field = self.field(nw, ne, sw, se)
        across, down = (ne - nw) * (1 - self._y) + (se - sw) * self._y, (sw - nw) * (1 - self._x) + (se - ne) * self._x
        steep = np.clip(np.sqrt(across**2 + down**2), 0.3, 1.0)  # lines stay thin where the field is nearly flat
        return np.asarray(self._blend(field + self._wobble, np.round(self._line * steep, 9)), dtype=np.int64)

    def field(self, nw: float, ne: float, sw: float, se: float) -> Floats:
        """How much of the upper ground there is: 0 to 1, in a straight course between the corners."""
        top = nw + (ne - nw) * self._x
        bottom = sw + (se - sw) * self._x
        return np.asarray(np.round(top + (bottom - top) * self._y, 9))

    def _blend(self, field: Floats, line: Floats) -> Ints:
        over = field > _EDGE
        rim = over & (field <= _EDGE + line)
        shade = ~over & (field > _EDGE - 1.5 * line)
        out = np.where(over, self._upper, self._lower)
        out = np.where(shade, self._shade, out)
        return np.asarray(np.where(rim, self._rim, out))
