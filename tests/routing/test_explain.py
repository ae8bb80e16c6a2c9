"""explain() costs nothing, has a reason for every backend, and says what generate() then does, whatever is set."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import ConfigError, NoBackend, OverBudget, PixelRouterError
from pixelrouter.routing.choosing.explanation import Explanation
from pixelrouter.testing.shop import Shop
from tests.routing.test_admission import both, later, one

Open = Callable[..., Shop]
VENDORS = ("retrodiffusion", "replicate", "fal", "pixellab")
STRATEGIES = ("in_order", "cheapest", "fastest", "weighted")


def market(shops: Open) -> list[Shop]:
    return [
        shops(name, **({"account": "subscription", "generations": "500"} if name == "pixellab" else {}))
        for name in VENDORS
    ]


def some_settings(chance: random.Random, shops: list[Shop]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A router's options and a call, anything possible among what decides who is asked."""
    options = both(*shops)
    names = [*(shop.name for shop in shops), "procedural"]
    # Where its libraries are installed it would be asked, and only loading tells whether its weights are on the disk.
    names += [] if find_spec("torch") else ["diffusers"]
    for section in options["backends"].values():
        section["weight"] = chance.choice([0, 1, 3])
        section["price_usd"] = chance.choice([None, None, 0.01, 0.5])
    options["backends"]["pixellab"]["account"] = "subscription"
    options["keys"] = {name: key for name, key in options["keys"].items() if chance.random() < 0.85}
    options["strategy"] = chance.choice(STRATEGIES)
    options["route"] = chance.sample(names, chance.randint(1, len(names)))
    options["timeout_s"] = chance.choice([20, 20, 20, 20, 20, 0])
    call: dict[str, Any] = {"size": chance.choice([32, 64, 64, 64, 64, 64, 128, 400])}
    call |= chance.choice(
        [{}, {}, {}, {}, {}, {}, {}, {"n": 2}, {"task": "views", "views": "2x2"}, {"task": "views", "views": "8"},
         {"task": "tileset", "tiles": "seamless"}, {"task": "animation", "action": "walk"}]
    )  # fmt: skip
    call |= chance.choice([{}, {}, {}, {"commercial": True}, {"max_usd": 0.02}, {"max_generations": 0}, {"seed": 7}])
    in_a_set = {"style_group": f"set {chance.randrange(6)}", "restyle": chance.random() < 0.4}
    call |= chance.choice([{}, {}, {}, in_a_set])
    return options, call


def trouble(chance: random.Random, state: Any, told: Explanation) -> None:
    """Rows as a bad day leaves them: a backend that kept failing, one that wants to be left alone. Yesterday's go."""
    now = time.time()
    with sqlite3.connect(state / "ledger.db") as db:
        db.execute("DELETE FROM attempt WHERE id LIKE 'trouble%'")
        for row in told.rows:
            what = chance.choice(["", "", "failing", "tried again", "cooling"])
            for n in range(5 if what else 0):
                at = now - (60 if what == "tried again" else 1)
                db.execute(
                    "INSERT INTO attempt (id, key, slot, backend, model, state, unit, held, cost_source, seed, prompt,"
                    " owner, run, batch, project, day, created_at, updated_at, sent_at, quoted, quoted_unit,"
                    " quoted_source, error_type, error, retry_at) VALUES (?, ?, ?, ?, ?, 'released', 'usd', 0,"
                    " 'quoted', 1, 'x', '', '', '', '', '', ?, ?, ?, 0, 'usd', 'quoted', ?, 'down', ?)",
                    (f"trouble {row.backend} {n}", "k", f"{row.backend} {n}", row.backend, row.model, at, at, at,
                     "RateLimited" if what == "cooling" else "NotSent", now + 400 if what == "cooling" else None),
                )  # fmt: skip
    db.close()


