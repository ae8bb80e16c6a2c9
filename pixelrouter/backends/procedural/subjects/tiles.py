"""Ground and walls that fill the canvas and repeat without a seam."""

from __future__ import annotations

import numpy as np

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, HIGH, LIGHT, OUTLINE, SHADE, Color
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.rng import Floats, Ints, lattice
from pixelrouter.backends.procedural.subjects.registry import subject


def _indices(p: Pen) -> tuple[Ints, Ints]:
    rows, columns = np.indices(p.material.shape)
    return np.asarray(columns, dtype=np.int64), np.asarray(rows, dtype=np.int64)


def wrapping_noise(p: Pen, cells_x: int, cells_y: int, salt: int) -> Floats:
    """Smooth noise in 0..1 with this many cells across, wrapping at the borders."""
    columns, rows = _indices(p)
    x = (columns + 0.5) * cells_x / p.frame.width
    y = (rows + 0.5) * cells_y / p.frame.height
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    a, b = x0 % cells_x, (x0 + 1) % cells_x
    c, d = y0 % cells_y, (y0 + 1) % cells_y
    top = lattice(a, c, salt) * (1 - fx) + lattice(b, c, salt) * fx
    bottom = lattice(a, d, salt) * (1 - fx) + lattice(b, d, salt) * fx
    return np.asarray(np.round(top * (1 - fy) + bottom * fy, 9))


def _cells(p: Pen, per_unit: float) -> tuple[int, int]:
    """How many cells fit across and down, about ``per_unit`` in the shorter side."""
    short = min(p.frame.width, p.frame.height)
    return (
        max(2, round(per_unit * p.frame.width / short)),
        max(2, round(per_unit * p.frame.height / short)),
    )


