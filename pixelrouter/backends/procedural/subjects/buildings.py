"""Houses, castles, doors, signs: what stands in a level."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, HIGH, LIGHT, OUTLINE, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import Shape, arc, box, circle, ellipse, limb, mirrored, poly
from pixelrouter.backends.procedural.subjects.registry import subject


def _bricks(p: Pen, wall: int, left: float, top: float, right: float, bottom: float) -> None:
    """A few stones, not a full grid: the eye fills in the rest."""
    if not p.fine and p.px > 0.08:
        return
    for _ in range(9):
        x, y = p.rng.uniform(left, right - 0.16), p.rng.uniform(top, bottom - 0.08)
        p.shade(box(x, y, x + 0.16, y + 0.09), p.rng.pick((-1, 1)))


@subject("house", "home cottage hut cabin shop barn farmhouse inn", stretch=1.2)
def house(p: Pen) -> None:
    """A small house with a gable roof."""
    roof, wall = p.color("main", COLORS["brick"]), p.color("accent", COLORS["beige"])
    wood, glass = p.mix(COLORS["wood"]), p.mix(COLORS["yellow"])
    p.fill(box(0.36, -0.95, 0.6, -0.3), p.mix(COLORS["stone"]), round=0.2)
    p.fill(box(-0.78, -0.1, 0.78, 0.95), wall, tone=BASE)
    p.fill(box(0.5, -0.1, 0.78, 0.95), wall, tone=SHADE)
    p.line(box(-0.78, -0.1, 0.78, 0.08), wall, SHADE)
    half = max(0.17, 0.8 * p.px)
    p.fill(box(-half, 0.4, half, 0.95, 0.04), wood, round=0.15, edge=True)
    p.line(box(0.05, 0.66, 0.05 + p.px, 0.66 + p.px), glass, LIGHT)
    if not p.tiny:
        p.fill(box(0.36, 0.3, 0.62, 0.58).both(), glass, tone=BASE, edge=True)
        p.line(box(0.36, 0.44 - p.px / 2, 0.62, 0.44 + p.px / 2).both(), wood, DEEP)
    cover = poly((0, -0.95), (1.05, 0.06), (0.9, 0.16), (-0.9, 0.16), (-1.05, 0.06))
    p.fill(cover, roof, tone=BASE, edge=True)
    p.fill(cover & box(0, -2, 2, 2), roof, tone=SHADE)
    p.line(limb(0, -0.9, -1.0, 0.06, p.wide(0.05)) & cover, roof, LIGHT)
    for y in (-0.4, -0.12):
        p.line(box(-2, y, 2, y + p.px) & cover.grow(-0.08), roof, DEEP)


def _battlement(left: float, right: float, top: float) -> Shape:
    """A wall top with three merlons."""
    step = (right - left) / 5
    merlons = box(left, top, left + step, top + 0.3) | box(left + 2 * step, top, left + 3 * step, top + 0.3)
    return merlons | box(right - step, top, right, top + 0.3) | box(left, top + 0.18, right, top + 0.5)


@subject("castle", "fortress citadel palace keep stronghold", stretch=1.15, symmetric=True)
def castle(p: Pen) -> None:
    """Two towers and a gate."""
    stone, flag = p.color("main", COLORS["stone"]), p.color("accent", COLORS["red"])
    p.fill(_battlement(-0.6, 0.6, -0.3) | box(-0.6, 0, 0.6, 0.95), stone, tone=BASE)
    towers = (box(0.48, -0.6, 0.9, 0.95) | _battlement(0.42, 0.97, -0.78)).both()
    p.fill(towers, stone, round=0.2, edge=True)
    _bricks(p, stone, -0.9, -0.2, 0.9, 0.9)
    gate = max(0.24, p.px)
    p.fill(circle(0, 0.5, gate) | box(-gate, 0.5, gate, 0.95), p.mix(COLORS["wood"]), tone=SHADE, edge=True)
    p.line(box(-p.px / 2, 0.3, p.px / 2, 0.95), p.mix(COLORS["wood"]), DEEP)
    p.line(box(0.62, -0.25, 0.76, 0.02, 0.05).both(), stone, OUTLINE)
    p.fill(limb(0.69, -0.8, 0.69, -1.15, 0.5 * p.px).both(), p.mix(COLORS["wood"]), tone=DEEP)
    p.line(poly((0.69, -1.18), (0.98, -1.05), (0.69, -0.92)).both(), flag, BASE, over=False)


@subject("tower", "turret lighthouse", stretch=1.5, symmetric=True)
def tower(p: Pen) -> None:
    """A round tower with a pointed roof."""
    stone, roof = p.color("accent", COLORS["stone"]), p.color("main", COLORS["blue"])
    if p.says("stone"):
        stone, roof = p.color("main", COLORS["stone"]), p.color("accent", COLORS["blue"])
    p.fill(mirrored((0.4, -0.4), (0.42, 0.5), (0.52, 1.1)), stone, round=0.45)
    p.fill(box(-0.52, -0.5, 0.52, -0.22, 0.04), stone, round=0.4, edge=True)
    _bricks(p, stone, -0.4, -0.1, 0.4, 1.0)
    p.fill(mirrored((0.0, -1.35), (0.66, -0.42)), roof, round=0.5, edge=True)
    p.line(box(-0.1, 0.05, 0.1, 0.36, 0.08), stone, OUTLINE)
    p.fill(circle(0, 0.86, max(0.17, 0.9 * p.px)) | box(-max(0.17, p.px), 0.86, max(0.17, p.px), 1.1),
           p.mix(COLORS["wood"]), tone=SHADE, edge=True)  # fmt: skip


@subject("door", "gate portal doorway", stretch=1.35, symmetric=True)
def door(p: Pen) -> None:
    """A round-topped door in a stone frame; "portal" swirls."""
    wood, stone = p.color("main", COLORS["wood"]), p.color("accent", COLORS["stone"])
    p.fill(circle(0, -0.2, 0.8) | box(-0.8, -0.2, 0.8, 1.0), stone, round=0.16)
    leaf = circle(0, -0.2, 0.58) | box(-0.58, -0.2, 0.58, 1.0)
    if p.says("portal", "magic"):
        glow = p.color("main", COLORS["violet"])
        p.fill(leaf, glow, tone=DEEP)
        for r, tone in ((0.42, BASE), (0.2, LIGHT)):
            p.fill(arc(0, 0.15, r, 0, 250, p.wide(0.08), p.wide(0.03)), glow, tone=tone)
            p.fill(arc(0, 0.15, r * 0.9, 180, 430, p.wide(0.06), p.wide(0.03)), glow, tone=tone)
        return
    p.fill(leaf, wood, round=0.14, edge=True)
    for x in (-0.2, 0.2):
        p.line(box(x - p.px / 2, -2, x + p.px / 2, 0.95) & leaf, wood, DEEP)
    for y in (0.0, 0.62):
        p.line(box(-0.58, y, 0.2, y + max(0.1, p.px)) & leaf, p.mix(COLORS["iron"]), BASE)
    p.fill(circle(0.36, 0.36, max(0.09, 0.6 * p.px)), p.mix(COLORS["gold"]), round=0.1)


@subject("sign", "signpost board", stretch=1.2, symmetric=True)
def sign(p: Pen) -> None:
    """A board on a post."""
    wood = p.color("main", COLORS["wood"])
    p.fill(box(-max(0.11, p.px), -0.3, max(0.11, p.px), 1.0), wood, round=0.12, lift=-1)
    p.fill(box(-0.9, -0.8, 0.9, 0.25, 0.08), wood, round=0.14, edge=True)
    for y, half in ((-0.5, 0.6), (-0.25, 0.5), (0.0, 0.55)):
        p.line(box(-half, y, half, y + max(0.06, p.px)), wood, DEEP)


@subject("tombstone", "grave gravestone headstone tomb", stretch=1.2, symmetric=True)
def tombstone(p: Pen) -> None:
    """A rounded stone with a cross, in grass."""
    stone = p.color("main", COLORS["stone"])
    p.fill(circle(0, -0.3, 0.62) | box(-0.62, -0.3, 0.62, 0.95), stone, round=0.2)
    p.line(box(-0.06, -0.55, 0.06, 0.15) | box(-0.24, -0.35, 0.24, -0.23), stone, DEEP)
    grass = p.color("accent", COLORS["leaf"])
    tufts = poly((-0.95, 1.0), (-0.8, 0.65), (-0.6, 0.85), (-0.4, 0.6), (-0.15, 0.86), (0, 0.7)).both()
    p.fill(tufts | box(-0.9, 0.86, 0.9, 1.0), grass, tone=BASE)


@subject("fence", "railing palisade", stretch=1.3, symmetric=True)
def fence(p: Pen) -> None:
    """Three pickets and two rails."""
    wood = p.color("main", COLORS["wood"])
    for y in (-0.25, 0.35):
        p.fill(box(-1, y, 1, y + max(0.18, p.px)), wood, round=0.1, lift=-1)
    for x in (-0.68, 0, 0.68):
        p.fill(
            poly((x - 0.2, 0.8), (x - 0.2, -0.55), (x, -0.8), (x + 0.2, -0.55), (x + 0.2, 0.8)),
            wood,
            round=0.16,
            edge=True,
        )


@subject("table", "desk bench", stretch=1.3, symmetric=True)
def table(p: Pen) -> None:
    """A table seen a little from above."""
    wood = p.color("main", COLORS["wood"])
    p.fill(box(0.62, 0, 0.82, 0.8).both(), wood, round=0.12, lift=-1)
    p.fill(box(-0.95, -0.45, 0.95, 0.1, 0.06), wood, tone=LIGHT)
    p.fill(box(-0.95, 0.06, 0.95, 0.22), wood, tone=SHADE)
    p.line(box(-0.8, -0.24, 0.5, -0.24 + p.px), wood, BASE)


@subject("bed", "cot", stretch=1.3, symmetric=True)
def bed(p: Pen) -> None:
    """A bed from above."""
    wood, cloth, white = p.color("accent", COLORS["wood"]), p.color("main", COLORS["red"]), p.mix(COLORS["white"])
    p.fill(box(-0.7, -1, 0.7, 1, 0.1), wood, round=0.12)
    p.fill(box(-0.58, -0.78, 0.58, 0.9, 0.06), white, round=0.1)
    p.fill(box(-0.4, -0.7, 0.4, -0.36, 0.1), white, round=0.2, edge=True)
    p.fill(box(-0.6, -0.2, 0.6, 0.9, 0.06), cloth, round=0.2, edge=True)
    p.line(box(-0.6, -0.1, 0.6, -0.1 + max(0.1, p.px)), cloth, HIGH)


@subject("ladder", "stair stairs", stretch=1.5, symmetric=True)
def ladder(p: Pen) -> None:
    """A ladder."""
    wood = p.color("main", COLORS["wood"])
    for y in (-0.75, -0.25, 0.25, 0.75):
        p.fill(box(-0.5, y - p.wide(0.07), 0.5, y + p.wide(0.07)), wood, round=0.08, lift=-1)
    p.fill(limb(0.5, -1, 0.5, 1, p.wide(0.1)).both(), wood, round=0.12)


@subject("fountain", "well pond", stretch=1.15, symmetric=True)
def fountain(p: Pen) -> None:
    """A basin with water."""
    stone, water = p.color("accent", COLORS["stone"]), p.color("main", COLORS["water"])
    p.fill(arc(0, -0.45, 0.3, 180, 350, p.wide(0.06)).both(), water, tone=HIGH)
    p.fill(box(-0.12, -0.4, 0.12, 0.4), stone, round=0.14)
    p.fill(mirrored((0.95, 0.1), (0.8, 0.85), (0.7, 0.9)), stone, round=0.35)
    p.fill(ellipse(0, 0.16, 0.95, 0.22), stone, tone=LIGHT, edge=True)
    p.fill(ellipse(0, 0.18, 0.78, max(0.14, p.px * 0.7)), water, tone=BASE)
    p.line(limb(-0.4, 0.16, -0.1, 0.16, 0.5 * p.px), water, HIGH)
