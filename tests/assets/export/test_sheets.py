"""The lists beside a sprite's own sheet: Aseprite's JSON, PixiJS, Phaser, and single frames."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

from pixelrouter.assets.asset import FrameTag
from pixelrouter.assets.export import exporter
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest
from tests.assets.export.samples import film, rgba, sprite, still, tiles, views
from tests.assets.export.schemas import schema_of

EVERY = [still, film, views, tiles]
NAMES = ["aseprite-json", "aseprite-json-hash", "pixi", "phaser"]


def files(name: str, made: Sprite) -> Mapping[str, bytes]:
    return exporter(name)(made, "stem", "art")


def one(name: str, made: Sprite) -> Any:
    (data,) = files(name, made).values()
    return json.loads(data)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("make", EVERY)
def test_every_list_keeps_to_its_schema_and_to_the_sheet(name: str, make: Any) -> None:
    made = make()
    ((path, data),) = files(name, made).items()
    found = json.loads(data)
    jsonschema.validate(found, schema_of(path))
    assert found["meta"]["image"] == "stem.png"
    assert found["meta"]["size"] == dict(zip("wh", made.sheet.size, strict=True))
    assert found["meta"]["format"] == "I8"
    frames = found["frames"] if isinstance(found["frames"], list) else list(found["frames"].values())
    for record, image in zip(frames, made.frames, strict=True):
        box = record["frame"]
        cut = made.sheet.crop((box["x"], box["y"], box["x"] + box["w"], box["y"] + box["h"]))
        assert np.array_equal(rgba(cut), rgba(image))
    assert [record["duration"] for record in frames] == list(made.times)


def test_every_export_has_a_file_of_its_own() -> None:
    paths = [path for name in [*NAMES, "aseprite", "frames"] for path in files(name, film())]
    assert len(paths) == len(set(paths))
    assert "stem.png" not in paths


def test_array_and_hash_hold_the_same() -> None:
    array, by_name = one("aseprite-json", film()), one("aseprite-json-hash", film())
    assert {frame.pop("filename"): frame for frame in array["frames"]} == by_name["frames"]
    assert array["meta"] == by_name["meta"]


def test_aseprite_tells_of_tags_and_pivots() -> None:
    meta = one("aseprite-json", film())["meta"]
    assert meta["frameTags"] == [
        {"name": "idle", "from": 0, "to": 1, "direction": "forward"},
        {"name": "walk", "from": 2, "to": 5, "direction": "pingpong"},
    ]
    (key,) = meta["slices"][0]["keys"]
    assert key == {"frame": 0, "bounds": {"x": 0, "y": 0, "w": 12, "h": 10}, "pivot": {"x": 6, "y": 10}}
    assert meta["layers"] == [{"name": "hero", "opacity": 255, "blendMode": "normal"}]


def test_pivots_are_whole_pixels_halves_rounded_up() -> None:
    made = sprite(size=(13, 9), pivot=(0.5, 0.5))
    (key,) = one("aseprite-json", made)["meta"]["slices"][0]["keys"]
    assert key["pivot"] == {"x": 7, "y": 5}


def test_repeat_is_a_text_and_only_there_where_it_ends() -> None:
    (tag,) = one("aseprite-json", sprite(2, "animation", loop=False))["meta"]["frameTags"]
    assert tag["repeat"] == "1"
    (tag,) = one("aseprite-json", sprite(2, "animation"))["meta"]["frameTags"]
    assert "repeat" not in tag


def test_names_of_views_and_of_frames() -> None:
    assert [frame["filename"] for frame in one("aseprite-json", views())["frames"]] == [
        "south",
        "west",
        "north",
        "east",
    ]
    assert [frame["filename"] for frame in one("aseprite-json", film())["frames"]] == list("012345")
    assert list(one("aseprite-json-hash", sprite(3, "views", names=("a", "a", "a-2")))["frames"]) == [
        "a",
        "a-2",
        "a-2-2",
    ]


def test_tiles_are_frames_and_no_animations() -> None:
    found = one("pixi", tiles())
    assert found["animations"] == {}
    assert one("aseprite-json", tiles())["meta"]["frameTags"] == []


def test_pixi_names_begin_with_the_stem() -> None:
    assert list(one("pixi", still())["frames"]) == ["stem"]
    assert list(one("pixi", views())["frames"]) == ["stem-south", "stem-west", "stem-north", "stem-east"]
    found = one("pixi", film())
    assert found["animations"] == {
        "idle": ["stem-0", "stem-1"],
        "walk": [f"stem-{at}" for at in (2, 3, 4, 5, 4, 3)],
    }
    assert found["frames"]["stem-0"]["anchor"] == {"x": 0.5, "y": 1.0}
    assert "anchor" not in one("pixi", views())["frames"]["stem-south"]


def test_phaser_counts_films_and_names_views() -> None:
    found = one("phaser", film())
    assert [frame["filename"] for frame in found["frames"]] == list("012345")
    walks = sprite(4, "animation", names=("walk/0", "walk/1", "turn/0", "turn/1"))
    found = one("phaser", walks)
    assert [frame["filename"] for frame in found["frames"]] == list("0123")
    assert [(tag["name"], tag["from"], tag["to"]) for tag in found["meta"]["frameTags"]] == [
        ("walk", 0, 1),
        ("turn", 2, 3),
    ]
    assert [frame["filename"] for frame in one("phaser", views())["frames"]] == ["south", "west", "north", "east"]
    assert one("phaser", views())["meta"]["frameTags"] == []


def test_phaser_gets_a_direction_that_it_knows() -> None:
    made = sprite(3, "animation", tags=(FrameTag("a", 0, 2, "pingpong_reverse"), FrameTag("b", 0, 1, "reverse")))
    assert [tag["direction"] for tag in one("phaser", made)["meta"]["frameTags"]] == ["pingpong", "reverse"]


def test_a_tag_beyond_the_frames_is_refused() -> None:
    made = sprite(3, "animation", tags=(FrameTag("walk", 1, 3),))
    for name in [*NAMES, "aseprite"]:
        with pytest.raises(InvalidRequest, match="'walk' of 'hero' covers frames 1 to 3"):
            files(name, made)


def test_single_frames() -> None:
    assert files("frames", still()) == {}
    made = views()
    found = files("frames", made)
    assert list(found) == ["stem-south.png", "stem-west.png", "stem-north.png", "stem-east.png"]
    for data, image in zip(found.values(), made.frames, strict=True):
        with Image.open(io.BytesIO(data)) as read:
            assert read.mode == "P"
            assert np.array_equal(rgba(read), rgba(image))


def test_names_of_single_frames_sort_and_fit_every_system() -> None:
    assert list(files("frames", sprite(12, "animation")))[9:11] == ["stem-09.png", "stem-10.png"]
    made = sprite(4, "views", names=("walk/0", 'a:b?"', "..", "con\t"))
    assert list(files("frames", made)) == ["stem-walk-0.png", "stem-a-b.png", "stem-_.png", "stem-con_.png"]


@pytest.mark.parametrize("name", [*NAMES, "frames"])
def test_the_same_sprite_gives_the_same_bytes(name: str) -> None:
    assert files(name, film()) == files(name, film())
