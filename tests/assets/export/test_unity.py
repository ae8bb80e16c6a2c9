"""Read by PyYAML; what a number means is Unity's."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from PIL import Image

from pixelrouter.assets.export.unity import export
from pixelrouter.assets.sprite import Sprite
from tests.assets.export import sprites


def read(sprite: Sprite, stem: str = "hero", folder: str = "art") -> Any:
    return yaml.safe_load(export(sprite, stem, folder)[f"{stem}.png.meta"])


def test_pixels_stay_pixels() -> None:
    meta = read(sprites.still(pixels_per_unit=16))
    assert meta["fileFormatVersion"] == 2
    assert re.fullmatch("[0-9a-f]{32}", meta["guid"])
    made = meta["TextureImporter"]
    plain = {key: made[key] for key in ("textureType", "spriteMode", "nPOTScale", "alphaIsTransparency")}
    assert plain == {"textureType": 8, "spriteMode": 1, "nPOTScale": 0, "alphaIsTransparency": 1}
    assert (made["textureSettings"]["filterMode"], made["mipmaps"]["enableMipMap"]) == (0, 0)
    assert [one["textureCompression"] for one in made["platformSettings"]] == [0]
    assert made["spritePixelsToUnits"] == 16
    assert made["internalIDToNameTable"] == made["spriteSheet"]["sprites"] == []
    assert made["spriteSheet"]["nameFileIdTable"] == {}


def test_a_sprite_is_one_unit_wide_unless_told() -> None:
    assert read(sprites.still())["TextureImporter"]["spritePixelsToUnits"] == 12


def test_slices_are_the_frames() -> None:
    """Cut out as Unity does it, counting rows from the bottom."""
    sprite = sprites.views()
    made = read(sprite)["TextureImporter"]
    assert made["spriteMode"] == 2
    sheet = sprite.sheet.convert("RGBA").transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    slices = made["spriteSheet"]["sprites"]
    assert [one["name"] for one in slices] == [f"hero_{name}" for name in sprite.names]
    for number, one in enumerate(slices):
        rect = one["rect"]
        box = (rect["x"], rect["y"], rect["x"] + rect["width"], rect["y"] + rect["height"])
        assert sheet.crop(box).transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes() == sprites.cell(sprite, number)


def test_ids_are_stable_and_agree() -> None:
    made = read(sprites.film())["TextureImporter"]
    slices = made["spriteSheet"]["sprites"]
    ids = {one["name"]: one["internalID"] for one in slices}
    assert len(set(ids.values())) == 6
    assert all(0 < number < 1 << 63 for number in ids.values())
    assert made["spriteSheet"]["nameFileIdTable"] == ids
    assert {one["second"]: one["first"][213] for one in made["internalIDToNameTable"]} == ids
    assert len({one["spriteID"] for one in slices} | {made["spriteSheet"]["spriteID"]}) == 7
    longer = read(sprites.film(9))
    assert longer["guid"] == read(sprites.still())["guid"]
    assert {name: longer["TextureImporter"]["spriteSheet"]["nameFileIdTable"][name] for name in ids} == ids


def test_places_have_their_own_ids() -> None:
    found = {read(sprites.still(), stem, folder)["guid"] for stem in "ab" for folder in ("", "x", "x/y")}
    assert len(found) == 6
    assert read(sprites.still())["guid"] == "eb5c1e6d414b9855962a3e45bebb804e"  # never to change: scenes refer to it


@pytest.mark.parametrize(
    ("pivot", "alignment", "seen"),
    [(None, 0, (0.5, 0.5)), ((0.5, 1.0), 9, (0.5, 0)), ((0.25, 0.1), 9, (0.25, 0.9))],
)
def test_pivots_count_from_below(pivot: tuple[float, float] | None, alignment: int, seen: tuple[float, float]) -> None:
    made = read(sprites.film(pivot=pivot))["TextureImporter"]
    assert (made["alignment"], tuple(made["spritePivot"].values())) == (alignment, seen)
    for one in made["spriteSheet"]["sprites"]:
        assert (one["alignment"], tuple(one["pivot"].values())) == (alignment, seen)


def test_one_tile_repeats() -> None:
    tile = Sprite("grass", (sprites.frame(3),), sprites.PALETTE, "tileset")
    wraps = [read(sprite)["TextureImporter"]["textureSettings"]["wrapU"] for sprite in (tile, sprites.wang())]
    assert wraps == [0, 1]


def test_a_large_sheet_is_not_made_smaller() -> None:
    wide = tuple(sprites.frame(mark, (600, 16)) for mark in range(4))
    for count, limit in ((3, 2048), (4, 4096)):
        made = read(Sprite("wide", wide[:count], sprites.PALETTE, "animation"))["TextureImporter"]
        assert made["maxTextureSize"] == made["platformSettings"][0]["maxTextureSize"] == limit


def test_names_of_any_kind() -> None:
    names = ("a/b", "a_b", "c: #d", "'\"\\", "\x01\ud800", "é \U0001f600", "[x]", "-")
    sprite = Sprite("hero", sprites.views().frames, sprites.PALETTE, "views", names)
    made = read(sprite, "1e3")["TextureImporter"]
    told = ["a_b", "a_b-2", "c: #d", "'\"\\", "__", "é \U0001f600", "[x]", "-"]
    assert [one["name"] for one in made["spriteSheet"]["sprites"]] == [f"1e3_{name}" for name in told]
    assert set(made["spriteSheet"]["nameFileIdTable"]) == {f"1e3_{name}" for name in told}
