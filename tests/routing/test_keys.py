"""The generation key is for ever: an upgrade that changes one makes somebody pay again."""

from __future__ import annotations

from pixelrouter.routing.keys import derived_seed, finishing_key, generation_key
from pixelrouter.types import GenerationRequest

PLAIN = GenerationRequest(prompt="a red potion", width=32, height=32)


def test_keys_of_released_versions_stay() -> None:
    assert generation_key("retrodiffusion", PLAIN) == "g1:201ce928eb8e00d9bc89a8b87a980dae957c7c97"
    rich = PLAIN.model_copy(update={"seed": 7, "n": 2, "model": "rd_fast__low_res", "options": {"tile_x": True}})
    assert generation_key("retrodiffusion", rich) == "g1:b7add69ffc57af4e5615838ac924a733f03cf75d"


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
