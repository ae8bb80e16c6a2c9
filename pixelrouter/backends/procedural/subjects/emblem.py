"""What is drawn for words nobody knows: a small symmetric creature, grown from the prompt's hash."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, GLINT, OUTLINE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import blobs, circle
from pixelrouter.backends.procedural.subjects.registry import subject

_HUES = ("red", "orange", "lime", "green", "teal", "azure", "blue", "violet", "magenta", "pink", "gold", "cyan")


@subject("emblem", "invader creature monster alien beast enemy critter mob", stretch=1.2, symmetric=True)
def emblem(p: Pen) -> None:
    """Cells in a half grid, mirrored: sure in the middle, by chance towards the rim, melted into one body."""
    body = p.color("main", COLORS[p.rng.pick(_HUES)])
    eye = p.color("accent", COLORS["white"])
    cells = []
    for row in range(7):
        for column in range(4):
            core = column <= 1 and 1 <= row <= 4
            odds = 0.34 + 0.2 * (1 - column / 3) + 0.14 * (row in (2, 3)) - 0.12 * (row == 0)
            if p.rng.chance(odds) or core:
                cells.append((column, row))
    seen, todo = set(), [(0, 2)]
    while todo:  # only what hangs together with the middle: loose cells read as dirt
        cell = todo.pop()
        if cell in seen or cell not in cells:
            continue
        seen.add(cell)
        x, y = cell
        todo += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
    grid = sorted(seen)

    centers = [(side * (column + 0.5) * 0.26, (row - 3) * 0.28) for column, row in grid for side in (-1, 1)]
    p.fill(blobs(centers, 0.2), body, round=0.3)
    level = p.rng.pick((-0.28, -0.1))
    if p.tiny:
        p.eyes(0.24, level, eye, OUTLINE)
        return
    size = p.rng.uniform(0.14, 0.18)
    p.fill(circle(0.27, level, size).both(), eye, tone=GLINT, edge=True)
    p.eyes(0.25, level + 0.03, eye, OUTLINE, size)
    p.line(circle(0, 0.22, p.rng.uniform(0.09, 0.16)) & circle(0, 0.38, 0.24), body, OUTLINE)
    if p.rng.chance(0.5):
        p.line(circle(0, level - 0.24, 0.07), body, BASE + 2)
