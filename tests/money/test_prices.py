"""The price list against the vendor's worked examples, and the rule that doubt raises the price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pixelrouter import backends
from pixelrouter.backends.retrodiffusion.styles import bundled
from pixelrouter.money.prices import Price, entry, listed, table
from pixelrouter.types import Cost, GenerationRequest, Money


def wish(width, height=None, n=1):
    return GenerationRequest(prompt="x", width=width, height=height or width, n=n)


def usd(model, *size, backend="retrodiffusion", **more):
    cost = listed(backend, model, wish(*size, **more))
    return cost and cost.usd


@pytest.mark.parametrize(
    ("model", "side", "price"),
    [
        # Worked values of the vendor's formulas (llms.txt and README, 2026-09).
        ("rd_fast__default", 64, 0.017),
        ("rd_fast__default", 128, 0.019),
        ("rd_fast__default", 256, 0.028),
        ("rd_fast__default", 384, 0.041),
        ("rd_plus__default", 64, 0.027),
        ("rd_plus__default", 128, 0.033),
        ("rd_plus__default", 256, 0.058),
        ("rd_plus__default", 384, 0.099),
        ("rd_fast__low_res", 16, 0.023),
        ("rd_plus__mc_item", 32, 0.025),
        ("rd_mini__topdown_item", 64, 0.03),
        ("rd_tile__tile_variation", 128, 0.05),
        ("rd_plus__classic", 64, 0.03),
        ("rd_pro__default", 96, 0.18),
        ("rd_animation__vfx", 48, 0.07),
        ("rd_animation__any_animation", 64, 0.25),
        ("rd_animation__8_dir_rotation", 80, 0.25),
        ("rd_advanced_animation__walking", 64, 0.14),
        ("rd_advanced_animation__custom_action", 64, 0.25),
        ("rd_advanced_animation__rotate", 64, 0.10),
        ("rd_tile__tileset", 16, 0.10),
    ],
)
def test_worked_values(model, side, price):
    assert listed("retrodiffusion", model, wish(side)) == Cost(Money.of(price), "listed")


def test_several_images():
    assert usd("rd_pro__default", 96, n=3) == 0.54
    assert usd("rd_animation__small_sprites", 32, n=2) == 0.14
    assert usd("rd_tile__tileset", 16, n=1) == 0.10
    # 64 x 64 is 0.01734.. each: ten are 0.173 rounded once, 0.17 rounded each. The dearer one is held.
    assert usd("rd_fast__simple", 64, n=10) == 0.173
    # 128 x 128 low-res is 0.050133..: 0.05 each, and three round to 0.15 either way.
    assert usd("rd_fast__low_res", 128, n=3) == 0.15
    # 16 x 16 low-res is 0.02326: nine are 0.209 rounded once, 0.207 rounded each.
    assert usd("rd_fast__low_res", 16, n=9) == 0.209
    # 32 x 32 low-res is 0.02454: 0.025 rounded each is dearer.
    assert usd("rd_fast__low_res", 32, n=4) == 0.1


@given(st.integers(16, 384), st.integers(16, 384), st.integers(1, 16))
def test_the_list_is_never_below_either_way_of_rounding(width, height, n):
    exact = (width * height + 100_000) / 6_000_000
    price = usd("rd_fast__simple", width, height, n=n)
    assert price >= max(round(exact, 3) * n, round(exact * n, 3)) - 1e-9
    assert price <= (exact + 0.0005) * n + 0.0005


def test_what_was_never_published_has_no_price():
    for model in ("rd_animation__big_animation", "rd_animation__battle_sprites", "rd_tile__scene_object", "user__a_1"):
        assert usd(model, 64) is None
    assert usd(None, 64) is None
    assert usd("rd_fast__default", 64, backend="somebody") is None
    assert usd("rd_fast__default", 64, backend="replicate") is None


def test_procedural_is_free_whatever_its_model():
    for model in (None, "anything"):
        cost = listed("procedural", model, wish(32, n=5))
        assert cost is not None
        assert not cost


def test_every_bundled_style_but_the_unpublished_ones_has_a_price():
    free = {style.id for style in bundled() if entry("retrodiffusion", style.id) is None}
    assert free == {
        "rd_animation__big_animation",
        "rd_animation__battle_sprites",
        "rd_animation__large_walking_idle",
        "rd_tile__scene_object",
    }


def test_every_entry_says_its_source_and_date_and_matches_something_first():
    for price in table():
        assert price.source
        assert price.date >= "2025"
        cls = backends.load(price.backend)
        models = cls(cls.settings_type(), None).capabilities().models
        assert any(entry(price.backend, model.id, price.unit) is price for model in models), price


def test_the_floor_and_the_exact_amount():
    base = {"backend": "b", "models": ["m"], "source": "s", "date": "2026-01"}
    area = Price(**base, kind="area", floor="0.02", offset=0, divisor=1_000_000)
    assert area.of(wish(10)) == Money(20_000)
    assert area.of(wish(1000)) == Money(1_000_000)
    assert Price(**base, kind="image", amount="0.0000005").of(wish(8)) == Money(1)
    assert Price(**base, kind="request", amount="3", unit="generations").of(wish(8, n=9)) == Money.of(3, "generations")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "area"},
        {"kind": "area", "divisor": 0},
        {"kind": "area", "divisor": 5, "amount": "1"},
        {"kind": "image"},
        {"kind": "image", "amount": "1", "divisor": 5},
        {"kind": "image", "amount": "-1"},
        {"kind": "image", "amount": 0.1},
        {"kind": "image", "amount": "NaN"},
        {"kind": "image", "amount": "1", "date": "yesterday"},
        {"kind": "image", "amount": "1", "source": ""},
        {"kind": "image", "amount": "1", "models": []},
        {"kind": "image", "amount": "1", "surprise": 1},
    ],
)
def test_a_wrong_entry_is_refused(wrong):
    with pytest.raises(ValidationError):
        Price(**{"backend": "b", "models": ["m"], "source": "s", "date": "2026-01", **wrong})
