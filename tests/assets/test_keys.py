"""Keys outlive versions: a value that changes here would make somebody pay, or finish everything again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from pixelrouter.assets.asset import Asset, FrameTag, Project
from pixelrouter.assets.keys import exporting_key, finishing_key, wish_key
from pixelrouter.assets.lock import Candidate, Price

PLAIN = Asset(name="potion", prompt="a red potion", size=(32, 32))
FULL = Asset(
    name="walk", prompt="a knight", size=(32, 48), task="animation", model="m", seed=7, transparent=True,
    images=("ref.png", "asset:knight"), mask="mask.png", strength=0.5, views="4", action="walk", frames=4,
    tiles="wang", upper="stone", options={"b": 1, "a": [1, 2]},
)  # fmt: skip
RAW = Candidate(1, "g1:x", "procedural", None, 1, ("a" * 64,), Price("0"))
BOUGHT = {
    *("prompt", "size", "task", "model", "seed", "transparent", "images", "mask", "strength", "views", "action"),
    *("frames", "tiles", "upper", "options"),
}


def content(image: str) -> str:
    return f"hash of {image}"


def test_the_keys_of_what_is_bought_are_pinned() -> None:
    assert wish_key(PLAIN, content) == "w1:6760a3f85555b497b98165f730b8b7800e113e8e"
    assert wish_key(FULL, content) == "w1:1190d2927f2449324804e14549ee29d68ab19b7e"


def test_the_keys_of_what_is_free_are_pinned() -> None:
    assert finishing_key(PLAIN, RAW) == "f1:a8e38845a4cf8773032d1f8c267f5281849d5601"
    dithered = replace(PLAIN, finishing={"dither": "bayer4", "merge": None}, palette=("#000000", "#ffffff"), colors=4)
    assert (
        finishing_key(dithered, replace(RAW, native=True, layout={"columns": 2}, raw_names=("a",)))
        == "f1:a7acfcb21786848ef336b7a8a762f653e5453017"
    )
    project = Project("game", Path("art"))
    assert exporting_key(replace(PLAIN, out="potion"), project, "art") == "x1:c5994df20c35d39ce5b1d92ed33709f93196ab83"
    handed = replace(
        PLAIN, out="ui/potion", exports=("godot", "gif"), fps=12.0, loop=False, pivot=(0.5, 1.0),
        frame_tags=(FrameTag("walk", 0, 3, "pingpong"),),
    )  # fmt: skip
    assert (
        exporting_key(handed, replace(project, provenance="full", pixels_per_unit=16), "art")
        == "x1:c0eceb1fe59abda55ef8047c7a999455bf46191b"
    )


@pytest.mark.parametrize("name", [one.name for one in fields(Asset)])
def test_what_is_paid_for_and_nothing_else_is_in_the_wish(name: str) -> None:
    """A new field has to be put on one side or the other."""
    other = {
        "name": "flask", "prompt": "x", "size": (16, 16), "task": "edit", "backend": "fal", "route": ("fal",),
        "model": "m", "seed": 1, "transparent": True, "images": ("a.png",), "mask": "m.png", "strength": 0.1,
        "views": "8", "action": "run", "frames": 3, "tiles": "wang", "upper": "sand", "options": {"x": 1}, "n": 4,
        "style": "s", "sticky": False, "commercial": True, "colors": 3, "palette": ("#000000",),
        "palette_name": "p", "finishing": {"dither": "bayer2"}, "min_score": 50.0, "out": "o", "exports": ("gif",),
        "fps": 5.0, "loop": False, "pivot": (0.0, 0.0), "frame_tags": (FrameTag("a", 0, 1),), "tags": ("t",),
        "line": 9,
    }  # fmt: skip
    changed = wish_key(replace(PLAIN, **{name: other[name]}), content) != wish_key(PLAIN, content)
    assert changed == (name in BOUGHT)


def test_the_order_of_options_and_fields_does_not_matter() -> None:
    again = replace(FULL, options={"a": [1, 2], "b": 1})
    assert wish_key(again, content) == wish_key(FULL, content)
