"""Swords, bows, staves, shields."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, GLINT, HIGH, LIGHT, OUTLINE, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import Shape, arc, box, circle, ellipse, limb, mirrored, poly, star
from pixelrouter.backends.procedural.subjects.registry import subject


def _blade(p: Pen, steel: int, half: float, top: float, foot: float) -> None:
    """A blade along the y axis, then tilted: a lit left face, a shaded right face."""
    half = max(half, 0.75 * p.px)
    left = poly((-half, foot), (-half, top + half * 1.6), (0, top), (0, foot))
    right = left.flip()
    p.fill(left.turn(p.tilt), steel, tone=HIGH if not p.tiny else LIGHT)
    p.fill(right.turn(p.tilt), steel, tone=SHADE if not p.tiny else BASE)
    if p.fine:
        p.fill(limb(0, foot, 0, top + half * 2.4, p.wide(half * 0.22)).turn(p.tilt), steel, tone=LIGHT)


def _hilt(p: Pen, foot: float, guard: float, grip_end: float) -> None:
    leather, gold = p.color("grip", COLORS["leather"]), p.color("accent", COLORS["gold"])
    p.fill(limb(0, foot, 0, grip_end, p.wide(0.085)).turn(p.tilt), leather, round=0.1)
    p.fill(limb(-guard, foot, guard, foot, p.wide(0.095)).turn(p.tilt), gold, round=0.1, edge=True)
    p.fill(circle(0, grip_end, max(0.13, 0.8 * p.px)).turn(p.tilt), gold, round=0.14, edge=True)


@subject("sword", "blade longsword broadsword saber sabre katana rapier greatsword excalibur", stretch=1.5)
def sword(p: Pen) -> None:
    """A straight sword, point up right."""
    steel = p.color("main", COLORS["steel"])
    half = p.rng.near(0.24 if p.says("greatsword", "big", "huge", "great") else 0.165, 0.1)
    _blade(p, steel, half, -1.25, 0.55)
    _hilt(p, 0.6, p.rng.near(0.44, 0.12), 1.08)


@subject("dagger", "knife stiletto shiv dirk", stretch=1.3)
def dagger(p: Pen) -> None:
    """A short blade."""
    steel = p.color("main", COLORS["steel"])
    _blade(p, steel, p.rng.near(0.2, 0.1), -0.75, 0.35)
    _hilt(p, 0.4, p.rng.near(0.36, 0.1), 0.92)


@subject("axe", "hatchet ax battleaxe tomahawk", stretch=1.3)
def axe(p: Pen) -> None:
    """An axe with one broad blade, or two if it is a battleaxe."""
    wood, steel = p.color("handle", COLORS["wood"]), p.color("main", COLORS["steel"])
    p.fill(limb(0, -1.0, 0, 1.15, p.wide(0.095)).turn(p.tilt), wood, round=0.1)
    # The long edges sweep out from the handle between two hollows; the cutting edge is an arc.
    head = (circle(0, -0.5, 0.86) & box(0.02, -2, 2, 2)) - circle(0.3, -1.3, 0.5) - circle(0.3, 0.3, 0.5)
    if p.says("battleaxe", "double"):
        head = head.both()
    p.fill(head.turn(p.tilt), steel, round=0.16, edge=True)


@subject("hammer", "mallet maul warhammer mace", stretch=1.3)
def hammer(p: Pen) -> None:
    """A hammer with a heavy head."""
    wood, steel = p.color("handle", COLORS["wood"]), p.color("main", COLORS["iron"])
    p.fill(limb(0, -0.6, 0, 1.15, p.wide(0.095)).turn(p.tilt), wood, round=0.1)
    p.fill(box(-0.6, -1.0, 0.6, -0.35, 0.06).turn(p.tilt), steel, round=0.2, edge=True)
    band = p.color("accent", COLORS["gold"])
    p.line(box(-0.14, -1.0, 0.14, -0.35).turn(p.tilt), band, BASE)


@subject("pickaxe", "pick", stretch=1.2)
def pickaxe(p: Pen) -> None:
    """A miner's pick."""
    wood, steel = p.color("handle", COLORS["wood"]), p.color("main", COLORS["steel"])
    p.fill(limb(0, -0.6, 0, 1.15, p.wide(0.09)).turn(p.tilt), wood, round=0.1)
    head = arc(0, 0.5, 1.2, 230, 270, p.wide(0.05), max(0.17, p.px)).both()
    p.fill(head.turn(p.tilt), steel, round=0.15, edge=True)


@subject("spear", "lance pike trident halberd javelin", stretch=1.6)
def spear(p: Pen) -> None:
    """A long shaft with a point."""
    wood, steel = p.color("handle", COLORS["wood"]), p.color("main", COLORS["steel"])
    p.fill(limb(0, -0.6, 0, 1.3, p.wide(0.06)).turn(p.tilt), wood, round=0.08)
    half = max(0.2, p.px)
    p.fill(poly((0, -1.3), (-half, -0.75), (0, -0.5)).turn(p.tilt), steel, tone=HIGH)
    p.fill(poly((0, -1.3), (half, -0.75), (0, -0.5)).turn(p.tilt), steel, tone=SHADE)
    p.fill(limb(-0.09, -0.5, 0.09, -0.5, p.wide(0.06)).turn(p.tilt), p.color("accent", COLORS["red"]), round=0.08)


