"""Robots, ships, rockets and tools with moving parts."""

from __future__ import annotations

import math

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, GLINT, HIGH, LIGHT, OUTLINE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import box, circle, ellipse, limb, mirrored, poly
from pixelrouter.backends.procedural.subjects.registry import subject


@subject("robot", "droid android mech bot golem automaton cyborg", stretch=1.2, symmetric=True)
def robot(p: Pen) -> None:
    """A square robot with an antenna; "golem" is made of stone."""
    golem = p.says("golem")
    shell = p.color("main", COLORS["stone"] if golem else COLORS["silver"])
    lamp = p.color("accent", COLORS["cyan"])
    joint = shell if golem else p.mix(COLORS["iron"])
    if not golem:
        p.fill(limb(0, -0.7, 0, -1.0, p.wide(0.04)), joint, round=0.05)
        p.fill(circle(0, -1.05, max(0.1, 0.7 * p.px)), p.mix(COLORS["red"]), round=0.12)
    p.fill(box(0.12, 0.55, 0.42, 1.0, 0.06).both(), joint, round=0.16)
    p.fill(limb(0.58, 0.12, 0.66, 0.5, max(0.13, 0.7 * p.px)).both(), joint, round=0.15)
    p.fill(box(-0.52, 0.0, 0.52, 0.66, 0.1), shell, round=0.22, edge=True)
    if not golem:
        p.line(circle(0, 0.3, 0.13), lamp, BASE)
    p.fill(box(-0.62, -0.78, 0.62, -0.06, 0.14), shell, round=0.22, edge=True)
    if not p.tiny:
        p.fill(box(-0.46, -0.6, 0.46, -0.26, 0.08), joint, tone=DEEP)
    p.eyes(0.24, -0.44, lamp, HIGH, 0.15)
    p.line(box(-0.24, -0.18, 0.24, -0.18 + p.px), joint, DEEP)


@subject("spaceship", "ship starship starfighter shuttle spacecraft ufo saucer jet plane", stretch=1.2, symmetric=True)
def spaceship(p: Pen) -> None:
    """A ship from above, nose up; "ufo" is a saucer from the side."""
    hull, wing = p.color("main", COLORS["silver"]), p.color("accent", COLORS["red"])
    if p.says("ufo", "saucer"):
        p.fill(circle(0, -0.12, 0.5), p.mix(COLORS["glass"]), round=0.5)
        p.fill(ellipse(0, 0.15, 1.0, 0.35), hull, round=0.33, edge=True)
        for x in (-0.6, -0.2, 0.2, 0.6):
            p.line(circle(x, 0.2, 0.08), wing, LIGHT)
        return
    flame = p.mix(COLORS["fire"])
    p.fill(poly((0.1, 0.75), (0.34, 0.75), (0.22, 1.15)).both(), flame, tone=LIGHT)
    p.fill(poly((0.2, -0.1), (0.98, 0.55), (0.98, 0.85), (0.2, 0.62)).both(), wing, round=0.18)
    p.fill(box(0.86, 0.15, 0.86 + max(0.12, p.px), 0.85, 0.04).both(), hull, round=0.1, edge=True)
    p.fill(box(0.1, 0.5, 0.36, 0.84, 0.06).both(), p.mix(COLORS["iron"]), round=0.12)
    p.fill(mirrored((0.0, -1.1), (0.2, -0.6), (0.36, 0.1), (0.3, 0.7)), hull, round=0.34, edge=True)
    p.fill(ellipse(0, -0.18, max(0.15, 0.7 * p.px), 0.3), p.mix(COLORS["azure"]), round=0.2, edge=True)
    p.line(limb(-0.05, -0.34, -0.05, -0.22, 0.4 * p.px), p.mix(COLORS["azure"]), GLINT)


@subject("rocket", "missile", stretch=1.4, symmetric=True)
def rocket(p: Pen) -> None:
    """An upright rocket with fins, a porthole and a flame."""
    hull, fin, flame = p.color("accent", COLORS["white"]), p.color("main", COLORS["red"]), p.mix(COLORS["fire"])
    p.fill(mirrored((0.26, 0.6), (0.2, 0.9), (0.0, 1.2)), flame, tone=BASE)
    p.line(mirrored((0.14, 0.6), (0.0, 0.95)), flame, HIGH)
    p.fill(poly((0.3, 0.1), (0.75, 0.6), (0.75, 0.9), (0.3, 0.62)).both(), fin, round=0.16)
    body = (circle(0.9, 0, 1.32) & circle(-0.9, 0, 1.32)) & box(-2, -2, 2, 0.66)
    p.fill(body, hull, round=0.42, edge=True)
    p.fill(body & box(-2, -2, 2, -0.5), fin, round=0.42)
    p.fill(circle(0, -0.12, max(0.2, 0.9 * p.px)), p.mix(COLORS["azure"]), round=0.2, edge=True)
    p.glint(circle(-0.07, -0.19, p.wide(0.04)), p.mix(COLORS["azure"]))


