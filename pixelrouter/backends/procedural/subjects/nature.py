"""Trees, flowers, rocks, sky."""

from __future__ import annotations

import math

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, HIGH, LIGHT, OUTLINE, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import Shape, arc, box, circle, ellipse, limb, mirrored, path, poly, star
from pixelrouter.backends.procedural.subjects.registry import subject


def _crown(p: Pen, color: int, balls: list[tuple[float, float, float]]) -> None:
    """A leafy mass: balls from back to front, each lit on its own, in a shared silhouette."""
    for x, y, r in balls:
        p.fill(circle(x, y, r), color, round=r * 0.95)
    if p.fine:
        for x, y, r in balls:
            for _ in range(5):
                a, d = p.rng.uniform(0, 6.28), r * p.rng.uniform(0.2, 0.75)
                spot = ellipse(x + d * math.cos(a), y + d * math.sin(a), 0.075, 0.04)
                p.shade(spot, p.rng.pick((-1, 1)))


@subject("tree", "oak maple birch willow forest", stretch=1.4)
def tree(p: Pen) -> None:
    """A broad-leaved tree."""
    leaf, bark = p.color("main", COLORS["leaf"]), p.color("accent", COLORS["brown"])
    half = max(0.15, 1.0 * p.px)
    trunk = mirrored((half, 0.0), (half, 0.75), (half * 2.1, 1.05))
    p.fill(trunk, bark, round=0.16)
    if p.says("dead", "bare", "withered"):
        for x, y in ((-0.6, -0.7), (0.55, -0.8), (-0.15, -1.0), (0.75, -0.2), (-0.8, -0.15)):
            p.fill(limb(0, 0.2, x, y, p.wide(0.1), p.wide(0.03)), bark, round=0.1)
        return
    wobble = p.rng.uniform(-0.05, 0.05)
    balls = [(-0.5, 0.05, 0.42), (0.5, 0.08, 0.42), (0.36 + wobble, -0.4, 0.45), (0, -0.02, 0.46), (-0.32, -0.45, 0.5)]
    if not p.tiny:
        p.fill(ellipse(0, 0.3, 0.5, 0.2), leaf, tone=DEEP)
    _crown(p, leaf, balls)
    fruit = p.says("apple", "fruit", "cherry")
    if fruit and not p.tiny:
        red = p.mix(COLORS["red"])
        for x, y in ((-0.5, -0.2), (0.1, -0.35), (0.45, 0.0), (-0.1, 0.2)):
            p.fill(circle(x, y, max(0.1, 0.8 * p.px)), red, round=0.1)


@subject("pine", "fir spruce conifer evergreen", stretch=1.5, symmetric=True)
def pine(p: Pen) -> None:
    """A conifer in three tiers."""
    leaf, bark = p.color("main", COLORS["leaf"].shifted(light=-0.1)), p.color("accent", COLORS["brown"])
    p.fill(box(-max(0.12, p.px), 0.5, max(0.12, p.px), 1.1), bark, round=0.12)
    for top, foot, half in ((0.0, 0.72, 0.78), (-0.5, 0.28, 0.62), (-1.1, -0.16, 0.46)):
        tier = mirrored((0.0, top), (half, foot), (half * 0.5, foot - 0.05), (0.0, foot + 0.06))
        p.fill(tier, leaf, round=0.4, edge=True)
        if p.says("snow", "snowy", "winter", "christmas"):
            p.line(
                tier & mirrored((0.0, top), (half * 0.5, top + 0.3), (0.0, top + 0.22)), p.mix(COLORS["snow"]), LIGHT
            )


@subject("bush", "shrub hedge plant foliage herb", stretch=1.3)
def bush(p: Pen) -> None:
    """A round bush, perhaps with berries."""
    leaf = p.color("main", COLORS["leaf"])
    _crown(p, leaf, [(-0.55, 0.2, 0.42), (0.55, 0.22, 0.42), (0.3, -0.15, 0.45), (0, 0.25, 0.45), (-0.28, -0.12, 0.48)])
    p.hole(box(-2, 0.55, 2, 2))
    if not p.tiny and p.rng.chance(0.6):
        berry = p.color("accent", COLORS["red"])
        for x, y in ((-0.5, 0.05), (0.05, -0.2), (0.4, 0.2), (-0.1, 0.3)):
            p.fill(circle(x, y, max(0.08, 0.7 * p.px)), berry, round=0.1)


