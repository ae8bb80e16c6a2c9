"""Colours as a pixel artist mixes them: ramps whose hue moves towards blue in the shade and yellow in the light.

Colours are kept in OKLCH (lightness 0..1, chroma 0..0.4, hue in degrees; Björn Ottosson, "A perceptual color space for
image processing", 2020), because equal steps of its lightness look equal for every hue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

RGB = tuple[int, int, int]
SHADE_HUE, LIGHT_HUE = 285.0, 95.0
# Tones of a ramp: 0 outline, 1 deep shade, 2 shade, 3 base, 4 light, 5 highlight, 6 glint.
OUTLINE, DEEP, SHADE, BASE, LIGHT, HIGH, GLINT = range(7)


@dataclass(frozen=True)
class Color:
    """A colour in OKLCH."""

    light: float
    chroma: float
    hue: float

    def shifted(self, light: float = 0.0, chroma: float = 1.0, hue: float = 0.0) -> Color:
        """The colour made lighter by ``light``, with ``chroma`` times its chroma, its hue turned by ``hue`` degrees."""
        lightness = min(max(self.light + light, 0.08), 0.98)
        return replace(self, light=lightness, chroma=self.chroma * chroma, hue=(self.hue + hue) % 360)

    def rgb(self) -> RGB:
        """8-bit sRGB; chroma is lowered, with hue and lightness kept, until the colour exists in sRGB."""
        chroma = self.chroma
        for _ in range(40):
            linear = _linear_rgb(self.light, chroma, self.hue)
            if all(-0.0005 <= value <= 1.0005 for value in linear):
                break
            chroma *= 0.93
        red, green, blue = (_encode(value) for value in linear)
        return (red, green, blue)


def _linear_rgb(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _encode(value: float) -> int:
    value = min(max(value, 0.0), 1.0)
    value = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(value * 255)


def _towards(hue: float, goal: float, most: float) -> float:
    """``hue`` turned towards ``goal`` the short way, by at most ``most`` degrees."""
    turn = (goal - hue + 180) % 360 - 180
    return (hue + min(max(turn, -most), most)) % 360


def ramp(base: Color) -> tuple[RGB, ...]:
    """The seven tones of a material, from outline to glint."""
    lift = (-0.36, -0.24, -0.115, 0.0, 0.105, 0.20, 0.30)
    turn = (30.0, 20.0, 10.0, 0.0, 7.0, 14.0, 24.0)
    rich = (0.62, 0.85, 0.98, 1.0, 0.92, 0.66, 0.22)
    tones = []
    room = 0.985 - base.light  # what lies above the base; a white's light tones share it
    for tone in range(7):
        goal = SHADE_HUE if tone < BASE else LIGHT_HUE
        if tone > BASE:
            light = base.light + min(lift[tone], room * (0.4, 0.72, 1.0)[tone - LIGHT])
        else:
            light = max(base.light + lift[tone] * (0.55 + 0.65 * base.light), (0.14, 0.2, 0.26, 0.0)[tone])
        if tone == OUTLINE:
            light = min(light, 0.34)
        elif tone == GLINT:
            light = max(light, 0.955)
        # Lit red would turn orange, which reads as another material: reds turn less.
        calm = 0.35 if tone > BASE and (base.hue < 45 or base.hue > 340) else 1.0
        hue = _towards(base.hue, goal, turn[tone] * calm)
        tones.append(Color(light, base.chroma * rich[tone], hue).rgb())
    return tuple(tones)


def distance(one: RGB, other: RGB) -> int:
    """How different two colours look: weighted squares, the eye being most exact about green."""
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return 3 * red * red + 4 * green * green + 2 * blue * blue


# Plain colours, then materials and moods; a prompt may use any of these words.
COLORS: dict[str, Color] = {
    "red": Color(0.565, 0.22, 24), "crimson": Color(0.5, 0.2, 20), "scarlet": Color(0.6, 0.22, 30),
    "maroon": Color(0.42, 0.14, 22), "orange": Color(0.7, 0.175, 55), "amber": Color(0.76, 0.165, 72),
    "yellow": Color(0.86, 0.17, 97), "lime": Color(0.8, 0.21, 128), "green": Color(0.63, 0.18, 143),
    "olive": Color(0.58, 0.11, 115), "teal": Color(0.6, 0.1, 190), "turquoise": Color(0.75, 0.125, 190),
    "cyan": Color(0.8, 0.13, 205), "azure": Color(0.68, 0.15, 240), "blue": Color(0.55, 0.2, 260),
    "navy": Color(0.38, 0.13, 265), "indigo": Color(0.44, 0.19, 280), "violet": Color(0.56, 0.22, 295),
    "purple": Color(0.52, 0.21, 305), "magenta": Color(0.62, 0.25, 330), "pink": Color(0.76, 0.135, 355),
    "rose": Color(0.66, 0.17, 5), "brown": Color(0.5, 0.09, 55), "tan": Color(0.72, 0.075, 75),
    "beige": Color(0.82, 0.05, 85), "white": Color(0.9, 0.012, 250), "gray": Color(0.62, 0.015, 260),
    "black": Color(0.33, 0.02, 280),
    "gold": Color(0.79, 0.155, 84), "silver": Color(0.77, 0.022, 250), "steel": Color(0.7, 0.03, 250),
    "iron": Color(0.58, 0.022, 262), "bronze": Color(0.62, 0.105, 62), "copper": Color(0.64, 0.125, 47),
    "wood": Color(0.55, 0.095, 58), "darkwood": Color(0.43, 0.07, 50), "leather": Color(0.5, 0.085, 50),
    "stone": Color(0.63, 0.015, 255), "bone": Color(0.86, 0.045, 92), "paper": Color(0.87, 0.055, 88),
    "skin": Color(0.8, 0.075, 60), "ice": Color(0.83, 0.075, 222), "glass": Color(0.8, 0.045, 225),
    "fire": Color(0.71, 0.19, 48), "lava": Color(0.62, 0.215, 36), "poison": Color(0.67, 0.195, 134),
    "shadow": Color(0.38, 0.09, 300), "holy": Color(0.89, 0.095, 96), "lightning": Color(0.87, 0.165, 102),
    "water": Color(0.63, 0.14, 245), "leaf": Color(0.61, 0.155, 138), "moss": Color(0.55, 0.11, 125),
    "dirt": Color(0.47, 0.065, 60), "sand": Color(0.82, 0.085, 85), "snow": Color(0.93, 0.02, 235),
    "emerald": Color(0.65, 0.165, 155), "ruby": Color(0.54, 0.215, 17), "sapphire": Color(0.52, 0.19, 262),
    "amethyst": Color(0.58, 0.19, 305), "topaz": Color(0.77, 0.15, 75), "diamond": Color(0.87, 0.06, 215),
    "obsidian": Color(0.33, 0.045, 290), "jade": Color(0.7, 0.12, 160), "blood": Color(0.47, 0.19, 25),
    "slime": Color(0.74, 0.19, 135), "rust": Color(0.52, 0.12, 42), "brick": Color(0.53, 0.125, 35),
}  # fmt: skip
