"""From the words of a prompt to a plan: which subject, which colours, which manners.

English puts the head of a noun phrase last ("treasure chest", "moon sword") and what belongs to it after a preposition
("a key with a skull"), so the subject is the last known noun before the first preposition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pixelrouter.backends.procedural.colors import COLORS, Color

# Words that mean one of the colours of ``colors.COLORS``.
COLOR_WORDS: dict[str, str] = {
    "golden": "gold", "silvery": "silver", "wooden": "wood", "oak": "wood", "oaken": "wood", "pine": "wood",
    "grey": "gray", "icy": "ice", "frozen": "ice", "frost": "ice", "frosty": "ice", "cold": "ice", "snowy": "snow",
    "fiery": "fire", "flaming": "fire", "burning": "fire", "flame": "fire", "hot": "fire", "magma": "lava",
    "poisonous": "poison", "toxic": "poison", "venom": "poison", "acid": "poison", "venomous": "poison",
    "dark": "shadow", "evil": "shadow", "cursed": "shadow", "demonic": "shadow", "void": "shadow",
    "divine": "holy", "sacred": "holy", "angelic": "holy", "blessed": "holy", "light": "holy",
    "electric": "lightning", "thunder": "lightning", "bony": "bone", "ivory": "bone", "skeletal": "bone",
    "steely": "steel", "metal": "steel", "metallic": "steel", "rusty": "rust", "rusted": "rust",
    "rocky": "stone", "granite": "stone", "marble": "white", "leafy": "leaf", "nature": "leaf", "natural": "leaf",
    "mossy": "moss", "muddy": "dirt", "mud": "dirt", "earth": "dirt", "sandy": "sand", "desert": "sand",
    "health": "red", "healing": "red", "life": "red", "mana": "blue", "magic": "violet", "magical": "violet",
    "stamina": "green", "love": "pink", "arcane": "violet", "bloody": "blood", "aqua": "cyan", "lavender": "violet",
    "crystal": "diamond", "cherry": "crimson", "blond": "gold", "blonde": "gold", "ginger": "orange",
    "scarlet": "scarlet", "cobalt": "azure", "sky": "azure", "mint": "jade", "cream": "beige", "ebony": "black",
    "watery": "water", "aquatic": "water", "ocean": "water", "sea": "water", "ashen": "gray", "pale": "white",
}  # fmt: skip
PREPOSITIONS = frozenset(
    [
        "with",
        "in",
        "on",
        "of",
        "holding",
        "from",
        "under",
        "at",
        "inside",
        "wearing",
        "for",
        "over",
        "near",
        "by",
        "and",
        "full",
        "covered",
    ]
)
WEAK = frozenset(
    [
        "gold",
        "orange",
        "rose",
        "fire",
        "ice",
        "emerald",
        "ruby",
        "sapphire",
        "diamond",
        "topaz",
        "amethyst",
        "water",
        "stone",
        "grass",
        "sand",
        "brick",
        "shadow",
        "moon",
        "sun",
        "star",
        "lava",
        "snow",
        "dirt",
        "crystal",
        "bone",
        "wood",
        "leaf",
        "slime",
        "flame",
        "earth",
        "mud",
        "skull",
        "heart",
        "cloud",
        "wall",
        "floor",
        "glass",
    ]
)
TILE_WORDS = frozenset(
    ["tile", "texture", "ground", "floor", "wall", "seamless", "tileset", "terrain", "pattern", "path"]
)
TILE_KINDS: dict[str, str] = {
    "grass": "grass_tile", "stone": "stone_tile", "brick": "brick_tile", "water": "water_tile", "dirt": "dirt_tile",
    "sand": "sand_tile", "lava": "lava_tile", "wood": "plank_tile", "wooden": "plank_tile", "plank": "plank_tile",
    "snow": "snow_tile", "cobblestone": "stone_tile", "rock": "stone_tile", "floor": "stone_tile",
    "wall": "brick_tile", "ground": "dirt_tile", "ice": "snow_tile", "earth": "dirt_tile", "path": "sand_tile",
    "meadow": "grass_tile", "lake": "water_tile", "ocean": "water_tile", "sea": "water_tile",
}  # fmt: skip
GLOWING = frozenset(
    ["glowing", "glow", "shining", "radiant", "enchanted", "luminous", "magic", "magical", "shiny", "holy", "legendary"]
)
CURSED = frozenset(["cursed", "demonic", "evil"])
SMALL = frozenset(["small", "tiny", "little", "mini", "miniature"])
BROKEN = frozenset(["broken", "cracked", "shattered", "damaged"])


@dataclass(frozen=True)
class Plan:
    """What to draw. ``subject`` None means that no word is known; ``colors`` are in the prompt's order."""

    subject: str | None
    colors: tuple[Color, ...]
    words: frozenset[str]
    glow: bool = False
    small: bool = False
    broken: bool = False


