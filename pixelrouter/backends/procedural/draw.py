"""From a prompt to pixels: plan, fit the drawing to the canvas, draw, outline, limit the colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pixelrouter.backends.procedural import lexicon
from pixelrouter.backends.procedural.colors import BASE, DEEP, LIGHT, OUTLINE, RGB, Color, distance
from pixelrouter.backends.procedural.pen import Frame, Mask, Pen, bbox, spread
from pixelrouter.backends.procedural.rng import Ints, Rng
from pixelrouter.backends.procedural.shapes import box, circle, path
from pixelrouter.backends.procedural.subjects import FALLBACK, NOUNS, SUBJECTS, Subject

MAX_COLORS = 15  # and one transparent entry: 16 in all, which a 4-bit indexed PNG holds
_PROBE = Frame(96, 96, 32.0, 32.0)  # a trial drawing of -1.5..1.5 units, which measures the subject


@dataclass(frozen=True)
class Sprite:
    """Pixels (height, width) as indices into ``palette``; with ``transparent`` index 0 is the empty ground."""

    pixels: npt.NDArray[np.uint8]
    palette: list[RGB]
    transparent: bool


def draw(
    prompt: str, seed: int, width: int, height: int, transparent: bool | None, subject: str | None = None
) -> Sprite:
    """The sprite for ``prompt``: the same for the same arguments, everywhere.

    ``transparent`` None leaves the ground empty except for tiles, which fill the canvas. ``subject`` overrides what
    the prompt's words mean.
    """
    plan = lexicon.read(prompt, NOUNS)
    what = SUBJECTS[subject or plan.subject or FALLBACK]
    rng = Rng(f"{' '.join(prompt.lower().split())}\x1f{seed}")
    if what.tile and transparent is not True:
        pen = paint(what, Frame(width, height, min(width, height) / 2, min(width, height) / 2), plan, rng)
    else:
        pen = paint(what, _fit(what, width, height, plan, rng), plan, rng)
        if what.tile:
            inset = 1 - pen.px
            reach = (width / pen.frame.scale_x / 2 - pen.px, height / pen.frame.scale_y / 2 - pen.px)
            pen.material[~pen.mask(box(-reach[0], -reach[1], reach[0], reach[1], 0.12 * inset))] = -1
        elif plan.broken and not pen.tiny:
            _crack(pen, rng.fork("crack"))
        pen.outline(_thickness(width, height))
        if plan.glow and _halo(width, height):
            _glow(pen, _halo(width, height))
        if transparent is False:
            _ground(pen, rng.fork("ground"))
    return limited(*pen.rgb())


def paint(what: Subject, frame: Frame, plan: lexicon.Plan, rng: Rng, final: Frame | None = None) -> Pen:
    def palette(role: str, default: Color) -> Color:
        place = {"main": 0, "accent": 1}.get(role)
        color = plan.colors[place] if place is not None and place < len(plan.colors) else default
        vary = rng.fork(f"color {role}")
        return color.shifted(vary.uniform(-0.022, 0.022), vary.uniform(0.92, 1.05), vary.uniform(-4, 4))

    pen = Pen(frame, rng.fork("drawing"), palette, plan.words, final=final)
    what.paint(pen)
    return pen


def _thickness(width: int, height: int) -> int:
    """Pixels of outline: one for sprites, more for portraits, whose pixels are small."""
    return 1 if min(width, height) < 112 else 2 if min(width, height) < 208 else 3


def _halo(width: int, height: int) -> int:
    """Pixels of glow around the outline; none where the sprite needs all the room."""
    return 0 if min(width, height) < 16 else 2 if min(width, height) < 64 else 4


def _fit(what: Subject, width: int, height: int, plan: lexicon.Plan, rng: Rng) -> Frame:
    """The frame that lets the subject fill the canvas but for a margin, little stretched."""
    margin = _thickness(width, height) + (1 if min(width, height) >= 24 else 0)
    if plan.glow:
        margin += max(0, _halo(width, height) - 1)
    if what.tile:
        scale = min(width, height) / 2
        return Frame(width, height, scale, scale)
    frame = Frame(width, height, min(width, height) / 2, min(width, height) / 2)
    for _ in range(2):  # what is drawn depends a little on the pixels' size, so the second look is the exact one
        frame = _measured(what, frame, margin, paint(what, _PROBE, plan, rng, frame).material >= 0)
    if plan.small:
        frame = replace(frame, scale_x=frame.scale_x * 0.68, scale_y=frame.scale_y * 0.68)
    return frame


def _measured(what: Subject, frame: Frame, margin: int, drawn: Mask) -> Frame:
    """``frame``, scaled and centred for a subject whose trial drawing covers ``drawn``."""
    left, right, top, bottom = bbox(drawn)
    unit = 1 / _PROBE.scale_x
    wide, high = (right - left + 1) * unit, (bottom - top + 1) * unit
    center_x = ((left + right + 1) / 2 - _PROBE.width / 2) * unit
    center_y = ((top + bottom + 1) / 2 - _PROBE.height / 2) * unit
    if abs(center_x) < 0.03 or what.symmetric:
        wide, center_x = wide + 2 * abs(center_x), 0.0
    scale_x, scale_y = (frame.width - 2 * margin) / wide, (frame.height - 2 * margin) / high
    most = min(scale_x, scale_y) * what.stretch
    return replace(frame, scale_x=min(scale_x, most), scale_y=min(scale_y, most), center_x=center_x, center_y=center_y)


def _crack(pen: Pen, rng: Rng) -> None:
    """A jagged gap from the upper edge into the drawing."""
    left, right, top, bottom = bbox(pen.material >= 0)
    x0, x1 = float(pen.x[0, left]), float(pen.x[0, right])
    y0, y1 = float(pen.y[top, 0]), float(pen.y[bottom, 0])
    points = [(x0 + (x1 - x0) * rng.uniform(0.55, 0.7), y0 - 0.1)]
    for step in range(1, 5):
        swing = 0.5 + (0.16 if step % 2 else -0.06) * rng.uniform(0.6, 1.2)
        points.append((x0 + (x1 - x0) * swing, y0 + (y1 - y0) * step * 0.17))
    gap = pen.mask(path(points, pen.wide(0.07), pen.wide(0.03)))
    gap &= pen.material >= 0
    pen.tone[gap] = OUTLINE


def _glow(pen: Pen, reach: int) -> None:
    """Light around the outline: a full ring, then a checkered one, both of the subject's most common material."""
    filled = pen.material >= 0
    counts = np.bincount(pen.material[filled])
    color = int(np.argmax(counts))
    rows, columns = np.indices(filled.shape)
    near = spread(filled)
    pen.material[near & ~filled], pen.tone[near & ~filled] = color, LIGHT
    grown = near
    for _ in range(reach - 1):
        wider = spread(grown)
        ring = wider & ~grown & ((rows + columns) % 2 == 0)
        pen.material[ring], pen.tone[ring] = color, BASE
        grown = wider


