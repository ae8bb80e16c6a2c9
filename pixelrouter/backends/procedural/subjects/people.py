"""People, seen from the front with large heads: heroes, knights, wizards and what walks like them."""

from __future__ import annotations

from pixelrouter.backends.procedural.colors import BASE, COLORS, DEEP, LIGHT, OUTLINE, SHADE, Color
from pixelrouter.backends.procedural.pen import Pen
from pixelrouter.backends.procedural.shapes import Shape, box, circle, ellipse, limb, mirrored, poly
from pixelrouter.backends.procedural.subjects.registry import subject

_SKINS = (COLORS["skin"], Color(0.86, 0.055, 62), Color(0.66, 0.085, 55), Color(0.5, 0.075, 50))
_HAIR = {"brown": COLORS["brown"], "blonde": COLORS["gold"], "blond": COLORS["gold"], "ginger": COLORS["orange"],
         "red": COLORS["rust"], "black": COLORS["black"], "white": COLORS["white"], "gray": COLORS["gray"],
         "blue": COLORS["azure"], "pink": COLORS["pink"], "green": COLORS["green"]}  # fmt: skip


def _hair_color(p: Pen) -> int:
    """A hair colour; one that the prompt names where it speaks of hair."""
    if p.says("hair", "haired"):
        for word, color in _HAIR.items():
            if p.says(word):
                return p.mix(color)
    return p.mix(p.rng.pick((COLORS["brown"], COLORS["gold"], COLORS["rust"], COLORS["black"], COLORS["darkwood"])))


def _body(p: Pen, cloth: int, legs: int, hands: int, *, robe: bool = False) -> None:
    """Everything below the chin."""
    if robe:
        p.fill(mirrored((0.26, 0.1), (0.42, 0.5), (0.56, 1.05)), cloth, round=0.35)
    else:
        half = max(0.15, 0.9 * p.px)
        gap = max(0.2, 1.0 * p.px)
        boots = p.mix(COLORS["leather"])
        p.fill(box(gap - half, 0.55, gap + half, 0.98, 0.05).both(), legs, round=0.2)
        p.fill(box(gap - half, 0.9, gap + half * 1.2, 1.08, 0.05).both(), boots, round=0.12)
        p.fill(box(-0.4, 0.1, 0.4, 0.68, 0.12), cloth, round=0.3)
        p.line(box(-0.4, 0.56, 0.4, 0.56 + max(0.07, p.px)), boots, BASE)
    arm = max(0.12, 0.7 * p.px)
    p.fill(limb(0.42, 0.22, 0.52, 0.5, arm).both(), cloth, round=0.13, edge=True)
    p.fill(circle(0.54, 0.62, max(0.1, 0.6 * p.px)).both(), hands, round=0.14)


def _face(p: Pen, skin: int, y: float = -0.36) -> None:
    p.fill(ellipse(0, y, 0.52, 0.47), skin, round=0.36, edge=True)
    dark = p.mix(COLORS["black"])
    p.eyes(0.2, y + 0.08, dark, OUTLINE, 0.07)
    if p.fine:
        p.line(box(-0.07, y + 0.28, 0.07, y + 0.28 + p.px), skin, DEEP)


@subject("character", "person hero man boy adventurer human villager peasant farmer player npc guy warrior fighter "
         "thief rogue ranger archer assassin ninja pirate merchant guard soldier",
         stretch=1.25, symmetric=True)  # fmt: skip
