"""Two currencies and vendors' own units: never mixed, never rounded in the cheap direction, never forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest

from pixelrouter.errors import LedgerError, OverBudget
from pixelrouter.money import prices
from pixelrouter.money.budget import Cap
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.money.prices import Price
from pixelrouter.money.totals import Span, Totals
from pixelrouter.types import Cost, GenerationRequest, Money, Ticket
from tests.money.test_ledger import PURSE, draft

GENERATIONS = Cost(Money.of(3, "generations"), "listed")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    book = Ledger(tmp_path / "ledger.db", owner="me")
    yield book
    book.close()


def hold(ledger: Ledger, name: str, cost: Cost, *caps: Cap, ticket: Ticket | None = None) -> None:
    ledger.reserve(Draft(name, f"key-{name}", "pixellab", "pixflux", cost, 7, "a potion"), PURSE, caps)
    ledger.sending(name)
    if ticket:
        ledger.accepted(name, ticket)


def test_a_cap_in_dollars_does_not_count_generations_and_the_other_way_round(ledger: Ledger) -> None:
    dollars, generations = Cap("day", Money.of("0.05")), Cap("day", Money.of(4, "generations"))
    hold(ledger, "a", GENERATIONS, dollars, generations)
    hold(ledger, "b", Cost(Money.of("0.05"), "listed"), dollars, generations)
    with pytest.raises(OverBudget) as caught:
        hold(ledger, "c", GENERATIONS, dollars, generations)
    assert "max_generations_per_day" in str(caught.value)
    with pytest.raises(OverBudget):
        hold(ledger, "d", Cost(Money(1), "listed"), dollars, generations)


def test_a_bill_in_the_other_unit_is_booked_in_that_unit(ledger: Ledger) -> None:
    hold(ledger, "a", GENERATIONS)
    ledger.settle("a", Cost(Money.of("0.00793"), "reported"), raws=["ab"])
    row = ledger.get("a")
    assert row is not None
    assert row.cost == Cost(Money.of("0.00793"), "reported")
    assert row.held == Money(0)
    assert row.quoted == GENERATIONS
    assert ledger.used(PURSE, "day").micros == 7930
    assert ledger.used(PURSE, "day", "generations").micros == 0
    (total,) = Totals(ledger.database, Span()).by("day").values()
    assert (total.unit, total.spent, total.billed, total.quoted) == ("usd", 7930, 0, 0)


def test_the_difference_between_quote_and_bill_is_kept(ledger: Ledger) -> None:
    hold(ledger, "a", Cost(Money(25_000), "listed"))
    ledger.settle("a", Cost(Money(27_000), "reported"), raws=["ab"], names=["south"], notes=["grown"])
    row = ledger.get("a")
    assert row is not None
    assert row.quoted == Cost(Money(25_000), "listed")
    assert row.cost == Cost(Money(27_000), "reported")
    assert (row.names, row.notes) == (("south",), ("grown",))
    (total,) = Totals(ledger.database, Span()).by("backend").values()
    assert total.billed - total.quoted == 2_000


def test_a_settled_attempt_cannot_change_its_unit(ledger: Ledger) -> None:
    hold(ledger, "a", Cost(Money(25_000), "listed"))
    ledger.settle("a", Cost(Money(25_000), "reported"), raws=["ab"])
    with pytest.raises(LedgerError):
        ledger.settle("a", GENERATIONS, raws=["ab"])
    row = ledger.get("a")
    assert row is not None
    assert row.cost.money == Money(25_000)


def test_what_the_other_step_needs_counts_against_the_cap(ledger: Ledger) -> None:
    cap = Cap("call", Money.of("0.05")).keeping(Money.of("0.03")).keeping(Money.of(9, "generations"))
    hold(ledger, "a", Cost(Money.of("0.02"), "quoted"), cap)
    with pytest.raises(OverBudget, match="other step"):
        hold(ledger, "b", Cost(Money.of("0.020001"), "quoted"), cap)


def test_one_job_belongs_to_one_attempt(ledger: Ledger) -> None:
    hold(ledger, "a", GENERATIONS, ticket=Ticket("job-1"))
    hold(ledger, "b", GENERATIONS)
    ledger.unknown("b")
    assert not ledger.adopt("b", Ticket("job-1", {"request_id": "other"}))
    assert ledger.adopt("b", Ticket("job-2"))
    row = ledger.get("b")
    assert row is not None
    assert (row.state, row.ticket) == ("accepted", Ticket("job-2"))


def test_a_moved_job_keeps_the_vendors_id(ledger: Ledger) -> None:
    hold(ledger, "a", GENERATIONS, ticket=Ticket("job-1", {"request_id": "r-1"}))
    ledger.moved("a", Ticket("job-1", {"stage": "result"}))
    row = ledger.get("a")
    assert row is not None
    assert row.ticket == Ticket("job-1", {"stage": "result"})
    assert row.vendor_request == "r-1"
    ledger.settle("a", GENERATIONS)
    with pytest.raises(LedgerError):
        ledger.moved("a", Ticket("job-1"))


NEWER = ("sent_at", "ticket_id", "retry_at", "asset", "tags", "style_group", "evidence")


def test_a_ledger_of_version_1_is_upgraded_in_place(tmp_path: Path) -> None:
    schema = (
        resources.files("pixelrouter.money")
        .joinpath("schema.sql")
        .read_text()
        .partition("CREATE INDEX IF NOT EXISTS attempt_by_backend")[0]
    )
    old = "\n".join(
        line
        for line in schema.splitlines()
        if not line.strip().startswith(("quoted", "unit_price", "delivery", *NEWER)) and not line.startswith("--")
    )
    path = tmp_path / "ledger.db"
    db = sqlite3.connect(path)
    db.executescript(old)
    db.execute(
        "INSERT INTO attempt (id, key, slot, backend, state, unit, held, charged, cost_source, seed, prompt, owner,"
        " run, batch, project, day, created_at, updated_at, raws) VALUES"
        " ('a', 'k', 'k', 'retrodiffusion', 'settled', 'usd', 25000, 24000, 'reported', 7, 'a potion', 'o', 'r',"
        " '', '', '2026-11-21', 1, 1, '[\"ab\"]')"
    )
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    ledger = Ledger(path, owner="me")
    row = ledger.get("a")
    assert row is not None
    assert row.cost.money == Money(24_000)
    assert row.quoted is not None
    assert row.quoted.money == Money(25_000)
    ledger.reserve(draft(1), PURSE)
    ledger.close()
    again = Ledger(path, owner="me")
    assert len(again.attempts()) == 2
    again.close()


# --- the price list's formulas ---


def wish(width: int = 64, height: int = 64, **more: object) -> GenerationRequest:
    return GenerationRequest(prompt="x", width=width, height=height, **more)  # type: ignore[arg-type]  # test values


def price(**fields: object) -> Price:
    return Price.model_validate({"backend": "b", "models": ["*"], "source": "s", "date": "2026-11-21", **fields})


def test_steps_take_the_first_that_fits_and_grow_beyond_the_last() -> None:
    steps = price(kind="steps", steps=[[4096, "0.01"], [16384, "0.02"]])
    assert steps.of(wish(64, 64)).amount == Decimal("0.01")
    assert steps.of(wish(65, 64)).amount == Decimal("0.02")
    assert steps.of(wish(256, 128, n=2)).amount == Decimal("0.08")
    assert "4096" in steps.formula


def test_megapixels_count_what_goes_in_and_what_comes_out() -> None:
    mega = price(kind="megapixel", amount="0.016")
    assert mega.of(wish(images=(b"x",))).amount == Decimal("0.032")
    assert mega.of(wish(n=3)).amount == Decimal("0.048")
    assert price(kind="megapixel", amount="0.016", pixels=1 << 18).of(wish()).amount == Decimal("0.004")


def test_frames_are_rounded_up() -> None:
    frames = price(kind="frames", amount="1", divisor=65536, frames=8, unit="generations")
    assert frames.of(wish(64, 64)) == Money.of(1, "generations")
    assert frames.of(wish(128, 128, frames=5)) == Money.of(2, "generations")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "steps"},
        {"kind": "steps", "steps": [[2, "0.2"], [1, "0.1"]]},
        {"kind": "frames", "amount": "1"},
        {"kind": "megapixel", "divisor": 3},
        {"kind": "image", "amount": "1", "steps": [[1, "1"]]},
        {"kind": "area", "amount": "1", "divisor": 2},
    ],
)
def test_an_entry_that_says_too_little_or_too_much_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"needs|smallest"):
        price(**fields)


def test_every_price_has_a_formula_a_source_and_a_date() -> None:
    for entry in prices.table():
        assert entry.formula
        assert entry.source
        assert entry.date >= "2025"


def test_a_price_is_looked_up_in_the_accounts_unit() -> None:
    for unit in ("usd", "generations"):
        found = prices.listed("pixellab", "pixflux", wish(), unit)
        assert found is not None
        assert found.money.unit == unit
