"""Things to eat."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, HIGH, LIGHT, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import arc, box, circle, ellipse, limb, poly
from pixelrouter.backends.procedural.subjects.registry import subject


@subject("apple", "fruit peach cherry tomato orange pear", stretch=1.1)
def apple(p: Pen) -> None:
    """An apple with a stalk and a leaf."""
    skin = p.color("main", COLORS["orange"] if p.says("orange", "peach") else COLORS["red"])
    p.fill(limb(0.0, -0.5, 0.1, -0.95, p.wide(0.06)), p.mix(COLORS["brown"]), tone=BASE)
    p.fill(ellipse(0, 0, 0.34, max(0.15, p.px)).turn(-25).move(0.42, -0.8), p.mix(COLORS["leaf"]), round=0.14)
    body = circle(0.3, 0.12, 0.64).both().blend(ellipse(0, 0.3, 0.5, 0.6), 0.2)
    p.fill(body, skin, round=0.62)
    p.line(arc(0, -0.62, 0.22, 30, 150, 0.5 * p.px), skin, DEEP)
    p.glint(ellipse(-0.48, -0.12, p.wide(0.09), p.wide(0.15)), skin)


@subject("mushroom", "toadstool fungus shroom", stretch=1.15, symmetric=True)
def mushroom(p: Pen) -> None:
    """A spotted cap on a pale stem."""
    cap, stem = p.color("main", COLORS["red"]), p.color("stem", COLORS["bone"])
    spot = p.color("accent", COLORS["white"])
    p.fill(box(-0.34, -0.1, 0.34, 0.9, 0.16), stem, round=0.32)
    dome = ellipse(0, 0.1, 1.0, 0.95) & box(-2, -2, 2, 0.14)
    p.line(ellipse(0, 0.16, 0.4, 0.14), stem, DEEP)
    p.fill(dome, cap, round=0.7, edge=True)
    if not p.tiny:
        for x, y, r in ((0, -0.45, 0.2), (-0.58, -0.12, 0.15), (0.58, -0.14, 0.15)):
            p.fill(circle(x, y, r) & dome, spot, round=0.3)
    else:
        p.fill(box(-0.16, -0.6, 0.16, -0.3), spot, tone=HIGH)


@subject("bread", "loaf bun cheese cake pie food", stretch=1.15)
def bread(p: Pen) -> None:
    """A loaf with cuts; "cheese" is a wedge with holes."""
    if p.says("cheese"):
        yellow = p.color("main", COLORS["yellow"])
        p.fill(poly((-1, 0.1), (0.6, -0.6), (1, 0.1)), yellow, tone=LIGHT)
        p.fill(box(-1, 0.1, 1, 0.75), yellow, tone=BASE)
        for x, y, r in ((-0.5, 0.42, 0.15), (0.2, 0.3, 0.11), (0.6, 0.55, 0.14)):
            p.fill(circle(x, y, r), yellow, tone=SHADE)
        return
    crust = p.color("main", COLORS["amber"].shifted(light=-0.1, chroma=0.75))
    p.fill(ellipse(0, 0.2, 1.0, 0.62) | box(-0.85, 0.1, 0.85, 0.72, 0.2), crust, round=0.55)
    for x in (-0.45, 0.02, 0.48):
        p.line(limb(x - 0.1, 0.1, x + 0.1, -0.25, p.wide(0.06)), crust, HIGH)


@subject("meat", "ham steak drumstick chop bacon", stretch=1.15)
def meat(p: Pen) -> None:
    """A joint on the bone."""
    flesh, bone = p.color("main", COLORS["rust"]), p.mix(COLORS["bone"])
    p.fill(limb(-0.2, 0.2, -0.78, 0.78, p.wide(0.1)), bone, round=0.1)
    p.fill(circle(-0.92, 0.7, 0.16) | circle(-0.7, 0.92, 0.16), bone, round=0.16)
    p.fill(ellipse(0, 0, 0.82, 0.6).turn(-45).move(0.25, -0.25), flesh, round=0.55, edge=True)
    p.glint(arc(0.25, -0.25, 0.5, 200, 250, p.wide(0.06)), flesh, HIGH)


@subject("egg", "", stretch=1.2, symmetric=True)
def egg(p: Pen) -> None:
    """An egg, spotted where the prompt names a second colour."""
    shell = p.color("main", COLORS["bone"])
    p.fill(ellipse(0, 0.2, 0.72, 0.76).blend(ellipse(0, -0.2, 0.56, 0.8), 0.2), shell, round=0.7)
    spot = p.color("accent", COLORS["tan"])
    for x, y, r in ((-0.3, 0.3, 0.14), (0.32, 0.05, 0.12), (0.1, 0.6, 0.12), (0.05, -0.4, 0.1)):
        p.line(circle(x, y, r), spot, BASE)
