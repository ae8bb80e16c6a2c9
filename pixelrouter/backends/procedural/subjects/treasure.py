"""Coins, gems, keys, rings: what a player picks up."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, GLINT, HIGH, LIGHT, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import (
    arc,
    box,
    circle,
    ellipse,
    heart_shape,
    limb,
    mirrored,
    poly,
    ring,
    star,
)
from pixelrouter.backends.procedural.subjects.registry import subject


@subject("coin", "money token doubloon gold currency medal", stretch=1.0, symmetric=True)
def coin(p: Pen) -> None:
    """A coin with a raised rim and a stamp."""
    gold = p.color("main", COLORS["gold"])
    p.fill(circle(0, 0, 1), gold, round=0.2)
    if p.tiny:
        p.fill(box(-0.16, -0.45, 0.16, 0.45), gold, tone=HIGH)
        return
    p.fill(circle(0, 0, 0.74), gold, tone=SHADE)
    p.fill(circle(0.05, 0.06, 0.68) & circle(0, 0, 0.74), gold, tone=BASE)
    stamp = p.rng.pick(("bar", "star", "diamond"))
    shape = star(0, 0.02, 0.5, 0.22) if stamp == "star" else box(-0.15, -0.42, 0.15, 0.42)
    if stamp == "diamond":
        shape = poly((0, -0.46), (0.34, 0), (0, 0.46), (-0.34, 0))
    p.fill(shape.move(0.05, 0.06), gold, tone=DEEP)
    p.fill(shape, gold, tone=HIGH)
    p.glint(arc(0, 0, 0.86, 205, 240, p.wide(0.05)), gold)


@subject(
    "gem", "crystal jewel diamond ruby sapphire emerald amethyst topaz gemstone shard", stretch=1.15, symmetric=True
)
def gem(p: Pen) -> None:
    """A cut stone: flat facets, each with its own tone."""
    stone = p.color("main", COLORS["ruby"] if p.says("ruby") else COLORS["diamond"])
    if p.says("crystal", "shard"):
        _crystal(p, stone)
        return
    top, waist, table = -0.8, -0.28, p.rng.uniform(0.48, 0.58)
    p.fill(mirrored((table, top), (1, waist), (0.0, 0.95)), stone, tone=BASE)
    facets = (
        (HIGH, ((-table, top), (table, top), (0.42, waist), (-0.42, waist))),
        (LIGHT, ((-table, top), (-0.42, waist), (-1, waist))),
        (SHADE, ((table, top), (1, waist), (0.42, waist))),
        (LIGHT, ((-1, waist), (-0.42, waist), (0, 0.95))),
        (BASE, ((-0.42, waist), (0.42, waist), (0, 0.95))),
        (DEEP, ((0.42, waist), (1, waist), (0, 0.95))),
    )
    for tone, points in facets:
        p.fill(poly(*points), stone, tone=tone, over=True)
    p.line(limb(-0.34, -0.62, -0.5, -0.45, p.wide(0.05)), stone, GLINT)
    p.line(limb(-0.5, -0.12, -0.3, 0.24, p.wide(0.03)), stone, GLINT)


def _crystal(p: Pen, stone: int) -> None:
    """A cluster of three prisms."""
    for x, tilt, long, wide in ((0.45, 24, 0.72, 0.25), (-0.48, -26, 0.62, 0.24), (0.0, 0, 1.0, 0.34)):
        tip = -long * 1.8
        whole = (
            poly((-wide, 0), (-wide, tip + wide), (0, tip), (wide, tip + wide), (wide, 0))
            .turn(tilt)
            .move(x * 0.6, 0.85)
        )
        right = poly((wide * 0.2, 0), (wide * 0.2, tip + wide * 1.3), (0, tip), (wide, tip + wide), (wide, 0))
        p.fill(whole, stone, tone=LIGHT, edge=True)
        p.fill(right.turn(tilt).move(x * 0.6, 0.85) & whole, stone, tone=SHADE)
        shine = (
            limb(-wide * 0.5, tip + wide * 1.4, -wide * 0.5, -long * 0.9, p.wide(0.04)).turn(tilt).move(x * 0.6, 0.85)
        )
        p.line(shine & whole, stone, GLINT)
    p.fill(ellipse(0, 0.86, 0.62, 0.14), p.color("accent", COLORS["stone"]), round=0.15)


@subject("heart", "life hp love", stretch=1.1, symmetric=True)
def heart(p: Pen) -> None:
    """A heart, round as a cushion."""
    red = p.color("main", COLORS["red"])
    p.fill(heart_shape(0, 0, 1.0), red, round=0.5)
    p.glint(limb(-0.62, -0.4, -0.5, -0.55, p.wide(0.09)), red)


@subject("star", "", stretch=1.05, symmetric=True)
def five_star(p: Pen) -> None:
    """A five-pointed star with a soft middle."""
    gold = p.color("main", COLORS["yellow"])
    p.fill(star(0, 0.06, 1.05, 0.5).grow(0.03), gold, round=0.3)
    p.glint(limb(-0.14, -0.3, -0.24, -0.05, p.wide(0.05)), gold)


@subject("key", "", stretch=1.1)
def key(p: Pen) -> None:
    """A key, bow up left, bit down right."""
    gold = p.color("main", COLORS["gold"])
    thick = p.wide(0.12)
    p.fill(limb(-0.15, -0.15, 0.85, 0.85, thick), gold, round=0.15)
    for at in (0.5, 0.78):
        p.fill(limb(at, at, at + 0.26, at - 0.26, p.wide(0.1)), gold, round=0.15)
    p.fill(circle(-0.45, -0.45, 0.52), gold, round=0.24)
    p.hole(circle(-0.45, -0.45, 0.22 if not p.tiny else 0.26))
    p.glint(arc(-0.45, -0.45, 0.38, 200, 250, p.wide(0.05)), gold)


@subject("ring", "band", stretch=1.05, symmetric=True)
def finger_ring(p: Pen) -> None:
    """A ring with a stone."""
    gold, stone = p.color("main", COLORS["gold"]), p.color("accent", COLORS["ruby"])
    for word in ("ruby", "emerald", "sapphire", "diamond", "amethyst", "topaz"):
        if p.says(word):
            gold, stone = p.color("metal", COLORS["gold"]), p.mix(COLORS[word])
    p.fill(ring(0, 0.3, 0.56, max(0.15, 0.8 * p.px)), gold, round=0.16)
    p.fill(poly((-0.2, -0.22), (0.2, -0.22), (0.3, -0.4), (-0.3, -0.4)), gold, tone=SHADE)
    p.fill(poly((-0.24, -0.9), (0.24, -0.9), (0.46, -0.66), (0, -0.22), (-0.46, -0.66)), stone, round=0.22, edge=True)
    p.glint(limb(-0.2, -0.74, -0.1, -0.78, p.wide(0.05)), stone)


@subject("crown", "tiara diadem", stretch=1.1, symmetric=True)
def crown(p: Pen) -> None:
    """A crown with a stone in each point."""
    gold, stone = p.color("main", COLORS["gold"]), p.color("accent", COLORS["ruby"])
    points = mirrored((0.0, -0.62), (0.3, 0.0), (0.92, -0.6), (0.8, 0.7))
    p.fill(points, gold, round=0.25)
    for x, y in ((0, -0.7), (0.9, -0.66)):
        p.fill(circle(x, y, max(0.14, 0.7 * p.px)).both(), stone, round=0.16)
    p.line(box(-0.9, 0.36, 0.9, 0.36 + p.px), gold, DEEP)
    p.fill(circle(0, 0.14, max(0.13, 0.6 * p.px)), stone, round=0.16, edge=True)
    p.glint(limb(-0.62, -0.1, -0.6, 0.1, p.wide(0.03)), gold)


@subject("amulet", "necklace pendant talisman", stretch=1.15, symmetric=True)
def amulet(p: Pen) -> None:
    """A stone in a setting on a chain."""
    gold, stone = p.color("accent", COLORS["gold"]), p.color("main", COLORS["emerald"])
    p.fill(arc(0, -0.35, 0.62, 150, 390, p.wide(0.07)), gold, round=0.08)
    p.fill(circle(0, 0.45, 0.5), gold, round=0.15, edge=True)
    p.fill(circle(0, 0.45, 0.32), stone, round=0.34, edge=True)
    p.glint(circle(-0.1, 0.34, p.wide(0.07)), stone)


@subject("bomb", "grenade explosive dynamite mine", stretch=1.1)
def bomb(p: Pen) -> None:
    """A round bomb with a burning fuse."""
    iron = p.color("main", COLORS["black"])
    rope, spark = p.mix(COLORS["tan"]), p.color("accent", COLORS["fire"])
    p.fill(arc(0.62, -0.5, 0.32, 190, 320, p.wide(0.06)), rope, round=0.08)
    p.fill(circle(-0.1, 0.25, 0.74), iron, round=0.74)
    p.fill(box(-0.2, -0.13, 0.2, 0.12, 0.04).turn(35).move(0.36, -0.3), iron, round=0.1, edge=True)
    p.fill(star(0.88, -0.74, 0.3, 0.14, 4), spark, tone=BASE)
    p.fill(circle(0.88, -0.74, p.wide(0.1)), spark, tone=GLINT)
    p.glint(arc(-0.1, 0.25, 0.46, 200, 240, p.wide(0.07)), iron)