def character(p: Pen) -> None:
    """A front view with hair and a tunic."""
    cloth, skin = p.color("main", COLORS["green"]), p.mix(p.rng.pick(_SKINS))
    hair, legs = _hair_color(p), p.color("accent", COLORS["brown"])
    _body(p, cloth, legs, skin)
    _face(p, skin)
    if p.says("ninja", "thief", "rogue", "assassin", "ranger", "archer"):
        hood = ellipse(0, -0.42, 0.6, 0.55) - ellipse(0, -0.3, 0.4, 0.3)
        p.fill(hood, cloth, round=0.25, edge=True)
        return
    p.fill(ellipse(0, -0.48, 0.58, 0.46) - box(-0.42, -0.46, 0.42, 1) - box(-2, -0.2, 2, 2), hair, round=0.3)
    if p.rng.chance(0.5):
        p.fill(poly((-0.45, -0.5), (0.5, -0.62), (0.1, -0.32)), hair, tone=BASE, over=True)


@subject("girl", "woman lady princess queen heroine maiden", stretch=1.25, symmetric=True)
def girl(p: Pen) -> None:
    """Long hair and a dress."""
    cloth, skin = p.color("main", COLORS["pink"]), p.mix(p.rng.pick(_SKINS))
    hair = _hair_color(p)
    p.fill(box(-0.6, -0.6, 0.6, 0.34, 0.25), hair, round=0.3)
    _body(p, cloth, cloth, skin, robe=True)
    _face(p, skin)
    p.fill(ellipse(0, -0.5, 0.6, 0.46) - ellipse(0, -0.22, 0.4, 0.34) - box(-2, 0, 2, 2), hair, round=0.3)
    if p.says("princess", "queen"):
        p.fill(
            mirrored((0.0, -1.1), (0.14, -0.92), (0.3, -1.08), (0.28, -0.8)),
            p.mix(COLORS["gold"]),
            round=0.1,
            edge=True,
        )


@subject("king", "prince emperor", stretch=1.25, symmetric=True)
def king(p: Pen) -> None:
    """A crown, a beard and a robe."""
    cloth, skin = p.color("main", COLORS["red"]), p.mix(p.rng.pick(_SKINS))
    fur = p.mix(COLORS["white"])
    _body(p, cloth, cloth, skin, robe=True)
    p.line(box(-0.1, 0.1, 0.1, 1.1), fur, LIGHT)
    _face(p, skin)
    p.fill(ellipse(0, 0.0, 0.4, 0.26) - box(-2, -2, 2, -0.14), fur, round=0.2)
    p.fill(
        mirrored((0.0, -1.2), (0.2, -0.95), (0.5, -1.2), (0.46, -0.66)),
        p.color("accent", COLORS["gold"]),
        round=0.12,
        edge=True,
    )


@subject("knight", "paladin crusader templar", stretch=1.25, symmetric=True)
def knight(p: Pen) -> None:
    """Full plate, a closed helmet and a plume."""
    steel, plume = p.color("armour", COLORS["steel"]), p.color("main", COLORS["red"])
    if p.says("golden", "gold", "black", "dark", "bronze", "silver"):
        steel, plume = p.color("main", COLORS["steel"]), p.color("accent", COLORS["red"])
    p.fill(limb(0, -0.98, 0.0, -0.7, max(0.15, 0.9 * p.px), p.wide(0.1)), plume, round=0.15)
    _body(p, steel, steel, steel)
    p.line(poly((-0.2, 0.16), (0.2, 0.16), (0.14, 0.55), (-0.14, 0.55)), plume, BASE)
    p.fill(circle(0.44, 0.2, 0.19).both(), steel, round=0.2, edge=True)
    p.fill(box(-0.5, -0.84, 0.5, 0.1, 0.3), steel, round=0.4, edge=True)
    slit: Shape = box(-0.36, -0.42, 0.36, -0.42 + max(0.12, 1.0 * p.px))
    p.fill(slit, steel, tone=OUTLINE)
    p.line(box(-p.px / 2, -0.4, p.px / 2, 0.06), steel, SHADE)


