"""The generation key is for ever: an upgrade that changes one makes somebody pay again."""

from __future__ import annotations

from typing import Any

import pytest

from pixelrouter import PixelRouter, backends
from pixelrouter.backends.fal.settings import FalSettings
from pixelrouter.routing.ask import candidate
from pixelrouter.routing.keys import derived_seed, finishing_key, generation_key
from pixelrouter.types import GenerationRequest

PLAIN = GenerationRequest(prompt="a red potion", width=32, height=32)


def test_keys_of_released_versions_stay() -> None:
    assert generation_key("retrodiffusion", PLAIN) == "g1:201ce928eb8e00d9bc89a8b87a980dae957c7c97"
    rich = PLAIN.model_copy(update={"seed": 7, "n": 2, "model": "rd_fast__low_res", "options": {"tile_x": True}})
    assert generation_key("retrodiffusion", rich) == "g1:b7add69ffc57af4e5615838ac924a733f03cf75d"


@pytest.mark.parametrize(
    ("backend", "changes", "key"),
    [
        # Written down by the first version; the rest by the one that brought the tasks.
        (
            "retrodiffusion",
            {
                "seed": 0,
                "n": 3,
                "model": "m",
                "transparent": False,
                "options": {"b": [1, 2.5, None], "a": {"x": True}},
            },
            "g1:2f956f0219c7d1bc501a39b204f79d4059090023",
        ),
        (
            "replicate",
            {"images": (b"one", b"two"), "transparent": True, "width": 48},
            "g1:a7fd68332573d40671271c8c43f6167fc2c6cbd5",
        ),
        (
            "pixellab",
            {"task": "edit", "images": (b"one",), "seed": 2**32 - 1},
            "g1:dfd12f2628da1888bc36298827b95f61f49e62d6",
        ),
        ("fal", {"prompt": "ein Tr\u00e4nk \u2603 \U0001f9ea"}, "g1:c98a2d47e8fae17b840fc35f1505155bda61f531"),
        ("fal", {"colors": 4, "palette": ("#000000",)}, "g1:0494beede4fc96d3cd04b0d45cac48529b9dd0ae"),
        ("procedural", {"task": "animation"}, "g1:33d37a6b9c2d3cf67dde42e834305d7295c25735"),
        (
            "replicate",
            {"options": {"input_image": b"x", "s": {"b", "a"}}},
            "g1:388062e3e16abb3bc7ffcb81080476b2f1abd340",
        ),
        (
            "pixellab",
            {"task": "edit", "images": (b"one",), "strength": 1},
            "g1:cd08d044d607bb30c7d6f52c29e2c4cff85fd498",
        ),
        (
            "pixellab",
            {"task": "inpaint", "images": (b"one",), "mask": b"two"},
            "g1:65a88db1b26d447cfb9380de15bcb7bd33425245",
        ),
        ("fal", {"task": "views", "views": "2x2"}, "g1:895169083bca75732610fa137fbe61d004fe3d3c"),
        (
            "pixellab",
            {"task": "animation", "action": "walk", "frames": 4},
            "g1:893138b3d2fbef76895749b378a78c1fa871d2a8",
        ),
        (
            "pixellab",
            {"task": "tileset", "tiles": "wang", "upper": "stone"},
            "g1:d33b58fef2fa285e116cc023115e1ec8f124e3b3",
        ),
        (
            "retrodiffusion",
            {"prompt": "", "task": "remove_background", "images": (b"one",), "transparent": True},
            "g1:98dbdf7664e5ff9eba2b2e87d06616d5eec007cd",
        ),
    ],
)
def test_literal_keys(backend: str, changes: dict[str, Any], key: str) -> None:
    request = GenerationRequest(**{**PLAIN.model_dump(exclude_defaults=True), **changes})
    assert generation_key(backend, request) == key


def test_keys_of_plain_calls_stay(tmp_path: Any) -> None:
    """Defaults of the router, not of the request, must not creep into a key either."""
    with PixelRouter(state=tmp_path, backend="retrodiffusion", keys={"retrodiffusion": "k-1"}) as router:
        workshop = router._open()
        found = [
            (one.key, workshop.engine.seed(one))
            for one in (
                workshop.ask("a red potion").candidates[0],
                workshop.ask("a red potion", palette="pico-8").candidates[0],
                workshop.ask("a red potion", size="32x48", n=2, transparent=True, colors=4).candidates[0],
                workshop.ask("a red potion", images=[b"not looked at"], seed=3).candidates[0],
            )
        ]
    assert found[0] == found[1] == ("g1:201ce928eb8e00d9bc89a8b87a980dae957c7c97", 402150765)
    assert found[2] == ("g1:874eb8c114302b22830600593a9f31e3315d8a00", 36393144)
    assert found[3] == ("g1:6eb4886d75d4fa1224162d3ea7fef7b66c352e1e", 3)


def test_the_first_step_of_a_plan_keeps_its_key() -> None:
    """Other words around the prompt, or another canvas, would buy everybody's first pictures anew."""
    fal = backends.load("fal")(FalSettings(), None)
    sheet = GenerationRequest(prompt="a cart", width=32, height=32, task="views", views="2x2")
    first = fal.first(sheet)
    assert first is not None
    assert candidate(fal, first).key == "g1:67c645fd420a4ea69d0bc84897b139b6e5fb2ad3"


def test_finishing_is_not_in_the_generation_key() -> None:
    other = PLAIN.model_copy(update={"colors": 4, "palette": ("#000000",)})
    assert generation_key("a", other) == generation_key("a", PLAIN)


def test_everything_a_vendor_sees_is() -> None:
    changes = [
        {"prompt": "b"}, {"width": 16}, {"height": 16}, {"n": 2}, {"model": "m"}, {"seed": 0}, {"transparent": False},
        {"images": (b"x",)}, {"options": {"a": 1}},
    ]  # fmt: skip
    keys = {generation_key("a", PLAIN.model_copy(update=change)) for change in changes}
    assert len(keys | {generation_key("a", PLAIN), generation_key("b", PLAIN)}) == len(changes) + 2


def test_option_order_does_not_matter() -> None:
    one = PLAIN.model_copy(update={"options": {"a": 1, "b": 2}})
    two = PLAIN.model_copy(update={"options": {"b": 2, "a": 1}})
    assert generation_key("a", one) == generation_key("a", two)


def test_seeds_fit_every_vendor_and_differ_by_ordinal() -> None:
    seeds = [derived_seed("g1:x", n) for n in range(50)]
    assert len(set(seeds)) == 50
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_finishing_key_hangs_on_all_three() -> None:
    keys = {finishing_key("a", "f1", {"c": 1}), finishing_key("b", "f1", {"c": 1}), finishing_key("a", "f2", {"c": 1})}
    assert len(keys | {finishing_key("a", "f1", {"c": 2})}) == 4