def acts_as_explained(router: PixelRouter, call: dict[str, Any], prompt: str, shops: list[Shop]) -> Explanation:
    paid = [shop.simulator.paid_posts for shop in shops]
    held = len(router.attempts())
    told = router.explain(prompt, **call)
    assert [shop.simulator.paid_posts for shop in shops] == paid
    assert len(router.attempts()) == held
    assert sorted(row.backend for row in told.rows) == sorted(router.settings.route or ())
    for row in told.rows:
        assert row.reasons, row
        assert row.chosen == (row.place == 1)
    json.dumps(told.as_dict())
    assert str(told)
    if told.chosen is None:
        with pytest.raises(PixelRouterError):
            router.generate(prompt, **call)
        assert [shop.simulator.paid_posts for shop in shops] == paid, told
        return told
    art = router.generate(prompt, **call)
    assert art.backend == told.chosen, told
    assert art.model == told[told.chosen].model, told
    asked = {row.backend for row in art.attempts}
    assert asked == {told.chosen}, told
    return told


def days(shops: Open, seeds: range) -> set[tuple[str, bool]]:
    seen = set()
    market_of = market(shops)
    for seed in seeds:
        chance = random.Random(seed)
        options, call = some_settings(chance, market_of)
        with PixelRouter(**options) as router:
            trouble(chance, market_of[0].state, router.explain(f"thing {seed % 17}", **call))
            told = acts_as_explained(router, call, f"thing {seed % 17}", market_of)
        seen.add((str(options["strategy"]), told.chosen is None))
    return seen


def test_what_is_explained_is_what_happens(shops: Open) -> None:
    assert days(shops, range(12))


@pytest.mark.slow
def test_what_is_explained_is_what_happens_on_many_days(shops: Open) -> None:
    assert len(days(shops, range(12, 312))) == 8  # each strategy, with somebody to serve and without


# --- the reasons, one by one ---


def reasons(router: PixelRouter, backend: str, **call: Any) -> str:
    told = router.explain("a potion", **{"size": 64, **call})
    return "; ".join(told[backend].reasons)


def test_every_reason_is_told(shops: Open) -> None:
    first, second = shops("retrodiffusion"), shops("replicate")
    router = first.router(**both(first, second, settings={"breaker_failures": 1}))
    assert "number 1 of the route" in reasons(router, "retrodiffusion")
    assert "the vendor's quote" in reasons(router, "retrodiffusion")
    assert "by the price list" in reasons(router, "replicate")
    assert "draws 900x900" in reasons(router, "retrodiffusion", size=900)
    assert "does not fit under the cap of $0.001 for this call" in reasons(router, "retrodiffusion", max_usd=0.001)
    assert "does task 'views'" in reasons(router, "replicate", task="views", views="8")
    assert "by price: $" in reasons(router, "replicate", strategy="cheapest")
    assert "not measured yet" in reasons(router, "retrodiffusion", strategy="fastest")
    assert "weight 1 of 2" in reasons(router, "retrodiffusion", strategy="weighted")
    router.generate("a potion", size=64, style_group="set")
    assert "keeps to it" in reasons(router, "retrodiffusion", style_group="set", fresh=True)
    assert "keeps to retrodiffusion" in reasons(router, "replicate", style_group="set", fresh=True)
    assert reasons(router, "retrodiffusion").startswith("already paid for")
    assert "the median of the last 1 time" in reasons(router, "retrodiffusion")
    first.simulator.fault("overloaded", retry_after=None)
    assert router.generate("a bard", size=64).backend == "replicate"
    assert "has failed 1 times in a row" in reasons(router, "retrodiffusion", fresh=True)
    assert router.explain("x", size=64).chosen == "replicate"
    later(first, 31)
    first.simulator.fault("rate_limit", retry_after=100)
    router.generate("something else", size=64)
    assert "left alone for another" in reasons(router, "retrodiffusion", fresh=True)
    assert router.explain("y", size=64).chosen == "replicate"


def test_all_that_is_in_the_way_is_told_at_once(shops: Open) -> None:
    shop = shops("pixellab")
    with PixelRouter(**both(shop) | {"keys": {}, "route": ["pixellab", "procedural"]}) as router:
        told = router.explain("a potion", size=900, max_usd=0.001)
        words = "; ".join(told["pixellab"].reasons)
    assert "PIXELLAB_SECRET is not set" in words
    assert "900x900" in words
    assert told["pixellab"].problem == "MissingKey"
    assert told.chosen is None


