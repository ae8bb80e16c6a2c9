"""What the procedural backend draws: every subject, every size, and the words of the prompt."""

from __future__ import annotations

import colorsys
import zlib

import numpy as np
import numpy.typing as npt
import pytest

from pixelrouter.backends.procedural import lexicon, png
from pixelrouter.backends.procedural.colors import COLORS, Color, ramp
from pixelrouter.backends.procedural.draw import MAX_COLORS, draw
from pixelrouter.backends.procedural.lexicon import COLOR_WORDS, TILE_KINDS, WEAK
from pixelrouter.backends.procedural.rng import Rng
from pixelrouter.backends.procedural.subjects import NOUNS, SUBJECTS
from pixelrouter.backends.procedural.subjects.registry import subject

Pixels = npt.NDArray[np.uint8]
SPRITES = sorted(name for name, what in SUBJECTS.items() if not what.tile)
TILES = sorted(name for name, what in SUBJECTS.items() if what.tile)
SIZES = [(8, 8), (16, 16), (32, 32), (8, 64), (48, 20), (9, 33)]


def rgba(prompt: str, width: int = 32, height: int | None = None, *, seed: int = 3, transparent: bool | None = None):
    sprite = draw(prompt, seed, width, height or width, transparent)
    return as_rgba(sprite.pixels, sprite.palette, sprite.transparent)


def as_rgba(pixels: Pixels, palette: list[tuple[int, int, int]], transparent: bool) -> Pixels:
    table = np.array([(*color, 255) for color in palette], dtype=np.uint8)
    if transparent:
        table[0] = 0
    return np.asarray(table[pixels])


def hues(image: Pixels) -> npt.NDArray[np.float64]:
    """Hue in degrees of every saturated opaque pixel."""
    colors = image[image[..., 3] == 255][:, :3] / 255
    hsv = np.array([colorsys.rgb_to_hsv(*color) for color in colors.tolist()])
    return np.asarray(hsv[(hsv[:, 1] > 0.35) & (hsv[:, 2] > 0.2)][:, 0] * 360)


@pytest.mark.parametrize("name", SPRITES)
def test_every_subject_at_every_size(name: str) -> None:
    for size in [*SIZES, (256, 256)] if name in ("potion", "dragon", "emblem", "shield") else SIZES:
        for seed in (0, 1):
            sprite = draw(name, seed, *size, None, name)
            where = f"{name} at {size}, seed {seed}"
            assert sprite.pixels.shape == (size[1], size[0]), where
            assert len(sprite.palette) <= MAX_COLORS + 1, where
            assert sprite.transparent, where
            image = as_rgba(sprite.pixels, sprite.palette, sprite.transparent)
            assert set(np.unique(image[..., 3])) == {0, 255}, where
            assert not image[image[..., 3] == 0].any(), where
            drawn = image[..., 3] > 0
            columns, rows = np.flatnonzero(drawn.any(0)), np.flatnonzero(drawn.any(1))
            # It reaches across the shorter side, and sits in the middle.
            assert max((columns[-1] - columns[0] + 1) / size[0], (rows[-1] - rows[0] + 1) / size[1]) > 0.7, where
            assert abs(columns[0] - (size[0] - 1 - columns[-1])) <= max(2, size[0] * 0.13), where
            assert abs(rows[0] - (size[1] - 1 - rows[-1])) <= max(2, size[1] * 0.13), where
            box = (columns[-1] - columns[0] + 1) * (rows[-1] - rows[0] + 1)
            assert 0.18 < drawn.sum() / box <= 1, where
            assert len(np.unique(sprite.pixels[drawn])) >= (2 if min(size) == 8 else 3), where


@pytest.mark.parametrize("name", SPRITES)
def test_big_sprites_hold_together(name: str) -> None:
    sprite = draw(name, 5, 256, 256, True, name)
    assert len(sprite.palette) <= MAX_COLORS + 1
    assert 0.1 < (sprite.pixels > 0).mean() < 1


@pytest.mark.parametrize("name", sorted(name for name, what in SUBJECTS.items() if what.symmetric))
def test_symmetric_subjects_have_symmetric_silhouettes(name: str) -> None:
    for size in ((8, 8), (16, 16), (31, 31), (32, 32), (24, 48)):
        drawn = draw(name, 2, *size, True, name).pixels > 0
        assert np.array_equal(drawn, drawn[:, ::-1]), f"{name} at {size}"


@pytest.mark.parametrize("name", TILES)
def test_tiles_fill_the_canvas(name: str) -> None:
    for size in [*SIZES, (256, 256)]:
        sprite = draw(name, 1, *size, None, name)
        assert not sprite.transparent
        assert 2 <= len(sprite.palette) <= MAX_COLORS
        assert sprite.pixels.shape == (size[1], size[0])


@pytest.mark.parametrize("name", TILES)
def test_tiles_on_a_transparent_ground_become_blocks(name: str) -> None:
    image = as_rgba(*vars(draw(name, 1, 32, 32, True, name)).values())
    assert image[0, 0, 3] == 0
    assert (image[..., 3] == 255).mean() > 0.85


@pytest.mark.parametrize("name", ["stone_tile", "brick_tile", "grass_tile", "water_tile"])
def test_tiles_repeat_without_a_seam(name: str) -> None:
    """Neighbours across the border differ no more than neighbours inside do at worst."""
    image = as_rgba(*vars(draw(name, 1, 32, 32, None, name)).values())[..., :3].astype(int)
    steps = np.abs(image - np.roll(image, 1, axis=1)).sum(axis=2).mean(axis=0)
    assert steps[0] <= steps[1:].max() * 1.25