def _ground(p: Pen, default: Color, specks: float) -> int:
    """A base of soft patches with single darker and lighter pixels."""
    color = p.color("main", default)
    p.material[:] = color
    patches = wrapping_noise(p, *_cells(p, 4), p.rng.bits())
    p.tone[:] = np.where(patches > 0.68, LIGHT, np.where(patches < 0.3, SHADE, BASE))
    columns, rows = _indices(p)
    grain = max(1, min(p.frame.width, p.frame.height) // 48)
    chance = lattice(columns // grain, rows // grain, p.rng.bits())
    p.tone[chance < specks] = SHADE
    p.tone[chance > 1 - specks / 2] = LIGHT
    return color


def _tufts(p: Pen, color: int, count: int, tones: tuple[int, int]) -> None:
    """Small "v" marks, placed by chance, wrapping around the borders."""
    width, height = p.frame.width, p.frame.height
    unit = max(1, min(width, height) // 32)
    for _ in range(count):
        x, y = int(p.rng.uniform(0, width)), int(p.rng.uniform(0, height))
        for dx, dy, tone in ((0, 0, tones[0]), (-1, -1, tones[1]), (1, -1, tones[1]), (0, 1, tones[0])):
            for row in range(unit):
                for column in range(unit):
                    at = ((y + dy * unit + row) % height, (x + dx * unit + column) % width)
                    p.material[at], p.tone[at] = color, tone


@subject("grass_tile", "grass meadow lawn field", tile=True)
def grass(p: Pen) -> None:
    """Grass with tufts and, now and then, flowers."""
    color = _ground(p, COLORS["leaf"].shifted(light=0.04), 0.05)
    cells = _cells(p, 3)
    _tufts(p, color, cells[0] * cells[1], (DEEP, HIGH))
    if p.says("flower", "flowers", "flowery"):
        _tufts(p, p.color("accent", COLORS["white"]), 3, (HIGH, LIGHT))


@subject("dirt_tile", "dirt earth mud soil", tile=True)
def dirt(p: Pen) -> None:
    """Earth with pebbles."""
    color = _ground(p, COLORS["dirt"], 0.08)
    _tufts(p, color, 4, (LIGHT, DEEP))


@subject("sand_tile", "sand desert beach dune", tile=True)
def sand(p: Pen) -> None:
    """Sand with fine grain."""
    _ground(p, COLORS["sand"], 0.04)


@subject("snow_tile", "snow", tile=True)
def snow(p: Pen) -> None:
    """Snow with blue shade."""
    _ground(p, COLORS["snow"].shifted(light=-0.05, chroma=1.6), 0.03)


def _waves(p: Pen, default: Color) -> None:
    """Liquid: bands that bend, with crests on them."""
    color = p.color("main", default)
    p.material[:] = color
    cells = _cells(p, 3)
    _, rows = _indices(p)
    bend = wrapping_noise(p, cells[0], cells[1], p.rng.bits())
    phase = rows * cells[1] / p.frame.height + bend * 1.2
    within = np.round(phase - np.floor(phase), 9)
    p.tone[:] = np.where(within < 0.16, HIGH, np.where(within < 0.34, LIGHT, np.where(within > 0.8, SHADE, BASE)))
    gap = wrapping_noise(p, cells[0] * 2, cells[1] * 2, p.rng.bits())
    p.tone[(within < 0.34) & (gap < 0.52)] = BASE


@subject("water_tile", "water sea ocean lake river", tile=True)
def water(p: Pen) -> None:
    """Water with broken crests."""
    _waves(p, COLORS["water"])


@subject("lava_tile", "lava magma", tile=True)
def lava(p: Pen) -> None:
    """Lava: the same movement, glowing."""
    _waves(p, COLORS["lava"])


def _masonry(p: Pen, default: Color, rows_wanted: int, *, brick: bool) -> None:
    """Courses of blocks, every second one shifted by half, each bevelled and slightly different."""
    color = p.color("main", default)
    p.material[:] = color
    across, courses = _cells(p, rows_wanted)
    courses += courses % 2  # an even number, or the shift would show at the seam
    across = max(1, across // 2)
    columns, rows = _indices(p)
    course = rows * courses // p.frame.height
    shift = np.where(course % 2 == 1, p.frame.width // (2 * across), 0)
    moved = (columns + shift) % p.frame.width
    block = moved * across // p.frame.width
    chance = lattice(block, course, p.rng.bits())
    p.tone[:] = (
        np.where(chance < 0.25, SHADE, BASE)
        if brick
        else np.where(chance < 0.3, SHADE, np.where(chance > 0.8, LIGHT, BASE))
    )
    top = (rows - 1) * courses // p.frame.height != course
    top[0] = True
    left = ((moved - 1) % p.frame.width) * across // p.frame.width != block
    if across == 1:
        left = moved == 0
    joint = top | left
    line = np.where(joint, OUTLINE, p.tone)
    if min(p.frame.width, p.frame.height) >= 16:
        lit = ~joint & (np.roll(joint & top, 1, axis=0) | np.roll(joint & left, 1, axis=1))
        dim = ~joint & (np.roll(joint & top, -1, axis=0) | np.roll(joint & left, -1, axis=1))
        line[lit], line[dim] = np.minimum(p.tone[lit] + 1, HIGH), np.maximum(p.tone[dim] - 1, DEEP)
    p.tone[:] = line


@subject("brick_tile", "brick wall", tile=True)
def brick(p: Pen) -> None:
    """A brick wall; a stone or castle wall is of stone."""
    rough = p.says("castle", "dungeon", "stone", "rock")
    _masonry(p, COLORS["stone"] if rough else COLORS["brick"], 4, brick=True)


@subject("stone_tile", "cobblestone cobble pavement floor dungeon", tile=True)
def stone(p: Pen) -> None:
    """Paving stones."""
    _masonry(p, COLORS["stone"], 4 if min(p.frame.width, p.frame.height) > 12 else 2, brick=False)


@subject("plank_tile", "plank", tile=True)
def planks(p: Pen) -> None:
    """Boards with grain."""
    wood = p.color("main", COLORS["wood"])
    p.material[:] = wood
    columns, rows = _indices(p)
    boards = _cells(p, 4 if min(p.frame.width, p.frame.height) > 12 else 2)[1]
    board = rows * boards // p.frame.height
    chance = lattice(board, board * 0, p.rng.bits())
    p.tone[:] = np.where(chance < 0.35, SHADE, BASE)
    grain = wrapping_noise(p, 3, boards * 4, p.rng.bits())
    p.tone[grain > 0.66] = LIGHT
    seam = (rows - 1) * boards // p.frame.height != board
    seam[0] = True
    end = (columns * 2 // p.frame.width + board) % 2 != ((columns - 1) % p.frame.width * 2 // p.frame.width + board) % 2
    end &= (columns > 0) & (lattice(board, board * 0 + 7, p.rng.bits()) < 0.6)
    p.tone[seam | end] = OUTLINE