@subject("gear", "cog cogwheel wheel", stretch=1.05)
def gear(p: Pen) -> None:
    """A toothed wheel."""
    steel = p.color("main", COLORS["steel"])
    teeth = circle(0, 0, 0.74)
    for i in range(8):
        a = math.pi * i / 4
        teeth = teeth | limb(0, 0, 0.88 * math.cos(a), 0.88 * math.sin(a), max(0.15, 0.6 * p.px))
    p.fill(teeth, steel, round=0.16)
    p.line(circle(0, 0, 0.52), steel, DEEP)
    p.fill(circle(0, 0, 0.46), steel, round=0.12)
    p.hole(circle(0, 0, 0.24))


@subject("car", "truck vehicle cart wagon tank", stretch=1.2)
def car(p: Pen) -> None:
    """A car from the side."""
    paint, tyre = p.color("main", COLORS["red"]), p.mix(COLORS["black"])
    cabin = poly((-0.55, -0.1), (-0.35, -0.55), (0.3, -0.55), (0.6, -0.1))
    p.fill(cabin, paint, round=0.2)
    p.line(cabin.grow(-0.1) - box(-0.04, -2, 0.04, 2), p.mix(COLORS["glass"]), BASE)
    p.fill(box(-1, -0.15, 1, 0.35, 0.14), paint, round=0.25, edge=True)
    p.line(box(0.86, 0.0, 1.0, 0.14), p.mix(COLORS["yellow"]), HIGH)
    for x in (-0.55, 0.55):
        p.fill(circle(x, 0.38, 0.27), tyre, round=0.2, edge=True)
        p.fill(circle(x, 0.38, 0.11), p.color("accent", COLORS["silver"]), tone=LIGHT)


@subject("boat", "sailboat raft canoe galleon", stretch=1.2)
def boat(p: Pen) -> None:
    """A sailing boat."""
    wood, sail = p.color("accent", COLORS["wood"]), p.color("main", COLORS["beige"])
    p.fill(limb(0, -0.95, 0, 0.4, p.wide(0.05)), wood, tone=DEEP)
    p.fill(poly((0.1, -0.9), (0.8, 0.25), (0.1, 0.25)), sail, round=0.3)
    p.fill(poly((-0.1, -0.65), (-0.65, 0.25), (-0.1, 0.25)), sail, round=0.3, lift=-1)
    p.fill(poly((-1, 0.4), (1, 0.4), (0.65, 0.9), (-0.65, 0.9)), wood, round=0.3, edge=True)
    p.line(box(-0.8, 0.6, 0.8, 0.6 + p.px), wood, DEEP)


@subject("clock", "watch hourglass timer", stretch=1.1, symmetric=True)
def clock(p: Pen) -> None:
    """A clock face; "hourglass" is one."""
    frame, face = p.color("main", COLORS["gold"]), p.color("accent", COLORS["white"])
    if p.says("hourglass"):
        glass, sand = p.mix(COLORS["glass"]), p.color("accent", COLORS["sand"])
        p.fill(mirrored((0.5, -0.8), (0.45, -0.3), (0.08, 0.0), (0.45, 0.3), (0.5, 0.8)), glass, round=0.3)
        p.fill(mirrored((0.34, -0.4), (0.06, -0.08)) | mirrored((0.0, 0.3), (0.36, 0.75)), sand, tone=BASE)
        p.fill(box(-0.65, 0.75, 0.65, 1.0, 0.06) | box(-0.65, -1.0, 0.65, -0.75, 0.06), frame, round=0.16, edge=True)
        return
    p.fill(circle(0, 0, 1), frame, round=0.2)
    p.fill(circle(0, 0, 0.76), face, tone=LIGHT)
    dark = p.mix(COLORS["black"])
    for i in range(0, 12, 3 if p.px > 0.07 else 1):
        a = math.pi * i / 6
        p.line(circle(0.6 * math.cos(a), 0.6 * math.sin(a), 0.5 * p.px), dark, OUTLINE)
    p.fill(limb(0, 0, 0, -0.48, 0.5 * p.px) | limb(0, 0, 0.32, 0.16, 0.5 * p.px), dark, tone=OUTLINE)


@subject("anvil", "forge", stretch=1.15)
def anvil(p: Pen) -> None:
    """A smith's anvil."""
    iron = p.color("main", COLORS["iron"])
    p.fill(mirrored((0.25, -0.1), (0.25, 0.3), (0.65, 0.55), (0.7, 0.75)), iron, round=0.2, lift=-1)
    p.fill(
        poly((-1, -0.5), (0.95, -0.5), (0.95, -0.2), (0.4, 0.05), (-0.35, 0.05), (-0.6, -0.2)),
        iron,
        round=0.16,
        edge=True,
    )
    p.line(box(-0.85, -0.44, 0.85, -0.44 + p.px), iron, HIGH)
