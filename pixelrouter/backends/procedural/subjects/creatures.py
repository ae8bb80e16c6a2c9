"""Slimes, ghosts, cats, dragons and other animals."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, GLINT, HIGH, LIGHT, OUTLINE, SHADE
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import Shape, arc, box, circle, ellipse, limb, mirrored, path, poly
from pixelrouter.backends.procedural.subjects.registry import subject


def _eyes(p: Pen, x: float, y: float, size: float) -> None:
    """White eyes with pupils where they fit, dark dots elsewhere."""
    white, dark = p.mix(COLORS["white"]), p.mix(COLORS["black"])
    if p.px > 0.09:
        p.eyes(x, y, dark, OUTLINE, size)
        return
    p.fill(ellipse(x, y, size, size * 1.25).both(), white, tone=GLINT, edge=True)
    p.eyes(x - size * 0.2, y + size * 0.2, dark, OUTLINE, size * 0.95)


@subject("slime", "blob ooze jelly gelatin pudding goo", stretch=1.2, symmetric=True)
def slime(p: Pen) -> None:
    """A drop of jelly with a face."""
    jelly = p.color("main", COLORS["slime"])
    wide = p.rng.near(0.95, 0.04)
    body = ellipse(0, 0.25, wide, 0.72).blend(ellipse(0, -0.3, 0.42, 0.5), 0.4) & box(-2, -2, 2, 0.72)
    p.fill(body, jelly, round=0.6)
    _eyes(p, 0.32, 0.12, 0.14)
    p.line(arc(0, 0.3, 0.16, 20, 160, 0.5 * p.px), jelly, OUTLINE)
    p.glint(ellipse(-0.36, -0.28, 0.13, 0.09), jelly)
    p.line(circle(0.62, 0.42, 0.08), jelly, HIGH)


@subject("ghost", "spirit phantom specter spectre wraith spook", stretch=1.2, symmetric=True)
def ghost(p: Pen) -> None:
    """A sheet with a wavy hem."""
    sheet = p.color("main", COLORS["snow"])
    body = (
        (circle(0, -0.25, 0.75) | box(-0.75, -0.25, 0.75, 1.0)) - circle(0.0, 1.08, 0.2) - circle(0.5, 1.08, 0.2).both()
    )
    p.fill(body, sheet, round=0.6)
    eye = p.color("accent", COLORS["black"])
    if p.tiny:
        p.eyes(0.26, -0.2, eye, OUTLINE)
        return
    p.fill(ellipse(0.28, -0.25, 0.13, 0.2).both(), eye, tone=OUTLINE)
    p.fill(ellipse(0, 0.2, 0.12, 0.15), eye, tone=OUTLINE)


@subject("skull", "cranium", stretch=1.15, symmetric=True)
def skull(p: Pen) -> None:
    """A skull, front view."""
    bone = p.color("main", COLORS["bone"])
    p.fill(box(-0.46, 0.2, 0.46, 0.95, 0.1), bone, round=0.25, lift=-1)
    p.fill(ellipse(0, -0.2, 0.9, 0.75).blend(box(-0.6, 0.2, 0.6, 0.5), 0.2), bone, round=0.65)
    socket = p.color("accent", COLORS["black"]) if p.says("eye", "eyes", "glowing") else bone
    p.fill(ellipse(0.37, 0.02, 0.25, 0.24).both(), bone, tone=OUTLINE)
    if socket != bone:
        p.eyes(0.37, 0.04, socket, LIGHT, 0.12)
    p.fill(poly((0, 0.24), (0.12, 0.46), (-0.12, 0.46)), bone, tone=OUTLINE)
    for x in (-0.22, 0.0, 0.22):
        p.line(box(x - p.px / 2, 0.66, x + p.px / 2, 0.95), bone, OUTLINE)


@subject("bat", "vampire", stretch=1.2, symmetric=True)
def bat(p: Pen) -> None:
    """A bat with spread wings."""
    fur = p.color("main", COLORS["purple"].shifted(light=-0.1, chroma=0.6))
    wing = poly(
        (0.2, -0.1), (0.6, -0.58), (1.15, -0.3), (1.2, 0.35), (0.95, 0.12), (0.78, 0.42), (0.58, 0.15), (0.3, 0.42)
    )
    p.fill(wing.both(), fur, round=0.16, lift=-1)
    p.line(limb(0.3, 0.1, 0.6, -0.5, 0.5 * p.px).both() | limb(0.6, -0.5, 0.8, 0.3, 0.5 * p.px).both(), fur, DEEP)
    p.fill(poly((0.06, -0.2), (0.3, -0.72), (0.4, -0.1)).both(), fur, round=0.15)
    p.fill(ellipse(0, 0.05, 0.42, 0.45), fur, round=0.4, edge=True)
    eye = p.color("accent", COLORS["yellow"])
    p.eyes(0.17, 0.0, eye, GLINT, 0.1)
    p.line(poly((0.06, 0.2), (0.12, 0.36), (0.18, 0.2)).both(), p.mix(COLORS["white"]), GLINT)


@subject("spider", "tarantula arachnid", stretch=1.15, symmetric=True)
def spider(p: Pen) -> None:
    """Eight legs and too many eyes."""
    body = p.color("main", COLORS["black"].shifted(light=0.06))
    for x, y, fx, fy in (
        (0.7, -0.6, 0.95, -0.15),
        (0.8, -0.25, 1.1, 0.3),
        (0.8, 0.1, 1.05, 0.75),
        (0.62, 0.35, 0.75, 1.0),
    ):
        p.fill(path([(0.15, 0.1), (x, y), (fx, fy)], p.wide(0.06), p.wide(0.035)).both(), body, round=0.08)
    p.fill(ellipse(0, -0.25, 0.5, 0.5), body, round=0.5)
    p.fill(ellipse(0, 0.28, 0.36, 0.32), body, round=0.36, edge=True)
    eye = p.color("accent", COLORS["red"])
    p.eyes(0.14, 0.3, eye, LIGHT, 0.1)
    if p.fine:
        p.eyes(0.24, 0.16, eye, BASE, 0.05)
    p.line(poly((0, -0.55), (0.1, -0.32), (0, -0.1), (-0.1, -0.32)), eye, BASE)


def _beast(p: Pen, fur: int, ears: Shape, muzzle: int) -> None:
    """A sitting animal from the front: body, paws, head, ears, face."""
    p.fill(mirrored((0.3, -0.1), (0.55, 0.5), (0.6, 0.98)).grow(0.02), fur, round=0.4)
    p.fill(ellipse(0, 0.55, 0.26, 0.36), muzzle, tone=LIGHT)
    p.fill(box(0.04, 0.5, 0.32, 1.02, 0.12).both(), fur, round=0.16, edge=p.fine)
    p.fill(ears, fur, round=0.16)
    p.fill(ellipse(0, -0.35, 0.62, 0.5), fur, round=0.42, edge=True)
    p.line(ellipse(0, -0.12, 0.26, 0.2), muzzle, LIGHT)
    dark = p.mix(COLORS["black"])
    p.eyes(0.28, -0.36, dark, OUTLINE, 0.11)
    p.line(ellipse(0, -0.18, max(0.08, 0.7 * p.px), max(0.05, 0.5 * p.px)), dark, OUTLINE)


@subject("cat", "kitten kitty fox wolf tiger lion panther", stretch=1.2)
def cat(p: Pen) -> None:
    """A sitting cat, tail aside; foxes and wolves share its shape."""
    default = COLORS["gray"] if p.says("wolf") else COLORS["orange"]
    fur, muzzle = p.color("main", default), p.color("accent", COLORS["white"])
    if not p.tiny:
        tail = path([(0.45, 0.85), (0.85, 0.75), (0.92, 0.35), (0.8, 0.1)], p.wide(0.13), p.wide(0.09))
        p.fill(tail, fur, round=0.13)
    _beast(p, fur, poly((0.14, -0.7), (0.5, -1.05), (0.62, -0.4)).both(), muzzle)
    for x in (-0.14, 0.0, 0.14):
        p.line(limb(x, -0.82, x, -0.68, 0.4 * p.px), fur, DEEP)


@subject("dog", "puppy hound bear", stretch=1.2)
def dog(p: Pen) -> None:
    """A sitting dog with hanging ears; bears get round ones."""
    fur, muzzle = p.color("main", COLORS["brown"].shifted(light=0.1)), p.color("accent", COLORS["beige"])
    if not p.tiny:
        p.fill(limb(0.5, 0.75, 0.85, 0.35, p.wide(0.1)), fur, round=0.13)
    bear = p.says("bear")
    _beast(p, fur, circle(0.45, -0.78, 0.22).both() if bear else ellipse(0, -0.7, 0.3, 0.2), muzzle)
    if not bear:
        p.fill(ellipse(0.58, -0.3, 0.17, 0.4).both(), fur, round=0.2, lift=-1, edge=True)


@subject("rabbit", "bunny hare mouse rat", stretch=1.25, symmetric=True)
def rabbit(p: Pen) -> None:
    """Long ears; a mouse has round ones."""
    fur, muzzle = p.color("main", COLORS["white"]), p.color("accent", COLORS["pink"])
    mouse = p.says("mouse", "rat")
    ears = circle(0.55, -0.75, 0.32).both() if mouse else ellipse(0.26, -1.05, 0.16, 0.5).both()
    _beast(p, fur, ears, muzzle)


@subject("dragon", "wyvern drake wyrm dinosaur lizard", stretch=1.15)
def dragon(p: Pen) -> None:
    """A small dragon looking right, wing raised."""
    scale, belly = p.color("main", COLORS["red"]), p.color("accent", COLORS["sand"])
    p.fill(path([(-0.3, 0.6), (-0.8, 0.75), (-1.05, 0.4), (-0.98, 0.1)], p.wide(0.22), p.wide(0.05)), scale, round=0.2)
    wing = poly((-0.1, 0.1), (-0.35, -0.95), (-0.72, -0.62), (-1.1, -0.55), (-0.9, -0.2), (-0.78, 0.12), (-0.5, 0.05))
    p.fill(wing, belly, round=0.14, lift=-1)
    p.fill(limb(-0.1, 0.1, -0.35, -0.95, p.wide(0.06)) | limb(-0.35, -0.95, -0.78, 0.08, 0.5 * p.px), scale, round=0.08)
    p.fill(limb(-0.32, 0.7, -0.34, 0.98, p.wide(0.15)) | limb(0.2, 0.7, 0.22, 0.98, p.wide(0.14)), scale, round=0.16)
    trunk = ellipse(-0.08, 0.5, 0.48, 0.38).blend(path([(0.1, 0.4), (0.3, 0.0), (0.3, -0.4)], 0.26, 0.2), 0.2)
    p.fill(trunk, scale, round=0.34, edge=True)
    p.line(trunk.grow(-0.05) & ellipse(0.3, 0.5, 0.26, 0.6), belly, BASE)
    p.fill(poly((0.2, -0.6), (-0.12, -0.98), (0.36, -0.75)), belly, round=0.1)
    head = ellipse(0.4, -0.52, 0.34, 0.27).blend(box(0.4, -0.52, 0.98, -0.25, 0.12), 0.12)
    p.fill(head, scale, round=0.26, edge=True)
    p.dot(0.44, -0.6, p.mix(COLORS["yellow"]), GLINT, 0.12)
    p.dot(0.48, -0.6, p.mix(COLORS["black"]), OUTLINE, 0.06)
    p.line(limb(0.6, -0.36, 0.95, -0.36, 0.4 * p.px), scale, OUTLINE)
    p.line(circle(0.88, -0.46, 0.4 * p.px), scale, OUTLINE)


@subject("fish", "goldfish shark piranha salmon", stretch=1.2)
def fish(p: Pen) -> None:
    """A fish swimming right."""
    scale, fin = p.color("main", COLORS["orange"]), p.color("accent", COLORS["gold"])
    p.fill(poly((-0.5, 0), (-1.1, -0.5), (-0.92, 0), (-1.1, 0.5)), fin, round=0.2)
    p.fill(poly((-0.35, -0.3), (0.0, -0.78), (0.4, -0.35)), fin, round=0.2)
    p.fill(ellipse(0.15, 0, 0.8, 0.5), scale, round=0.5, edge=True)
    p.fill(poly((0.05, 0.12), (-0.3, 0.45), (0.25, 0.35)), fin, round=0.12, edge=True)
    p.line(arc(0.2, 0, 0.42, -50, 50, 0.5 * p.px), scale, DEEP)
    p.dot(0.6, -0.12, p.mix(COLORS["white"]), GLINT, 0.2)
    p.dot(0.64, -0.12, p.mix(COLORS["black"]), OUTLINE, 0.1)


@subject("bird", "chick chicken duck eagle owl parrot raven crow sparrow", stretch=1.2)
def bird(p: Pen) -> None:
    """A round bird looking right."""
    default = COLORS["black"] if p.says("raven", "crow") else COLORS["azure"]
    feather, beak = p.color("main", default), p.color("accent", COLORS["orange"])
    p.fill(limb(-0.05, 0.7, -0.05, 1.0, p.wide(0.05)) | limb(0.25, 0.7, 0.25, 1.0, p.wide(0.05)), beak, tone=BASE)
    p.fill(poly((-0.5, 0.1), (-1.1, -0.12), (-1.0, 0.4), (-0.4, 0.6)), feather, round=0.2, lift=-1)
    p.fill(poly((0.7, -0.45), (1.12, -0.22), (0.68, -0.06)), beak, round=0.12)
    body = ellipse(-0.05, 0.25, 0.65, 0.55).blend(circle(0.35, -0.3, 0.45), 0.25)
    p.fill(body, feather, round=0.5, edge=True)
    p.line(ellipse(0.3, 0.4, 0.3, 0.32) & body.grow(-0.08), p.mix(COLORS["white"]), LIGHT)
    p.fill(ellipse(0, 0, 0.42, 0.25).turn(18).move(-0.25, 0.22), feather, round=0.25, lift=-1, edge=True)
    p.dot(0.46, -0.36, p.mix(COLORS["white"]), GLINT, 0.17)
    p.dot(0.5, -0.36, p.mix(COLORS["black"]), OUTLINE, 0.1)


@subject("eye", "eyeball beholder watcher", stretch=1.05, symmetric=True)
def eyeball(p: Pen) -> None:
    """A floating eye."""
    white, iris = p.mix(COLORS["white"]), p.color("main", COLORS["green"])
    p.fill(circle(0, 0, 1), white, round=0.8)
    p.fill(circle(0, 0.05, 0.5), iris, round=0.5, edge=True)
    p.fill(circle(0, 0.05, 0.24), p.mix(COLORS["black"]), tone=OUTLINE)
    p.glint(circle(-0.18, -0.14, p.wide(0.1)), white)
    vein = p.color("accent", COLORS["red"])
    p.line(path([(0.9, -0.3), (0.72, -0.24), (0.62, -0.34)], 0.4 * p.px), vein, LIGHT)
    p.line(path([(-0.85, 0.4), (-0.68, 0.34), (-0.6, 0.42)], 0.4 * p.px), vein, SHADE)