@subject("flower", "rose tulip daisy blossom sunflower lily", stretch=1.3)
def flower(p: Pen) -> None:
    """A flower on a stem with two leaves."""
    petal, leaf = p.color("main", COLORS["rose"]), p.color("leaf", COLORS["leaf"])
    p.fill(limb(0, -0.2, 0.0, 1.1, p.wide(0.06)), leaf, round=0.07)
    for side, y in ((1, 0.75), (-1, 0.6)):
        blade = ellipse(0, 0, 0.34, max(0.14, 0.9 * p.px)).turn(-30).move(0.3, y)
        p.fill(blade if side > 0 else blade.flip(), leaf, round=0.14)
    count = p.rng.pick((5, 6))
    for i in range(count):
        a = 2 * math.pi * i / count - math.pi / 2
        p.fill(circle(0.4 * math.cos(a), -0.5 + 0.4 * math.sin(a), 0.27), petal, round=0.3, edge=p.fine)
    p.fill(circle(0, -0.5, max(0.2, 0.9 * p.px)), p.color("accent", COLORS["yellow"]), round=0.2, edge=True)


@subject("rock", "boulder stone pebble ore meteor asteroid", stretch=1.25)
def rock(p: Pen) -> None:
    """An angular boulder; "ore" shows coloured veins."""
    ore = p.says("ore") and not p.says("stone")
    stone = p.color("rock" if ore else "main", COLORS["stone"])
    points = []
    for i in range(9):
        a = 2 * math.pi * i / 9
        r = p.rng.uniform(0.84, 1.0)
        points.append((r * math.cos(a), min(0.68, 0.82 * r * math.sin(a))))
    p.fill(poly(*points), stone, round=0.6)
    if not p.tiny:
        p.shade(poly((-0.55, -0.55), (0.1, -0.7), (0.35, -0.35), (-0.2, -0.15)), 1)
        p.line(path([(0.2, -0.05), (0.38, 0.12), (0.3, 0.36)], 0.5 * p.px), stone, DEEP)
        p.line(limb(-0.5, 0.18, -0.3, 0.3, 0.5 * p.px), stone, DEEP)
    if ore:
        vein = p.color("main", COLORS["gold"])
        for x, y in ((-0.45, -0.1), (0.15, -0.35), (0.4, 0.2), (-0.1, 0.3)):
            p.fill(poly((x - 0.14, y), (x, y - 0.16), (x + 0.16, y), (x, y + 0.13)).grow(0.3 * p.px), vein, round=0.12)


@subject("cloud", "mist fog", stretch=1.3)
def cloud(p: Pen) -> None:
    """A flat-bottomed cloud."""
    white = p.color("main", COLORS["snow"])
    r = p.rng.near(0.45, 0.08)
    body = (
        circle(-0.1, -0.2, r) | circle(0.38, -0.02, 0.34) | circle(-0.58, 0.08, 0.3) | box(-0.85, 0.0, 0.8, 0.36, 0.18)
    )
    p.fill(body, white, tone=LIGHT)
    p.fill(body - body.move(-0.06, -0.14), white, tone=SHADE)
    p.fill(body - body.move(0.08, 0.12), white, tone=HIGH)
    if p.says("storm", "thunder", "lightning", "rain"):
        p.fill(poly((0.1, 0.2), (-0.25, 0.65), (0, 0.62), (-0.15, 1.0), (0.3, 0.5), (0.05, 0.5), (0.25, 0.2)),
               p.mix(COLORS["lightning"]), tone=BASE)  # fmt: skip


