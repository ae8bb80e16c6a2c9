"""Vendors' simulators for the tests of the money promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """``shops("fal", job_seconds=1)`` opens a vendor's simulator; its routers share the test's one state folder."""
    with ExitStack() as stack:

        def open_shop(vendor: str, **knobs: Any) -> Shop:
            shop = Shop(vendor, stack.enter_context(simulator_of(vendor)(**knobs)), tmp_path / "state")
            stack.callback(shop.close)
            return shop

        yield open_shop