@subject("bow", "longbow crossbow", stretch=1.3)
def bow(p: Pen) -> None:
    """A strung bow with an arrow on it."""
    wood, string = p.color("main", COLORS["wood"]), p.mix(COLORS["bone"])
    # At tilt 0 the bow is a "D" opening to the left; turned, it aims up right.
    p.fill(limb(-0.28, -1.0, -0.28, 1.0, 0.5 * p.px).turn(p.tilt - 90), string, tone=LIGHT)
    p.fill(arc(-0.75, 0, 1.1, -66, 66, p.wide(0.09)).turn(p.tilt - 90), wood, round=0.1)
    p.fill(
        limb(0.35, -0.2, 0.35, 0.2, p.wide(0.12)).turn(p.tilt - 90), p.color("accent", COLORS["leather"]), round=0.12
    )
    if not p.tiny:
        p.fill(limb(-0.3, 0, 0.85, 0, p.wide(0.03)).turn(p.tilt - 90), string, tone=SHADE)
        p.fill(poly((1.1, 0), (0.75, -0.16), (0.75, 0.16)).turn(p.tilt - 90), p.mix(COLORS["steel"]), tone=LIGHT)


@subject("arrow", "bolt dart quiver", stretch=1.4)
def arrow(p: Pen) -> None:
    """One arrow."""
    wood, steel = p.color("shaft", COLORS["wood"]), p.color("main", COLORS["steel"])
    p.fill(limb(-1, 0, 0.8, 0, p.wide(0.055)).turn(p.tilt - 90), wood, round=0.1)
    feather = p.color("accent", COLORS["red"])
    for x in (-1.0, -0.78):
        p.fill(poly((x, 0), (x - 0.2, -0.24), (x + 0.05, -0.24), (x + 0.25, 0)).turn(p.tilt - 90), feather, tone=LIGHT)
        p.fill(poly((x, 0), (x - 0.2, 0.24), (x + 0.05, 0.24), (x + 0.25, 0)).turn(p.tilt - 90), feather, tone=SHADE)
    p.fill(poly((1.1, 0), (0.62, -0.24), (0.7, 0), (0.62, 0.24)).turn(p.tilt - 90), steel, round=0.12, edge=True)


@subject("staff", "wand scepter sceptre rod", stretch=1.5)
def staff(p: Pen) -> None:
    """A wooden staff that holds a stone."""
    wood, stone = p.color("handle", COLORS["wood"]), p.color("main", COLORS["azure"])
    p.fill(limb(0, -0.7, 0, 1.25, p.wide(0.08)).turn(p.tilt), wood, round=0.1)
    claw = arc(0, -0.9, 0.33, 100, 250, p.wide(0.075), p.wide(0.05)).both()
    p.fill(claw.turn(p.tilt), p.color("accent", COLORS["gold"]), round=0.1)
    p.fill(circle(0, -0.95, max(0.26, 1.1 * p.px)).turn(p.tilt), stone, round=0.28, edge=True)
    p.line(circle(-0.08, -1.04, p.wide(0.06)).turn(p.tilt), stone, GLINT)


@subject("shield", "buckler aegis", stretch=1.2, symmetric=True)
def shield(p: Pen) -> None:
    """A heater shield with a metal rim and a charge."""
    field, metal = p.color("main", COLORS["blue"]), p.color("accent", COLORS["silver"])
    outer = mirrored((0.86, -0.9), (0.88, -0.1), (0.72, 0.4), (0.42, 0.78), (0.0, 1.05))
    p.fill(outer, metal, round=0.14)
    inner = outer.grow(-max(0.14, 1.05 * p.px))
    p.fill(inner, field, round=0.3)
    p.fill(inner & box(0, -2, 2, 2), field, round=0.3, lift=-1)
    if p.tiny:
        p.fill(box(-0.14, -0.6, 0.14, 0.6) & inner, metal, tone=LIGHT)
        return
    kind = p.rng.pick(("cross", "star", "bar", "boss"))
    charge: Shape = circle(0, -0.08, 0.26)
    if kind == "cross":
        charge = (box(-0.11, -2, 0.11, 2) | box(-2, -0.3, 2, -0.08)) & inner
    elif kind == "star":
        charge = star(0, -0.08, 0.44, 0.2)
    elif kind == "bar":
        charge = poly((-2, -1.3), (2, 0.9), (2, 0.5), (-2, -1.7)).move(0, 0.4) & inner
    p.fill(charge, metal, round=0.1, edge=True)
    p.glint(limb(-0.58, -0.6, -0.58, -0.3, p.wide(0.035)), field, HIGH)


@subject("gun", "pistol blaster rifle raygun", stretch=1.2)
def gun(p: Pen) -> None:
    """A sidearm, muzzle right."""
    steel, grip = p.color("main", COLORS["iron"]), p.color("accent", COLORS["leather"])
    p.fill(poly((-0.75, -0.1), (-0.25, -0.1), (-0.4, 0.8), (-0.9, 0.8)).grow(0.04), grip, round=0.15)
    p.fill(arc(-0.1, 0.1, 0.24, -10, 190, p.wide(0.045)), steel, round=0.1)
    p.fill(box(-0.85, -0.5, 1.0, -0.02, 0.06), steel, round=0.16, edge=True)
    p.line(box(0.25, -0.3, 0.9, -0.3 + p.px), steel, DEEP)
    p.line(box(-0.7, -0.4, 0.0, -0.4 + p.px), steel, GLINT)
    p.fill(ellipse(-0.8, -0.5, 0.1, 0.1), steel, tone=OUTLINE)
