"""Costs as rows, CSV and a page: exact, escaped, units apart, for a ledger of any size."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import InvalidRequest
from pixelrouter.money.budget import Purse
from pixelrouter.money.totals import Span, Sums
from pixelrouter.reports.costs import bins, gather
from pixelrouter.reports.rows import COLUMNS
from tests.conftest import both_ledgers
from tests.reports import books

Books = Callable[..., PixelRouter]
HOSTILE = """</td></table><script>alert(1)</script>"><img src=x onerror='x'> &amp; \x1b[31m\u202e\ud7ff{}""" + "x" * 300
VOID = {"meta", "br", "img"}


@pytest.fixture
def open_books(tmp_path: Path) -> Any:
    made: list[PixelRouter] = []

    def write(rows: list[dict[str, Any]], **options: Any) -> PixelRouter:
        books.write(tmp_path / "state", rows)
        made.append(PixelRouter(state=tmp_path / "state", **options))
        return made[-1]

    yield write
    for router in made:
        router.close()


class Page(HTMLParser):
    """Reads a page: its tags, its texts, and whether everything that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:  # <rect ... />, as SVG has it
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


def page_of(router: PixelRouter, **bounds: Any) -> Page:
    text = router.write_costs(router.settings.state_dir / "costs.html", **bounds).read_text("utf-8")
    page = Page(text)
    assert page.open == []
    # Nothing is loaded and nothing runs: it works offline, and a hostile prompt finds nothing to start.
    assert not {"script", "link", "iframe", "img", "object", "form"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") or name in ("src", "href") for _, found in page.tags for name in found)
    assert re.findall(r"url\(([^)]*)\)", text) == ["#held", "#unclear"]
    assert "http://" not in text
    assert "https://" not in text
    return page


# --- rows ---


def test_every_kind_of_money_has_its_column(open_books: Books) -> None:
    router = open_books(
        [
            {"charged": 22_000}, {**books.UNKNOWN}, {**books.RUNNING}, {**books.RELEASED}, {**books.LOST},
            {**books.TURNED_DOWN}, {"unit": "generations", "charged": 1_500_000},
        ]
    )  # fmt: skip
    usd, generations = router.costs(by="backend")
    assert usd == {
        "group": "retrodiffusion", "unit": "usd", "spent": "0.062", "held": "0.065", "unknown": "0.025",
        "lost": "0.02", "turned_down": "0.02", "quoted": "0.06", "billed": "0.062", "over_quote": "0.002",
        "attempts": 6, "sources": ["reported"],
    }  # fmt: skip
    assert (generations["spent"], generations["quoted"], generations["over_quote"]) == ("1.5", "0", "0")


@both_ledgers
def test_a_teams_ledger_adds_up_the_same(tmp_path: Path) -> None:
    with PixelRouter(state=tmp_path / "state", project="game", max_usd_per_project=30) as router:
        books.enter(router._open().ledger.database, books.months(120))
        spent = sum((row.cost.money.micros for row in router.attempts() if row.cost.money.unit == "usd"), 0)
        for by in ("day", "backend", "run", "asset"):
            rows = [row for row in router.costs(by=by, since="2026-10-01") if row["unit"] == "usd"]  # type: ignore[arg-type]  # one of them
            assert sum(Decimal(row["spent"]) + Decimal(row["held"]) for row in rows) == Decimal(spent) / 1_000_000
        tagged = router.costs(by="tag")
        assert {"", "shop", "enemies"} < {row["group"] for row in tagged}
        assert any(row["turned_down"] != "0" for row in tagged)
        page = page_of(router)
    for words in ("Spent per day", "task-77", "scores 41", "Outcome unknown", "Under way", "of $30.00"):
        assert words in page.text


@pytest.mark.parametrize("by", ["day", "backend", "run", "asset", "tag"])
def test_each_grouping_adds_up_to_the_same(open_books: Books, by: Any) -> None:
    router = open_books(books.months(150))
    spent = {unit: Decimal(0) for unit in ("usd", "generations")}
    for row in router.attempts():
        if row.state == "settled":
            spent[row.cost.money.unit] += row.cost.money.amount * (max(1, len(row.tags)) if by == "tag" else 1)
    for unit, amount in spent.items():
        assert sum(Decimal(row["spent"]) for row in router.costs(by=by) if row["unit"] == unit) == amount


def test_tags_count_for_each_and_none_counts_as_none(open_books: Books) -> None:
    router = open_books([{"tags": ["a", "b"]}, {"tags": ["b"]}, {}])
    assert {row["group"]: row["spent"] for row in router.costs(by="tag")} == {"b": "0.04", "a": "0.02", "": "0.02"}


def test_bounds_are_days_and_both_are_included(open_books: Books) -> None:
    router = open_books([{"at": books.START + timedelta(days=day), "run": f"r{day}"} for day in range(5)])

    def days(**bounds: Any) -> list[str]:
        return [row["group"][-2:] for row in router.costs(**bounds)]

    assert days() == ["01", "02", "03", "04", "05"]
    assert days(since="2026-10-02", until="2026-10-04") == ["02", "03", "04"]
    assert days(since=date(2026, 10, 5)) == ["05"]
    east = timezone(timedelta(hours=14))
    assert days(until=datetime(2026, 10, 2, 5, tzinfo=east)) == ["01"]  # which is the first, in UTC
    assert days(run="r2") == ["03"]
    assert days(project="other") == []
    for wrong in ("yesterday", "2026-13-01", "20", 5):
        with pytest.raises(InvalidRequest, match="no date"):
            router.costs(since=wrong)  # type: ignore[arg-type]  # what a caller may get wrong
    with pytest.raises(InvalidRequest, match="after"):
        router.costs(since="2026-10-02", until="2026-10-01")
    with pytest.raises(InvalidRequest, match="moon"):
        router.costs(by="moon")  # type: ignore[arg-type]  # what a caller may get wrong


# --- the command ---


@pytest.fixture
def cli(open_books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from typer.testing import CliRunner

    from pixelrouter.cli.app import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    return lambda *args: CliRunner().invoke(app, [*args], env={"COLUMNS": "250"})


def test_csv_is_exact_and_stable(open_books: Books, cli: Any) -> None:
    open_books([{"asset": 'a "b",\nc', "charged": 1}, {"asset": "=1+1", "charged": 10**15}, {"asset": "ünï"}])
    result = cli("costs", "--by", "asset", "--csv")
    assert result.exit_code == 0, result.output
    text = result.stdout_bytes.decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert tuple(header) == COLUMNS
    assert [(row[0], row[2]) for row in rows] == [("=1+1", "1000000000"), ("ünï", "0.02"), ('a "b",\nc', "0.000001")]
    assert text.count("\r\n") == 4
    assert text.startswith(
        "group,unit,spent,held,unknown,lost,turned_down,quoted,billed,over_quote,attempts,sources\r\n"
    )


def test_the_command_prints_a_table_json_or_a_page(open_books: Books, cli: Any, tmp_path: Path) -> None:
    router = open_books(books.months(60))
    for by in ("day", "backend", "run", "asset", "tag"):
        assert json.loads(cli("costs", "--by", by, "--json").stdout) == router.costs(by=by)  # type: ignore[arg-type]  # one of them
    shown = cli("costs", "--by", "backend").stdout
    assert "of it unclear" in shown
    assert "$0.025" in shown
    result = cli("costs", "--since", "2026-11-01", "--html", "out/costs.html")
    assert (result.exit_code, result.stdout) == (0, "out/costs.html\n")
    assert (tmp_path / "out" / "costs.html").read_text("utf-8").startswith("<!doctype html>")
    both = cli("costs", "--html", "costs.html", "--json")
    assert json.loads(both.stdout) == router.costs()
    assert cli("costs", "--since", "2027-01-01").stdout == ""


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--csv", "--json"], "use one"),
        (["--since", "soon"], "no date"),
        (["--by", "moon"], "moon"),
        (["--html", "."], "cannot be written"),
        (["--html", "file/costs.html"], "cannot be written"),
    ],
)
def test_wrong_usage_is_said(open_books: Books, cli: Any, tmp_path: Path, args: list[str], says: str) -> None:
    open_books([{}])
    (tmp_path / "file").write_text("")
    result = cli("costs", *args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not list(tmp_path.glob(".*.part"))


def test_asset_and_tags_go_from_the_command_line_into_the_books(cli: Any) -> None:
    drawn = cli("generate", "a red potion", "--size", "16", "--asset", "potion", "--tag", "shop", "--tag", "red", "-q")
    assert drawn.exit_code == 0, drawn.output
    shown = cli("jobs", "--all").stdout
    assert "potion #shop #red" in shown
    (row,) = json.loads(cli("costs", "--by", "asset", "--json").stdout)
    assert (row["group"], row["attempts"]) == ("potion", 1)
    assert "#" not in cli("jobs", "--all").stdout.replace("#shop #red", "")


# --- the page ---


def test_the_page_tells_everything_and_keeps_units_apart(open_books: Books) -> None:
    router = open_books(books.months(), project="game", max_usd=1, max_usd_per_project=30, max_generations_per_day=9)
    page = page_of(router)
    sums = {row["unit"]: Decimal(0) for row in router.costs()}
    for row in router.costs():
        sums[row["unit"]] += Decimal(row["spent"])
    assert f"${sums['usd']}" in page.text
    assert f"{sums['generations'].normalize():f} generations" in page.text
    assert f"{sum(sums.values())}" not in page.text  # nothing has that sum
    for words in (
        "Caps in force", "of $30.00", "Spent per day", "By backend", "By asset", "By tag", "Quoted and billed",
        "Outcome unknown", "Paid, and no image came", "task-77", "Turned down", "scores 41", "Under way", "costliest",
    ):  # fmt: skip
        assert words in page.text, words
    dearest = max((row for row in router.attempts() if row.charged), key=lambda row: float(row.charged or 0))
    assert str(dearest.vendor_request) in page.text
    titles = [tag for tag, _ in page.tags if tag == "title"]
    assert len(titles) > 100  # every mark has a tooltip
    charts = [found for tag, found in page.tags if tag == "svg" and found.get("role") == "img"]
    assert charts
    assert all(found.get("aria-label") for found in charts)


def test_one_asset_in_two_units_is_two_figures(open_books: Books) -> None:
    router = open_books([{"asset": "x"}, {"asset": "x", "unit": "generations", "charged": 1_500_000}])
    report = gather(router._open().ledger, Span(), Purse("r", "game", "2026-10-01"), (), 0.0)
    assert [(one.unit, one.assets["x"].spent, one.total.spent) for one in report.units] == [
        ("usd", 20_000, 20_000), ("generations", 1_500_000, 1_500_000),
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [[], [{}], [{"charged": 0, "quoted": 0}], [books.UNKNOWN], [books.RELEASED]])
def test_little_is_no_trouble(open_books: Books, rows: list[dict[str, Any]]) -> None:
    page = page_of(open_books(rows))
    nothing = not any(row.get("charged", 1) or row.get("held") for row in rows)
    assert ("Nothing was spent, and nothing is held." in page.text) == nothing


def test_a_hostile_prompt_stays_text(open_books: Books) -> None:
    names = ("prompt", "asset", "backend", "model", "run", "vendor_request", "error", "error_type")
    hostile = {**dict.fromkeys(names, HOSTILE), "tags": [HOSTILE, "b"]}
    evidence = json.dumps({"turned_down": {"why": HOSTILE}})
    rows = [{**hostile}, {**hostile, "raws": "[]"}, {**hostile, "evidence": evidence}, {**hostile, **books.UNKNOWN}]
    router = open_books(rows, project=HOSTILE)
    page = page_of(router)
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text
    assert "r8_abcdefgh12345" not in page_of(open_books_again(router, "r8_abcdefgh12345")).text


def open_books_again(router: PixelRouter, secret: str) -> PixelRouter:
    with router._open().ledger.database.transaction() as db:
        db.execute("UPDATE attempt SET prompt = :secret", {"secret": secret})
    return router


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_purchases_make_a_page_that_can_be_read(open_books: Books, count: int) -> None:
    rows = books.months(count, days=700)
    for number, row in enumerate(rows):
        row["asset"] = f"sprites/{number}"
    router = open_books(rows)
    text = router.write_costs(router.settings.state_dir / "costs.html").read_text("utf-8")
    assert "Spent per month" in text
    assert re.search(r"[\d,]+ others", text)
    assert len(text) < 4_000_000
    assert text.count("<rect") < 2_000


@pytest.mark.parametrize(("days", "length"), [(1, 1), (62, 1), (63, 7), (434, 7), (435, 30)])
def test_time_is_to_scale(days: int, length: int) -> None:
    first = date(2026, 1, 31)
    books_of = {str(first + timedelta(days=n)): {"fal": Sums("usd", spent=n + 1)} for n in (0, days - 1)}
    found = bins(books_of)
    assert sum(sum(one.amounts.values()) for one in found) == (days + 1 if days > 1 else 1)
    assert all(one.last + timedelta(1) == other.first for one, other in pairwise(found))
    assert found[0].first <= first <= found[0].last
    assert found[-1].first <= first + timedelta(days=days - 1) <= found[-1].last
    assert len(found) == pytest.approx(days / length, abs=2)


def test_a_run_and_a_day_are_named_on_the_page(open_books: Books) -> None:
    router = open_books([{"at": datetime(2026, 10, 3, tzinfo=UTC), "run": "night <build>"}])
    page = page_of(router, run="night <build>", since="2026-10-01")
    assert "run night <build>" in page.text
    assert "2026-10-01 to 2026-10-03" in page.text
