"""The state folder under a running program: swept away, another day, another clock."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelrouter.errors import ConfigError, LedgerError, PixelRouterError
from pixelrouter.money.ledger import Ledger
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of
from tests.hostile.ledgers import PURSE, draft


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with simulator_of("fal")(job_seconds=0.4) as simulator:
        shop = Shop("fal", simulator, tmp_path / "state")
        yield shop
        shop.close()


def under_way(shop: Shop, seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not shop.simulator.charges:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_proofs_of_life_swept_away_while_a_job_runs(shop: Shop) -> None:
    """Two routers believe that nobody works on the job: it is paid once, and both have it."""
    came: list[object] = []

    def buy() -> None:
        try:
            came.append(shop.router().generate("a potion").attempts[0].state)
        except PixelRouterError as error:
            came.append(error)

    first = threading.Thread(target=buy)
    first.start()
    under_way(shop)
    shutil.rmtree(shop.state / "owners")
    (shop.state / "owners").mkdir()
    buy()
    first.join()
    assert len(shop.simulator.charges) == 1
    assert came.count("settled") >= 1
    assert shop.router().generate("a potion").attempts[0].state == "settled"
    assert len(shop.simulator.charges) == 1


def test_the_whole_folder_swept_away_while_a_job_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelrouter.routing.collecting.keeping.KEEP_TRYING_S", 0.2)
    came: list[BaseException] = []

    def buy() -> None:
        try:
            shop.router().generate("a potion")
        except PixelRouterError as error:
            came.append(error)

    buying = threading.Thread(target=buy)
    buying.start()
    under_way(shop)
    shutil.rmtree(shop.state)
    buying.join()
    (error,) = came
    assert isinstance(error, LedgerError), error
    assert "moved, deleted or replaced" in str(error)
    assert error.money == "held"
    assert getattr(error, "ticket", None), error


@pytest.mark.parametrize("offset", [-10 * 365 * 86400, 10 * 365 * 86400])
def test_another_machines_clock(offset: float, tmp_path: Path) -> None:
    """Years ahead or behind: what was bought there stands here, and counts in the project's cap."""
    there = Ledger(tmp_path / "ledger.db", owner="", clock=lambda: time.time() + offset)
    here = Ledger(tmp_path / "ledger.db", owner="me")
    there.reserve(draft(1), PURSE)
    there.sending(draft(1).id)
    assert here.take_over(draft(1).id, "", "sending")
    here.unknown(draft(1).id)
    row = here.standing(draft(1).key)
    assert row is not None
    assert row.state == "unknown"
    assert here.used(PURSE, "project").micros == draft(1).hold.money.micros
    assert [each.id for each in here.attempts()] == [draft(1).id]
    there.close()
    here.close()


def test_a_file_in_the_place_of_the_owners(tmp_path: Path, shop: Shop) -> None:
    shop.state.mkdir()
    (shop.state / "owners").write_text("no folder")
    with pytest.raises(ConfigError, match="cannot be written"):
        shop.router().generate("a potion")
    assert shop.simulator.paid_posts == 0