def words_of(prompt: str) -> list[str]:
    """The prompt's words in lower case."""
    return re.findall(r"[a-z]+", prompt.lower())


def singular(word: str) -> str:
    """The singular of a regular English plural."""
    if word.endswith("ves") and len(word) > 4:
        return word[:-3] + "f"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


def read(prompt: str, nouns: Mapping[str, str]) -> Plan:
    """The plan for ``prompt``; ``nouns`` maps each known noun to its subject."""
    words = words_of(prompt)
    known = frozenset(words) | {singular(word) for word in words}
    subject, used = _subject(words, nouns)
    return Plan(
        subject=subject,
        colors=_colors(words, nouns, used),
        words=known,
        glow=not known.isdisjoint(GLOWING | CURSED),
        small=not known.isdisjoint(SMALL),
        broken=not known.isdisjoint(BROKEN),
    )


def _subject(words: list[str], nouns: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The subject and the word that named it."""
    if not TILE_WORDS.isdisjoint(words) or not TILE_WORDS.isdisjoint(map(singular, words)):
        kinds = [word for word in map(singular, words) if word in TILE_KINDS]
        plain = [word for word in kinds if word not in TILE_WORDS]
        return TILE_KINDS[(plain or kinds or ["stone"])[0]], None
    cut = next((i for i, word in enumerate(words) if word in PREPOSITIONS and i), len(words))
    for part, last in ((words[:cut], True), (words[cut:], False)):
        found = _nouns(part, nouns)
        strong = [word for word in found if word not in WEAK]
        if strong:
            word = strong[-1 if last else 0]
            return nouns[word], word
    weak = _nouns(words[:cut], nouns)[::-1] or _nouns(words, nouns)
    return (nouns[weak[0]], weak[0]) if weak else (None, None)


def _nouns(words: list[str], nouns: Mapping[str, str]) -> list[str]:
    """Known nouns in order; "space ship" counts as "spaceship"."""
    found, skip = [], False
    for i, word in enumerate(words):
        pair = word + singular(words[i + 1]) if i + 1 < len(words) else ""
        if skip:
            skip = False
        elif pair in nouns:
            found.append(pair)
            skip = True
        elif word in nouns or singular(word) in nouns:
            found.append(word if word in nouns else singular(word))
    return found


def _colors(words: list[str], nouns: Mapping[str, str], subject: str | None) -> tuple[Color, ...]:
    """Plain colours outrank moods and materials, so that "a red magic potion" is red."""
    first: list[Color] = []
    second: list[Color] = []
    for i, word in enumerate(words):
        name = COLOR_WORDS.get(word, word)
        after = words[i + 1] if i + 1 < len(words) else ""
        if word in ("dark", "light", "pale", "bright", "deep") and COLOR_WORDS.get(after, after) in COLORS:
            continue
        if after in ("hair", "haired", "eyes", "eyed", "skin", "skinned"):
            continue
        if name not in COLORS or (word == subject and word not in COLORS):
            continue
        color = COLORS[name]
        before = words[i - 1] if i else ""
        if before in ("dark", "deep"):
            color = color.shifted(light=-0.14, chroma=0.9)
        elif before in ("light", "pale", "bright"):
            color = color.shifted(light=0.12, chroma=0.75 if before != "bright" else 1.05)
        (first if word in COLORS or word in ("golden", "wooden", "icy") else second).append(color)
    return tuple(dict.fromkeys(first + second))
