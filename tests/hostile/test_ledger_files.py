"""A ledger's file that is damaged, locked, full, read-only or gone: a clear error, nothing sent, nothing lost."""

from __future__ import annotations

import os
import resource
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelrouter import PixelRouter
from pixelrouter.errors import LedgerError, NotWrittenDown, OutcomeUnknown, PixelRouterError
from pixelrouter.money import sqlite
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing.collecting import keeping
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of
from tests.hostile.ledgers import DAMAGE, PURSE, draft, fill, some

slow = pytest.mark.slow
VENDORS = ("fal", *(pytest.param(name, marks=slow) for name in ("retrodiffusion", "replicate", "pixellab")))


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    with ExitStack() as stack:

        def open_shop(vendor: str, **knobs: Any) -> Shop:
            shop = Shop(vendor, stack.enter_context(simulator_of(vendor)(**knobs)), tmp_path / "state")
            stack.callback(shop.close)
            return shop

        yield open_shop


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    monkeypatch.setattr(keeping, "KEEP_TRYING_S", 0.3)


class AfterPaying(httpx.HTTPTransport):
    """Does something to the disk, once, between the vendor's answer to a paid request and the router."""

    def __init__(self, shop: Shop, then: Callable[[], None]) -> None:
        super().__init__()
        self._simulator = shop.simulator
        self._then: Callable[[], object] = then

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        before = self._simulator.paid_posts
        response = super().handle_request(request)
        response.read()
        if self._simulator.paid_posts > before:
            self._then()
            self._then = lambda: None
        return response


@contextmanager
def held(path: Path, seconds: float | None = None) -> Iterator[Callable[[], None]]:
    """``hold()`` takes the ledger as a process does that writes; ``seconds`` later, or at the end, it is free."""
    others: list[sqlite3.Connection] = []

    def free() -> None:
        while others:
            others.pop().close()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        others.append(other)
        if seconds is not None:
            threading.Timer(seconds, free).start()

    yield hold
    free()


