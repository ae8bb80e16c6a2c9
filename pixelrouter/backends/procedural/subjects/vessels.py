"""Bottles, barrels, chests: things that hold things."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, HIGH, LIGHT, OUTLINE, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import Shape, arc, box, circle, ellipse, limb, mirrored, poly
from pixelrouter.backends.procedural.subjects.registry import subject


def _bottle(p: Pen, body: Shape, neck: Shape, level: float, mouth: float, half: float, shine: Shape) -> None:
    """A glass vessel: the glass first, then what is in it, the light on it, a lip and a cork."""
    glass, liquid = p.color("glass", COLORS["glass"]), p.color("main", COLORS["red"])
    cork = p.color("accent", COLORS["wood"])
    p.fill(box(-half * 0.8, mouth - (0.12 if p.tiny else 0.24), half * 0.8, mouth + 0.1, 0.05), cork, round=0.25)
    whole = body.blend(neck, 0.12)
    p.fill(whole, glass, round=0.5)
    wall = max(0.075, p.px) if p.px < 0.1 else 0.0  # no room for a rim of glass below about 20 pixels
    inside = whole.grow(-wall)
    p.fill(inside & box(-2, level, 2, 2), liquid, round=0.62)
    if not p.tiny:
        # Seen from slightly above, the surface of the liquid is a light ellipse.
        p.fill(inside & ellipse(0, level, 2, max(0.06, 0.55 * p.px)), liquid, tone=HIGH)
    p.fill(
        box(-half * 1.35, mouth - 0.07, half * 1.35, mouth + max(0.06, 1.1 * p.px), 0.05), glass, round=0.2, edge=True
    )
    p.glint(shine, glass)


@subject(
    "potion", "bottle flask elixir brew tonic antidote ether medicine drink poison phial", stretch=1.2, symmetric=True
)
def potion(p: Pen) -> None:
    """A round bottle two thirds full; "tall" makes it a long one."""
    if p.says("tall", "long", "thin", "slim"):
        vial(p)
        return
    radius, half = p.rng.near(0.70, 0.03), p.rng.near(0.2, 0.08)
    level = p.rng.uniform(-0.16, 0.0) - (0.3 if p.tiny else 0.0)
    body = circle(0, 0.30, radius)
    neck = box(-half, -0.72, half, 0.1)
    shine = arc(0, 0.30, radius * 0.66, 186, 236, p.wide(0.075), p.wide(0.05))
    _bottle(p, body, neck, level, -0.66, half, shine)
    if not p.tiny:
        liquid = p.color("main", COLORS["red"])
        p.glint(circle(0.30, 0.58, p.wide(0.06)), liquid, HIGH)
        p.glint(circle(0.12, 0.36, p.wide(0.045)), liquid, HIGH)
        if p.rng.chance(0.6):
            p.glint(circle(p.rng.uniform(-0.2, 0.0), 0.66, p.wide(0.05)), liquid, LIGHT)
    if p.says("skull", "poison", "poisonous", "deadly") and p.fine:
        bone = p.mix(COLORS["bone"])
        p.fill(circle(0, 0.42, 0.22) | box(-0.12, 0.5, 0.12, 0.72, 0.04), bone, tone=BASE)
        p.eyes(0.09, 0.42, bone, OUTLINE, 0.09)


@subject("vial", "tube ampoule perfume", stretch=1.4, symmetric=True)
def vial(p: Pen) -> None:
    """A slender bottle."""
    half = p.rng.near(0.36, 0.05)
    body = box(-half, -0.35, half, 1.0, 0.16)
    shine = limb(-half * 0.5, -0.12, -half * 0.5, 0.5, p.wide(0.05))
    _bottle(p, body, box(-half * 0.5, -0.8, half * 0.5, 0), p.rng.uniform(-0.12, 0.12), -0.76, half * 0.5, shine)


@subject("chest", "treasure loot coffer strongbox", stretch=1.1, symmetric=True)
def chest(p: Pen) -> None:
    """A wooden chest with metal bands and a lock."""
    wood, metal = p.color("main", COLORS["wood"]), p.color("accent", COLORS["gold"])
    if p.says("gold", "golden") and not p.says("wooden", "wood"):
        wood, metal = p.color("wood", COLORS["wood"]), p.color("main", COLORS["gold"])
    band = p.wide(0.1)
    p.fill(box(-1, -0.05, 1, 0.8, 0.06), wood, round=0.22)
    for y in (0.24, 0.52):
        p.line(box(-1, y - 0.5 * p.px, 1, y + 0.5 * p.px), wood, DEEP)
    lid = box(-1, -0.75, 1, 0.02, 0.06) & (ellipse(0, 0.0, 1.12, 0.78) | box(-1, -0.35, 1, 0.1))
    p.fill(lid, wood, round=0.55, lift=0, edge=True)
    if not p.tiny:
        for x in (-0.86, 0.86):
            p.fill(box(x - band, -0.75, x + band, 0.8), metal, round=0.3, over=True)
    p.fill(box(-1, -0.02, 1, max(0.1, 1.1 * p.px)), metal, tone=BASE, over=True)
    p.line(box(-1, 0.1, 1, 0.1 + p.px), wood, OUTLINE)
    p.fill(box(-0.2, -0.16, 0.2, 0.34, 0.06), metal, round=0.14, edge=True)
    p.line(circle(0, 0.06, p.wide(0.06)) | box(-p.wide(0.03), 0.06, p.wide(0.03), 0.22), metal, OUTLINE)


@subject("barrel", "keg cask", stretch=1.2, symmetric=True)
def barrel(p: Pen) -> None:
    """A barrel with two hoops."""
    wood, iron = p.color("main", COLORS["wood"]), p.color("accent", COLORS["iron"])
    body = mirrored((0.58, -1), (0.78, -0.5), (0.84, 0), (0.78, 0.5), (0.58, 1))
    p.fill(body, wood, round=0.75)
    for x in (-0.42, 0.0, 0.42):
        p.line(box(x - p.px / 2, -0.9, x + p.px / 2, 1) & body, wood, DEEP if x else SHADE)
    p.fill(ellipse(0, -0.93, 0.56, 0.13), wood, tone=LIGHT)
    for y in (-0.52, 0.52):
        p.fill(body & box(-1, y - p.wide(0.09), 1, y + p.wide(0.09)), iron, round=0.75)


@subject("crate", "box", stretch=1.1, symmetric=True)
def crate(p: Pen) -> None:
    """A wooden box with a brace across."""
    wood = p.color("main", COLORS["wood"])
    p.fill(box(-0.9, -0.9, 0.9, 0.9), wood, tone=SHADE)
    for x in (-0.3, 0.3):
        p.line(box(x - p.px / 2, -0.9, x + p.px / 2, 0.9), wood, DEEP)
    p.fill(limb(-0.7, 0.7, 0.7, -0.7, p.wide(0.13)), wood, round=0.1, edge=True, over=True)
    frame = box(-0.9, -0.9, 0.9, 0.9) - box(-0.62, -0.62, 0.62, 0.62)
    p.fill(frame, wood, round=0.1, edge=True)


@subject("bag", "sack pouch purse backpack", stretch=1.15, symmetric=True)
def bag(p: Pen) -> None:
    """A tied sack."""
    cloth, rope = p.color("main", COLORS["tan"]), p.color("accent", COLORS["brown"])
    p.fill(mirrored((0.45, -0.95), (0.2, -0.55), (0.2, -0.4)), cloth, round=0.2)
    p.fill(
        ellipse(0, 0.3, 0.85, 0.7).blend(poly((-0.2, -0.5), (0.2, -0.5), (0.3, 0), (-0.3, 0)), 0.2), cloth, round=0.7
    )
    p.fill(box(-0.3, -0.55, 0.3, -0.38, 0.06), rope, round=0.15, edge=True)
