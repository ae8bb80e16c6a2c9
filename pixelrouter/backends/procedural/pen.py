"""The pen that subjects draw with: it turns shapes into shaded pixels, part over part.

Light falls from the top left. A part bulges from its edge inwards over ``round`` units like a quarter circle, so a
large value gives a ball and a small one a plate with a bevelled rim; the surface's slope then picks a tone of the
part's ramp. Bands are hard, without dithering, because a sprite has few pixels to spare.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pixelrouter.backends.procedural.colors import BASE, DEEP, GLINT, HIGH, LIGHT, OUTLINE, SHADE, Color, ramp
from pixelrouter.backends.procedural.rng import Ints, Rng
from pixelrouter.backends.procedural.shapes import Shape

Mask = npt.NDArray[np.bool_]
_LIGHT = (-0.50, -0.62, 0.605)
_TONES = ((0.955, HIGH), (0.80, LIGHT), (0.36, BASE), (-0.06, SHADE))
_EPS = 1e-3


@dataclass(frozen=True)
class Frame:
    """Where the drawing lies on the canvas: its size in pixels, pixels per unit, and the point at its centre."""

    width: int
    height: int
    scale_x: float
    scale_y: float
    center_x: float = 0.0
    center_y: float = 0.0


class Pen:
    """A canvas of materials and tones, and what the prompt says about colours.

    ``px`` is the side of a pixel in units; ``tiny`` is True where there is no room for inner detail.
    """

    def __init__(
        self,
        frame: Frame,
        rng: Rng,
        palette: Callable[[str, Color], Color],
        words: Collection[str] = (),
        *,
        final: Frame | None = None,
    ) -> None:
        """``final`` is the frame to come, where this drawing only measures the subject for it."""
        self.frame, self.rng, self.words = frame, rng, frozenset(words)
        self._palette = palette
        goal = final or frame
        self.px = 1 / min(goal.scale_x, goal.scale_y)
        # Long things lie aslant, as inventories show them, but upright or level on a long canvas.
        self.tilt = 0.0 if goal.height >= 1.7 * goal.width else 90.0 if goal.width >= 1.7 * goal.height else 45.0
        self.tiny = self.px > 0.145  # fewer than about 14 pixels across
        self.fine = self.px < 0.052  # more than about 40
        x = (np.arange(frame.width) + 0.5 - frame.width / 2) / frame.scale_x + frame.center_x
        y = (np.arange(frame.height) + 0.5 - frame.height / 2) / frame.scale_y + frame.center_y
        self.x, self.y = np.meshgrid(x, y)
        self.colors: list[Color] = []
        self.material: Ints = np.full(self.x.shape, -1, dtype=np.int64)
        self.tone: Ints = np.zeros(self.x.shape, dtype=np.int64)

    def says(self, *words: str) -> bool:
        """True if the prompt holds one of these words."""
        return not self.words.isdisjoint(words)

    def color(self, role: str, default: Color) -> int:
        """The ramp for a role: ``main`` and ``accent`` follow the prompt's colours, other roles keep the default."""
        return self.mix(self._palette(role, default))

    def mix(self, color: Color) -> int:
        """A ramp of this very colour."""
        if color not in self.colors:
            self.colors.append(color)
        return self.colors.index(color)

    def mask(self, shape: Shape) -> Mask:
        """The pixels whose centres lie in ``shape``. Rounded, so that the last bit of a sine cannot flip a pixel."""
        return np.asarray(np.round(shape.f(self.x, self.y), 6) <= 0)

    def fill(
        self,
        shape: Shape,
        color: int,
        *,
        round: float = 0.3,
        tone: int | None = None,
        lift: int = 0,
        edge: bool = False,
        over: bool = False,
    ) -> Mask:
        """Draw ``shape`` and return its pixels.

        ``tone`` fixes one tone; else the tone follows the light, made lighter by ``lift`` steps. ``edge`` draws a dark
        line where the part lies on others. ``over`` clips it to what is drawn already.
        """
        mask = self.mask(shape)
        if over:
            mask &= self.material >= 0
        if edge and not self.tiny:
            rim = spread(mask) & ~mask & (self.material >= 0)
            self.material[rim], self.tone[rim] = color, OUTLINE
        if mask.any():
            self.material[mask] = color
            self.tone[mask] = self._lit(shape, mask, round, lift) if tone is None else tone
        return mask

    def _lit(self, shape: Shape, mask: Mask, bulge: float, lift: int) -> Ints:
        x, y = self.x[mask], self.y[mask]
        gx = shape.f(x + _EPS, y) - shape.f(x - _EPS, y)
        gy = shape.f(x, y + _EPS) - shape.f(x, y - _EPS)
        norm = np.sqrt(gx * gx + gy * gy)
        norm[norm < 1e-12] = 1.0
        slope = 1 - np.clip(-shape.f(x, y) / max(bulge, 1e-6), 0.0, 1.0)
        facing = np.sqrt(np.maximum(1 - slope * slope, 0.0))
        light = np.round(slope * (gx * _LIGHT[0] + gy * _LIGHT[1]) / norm + facing * _LIGHT[2], 6)
        tone = np.full(x.shape, DEEP, dtype=np.int64)
        for least, value in reversed(_TONES):
            tone[light > least] = value
        low, high = (SHADE, LIGHT) if self.tiny else (DEEP, HIGH)
        return np.asarray(np.clip(tone + lift, low, high))

    def shade(self, shape: Shape, by: int) -> None:
        """Darken (negative) or lighten what is drawn inside ``shape`` by tones."""
        mask = self.mask(shape) & (self.material >= 0) & (self.tone > OUTLINE)
        self.tone[mask] = np.clip(self.tone[mask] + by, DEEP, HIGH)

    def line(self, shape: Shape, color: int, tone: int = OUTLINE, *, over: bool = True) -> None:
        """A flat mark such as an eye, a seam or a rune; left out where there is no room."""
        if not self.tiny:
            self.fill(shape, color, tone=tone, over=over)

    def glint(self, shape: Shape, color: int, tone: int = GLINT) -> None:
        """A specular highlight, only where something is drawn."""
        self.fill(shape, color, tone=tone, over=True)

    def dot(self, x: float, y: float, color: int, tone: int, size: float = 0.0) -> None:
        """A square mark of at least one pixel, snapped to the pixels so that a pair of eyes is never lopsided."""
        side = max(1, int(np.floor(size / self.px + 0.5)))
        column = _snap(x, self.frame.center_x, self.frame.scale_x, self.frame.width, side)
        row = _snap(y, self.frame.center_y, self.frame.scale_y, self.frame.height, side)
        area = (slice(max(row, 0), max(row + side, 0)), slice(max(column, 0), max(column + side, 0)))
        self.material[area], self.tone[area] = color, tone

    def eyes(self, x: float, y: float, color: int, tone: int, size: float = 0.0) -> None:
        """Two marks, mirrored pixel for pixel about the canvas's middle column."""
        x = max(abs(x), 1.05 * self.px)
        if self.tiny:  # a face too narrow for eyes goes without: they would sit on its rim
            left = _snap(-x, self.frame.center_x, self.frame.scale_x, self.frame.width, 1)
            right = _snap(x, self.frame.center_x, self.frame.scale_x, self.frame.width, 1)
            row = _snap(y, self.frame.center_y, self.frame.scale_y, self.frame.height, 1)
            face = self.material[max(row, 0) : row + 1, max(left - 1, 0) : right + 2]
            if face.size == 0 or (face < 0).any():
                return
        before = self.material.copy(), self.tone.copy()
        self.dot(-x, y, color, tone, size)
        if self.frame.center_x == 0.0:
            changed = (self.material != before[0]) | (self.tone != before[1])
            twin = changed[:, ::-1]
            self.material[twin], self.tone[twin] = color, tone
        else:
            self.dot(x, y, color, tone, size)

    def hole(self, shape: Shape) -> None:
        """Cut ``shape`` out of everything drawn so far."""
        self.material[self.mask(shape)] = -1

    def wide(self, half: float) -> float:
        """``half`` as a half thickness, at least what still leaves an unbroken line of pixels."""
        return max(half, 0.56 * self.px)

    def outline(self, thickness: int = 1) -> None:
        """Surround the drawing: each pixel takes its neighbour's darkest tone, a lighter one where light falls."""
        for _ in range(thickness):
            free = self.material < 0
            ring = np.zeros(free.shape, dtype=bool)
            material, tone = self.material.copy(), self.tone.copy()
            for dy, dx, lit in ((1, 0, True), (0, 1, True), (0, -1, False), (-1, 0, False)):
                neighbour = _moved(self.material, dy, dx, -1)
                touching = free & (neighbour >= 0)
                material[touching] = neighbour[touching]
                tone[touching] = DEEP if lit and not self.tiny and self.px < 0.1 else OUTLINE
                ring |= touching
            self.material, self.tone = material, tone

    def rgb(self) -> tuple[Ints, list[tuple[int, int, int]]]:
        """Indices into a list of colours, -1 where nothing is drawn."""
        table = [tone for color in self.colors for tone in ramp(color)]
        return np.where(self.material < 0, -1, self.material * 7 + self.tone), table


def _snap(value: float, center: float, scale: float, pixels: int, side: int) -> int:
    return int(np.floor((value - center) * scale + pixels / 2 - side / 2 + 0.5 + 1e-6))


def _moved(values: Ints, dy: int, dx: int, empty: int) -> Ints:
    """``values`` as seen from the pixel ``dy`` above and ``dx`` to the left."""
    height, width = values.shape
    out = np.full_like(values, empty)
    out[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)] = values[
        max(0, dy) : height - max(0, -dy), max(0, dx) : width - max(0, -dx)
    ]
    return out


def spread(mask: Mask) -> Mask:
    """The mask and every pixel beside it (four neighbours)."""
    out = mask.copy()
    out[1:] |= mask[:-1]
    out[:-1] |= mask[1:]
    out[:, 1:] |= mask[:, :-1]
    out[:, :-1] |= mask[:, 1:]
    return out


def bbox(mask: Mask) -> tuple[int, int, int, int]:
    """First and last column, first and last row of the True pixels; the mask must hold one."""
    columns: Sequence[int] = np.flatnonzero(mask.any(axis=0)).tolist()
    rows: Sequence[int] = np.flatnonzero(mask.any(axis=1)).tolist()
    return columns[0], columns[-1], rows[0], rows[-1]