def the_disk_is_full() -> None:
    """No file may grow: what a write meets on a full disk, for this process alone."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def there_is_room() -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def bytes_of(path: Path) -> dict[str, bytes]:
    there = {each.name: each.read_bytes() for each in path.parent.glob("ledger.db*") if each.is_file()}
    return {name: data for name, data in there.items() if data and not name.endswith("-shm")}


@pytest.mark.parametrize("damage", some(DAMAGE))
def test_a_damaged_ledger_is_neither_used_nor_changed(damage: str, shops: Callable[..., Shop]) -> None:
    shop = shops("fal")
    path = shop.state / "ledger.db"
    fill(path)
    (shop.state / "store" / "ab").mkdir(parents=True)
    (shop.state / "store" / "ab" / "an image").touch()
    DAMAGE[damage](path)
    before = bytes_of(path)
    with pytest.raises(LedgerError) as caught:
        shop.router().generate("a potion")
    assert caught.value.hint
    assert caught.value.money == "no"
    assert shop.simulator.paid_posts == 0
    assert bytes_of(path) == before


def test_a_ledger_that_another_process_holds(shops: Callable[..., Shop], impatient: None) -> None:
    shop = shops("fal")
    router = shop.router()
    router.attempts()
    with held(shop.state / "ledger.db") as hold:
        hold()
        with pytest.raises(LedgerError, match="locked") as caught:
            router.generate("a potion")
        assert "wait for it to end" in str(caught.value)
        assert shop.simulator.paid_posts == 0
    router.generate("a potion")
    assert len(shop.simulator.charges) == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_ledger_held_for_a_moment_after_paying(vendor: str, shops: Callable[..., Shop], impatient: None,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(keeping, "KEEP_TRYING_S", 20)
    shop = shops(vendor)
    with held(shop.state / "ledger.db", 0.3) as hold:
        art = shop.router(transport=AfterPaying(shop, hold)).generate("a potion")
    assert art.attempts[0].state == "settled"
    assert len(shop.simulator.charges) == 1


def trouble(kind: str, state: Path, stack: ExitStack) -> tuple[Callable[[], None], Callable[[], None]]:
    """What goes wrong once the vendor has answered, and its end."""
    if kind == "held":
        holding = held(state / "ledger.db")
        return stack.enter_context(holding), lambda: holding.__exit__(None, None, None)
    return the_disk_is_full, there_is_room


@pytest.mark.parametrize(
    ("vendor", "kind"),
    [
        ("fal", "full"),
        ("pixellab", "held"),
        *(
            pytest.param(vendor, kind, marks=slow)
            for vendor in ("fal", "pixellab", "retrodiffusion", "replicate")
            for kind in ("held", "full")
        ),
    ],
)
def test_a_ledger_that_cannot_be_written_after_paying(
    vendor: str, kind: str, shops: Callable[..., Shop], impatient: None
) -> None:
    shop = shops(vendor)
    with ExitStack() as stack:
        start, end = trouble(kind, shop.state, stack)
        stack.callback(there_is_room)
        router = shop.router(transport=AfterPaying(shop, start))
        with pytest.raises(NotWrittenDown) as caught:
            router.generate("a potion")
        end()
    error = caught.value
    assert error.money == "held"
    if vendor == "pixellab" and kind == "full":  # the picture came with the answer, and nothing takes it
        assert error.images
    else:
        assert error.ticket
        assert error.ticket.id in str(error) or "What came with the answer" in str(error)
    (row,) = router.attempts()
    assert row.state == "sending"
    assert row.held
    shop.check_money(router)
    for again in (router, shop.router()):  # the same program goes on, or another begins
        if vendor == "pixellab":  # it has no list and no key: a person must look
            with pytest.raises(OutcomeUnknown):
                again.generate("a potion")
        else:
            again.generate("a potion")
    assert len(shop.simulator.charges) == 1
    shop.check_money(router)


def test_a_commit_that_fails_leaves_the_connection_usable(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", owner="me")
    ledger.reserve(draft(0), PURSE)
    the_disk_is_full()
    try:
        for _ in range(3):
            with pytest.raises(LedgerError, match="cannot be written"):
                ledger.reserve(draft(1), PURSE)
            assert not ledger.database.connection().in_transaction  # type: ignore[attr-defined]
    finally:
        there_is_room()
    assert ledger.reserve(draft(1), PURSE)
    assert len(ledger.attempts()) == 2
    assert ledger.check() == "ok"
    ledger.close()


@pytest.mark.parametrize("end", ["", "-wal"])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_ledger_that_is_taken_away_while_it_is_open(
    replaced: bool, end: str, shops: Callable[..., Shop], tmp_path: Path
) -> None:
    if replaced and end:
        pytest.skip("a log goes with its ledger")
    shop = shops("fal")
    router = shop.router()
    router.generate("a potion")
    (shop.state / f"ledger.db{end}").rename(tmp_path / "elsewhere")
    if replaced:
        fill(shop.state / "ledger.db", 2)
    before = shop.simulator.paid_posts
    with pytest.raises(LedgerError, match="deleted or replaced"):
        router.generate("another potion")
    assert shop.simulator.paid_posts == before
    assert (shop.state / "ledger.db").exists() == (replaced or bool(end))


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="permission bits bind nobody here")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_ledger_that_may_only_be_read(what: str, tmp_path: Path, shops: Callable[..., Shop]) -> None:
    shop = shops("fal")
    path = shop.state / "ledger.db"
    fill(path)
    (shop.state / "owners").mkdir()
    for each in (shop.state / "owners", shop.state / "catalogue"):
        each.mkdir(exist_ok=True)
        each.chmod(0o777)
    path.chmod(0o444)
    shop.state.chmod(0o777 if what == "file" else 0o555)
    child = os.fork()
    if child == 0:  # root may write anywhere; nobody may not
        code = 1
        try:
            if os.getuid() == 0:
                for folder in (tmp_path, *tmp_path.parents[:-2]):
                    folder.chmod(folder.stat().st_mode | 0o011)
                os.setgid(65534)
                os.setuid(65534)
            try:
                PixelRouter(**shop.options()).generate("a potion")
            except LedgerError as error:
                code = 0 if "permissions" in str(error) or "right to write" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert shop.simulator.paid_posts == 0


def test_an_older_pixelrouter_beside_a_newer_one(tmp_path: Path) -> None:
    """The newer one upgrades the file while the older one has it open: the older one must not write on."""
    ledger = Ledger(tmp_path / "ledger.db", owner="me")
    with sqlite3.connect(tmp_path / "ledger.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(LedgerError, match="newer pixelrouter"):
        ledger.reserve(draft(1), PURSE)
    ledger.close()


COLUMNS = ("state", "unit", "held", "charged", "cost_source", "seed", "ticket", "raws", "error_type", "error", "prompt",
           "wish", "created_at", "updated_at", "quoted", "quoted_unit", "quoted_source", "unit_price", "delivery",
           "sent_at", "asset", "tags", "style_group", "evidence")  # fmt: skip
DEEP = "[" * 100_000
ODD = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(
        [
            DEEP,
            '{"a":' * 50_000,
            "{}",
            "[]",
            "null",
            '{"id": 1}',
            '{"id": "a", "extra": []}',
            '["a"]',
            "1e999",
            '{"names": 5}',
            "refunded",
            "\\ud800",
            '{"prompt": []}',
            '{"a": ' + "9" * 5000 + "}",
        ]
    ),
)


@given(values=st.dictionaries(st.sampled_from(COLUMNS), ODD, min_size=1, max_size=3))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_that_somebody_else_wrote(values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("book") / "ledger.db"
    fill(path, 2)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for name, value in values.items():
            try:
                db.execute(f"UPDATE attempt SET {name} = ? WHERE rowid = 1", (value,))
            except (sqlite3.IntegrityError, UnicodeEncodeError):  # the table's own types
                continue
    db.close()
    with PixelRouter(state=path.parent, backend="procedural") as router:
        for look in (
            router.attempts,
            router.costs,
            lambda: router.generate("a tree", size=8),
            lambda: list(router.resume(timeout_s=0)),
            lambda: router._open().ledger.wish("0" * 32),
        ):
            with suppress(PixelRouterError):
                look()
        assert {row["check"] for row in router.doctor()} >= {"ledger", "python", "state", "backend fal"}


def test_a_log_and_a_journal_are_part_of_the_ledger(tmp_path: Path) -> None:
    """A crash leaves the latest purchases in the log: they are there for the next run."""
    script = (
        "import os, sys; sys.path.insert(0, %r)\n"
        "from pathlib import Path\nfrom tests.hostile.ledgers import *\n"
        "ledger = Ledger(Path(%r), owner='')\n"
        "ledger.reserve(draft(1), PURSE); ledger.sending(draft(1).id)\nos._exit(9)"
    )
    root, path = Path(__file__).resolve().parents[2], tmp_path / "ledger.db"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", script % (str(root), str(path))]) == 9
    assert (tmp_path / "ledger.db-wal").stat().st_size
    ledger = Ledger(path, owner="")
    assert [row.state for row in ledger.attempts()] == ["sending"]
    ledger.close()
