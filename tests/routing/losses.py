"""Lost requests for tests: a vendor's shop with list prices, time that passes, bytes that arrive late."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx

from pixelrouter import PixelRouter
from pixelrouter.errors import PixelRouterError
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import Received, Simulator
from pixelrouter.types import Money, PixelArt

DAY = 24 * 3600.0
LATER = 2 * 3600.0  # by then every vendor's list and balance counts
SOON = 600.0  # by then Replicate's does, and it has not removed yet what was sent

#: A way to buy from each vendor: the settings, the call.
STILL = {"prompt": "a red potion", "size": 32}
WAYS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "replicate": ("replicate", {}, {"prompt": "a red potion", "size": 64}),
    "fal": ("fal", {}, STILL),
    "retrodiffusion v2": ("retrodiffusion", {}, STILL),
    "retrodiffusion v1": ("retrodiffusion", {"api_version": "v1"}, STILL),
    "pixellab still": ("pixellab", {}, STILL),
    "pixellab v1": ("pixellab", {"api_version": "v1"}, STILL),
    "pixellab character": ("pixellab", {}, {"prompt": "a baker", "size": 32, "task": "views", "views": "4"}),
}


def router_of(shop: Shop, way: str, *, later: float = 0.0, **options: Any) -> PixelRouter:
    """A router that buys at list prices and looks at lost requests ``later`` seconds from now, as the vendor does."""
    simulator = shop.simulator
    simulator.advance(max(0.0, later - (simulator.now() - time.time())))
    settings = {**shop.simulator.backend_settings(), "poll_s": 0.01, "timeout_s": 2.0, **WAYS[way][1]}
    router = shop.router(**{"backends": {shop.name: settings}, **options})
    router._open().engine.recovery.clock = lambda: time.time() + later
    return router


def buy(router: PixelRouter, way: str, **more: Any) -> PixelArt | PixelRouterError:
    """The way's call, or its error."""
    try:
        return router.generate(**{**WAYS[way][2], **more})
    except PixelRouterError as error:
        return error


def arrive(simulator: Simulator, request: Received) -> None:
    """Let a request that was lost on its way reach the vendor after all; nobody hears the answer."""
    headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
    url = f"{simulator.url}{request.path}"
    httpx.request(request.method, url, params=dict(request.query), headers=headers, content=request.body)


def sent(simulator: Simulator) -> Received:
    """The last request that could cost money."""
    posts = [one for one in simulator.requests if one.method == "POST" and not (one.json or {}).get("check_cost")]
    return posts[-1]


def booked(router: PixelRouter) -> Mapping[str, int]:
    """Spent plus held, by unit."""
    found: dict[str, int] = {}
    for attempt in router.attempts():
        money = attempt.cost.money
        found[money.unit] = found.get(money.unit, 0) + money.micros
    return found


def price(shop: Shop, way: str, router: PixelRouter) -> Money:
    """What the way's call really costs at the simulator, by buying another picture."""
    before = shop.simulator.charged_total
    art = buy(router, way, prompt="a blue key")
    assert isinstance(art, PixelArt)
    return shop.simulator.charged_total - before
