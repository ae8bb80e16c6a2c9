"""A set of sprites keeps its backend: at once, in many processes, and until somebody says otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter import PixelRouter
from pixelrouter.errors import AllFailed, NoBackend, Overloaded, PixelRouterError
from pixelrouter.money.bindings import Bindings, Group
from pixelrouter.money.ledger import Ledger
from pixelrouter.testing.shop import Shop
from tests.conftest import both_ledgers
from tests.routing.test_admission import both, outcomes

pytestmark = both_ledgers

Open = Callable[..., Shop]
ROOT = Path(__file__).resolve().parents[2]
HEROES = {"size": 64, "style_group": "heroes"}
BUSY = {"retry_after": None}


@pytest.fixture
def pair(shops: Open) -> tuple[Shop, Shop]:
    return shops("retrodiffusion"), shops("replicate")


def router_of(pair: tuple[Shop, Shop], **options: Any) -> PixelRouter:
    return pair[0].router(**both(*pair, **options))


def turned(pair: tuple[Shop, Shop], **options: Any) -> PixelRouter:
    """A router whose route begins with the other shop."""
    return router_of(pair, route=[pair[1].name, pair[0].name], **options)


def test_a_set_keeps_the_backend_of_its_first_image(pair: tuple[Shop, Shop]) -> None:
    assert router_of(pair).generate("a knight", **HEROES).backend == "retrodiffusion"
    other = turned(pair)
    assert other.generate("a wizard", **HEROES).backend == "retrodiffusion"
    assert other.generate("a rogue", size=64).backend == "replicate"  # no set, no promise
    assert other.generate("a rat", size=64, style_group="monsters").backend == "replicate"
    assert turned(pair, project="another").generate("a bard", **HEROES).backend == "replicate"


def test_a_failure_of_the_sets_backend_is_an_error_that_says_so(pair: tuple[Shop, Shop]) -> None:
    router = router_of(pair)
    router.generate("a knight", **HEROES)
    pair[0].simulator.fault("overloaded", times=3, **BUSY)
    with pytest.raises(Overloaded, match="style group 'heroes' keeps to retrodiffusion") as caught:
        router.generate("a wizard", **HEROES)
    assert "restyle=True" in str(caught.value)
    assert pair[1].simulator.paid_posts == 0
    assert router.generate("a wizard", backend="replicate", **HEROES).backend == "replicate"  # this one call
    with pytest.raises(Overloaded):
        router.generate("a bard", **HEROES)
    art = router.generate("a bard", restyle=True, **HEROES)
    assert art.backend == "replicate"
    assert router.generate("a monk", **HEROES).backend == "replicate"  # and from now on


def test_what_was_bought_for_the_set_is_never_bought_again(pair: tuple[Shop, Shop]) -> None:
    router = router_of(pair)
    first = router.generate("a knight", **HEROES)
    assert turned(pair).generate("a bard", restyle=True, **HEROES).backend == "replicate"
    again = router.generate("a knight", **HEROES)
    assert again.reused
    assert again.raws == first.raws
    assert router.generate("a monk", **HEROES).backend == "replicate"
    # An image of another backend that was bought for something else is not the set's.
    router.generate("a cat", size=64, backend="retrodiffusion")
    assert router.generate("a cat", **HEROES).backend == "replicate"


def test_until_the_first_image_is_there_the_next_backend_may_have_it(pair: tuple[Shop, Shop]) -> None:
    pair[0].simulator.fault("overloaded", **BUSY)
    router = router_of(pair)
    assert router.generate("a knight", **HEROES).backend == "replicate"
    assert router.generate("a wizard", **HEROES).backend == "replicate"
    assert pair[0].simulator.paid_posts == 1


def test_a_route_without_the_sets_backend_says_so(pair: tuple[Shop, Shop]) -> None:
    router = router_of(pair)
    router.generate("a knight", **HEROES)
    with pytest.raises(NoBackend, match="keeps to retrodiffusion, which the route of this call leaves out"):
        router.generate("a wizard", route=["replicate"], **HEROES)
    assert pair[1].simulator.paid_posts == 0


def test_the_model_is_kept_and_the_same_call_is_still_reused(pair: tuple[Shop, Shop]) -> None:
    router = router_of(pair)
    first = router.generate("a knight", model="rd_pro__default", backend="retrodiffusion", **HEROES)
    second = router.generate("a wizard", **HEROES)
    assert (second.backend, second.model) == (first.backend, first.model)
    assert router.generate("a wizard", **HEROES).reused
    assert router.generate("a wizard", size=64, backend="retrodiffusion").reused  # the same wish, without its set
    named = router.generate("a bard", model="rd_fast__default", route=["retrodiffusion"], **HEROES)
    assert named.model == "rd_fast__default"
    assert pair[0].simulator.paid_posts == 3


def test_an_image_that_is_turned_down_does_not_bind(shops: Open) -> None:
    first, second = shops("fal", native=1024, noise=6), shops("retrodiffusion")
    router = first.router(**both(first, second))
    art = router.generate("a cart", min_score=80, size=32, style_group="carts")
    assert art.backend == "retrodiffusion"
    assert router.generate("a wheel", size=32, style_group="carts").backend == "retrodiffusion"
    assert first.simulator.paid_posts == 1


def test_calls_at_the_same_time_agree(pair: tuple[Shop, Shop]) -> None:
    routers = [router_of(pair), turned(pair)]
    arts = outcomes([lambda n=n: routers[n % 2].generate(f"hero {n}", **HEROES) for n in range(6)])
    assert len({getattr(art, "backend", art) for art in arts}) == 1, arts


def test_calls_at_the_same_time_agree_when_the_first_backend_is_down(pair: tuple[Shop, Shop]) -> None:
    pair[0].simulator.fault("overloaded", times=9, **BUSY)
    routers = [router_of(pair), turned(pair)]
    arts = outcomes([lambda n=n: routers[n % 2].generate(f"hero {n}", **HEROES) for n in range(6)])
    served = {art.backend for art in arts if not isinstance(art, PixelRouterError)}
    assert served == {"replicate"}, arts


@pytest.mark.slow
def test_processes_agree(pair: tuple[Shop, Shop]) -> None:
    script = (
        "import json, sys; from pixelrouter import PixelRouter\n"
        "router = PixelRouter(**json.loads(sys.argv[1]))\n"
        "print(router.generate(sys.argv[2], size=64, style_group='heroes').backend)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    workers = []
    for n in range(6):
        options = both(*pair, route=[shop.name for shop in pair[:: 1 if n % 2 else -1]])
        command = [sys.executable, "-c", script, json.dumps({**options, "state": str(pair[0].state)}), f"hero {n}"]
        workers.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE))
    assert len({worker.communicate(timeout=120)[0] for worker in workers}) == 1


def test_a_job_that_another_run_collects_belongs_to_its_set(shops: Open) -> None:
    first, second = shops("retrodiffusion", job_seconds=60), shops("replicate")
    with pytest.raises(PixelRouterError):
        first.router(**both(first, second, timeout_s=0.3)).generate("a knight", **HEROES)
    first.simulator.advance(120)
    router = first.router(**both(first, second))
    assert [art.backend for art in router.resume()] == ["retrodiffusion"]
    first.simulator.fault("overloaded", **BUSY)
    with pytest.raises(Overloaded, match="keeps to"):
        router.generate("a wizard", **HEROES)


def test_a_set_that_nobody_can_draw_is_bound_to_nobody(pair: tuple[Shop, Shop]) -> None:
    for shop in pair:
        shop.simulator.fault("rate_limit", **BUSY)
    with pytest.raises(AllFailed):
        router_of(pair).generate("a knight", **HEROES)
    assert router_of(pair, route=["retrodiffusion"]).generate("a knight", **HEROES).backend == "retrodiffusion"
    with pytest.raises(NoBackend):
        router_of(pair, route=["replicate"]).generate("a wizard", **HEROES)


# --- the table itself ---

backends = st.sampled_from(["a", "b", "c"])
moves = st.lists(
    st.tuples(st.sampled_from(["claim", "deliver", "anew"]), backends, st.sets(backends, max_size=2)), max_size=12
)


@settings(max_examples=25, deadline=None)
@given(moves)
def test_a_delivered_binding_never_moves_by_itself(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str, set[str]]]
) -> None:
    where = os.environ.get("PIXELROUTER_LEDGER") or tmp_path_factory.getbasetemp() / "bindings" / "ledger.db"
    ledger = Ledger(where, owner="me")
    bindings, group = Bindings(ledger.database), Group("game", "set")
    with ledger.database.transaction() as db:
        db.execute("DELETE FROM binding", {})
    try:
        for move, backend, failed in moves:
            before = bindings.get(group)
            if move == "claim":
                now = bindings.claim(group, "image", backend, "m", failed=failed)
                assert now is not None
                if before is None or (not before.delivered and before.backend in failed):
                    assert now.backend == backend
                else:
                    assert now.backend == before.backend
            else:
                bindings.delivered(group, "image", backend, "m", anew=move == "anew")
                now = bindings.get(group)
                assert now is not None
                if before is None or move == "anew":
                    assert (now.backend, now.delivered) == (backend, True)
                else:
                    assert now.backend == before.backend
                    assert now.delivered == (before.delivered or backend == before.backend)
    finally:
        ledger.close()