def _ground(pen: Pen, rng: Rng) -> None:
    """A calm two-tone ground in the complement of the subject's main colour, dark for light subjects."""
    filled = pen.material >= 0
    main = pen.colors[int(np.argmax(np.bincount(pen.material[filled])))]
    light = 0.36 if main.light > 0.5 else 0.74
    ground = pen.mix(Color(light, 0.045, (main.hue + 180 + rng.uniform(-20, 20)) % 360))
    disc = Frame(pen.frame.width, pen.frame.height, 1, 1)
    radius = min(disc.width, disc.height) * 0.44
    x = np.arange(disc.width) + 0.5 - disc.width / 2
    y = np.arange(disc.height) + 0.5 - disc.height / 2
    inside: Mask = np.asarray(circle(0, 0, radius).f(*np.meshgrid(x, y)) <= 0)
    pen.material[~filled] = ground
    pen.tone[~filled] = np.where(inside, BASE, DEEP + 1)[~filled]


def limited(pixels: Ints, table: list[RGB]) -> Sprite:
    """At most ``MAX_COLORS`` colours: the cheapest pair to merge (difference times pixels) goes first."""
    used, counts = np.unique(pixels[pixels >= 0], return_counts=True)
    weight: dict[RGB, int] = {}
    for index, count in zip(used.tolist(), counts.tolist(), strict=True):
        weight[table[index]] = weight.get(table[index], 0) + count
    goes: dict[RGB, RGB] = {}
    while len(weight) > MAX_COLORS:
        colors = sorted(weight)
        pairs = ((a, b) for i, a in enumerate(colors) for b in colors[i + 1 :])
        a, b = min(pairs, key=lambda pair: (distance(*pair) * min(weight[pair[0]], weight[pair[1]]), pair))
        lost, kept = (a, b) if weight[a] < weight[b] else (b, a)
        weight[kept] += weight.pop(lost)
        goes[lost] = kept
    empty = bool((pixels < 0).any())
    palette = ([(0, 0, 0)] if empty else []) + sorted(weight)
    out = np.zeros(pixels.shape, dtype=np.uint8)
    for index in used.tolist():
        color = table[index]
        while color in goes:
            color = goes[color]
        out[pixels == index] = palette.index(color, 1 if empty else 0)
    return Sprite(out, palette, empty)