@subject("sun", "sunshine", stretch=1.05, symmetric=True)
def sun(p: Pen) -> None:
    """A disc with rays."""
    gold, ray = p.color("main", COLORS["yellow"]), p.color("accent", COLORS["orange"])
    p.fill(star(0, 0, 1.05, 0.62, 8), ray, tone=BASE)
    p.fill(circle(0, 0, 0.62), gold, round=0.5, edge=True)


@subject("moon", "crescent", stretch=1.05)
def moon(p: Pen) -> None:
    """A crescent with craters."""
    pale = p.color("main", COLORS["holy"])
    p.fill(circle(0, 0, 1) - circle(0.48, -0.2, 0.8), pale, round=0.35)
    for x, y, r in ((-0.68, -0.1, 0.1), (-0.45, 0.5, 0.12), (0.05, 0.78, 0.08)):
        p.line(circle(x, y, r), pale, SHADE)


@subject("leaf", "", stretch=1.2)
def leaf(p: Pen) -> None:
    """One leaf with its veins."""
    green = p.color("main", COLORS["leaf"])
    blade: Shape = (circle(0.45, 0, 1.0) & circle(-0.45, 0, 1.0)).turn(40)
    p.fill(limb(0, 0.5, 0, 1.2, p.wide(0.05)).turn(40), green, tone=SHADE)
    p.fill(blade, green, round=0.4)
    p.line(limb(0, -0.7, 0, 0.9, 0.5 * p.px).turn(40), green, DEEP)
    for y in (-0.25, 0.1, 0.45):
        p.line(limb(0, y, 0.3, y - 0.2, 0.4 * p.px).turn(40), green, DEEP)
        p.line(limb(0, y, -0.3, y - 0.2, 0.4 * p.px).turn(40), green, DEEP)


@subject("fire", "flame campfire bonfire fireball", stretch=1.3)
def fire(p: Pen) -> None:
    """A flame in three colours."""
    outer = p.color("main", COLORS["fire"])
    if p.says("campfire", "bonfire"):
        wood = p.mix(COLORS["wood"])
        for x in (-0.6, 0.6):
            p.fill(limb(x, 0.8, -x, 1.0, p.wide(0.11)), wood, round=0.12)
    lean = p.rng.uniform(-0.1, 0.1)
    drop = poly((lean, -1.1), (0.32, -0.5), (0.5, -0.62), (0.68, 0.1), (0.6, 0.6), (0.25, 0.9), (-0.25, 0.9),
                (-0.62, 0.6), (-0.68, 0.15), (-0.45, -0.35), (-0.32, -0.1), (-0.2, -0.6))  # fmt: skip
    p.fill(drop, outer, tone=SHADE)
    p.fill(poly((lean / 2, -0.55), (0.3, -0.1), (0.44, 0.35), (0.2, 0.86), (-0.2, 0.86), (-0.44, 0.4), (-0.2, 0)),
           outer, tone=LIGHT, over=True)  # fmt: skip
    p.fill(ellipse(0, 0.5, 0.2, 0.34), p.mix(COLORS["yellow"]), tone=HIGH, over=True)


@subject("cactus", "", stretch=1.3)
def cactus(p: Pen) -> None:
    """A two-armed cactus."""
    green = p.color("main", COLORS["green"])
    p.fill(path([(-0.3, 0.3), (-0.65, 0.25), (-0.65, -0.2)], 0.16), green, round=0.16)
    p.fill(path([(0.3, 0.1), (0.65, 0.05), (0.65, -0.5)], 0.16), green, round=0.16)
    p.fill(box(-0.3, -1, 0.3, 1.0, 0.28), green, round=0.3, edge=True)
    for y in (-0.6, -0.2, 0.2, 0.6):
        p.line(circle(-0.08, y, 0.4 * p.px) | circle(0.12, y + 0.2, 0.4 * p.px), green, HIGH)
    if p.rng.chance(0.5):
        p.fill(circle(0, -1.02, max(0.14, p.px)), p.color("accent", COLORS["pink"]), round=0.12)
    p.line(arc(0, 0.95, 0.28, 20, 160, 0.4 * p.px), green, OUTLINE)
