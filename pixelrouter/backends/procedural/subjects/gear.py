"""What a hero wears, reads and carries: helmets, armour, books, lights."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, GLINT, HIGH, LIGHT, OUTLINE, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import arc, box, circle, ellipse, limb, mirrored, poly, star
from pixelrouter.backends.procedural.subjects.registry import subject


@subject("helmet", "helm", stretch=1.15, symmetric=True)
def helmet(p: Pen) -> None:
    """An open-faced helmet with a crest."""
    steel, trim = p.color("main", COLORS["steel"]), p.color("accent", COLORS["red"])
    p.fill(box(-max(0.11, p.px), -1.05, max(0.11, p.px), -0.4, 0.1), trim, round=0.14)
    shell = circle(0, -0.1, 0.8) | box(-0.8, -0.1, 0.8, 0.85, 0.12)
    p.fill(shell, steel, round=0.6)
    slot = max(0.09, 0.6 * p.px)
    p.fill(box(-0.58, -0.12, 0.58, 0.16, 0.05) | box(-slot, 0.0, slot, 0.9), steel, tone=OUTLINE)
    p.line(box(-0.8, -0.3, 0.8, -0.3 + p.px), steel, HIGH)
    for y in (0.35, 0.6):
        p.line(circle(0.55, y, 0.05).both(), steel, DEEP)


@subject("hat", "cap hood", stretch=1.15, symmetric=True)
def hat(p: Pen) -> None:
    """A pointed hat with a band."""
    felt, band = p.color("main", COLORS["indigo"]), p.color("accent", COLORS["gold"])
    p.fill(mirrored((0.0, -1.0), (0.2, -0.6), (0.55, 0.5)), felt, round=0.4)
    p.fill(ellipse(0, 0.55, 1.0, 0.28), felt, round=0.25, edge=True)
    p.fill(mirrored((0.44, 0.2), (0.54, 0.46), (0.0, 0.56)), band, round=0.5)


@subject(
    "armor", "armour chestplate breastplate cuirass mail chainmail tunic shirt robe cloak", stretch=1.15, symmetric=True
)
def armor(p: Pen) -> None:
    """A breastplate with shoulder pieces; "tunic", "shirt" and "robe" are of cloth."""
    cloth = p.says("tunic", "shirt", "robe", "cloak")
    plate = p.color("main", COLORS["red"] if cloth else COLORS["steel"])
    trim = p.color("accent", COLORS["gold"])
    p.fill(mirrored((0.24, -0.75), (0.66, -0.7), (0.6, 0.0), (0.5, 0.5), (0.58, 0.95)), plate, round=0.4)
    p.fill(poly((0.5, -0.75), (1.0, -0.4), (0.9, 0.1), (0.6, 0.0)).grow(0.03).both(), plate, round=0.2, edge=True)
    p.hole(ellipse(0, -0.78, 0.26, 0.24))
    p.line(box(-p.px / 2, -0.5, p.px / 2, 0.5), plate, DEEP)
    if not cloth:
        p.line(arc(0, -0.32, 0.45, 20, 160, 0.5 * p.px), plate, DEEP)
    p.fill(box(-0.52, 0.42, 0.52, 0.42 + max(0.13, p.px)), trim, round=0.1, over=True)


@subject("boots", "boot shoe", stretch=1.1)
def boots(p: Pen) -> None:
    """A boot with a cuff."""
    leather, trim = p.color("main", COLORS["leather"]), p.color("accent", COLORS["tan"])
    p.fill(
        box(-0.6, -0.9, 0.1, 0.8, 0.12).blend(ellipse(0.35, 0.5, 0.55, 0.34), 0.2) & box(-2, -2, 2, 0.74),
        leather,
        round=0.35,
    )
    p.fill(box(-0.66, 0.68, 0.92, 0.68 + max(0.16, p.px), 0.04), leather, tone=DEEP)
    p.fill(box(-0.7, -0.95, 0.2, -0.62, 0.08), trim, round=0.16, edge=True)


@subject("glove", "gauntlet mitten hand", stretch=1.1)
def glove(p: Pen) -> None:
    """A glove with its thumb out."""
    leather, trim = p.color("main", COLORS["leather"]), p.color("accent", COLORS["tan"])
    p.fill(limb(0.4, 0.15, 0.75, -0.2, 0.17), leather, round=0.2)
    for i, x in enumerate((-0.42, -0.14, 0.14, 0.4)):
        p.fill(limb(x, 0.1, x, (-0.62, -0.8, -0.74, -0.5)[i], 0.16), leather, round=0.18, edge=p.px < 0.09)
    p.fill(box(-0.58, -0.15, 0.56, 0.6, 0.2), leather, round=0.4)
    p.fill(box(-0.62, 0.5, 0.6, 0.95, 0.08), trim, round=0.2, edge=True)


@subject("book", "tome grimoire spellbook journal diary", stretch=1.15)
def book(p: Pen) -> None:
    """A closed book, spine left, with corners and a sign on its cover."""
    cover, metal = p.color("main", COLORS["purple"]), p.color("accent", COLORS["gold"])
    paper = p.mix(COLORS["paper"])
    p.fill(box(-0.72, -0.9, 0.82, 0.95, 0.08), cover, tone=SHADE)
    p.fill(box(-0.5, 0.55, 0.8, 0.85), paper, tone=LIGHT)
    p.line(box(-0.5, 0.7, 0.8, 0.7 + p.px), paper, SHADE)
    p.fill(box(-0.75, -0.95, 0.78, 0.68, 0.08), cover, round=0.14, edge=True)
    p.line(box(-0.5, -0.9, -0.5 + p.px, 0.66), cover, DEEP)
    if p.tiny:
        p.fill(box(-0.1, -0.3, 0.35, 0.1), metal, tone=LIGHT)
        return
    sign = p.rng.pick(
        (
            star(0.14, -0.14, 0.36, 0.16),
            circle(0.14, -0.14, 0.24),
            poly((0.14, -0.5), (0.4, -0.14), (0.14, 0.22), (-0.12, -0.14)),
        )
    )
    p.fill(sign, metal, round=0.16, edge=True)
    for x, y in ((0.78, -0.95), (0.78, 0.68)):
        p.fill(poly((x, y), (x - 0.28, y), (x, y + (0.28 if y < 0 else -0.28))), metal, tone=LIGHT, over=True)


@subject("scroll", "parchment letter map note paper page", stretch=1.2)
def scroll(p: Pen) -> None:
    """A rolled parchment with lines of writing."""
    paper, ink = p.color("main", COLORS["paper"]), p.mix(COLORS["brown"])
    p.fill(box(-0.62, -0.8, 0.62, 0.8), paper, tone=LIGHT)
    for i, y in enumerate((-0.42, -0.18, 0.06, 0.3)):
        p.line(box(-0.4, y, (0.4, 0.28, 0.36, 0.1)[i], y + max(0.06, p.px)), ink, BASE)
    p.fill(limb(-0.72, -0.8, 0.72, -0.8, max(0.16, 0.8 * p.px)), paper, round=0.18, edge=True)
    p.fill(limb(-0.72, 0.8, 0.72, 0.8, max(0.16, 0.8 * p.px)), paper, round=0.18, edge=True)
    p.line(circle(0.42, 0.5, 0.13), p.color("accent", COLORS["red"]), BASE)


@subject("torch", "brazier", stretch=1.5)
def torch(p: Pen) -> None:
    """A burning stick."""
    wood, flame = p.color("accent", COLORS["wood"]), p.color("main", COLORS["fire"])
    p.fill(limb(0, -0.05, 0, 1.1, p.wide(0.12), p.wide(0.08)), wood, round=0.12)
    p.fill(
        poly(
            (0.05, -1.2),
            (0.36, -0.6),
            (0.46, -0.15),
            (0.2, 0.12),
            (-0.2, 0.12),
            (-0.46, -0.15),
            (-0.3, -0.7),
            (-0.12, -0.62),
        ),
        flame,
        tone=BASE,
    )
    p.fill(poly((0.0, -0.7), (0.26, -0.2), (0, 0.08), (-0.26, -0.2)), flame, tone=HIGH)
    p.fill(box(-0.24, 0.05, 0.24, 0.05 + max(0.18, p.px), 0.04), p.mix(COLORS["iron"]), round=0.15, edge=True)


@subject("lantern", "lamp", stretch=1.3, symmetric=True)
def lantern(p: Pen) -> None:
    """A lantern with a light in it."""
    iron, flame = p.color("accent", COLORS["iron"]), p.color("main", COLORS["amber"])
    p.fill(arc(0, -0.7, 0.3, 180, 360, p.wide(0.06)), iron, round=0.08)
    p.fill(box(-0.46, -0.4, 0.46, 0.65, 0.06), flame, tone=LIGHT)
    p.line(ellipse(0, 0.2, 0.2, 0.34), flame, GLINT)
    p.fill(box(0.38, -0.4, 0.38 + max(0.11, p.px), 0.65).both(), iron, round=0.08)
    p.fill(mirrored((0.2, -0.72), (0.6, -0.36)), iron, round=0.2, edge=True)
    p.fill(box(-0.58, 0.58, 0.58, 0.9, 0.05), iron, round=0.16, edge=True)


@subject("candle", "taper", stretch=1.5, symmetric=True)
def candle(p: Pen) -> None:
    """A candle in a dish."""
    wax, flame = p.color("main", COLORS["bone"]), p.color("accent", COLORS["fire"])
    p.fill(mirrored((0.0, -1.15), (0.2, -0.72), (0.0, -0.5)), flame, tone=BASE)
    p.line(ellipse(0, -0.68, 0.08, 0.14), flame, HIGH)
    p.fill(box(-max(0.26, p.px), -0.42, max(0.26, p.px), 0.85, 0.08), wax, round=0.26)
    p.line(limb(0, -0.42, 0, -0.56, 0.5 * p.px), p.mix(COLORS["black"]), OUTLINE, over=False)
    p.line(limb(0.12, -0.3, 0.12, -0.05, p.wide(0.05)), wax, HIGH)
    p.fill(ellipse(0, 0.85, 0.62, 0.2), p.mix(COLORS["bronze"]), round=0.18, edge=True)


@subject("bone", "femur", stretch=1.2)
def bone(p: Pen) -> None:
    """A bone, lying aslant."""
    white = p.color("main", COLORS["bone"])
    ends = circle(0.55, -0.85, 0.24) | circle(0.85, -0.55, 0.24) | circle(-0.55, 0.85, 0.24) | circle(-0.85, 0.55, 0.24)
    p.fill(limb(0.6, -0.6, -0.6, 0.6, max(0.17, 0.7 * p.px)) | ends, white, round=0.2)


@subject("feather", "quill plume", stretch=1.3)
def feather(p: Pen) -> None:
    """A feather with its quill."""
    vane = p.color("main", COLORS["white"])
    blade = (circle(0.62, 0, 0.95) & circle(-0.62, 0, 0.95)).move(0, -0.2).turn(40)
    p.fill(blade, vane, round=0.3)
    p.fill(limb(0, -0.6, 0, 1.1, 0.5 * p.px).turn(40), vane, tone=DEEP)
    p.line(poly((0.05, 0.1), (0.5, 0.0), (0.5, 0.1)).turn(40), vane, DEEP)