@subject("wizard", "mage sorcerer warlock witch magician necromancer sorceress druid", stretch=1.3, symmetric=True)
def wizard(p: Pen) -> None:
    """A pointed hat, a robe, and a beard unless it is a witch."""
    cloth, skin = p.color("main", COLORS["indigo"]), p.mix(p.rng.pick(_SKINS))
    trim = p.color("accent", COLORS["gold"])
    _body(p, cloth, cloth, skin, robe=True)
    p.line(box(-0.55, 0.92, 0.55, 0.92 + p.px), trim, BASE)
    _face(p, skin, -0.25)
    if p.says("witch", "sorceress"):
        p.fill(limb(0.48, -0.3, 0.5, 0.12, 0.12).both(), _hair_color(p), round=0.14)
    else:
        beard = p.mix(COLORS["white"])
        p.fill(mirrored((0.4, -0.1), (0.34, 0.2), (0.0, 0.58)), beard, round=0.3, edge=True)
        p.line(box(-0.1, 0.0, 0.1, p.px), beard, SHADE)
    p.fill(mirrored((0.0, -1.5), (0.14, -1.2), (0.44, -0.52)), cloth, round=0.3, edge=True)
    p.fill(limb(-0.62, -0.5, 0.62, -0.5, p.wide(0.09)), cloth, round=0.1, edge=True)
    p.line(box(-0.38, -0.68, 0.38, -0.68 + max(0.09, p.px)), trim, BASE)


@subject("skeleton", "undead lich", stretch=1.25, symmetric=True)
def skeleton(p: Pen) -> None:
    """Bones, standing."""
    bone = p.color("main", COLORS["bone"])
    p.fill(limb(0.2, 0.6, 0.2, 1.0, p.wide(0.07)).both(), bone, round=0.08)
    p.fill(limb(0, 0, 0, 0.6, p.wide(0.07)) | limb(-0.22, 0.6, 0.22, 0.6, p.wide(0.07)), bone, round=0.08)
    for y in (0.16, 0.36):
        p.fill(limb(-0.3, y, 0.3, y, p.wide(0.05)), bone, round=0.08)
    p.fill(limb(0.36, 0.16, 0.52, 0.6, p.wide(0.06)).both(), bone, round=0.08)
    p.fill(ellipse(0, -0.48, 0.52, 0.46) | box(-0.3, -0.3, 0.3, 0.06, 0.06), bone, round=0.4)
    p.fill(circle(0.2, -0.42, max(0.14, 0.6 * p.px)).both(), bone, tone=OUTLINE)
    p.line(box(-p.px / 2, -0.08, p.px / 2, 0.05) | box(0.14, -0.08, 0.14 + p.px, 0.05).both(), bone, DEEP)


@subject("zombie", "goblin orc ogre troll ghoul imp elf dwarf gnome", stretch=1.25, symmetric=True)
def goblin(p: Pen) -> None:
    """A green-skinned fellow with pointed ears; "elf" and "dwarf" keep their skin."""
    fair = p.says("elf", "dwarf", "gnome")
    skin = p.mix(p.rng.pick(_SKINS)) if fair else p.color("main", COLORS["moss"].shifted(light=0.08, chroma=1.3))
    cloth = p.color("main" if fair else "accent", COLORS["green"] if fair else COLORS["leather"])
    _body(p, cloth, p.mix(COLORS["brown"]), skin)
    if not p.says("zombie", "ghoul", "dwarf"):
        p.fill(poly((0.4, -0.5), (0.98, -0.62), (0.46, -0.16)).both(), skin, round=0.14)
    _face(p, skin)
    if fair:
        hair = _hair_color(p)
        p.fill(ellipse(0, -0.48, 0.58, 0.46) - box(-0.42, -0.46, 0.42, 1) - box(-2, -0.2, 2, 2), hair, round=0.3)
        if p.says("dwarf", "gnome"):
            p.fill(mirrored((0.46, -0.22), (0.4, 0.2), (0.0, 0.5)), hair, round=0.3, edge=True)
    else:
        p.line(poly((0.12, -0.08), (0.2, -0.22), (0.26, -0.08)).both(), p.mix(COLORS["bone"]), LIGHT)
