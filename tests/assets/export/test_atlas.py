"""Many sprites on one sheet."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

from pixelrouter.assets.asset import Atlas
from pixelrouter.assets.export.atlas import WRITERS, export_atlas
from pixelrouter.errors import InvalidRequest
from tests.assets.export.samples import PALETTE, film, rgba, sprite, still, tiles, views
from tests.assets.export.schemas import schema_of

ALL = tuple(WRITERS)


def exported(*sprites: Any, **settings: Any) -> tuple[Image.Image, dict[str, Any]]:
    settings.setdefault("formats", ALL)
    files = export_atlas(Atlas("all", (), "all", **settings), sprites, "all", "art")
    with Image.open(io.BytesIO(files["all.png"])) as image:
        image.load()
    return image, {path: json.loads(data) for path, data in files.items() if path.endswith(".json")}


def frames_of(lists: dict[str, Any]) -> dict[str, Any]:
    return {frame["filename"]: frame for frame in lists["all.json"]["frames"]}


def whole(image: Image.Image, record: dict[str, Any]) -> Any:
    """The frame as it was before it was packed."""
    box, place, size = record["frame"], record["spriteSourceSize"], record["sourceSize"]
    out = Image.new("RGBA", (size["w"], size["h"]))
    cut = image.convert("RGBA").crop((box["x"], box["y"], box["x"] + box["w"], box["y"] + box["h"]))
    out.paste(cut, (place["x"], place["y"]))
    return rgba(out)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "grid", "spacing": 0},
        {"method": "shelf", "margin": 2, "spacing": 3},
        {"trim": True, "extrude": 1},
        {"trim": True, "extrude": 2, "power_of_two": True},
    ],
)
def test_every_frame_comes_back_to_the_pixel(settings: dict[str, Any]) -> None:
    made = [still(), film(), views(), tiles()]
    image, lists = exported(*made, **settings)
    frames = frames_of(lists)
    originals = [frame for one in made for frame in one.frames]
    for record, original in zip(frames.values(), originals, strict=True):
        assert np.array_equal(whole(image, record), rgba(original))
        box, size = record["frame"], record["sourceSize"]
        assert record["trimmed"] == ((box["w"], box["h"]) != (size["w"], size["h"]))
    assert (image.mode, image.size) == ("P", tuple(lists["all.json"]["meta"]["size"].values()))
    if settings.get("power_of_two"):
        assert all(side & (side - 1) == 0 for side in image.size)


def test_every_list_keeps_to_its_schema_and_says_the_same() -> None:
    _, lists = exported(still(), film(), views(), tiles(), trim=True)
    for path, found in lists.items():
        jsonschema.validate(found, schema_of(path))
    records = frames_of(lists)
    for path in ("all.hash.json", "all.pixi.json"):
        assert list(lists[path]["frames"]) == list(records)
        assert [one["frame"] for one in lists[path]["frames"].values()] == [one["frame"] for one in records.values()]
    assert sorted(lists) == ["all.anims.json", "all.hash.json", "all.json", "all.phaser.json", "all.pixi.json"]


def test_names_tags_and_animations_carry_the_asset() -> None:
    _, lists = exported(still(), film(), views(), sprite(2, "animation", name="slime", loop=False))
    names = list(frames_of(lists))
    assert names[:3] == ["potion", "hero/0", "hero/1"]
    assert names[7:9] == ["knight/south", "knight/west"]
    tags = {tag["name"]: (tag["from"], tag["to"]) for tag in lists["all.json"]["meta"]["frameTags"]}
    assert tags["hero/walk"] == (3, 6)
    assert tags["knight/south"] == (7, 7)
    assert tags["slime"] == (11, 12)
    assert lists["all.pixi.json"]["animations"]["hero/walk"] == [f"hero/{at}" for at in (2, 3, 4, 5, 4, 3)]
    played = {one["key"]: one for one in lists["all.anims.json"]["anims"]}
    assert list(played) == ["hero/idle", "hero/walk", "slime"]
    assert (played["slime"]["repeat"], played["hero/idle"]["repeat"]) == (0, -1)
    assert played["hero/idle"]["duration"] == 183
    assert played["hero/idle"]["frames"][1] == {"key": "all", "frame": "hero/1", "duration": 83}


def test_pivots_are_slices_of_the_first_frame_and_anchors() -> None:
    _, lists = exported(still(), film(), views())
    slices = {one["name"]: one["keys"][0] for one in lists["all.json"]["meta"]["slices"]}
    assert {name: (key["frame"], key["pivot"]) for name, key in slices.items()} == {
        "potion": (0, {"x": 6, "y": 8}),
        "hero": (1, {"x": 6, "y": 10}),
    }
    assert lists["all.phaser.json"]["frames"][1]["anchor"] == {"x": 0.5, "y": 1.0}
    assert "anchor" not in lists["all.phaser.json"]["frames"][-1]


def test_frames_that_are_the_same_share_a_place() -> None:
    _, lists = exported(film(), sprite(6, "animation", name="zero"))  # names of one length: the same noise
    frames = frames_of(lists)
    assert frames["hero/1"]["frame"] == frames["hero/4"]["frame"] == frames["zero/1"]["frame"]
    assert len({tuple(one["frame"].values()) for one in frames.values()}) == 6


def test_extruded_boxes_are_the_inner_ones() -> None:
    image, lists = exported(tiles(), extrude=2, spacing=0)
    pixels = rgba(image)
    for record in frames_of(lists).values():
        left, top, width, height = record["frame"].values()
        inner = pixels[top : top + height, left : left + width]
        around = pixels[top - 2 : top + height + 2, left - 2 : left + width + 2]
        assert np.array_equal(around, np.pad(inner, ((2, 2), (2, 2), (0, 0)), mode="edge"))


def test_more_than_256_colours_make_the_sheet_rgba() -> None:
    ramps = []
    for number in range(2):
        image = Image.frombytes("P", (16, 16), bytes(range(256)))
        image.putpalette([value for at in range(256) for value in (at, number * 100, 7)])
        ramps.append(type(still())(f"ramp{number}", (image,), PALETTE))
    image, lists = exported(*ramps)
    assert (image.mode, lists["all.json"]["meta"]["format"]) == ("RGBA", "RGBA8888")
    image, lists = exported(ramps[0], spacing=0)
    assert (image.mode, lists["all.json"]["meta"]["format"]) == ("P", "I8")


def test_what_cannot_be_packed_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no format 'godot'"):
        exported(still(), formats=("godot",))
    with pytest.raises(InvalidRequest, match="has no sprites"):
        exported()


def test_the_same_sprites_give_the_same_bytes() -> None:
    atlas = Atlas("all", (), "all", formats=ALL, trim=True)
    made = [export_atlas(atlas, [film(), views()], "all", "") for _ in range(2)]
    assert made[0] == made[1]


def test_only_the_formats_asked_for_are_written() -> None:
    atlas = Atlas("all", (), "all", formats=("pixi",))
    assert sorted(export_atlas(atlas, [film()], "all", "")) == ["all.pixi.json", "all.png"]