def test_a_red_potion_is_mostly_red() -> None:
    for side in (8, 16, 32, 64, 128):
        for seed in range(4):
            found = hues(rgba("a red potion in a round bottle", side, seed=seed))
            red = (found < 25) | (found > 315)  # its shade turns towards purple
            assert red.mean() > 0.6, f"{side}px, seed {seed}: {red.mean():.2f}"


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [("a green slime", 80, 170), ("a blue gem", 195, 265), ("purple heart", 250, 320), ("golden coin", 25, 60)],
)
def test_colour_words_colour_the_picture(prompt: str, low: float, high: float) -> None:
    found = hues(rgba(prompt))
    assert ((found > low) & (found < high)).mean() > 0.7


@pytest.mark.parametrize("prompt", ["a red potion", "zorblax", "a white ghost", "black bomb", "a glowing sword"])
@pytest.mark.parametrize("side", [8, 32])
def test_an_opaque_ground_is_opaque_calm_and_apart(prompt: str, side: int) -> None:
    with_ground, without = rgba(prompt, side, transparent=False), rgba(prompt, side, transparent=True)
    assert (with_ground[..., 3] == 255).all()
    ground = with_ground[without[..., 3] == 0][:, :3]
    assert 1 <= len(np.unique(ground, axis=0)) <= 2
    assert len(np.unique(with_ground.reshape(-1, 4), axis=0)) <= MAX_COLORS
    subject_light = with_ground[without[..., 3] == 255][:, :3].mean()
    assert abs(subject_light - ground.mean()) > 12


def test_modifiers_show() -> None:
    plain, glowing = rgba("a sword", 32), rgba("a glowing sword", 32)
    assert (glowing[..., 3] > 0).sum() > (plain[..., 3] > 0).sum()
    small, big = rgba("a tiny apple", 32)[..., 3] > 0, rgba("an apple", 32)[..., 3] > 0
    assert small.sum() < 0.6 * big.sum()
    assert not np.array_equal(rgba("a broken shield", 32), rgba("a shield", 32))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red potion in a round bottle", "potion"),
        ("bottle of poison", "potion"),
        ("treasure chest full of gold coins", "chest"),
        ("a pile of gold", "coin"),
        ("sword in a stone", "sword"),
        ("moon sword", "sword"),
        ("space ship", "spaceship"),
        ("three gold coins", "coin"),
        ("wolves", "cat"),
        ("berries on a bush", "bush"),
        ("an apple tree", "tree"),
        ("a knight with a red shield", "knight"),
        ("grass texture", "grass_tile"),
        ("stone floor tile", "stone_tile"),
        ("stone", "rock"),
        ("an orange", "apple"),
        ("an orange cat", "cat"),
        ("zorblax", None),
        ("", None),
    ],
)
def test_the_head_noun_is_drawn(prompt: str, expected: str | None) -> None:
    assert lexicon.read(prompt, NOUNS).subject == expected


def test_colours_are_read_in_order_and_moods_come_last() -> None:
    assert lexicon.read("a magic red cloak with blue trim", NOUNS).colors[:2] == (COLORS["red"], COLORS["blue"])
    assert lexicon.read("a girl with red hair in a blue dress", NOUNS).colors == (COLORS["blue"],)
    dark = lexicon.read("dark green slime", NOUNS).colors[0]
    assert dark.light < COLORS["green"].light
    assert lexicon.read("a sword", NOUNS).colors == ()


def test_every_known_word_leads_somewhere() -> None:
    assert set(COLOR_WORDS.values()) <= set(COLORS)
    assert set(TILE_KINDS.values()) <= set(SUBJECTS)
    assert set(NOUNS.values()) == set(SUBJECTS)
    assert len(SUBJECTS) >= 60
    for noun, name in NOUNS.items():
        if noun not in WEAK and "_" not in noun and noun not in lexicon.TILE_WORDS:
            assert lexicon.read(f"a {noun}", NOUNS).subject == name, noun


def test_a_noun_cannot_mean_two_things() -> None:
    with pytest.raises(ValueError, match="'sword' means 'sword' already"):
        subject("epee", "sword")(lambda pen: None)
    del SUBJECTS["epee"], NOUNS["epee"]


@pytest.mark.parametrize("name", sorted(COLORS))
def test_ramps_rise_from_outline_to_glint(name: str) -> None:
    tones = ramp(COLORS[name])
    bright = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in tones]
    assert bright == sorted(bright)
    assert len(set(tones)) >= 6
    assert bright[0] < 100


def test_shade_turns_towards_blue() -> None:
    deep, base = (
        Color(0.63, 0.18, 143).rgb() if tone == "base" else ramp(COLORS["green"])[1] for tone in ("deep", "base")
    )
    assert deep[2] / sum(deep) > base[2] / sum(base)


def test_chance_is_even_and_repeatable() -> None:
    rng = Rng("key")
    values = [rng.uniform() for _ in range(2000)]
    assert values[:3] == [Rng("key").uniform(), *values[1:3]]
    assert 0.45 < float(np.mean(values)) < 0.55
    assert {rng.pick("abc") for _ in range(100)} == set("abc")
    assert Rng("key").fork("a").bits() != Rng("key").fork("b").bits()


def test_png_stores_blocks_and_round_trips() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 16, (400, 401), dtype=np.uint8)  # more than one stored block
    data = png.encode(pixels, [(i, i, i) for i in range(16)], transparent=False)
    start = data.index(b"IDAT") + 4
    length = int.from_bytes(data[start - 8 : start - 4], "big")
    raw = np.frombuffer(zlib.decompress(data[start : start + length]), np.uint8).reshape(400, 202)[:, 1:]
    back = np.stack([raw >> 4, raw & 15], axis=2).reshape(400, 402)[:, :401]
    assert np.array_equal(back, pixels)
