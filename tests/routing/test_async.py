"""The asynchronous router: the same promises on an event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pixelrouter import AsyncPixelRouter
from pixelrouter.errors import OutcomeUnknown
from pixelrouter.testing import RetroDiffusionSimulator
from tests.conftest import KEY


def router_for(sim: RetroDiffusionSimulator, folder: Path) -> AsyncPixelRouter:
    return AsyncPixelRouter(
        state=folder,
        backend="retrodiffusion",
        keys={"retrodiffusion": KEY},
        backends={"retrodiffusion": {"base_url": sim.url, "poll_s": 0.01}},
        timeout_s=20,
    )


def test_generate_quote_and_reuse(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    async def go() -> None:
        async with router_for(sim, tmp_path) as router:
            quote = await router.quote("a red potion", size=32)
            art = await router.generate("a red potion", size=32)
            again = await router.generate("a red potion", size=32)
            assert quote.money == art.cost.money == sim.charged_total
            assert again.reused
            assert sim.paid_posts == 1

    asyncio.run(go())


def test_many_at_once_share_what_is_the_same(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    async def go() -> None:
        async with router_for(sim, tmp_path) as router:
            prompts = [f"sprite {n % 5}" for n in range(20)]
            seen = [r async for r in router.generate_many(prompts, size=32, concurrency=20)]
            assert sorted(r.index for r in seen) == list(range(20))
            assert all(r.unwrap().size == (32, 32) for r in seen)
            assert sim.paid_posts == 5

    asyncio.run(go())


def test_a_lost_answer(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    async def go() -> None:
        async with router_for(sim, tmp_path) as router:
            sim.fault("lose_reply", 2)
            with pytest.raises(OutcomeUnknown):
                await router.generate("a red potion", size=32)
            assert sim.paid_posts == 2  # the second under the first one's idempotency key
            (art,) = await router.resume()
            assert len(sim.charges) == 1
            assert not isinstance(art, Exception)

    asyncio.run(go())


def test_cancelling_a_task_keeps_the_job(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    async def go() -> None:
        async with router_for(sim, tmp_path) as router:
            sim.fault("late", seconds=0.5)
            task = asyncio.create_task(router.generate("a red potion", size=32))
            while not sim.paid_posts:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [a.state for a in router.jobs()] == ["accepted"]  # the answer to what was paid was waited for
            art = await router.generate("a red potion", size=32)
            assert art.size == (32, 32)
            assert sim.paid_posts == len(sim.charges) == 1

    asyncio.run(go())


def test_cancelling_twice_gives_the_answer_up(sim: RetroDiffusionSimulator, tmp_path: Path) -> None:
    async def go() -> None:
        async with router_for(sim, tmp_path) as router:
            sim.fault("late", seconds=2)
            task = asyncio.create_task(router.generate("a red potion", size=32))
            while not sim.paid_posts:
                await asyncio.sleep(0.01)
            for _ in range(2):
                task.cancel()
                await asyncio.sleep(0.05)
            assert task.cancelled()
            assert [a.state for a in router.jobs()] == ["unknown"]
            assert (await router.generate("a red potion", size=32)).size == (32, 32)
            assert len(sim.charges) == 1

    asyncio.run(go())
