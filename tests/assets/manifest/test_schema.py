"""The JSON Schema of assets.toml is current, sound, and of one mind with the reader."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from pixelrouter.assets.manifest.schema import FILE, text
from pixelrouter.errors import ConfigError
from tests.assets.manifest.conftest import Read

VALIDATOR = jsonschema.Draft7Validator(json.loads(FILE.read_text("utf-8")))


def test_the_file_is_current() -> None:
    assert FILE.read_text("utf-8") == text(), "run: python -m pixelrouter.assets.manifest.schema"


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(VALIDATOR.schema)


def words() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, table in VALIDATOR.schema["definitions"].items():
        for word, value in table["properties"].items():
            yield f"{name}.{word}", value


def test_every_word_is_described_and_none_may_be_null() -> None:
    assert all(value.get("description") for _, value in words())
    assert '"null"' not in FILE.read_text("utf-8")


# One good and one bad value of every word, in the table where it stands.
GOOD_AND_BAD = {
    "backend": ("'procedural'", "3"),
    "route": ("['procedural', 'fal']", "[]"),
    "model": ("'x'", "''"),
    "options": ("{ a = 1 }", "3"),
    "commercial": ("true", "'yes'"),
    "task": ("'image'", "'picture'"),
    "size": ("[16, 24]", "'16by16'"),
    "n": ("4", "65"),
    "transparent": ("false", "0"),
    "prefix": ("'a'", "1"),
    "suffix": ("', b'", "1"),
    "references": ("[]", "[1]"),
    "strength": ("0.5", "1.5"),
    "views": ("4", "'5'"),
    "action": ("'walk'", "''"),
    "frames": ("4", "0"),
    "tiles": ("'wang'", "'hex'"),
    "upper": ("'grass'", "''"),
    "palette": ("['#ff0000']", "['red']"),
    "colors": ("16", "257"),
    "policy": ("'reject'", "'snp'"),
    "pixel_size": ("[7.5, 8]", "0"),
    "origin": ("[0, 1]", "[1]"),
    "mode": ("'convert'", "'x'"),
    "dither": ("'bayer4'", "'bayer'"),
    "one_bit": ("true", "1"),
    "merge": ("0.02", "2"),
    "quantizer": ("'own'", "'x'"),
    "pad_palette": ("true", "'true'"),
    "matte": ("'rembg'", "'x'"),
    "holes": ("true", "1"),
    "despill": ("true", "1"),
    "min_score": ("60", "101"),
    "exports": ("['gif', 'godot']", "['gdot']"),
    "fps": ("12.5", "0"),
    "loop": ("false", "1"),
    "pivot": ("'bottom-left'", "[2, 0]"),
    "tags": ("'boss'", "1"),
    "name": ("'Game'", "''"),
    "out": ("'x/y'", "'../x'"),
    "store": ("'raw'", "1"),
    "budget_usd": ("'2.50'", "-1"),
    "budget_generations": ("40", "'many'"),
    "provenance": ("'full'", "'some'"),
    "pixels_per_unit": ("16", "0"),
    "style": ("''", "1"),
    "sticky": ("false", "'no'"),
    "extends": ("'t'", "''"),
    "seed": ("7", "-1"),
    "image": ("'hero.png'", "''"),
    "mask": ("'mask.png'", "''"),
    "frame_tags": ("[{ name = 'a', first = 0, last = 1 }]", "[{ name = 'a', first = 0 }]"),
    "for_each": ("{ a = [1, 'b'] }", "{ a = 1 }"),
    "for_files": ("'*.toml'", "[]"),
    "exclude": ("[{ a = 1 }]", "[1]"),
    "assets": ("['a']", "[]"),
    "formats": ("'pixi'", "'gif'"),
    "method": ("'shelf'", "'best'"),
    "spacing": ("2", "65"),
    "margin": ("2", "-1"),
    "extrude": ("1", "17"),
    "trim": ("true", "1"),
    "power_of_two": ("true", "1"),
    "prompt": ("'x'", "3"),
}
HEADS = {"project": "[project]", "style": "[style.s]", "asset": "[asset.a]", "atlas": "[atlas.sheet]"}
TASK_OF = {
    "strength": "edit",
    "mask": "inpaint",
    "views": "views",
    "action": "animation",
    "frames": "animation",
    "frame_tags": "animation",
    "tiles": "tileset",
    "upper": "tileset",
}


def manifest_with(table: str, word: str, value: str) -> str:
    """A manifest that is good if the value is."""
    own = {word: value}
    if table == "asset":
        task = TASK_OF.get(word, "image")
        needs = {"prompt": "'x'", "size": "8", "task": f"'{task}'"}
        needs |= {"image": "'hero.png'"} if task in ("edit", "inpaint") else {}
        needs |= {"mask": "'mask.png'"} if task == "inpaint" else {}
        needs |= {"upper": "'x'"} if word == "tiles" else {}
        needs |= {"for_each": "{ a = [1, 2] }"} if word == "exclude" else {}
        own = {**needs, **own}
    if table == "atlas":
        own = {"assets": "'a'", **own}
    text = f"{HEADS[table]}\n" + "".join(f"{key} = {one}\n" for key, one in own.items())
    if table != "asset":
        text += "[asset.a]\nprompt = 'x'\n"
    return text + ("[style.t]\n" if word == "extends" else "")


@pytest.mark.parametrize("table", HEADS)
def test_schema_and_reader_agree_about_every_word(read: Read, table: str) -> None:
    for word in VALIDATOR.schema["definitions"][table]["properties"]:
        for value, wrong in zip(GOOD_AND_BAD[word], (False, True), strict=True):
            text = manifest_with(table, word, value)
            complaints = [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]
            try:
                read(text, inputs=False)
                told = ""
            except ConfigError as error:
                told = str(error)
            assert bool(told) == bool(complaints) == wrong, (text, told, complaints)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("[asset.'p-{a}']\nprompt = '{a}'\nsize = '{a}'\nn = '{a}'\nexports = ['{b}']\n"
         "transparent = '{c}'\nfor_each = [{ a = 8, b = 'gif' }]", None),
        ("[asset.'no good']\nprompt = 'x'", False),
        ("[asset.a]\nprompt = 'x'\nbackend = 'fal'\nroute = ['fal']", False),
        ("[asset.a]\nprompt = 'x'\nexclude = [{ a = 1 }]", False),
        ("[asset.a]\nprompt = 'x'\nunknown = 1", False),
        ("[assets.a]\nprompt = 'x'", False),
        ("", True),
    ],
)  # fmt: skip
def test_whole_files(read: Read, text: str, good: bool | None) -> None:
    complaints = list(VALIDATOR.iter_errors(tomllib.loads(text)))
    if good is None:  # a variable may stand for anything as far as the schema knows
        assert not complaints
        return
    assert bool(complaints) != good
    if good:
        read(text)
    else:
        with pytest.raises(ConfigError):
            read(text)
