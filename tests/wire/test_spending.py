"""The spend guard by itself: what it stops, what it lets through, and that it notes what it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelrouter.errors import SpendForbidden
from pixelrouter.wire import spending
from pixelrouter.wire.spending import Guard

VENDOR = "https://api.vendor.example.com/v1/buy?signature=secret"


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    before = spending.standing()
    made = Guard(tmp_path / "log", allows=tmp_path / "state")
    spending.stand(made)
    yield made
    spending.stand(before)


def test_a_vendor_is_stopped_and_noted_without_what_may_be_secret(guard: Guard, tmp_path: Path) -> None:
    for state in (None, tmp_path / "other"):
        with pytest.raises(SpendForbidden, match=r"Nothing was sent"):
            spending.check(VENDOR, state)
    assert spending.noted(guard.log) == ["https://api.vendor.example.com/v1/buy"] * 2


@pytest.mark.parametrize(
    "url", ["http://localhost:1/x", "http://127.0.0.9/x", "http://[::1]:8/x", "https://api.vendor.test/x"]
)
def test_where_no_vendor_can_be_money_is_not_real(guard: Guard, url: str) -> None:
    spending.check(url, None)
    assert spending.noted(guard.log) == []


@pytest.mark.parametrize("url", ["http://10.0.0.1/x", "https://localhost.example.com/x", "https://test/x"])
def test_everywhere_else_it_may_be(guard: Guard, url: str) -> None:
    with pytest.raises(SpendForbidden):
        spending.check(url, None)


def test_one_ledger_may_pay(guard: Guard, tmp_path: Path) -> None:
    spending.check(VENDOR, tmp_path / "x" / ".." / "state")
    assert spending.noted(guard.log) == []


def test_the_environment_makes_one_stand_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = spending.standing()
    spending.stand(None)
    try:
        spending.check(VENDOR, None)
        for name, value in Guard(tmp_path / "log").environment().items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SpendForbidden):
            spending.check(VENDOR, None)
    finally:
        spending.stand(before)
    assert len(spending.noted(tmp_path / "log")) == 1