def test_a_plan_of_two_purchases_has_to_fit_as_a_whole(shops: Open) -> None:
    shop = shops("fal")
    router = shop.router()
    plan: dict[str, Any] = {"task": "views", "views": "2x2", "size": 32}
    quote = router.quote("a cart", **plan)
    most = max(float(step.money) for step in quote.steps)
    for cap, fits in ((most * 1.01, False), (float(quote.money) * 1.01, True)):
        told = router.explain("a cart", **plan, max_usd=cap)
        assert told["fal"].chosen == fits
        if not fits:
            assert told["fal"].problem == "OverBudget"
            with pytest.raises(OverBudget):
                router.generate("a cart", **plan, max_usd=cap)
            assert shop.simulator.paid_posts == 0
    assert router.generate("a cart", **plan, max_usd=cap).backend == "fal"


def test_fastest_asks_the_one_that_was_quickest(shops: Open) -> None:
    first, second = shops("retrodiffusion", job_seconds=0.3), shops("replicate")
    router = first.router(**both(first, second, strategy="fastest"))
    assert [router.generate(f"x {n}", size=64).backend for n in range(4)] == [
        "retrodiffusion",  # nobody is measured
        "replicate",  # this one is not measured
        "replicate",
        "replicate",
    ]


def test_a_job_that_was_left_lying_does_not_make_a_backend_slow(shops: Open) -> None:
    shop = shops("retrodiffusion", job_seconds=60)
    with pytest.raises(PixelRouterError):
        one(shop, timeout_s=0.2).generate("a", size=64)
    shop.simulator.advance(100)
    later(shop, 5000)
    router = one(shop)
    assert router.generate("a", size=64).images
    assert router.explain("b", size=64)["retrodiffusion"].latency is None


def test_cheapest_never_compares_dollars_with_generations(shops: Open) -> None:
    dollars, plan = shops("retrodiffusion"), shops("pixellab", account="subscription", generations="100")
    options = both(plan, dollars, settings={"account": "subscription", "price_usd": None}, strategy="cheapest")
    router = plan.router(**options)
    told = router.explain("a potion", size=64)
    assert told.chosen == "retrodiffusion"
    assert "cannot be compared" in "; ".join(told["pixellab"].reasons)
    assert router.generate("a potion", size=64).backend == "retrodiffusion"
    assert router.quote("a rock", size=64).backend == "retrodiffusion"


def test_one_that_cannot_be_configured_is_passed_over(tmp_path: Any) -> None:
    with PixelRouter(state=tmp_path, route=["diffusers", "procedural"]) as router:
        told = router.explain("a potion", size=32)
        if told["diffusers"].problem is None:
            pytest.skip("the local models' libraries are installed here")
        assert told["diffusers"].problem == "ConfigError"
        assert router.generate("a potion", size=32).backend == "procedural"
        with pytest.raises(ConfigError, match="not installed"):
            router.generate("a potion", size=32, backend="diffusers")
        with pytest.raises(NoBackend) as caught:
            router.generate("a potion", size=1000)
        assert "1000x1000" in caught.value.reasons["diffusers"]  # nobody should install what would not serve


def test_the_async_router_explains_too(tmp_path: Any) -> None:
    async def ask() -> Explanation:
        async with AsyncPixelRouter(state=tmp_path, route=["fal", "procedural"]) as router:
            return await router.explain("a potion", size=32)

    assert asyncio.run(ask()).chosen == "procedural"


def test_observers_are_told_who_was_chosen_and_who_was_passed_over(shops: Open) -> None:
    first, second = shops("retrodiffusion"), shops("replicate")
    first.simulator.fault("rate_limit", retry_after=100)
    events: list[Any] = []

    class Seen:
        def notice(self, event: Any) -> None:
            events.append(event)

    router = first.router(**both(first, second), observers=[Seen()])
    router.generate("a", size=64)
    told = [(event.name, event.backend) for event in events if event.name.startswith("candidate.")]
    assert told == [
        ("candidate.chosen", "retrodiffusion"),
        ("candidate.passed", "retrodiffusion"),
        ("candidate.chosen", "replicate"),
    ]
    assert all(event.details["reason"] for event in events if event.name.startswith("candidate."))
    assert len({event.call for event in events}) == 1
