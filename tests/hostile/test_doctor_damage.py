"""The doctor, whatever is wrong: every check is reported, and what can be saved of a ledger is saved."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pixelrouter import PixelRouter
from pixelrouter.cli.app import app
from pixelrouter.errors import InvalidRequest, LedgerError
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.rescue import rescue
from pixelrouter.types import Money
from tests.hostile.ledgers import COUNT, DAMAGE, PRICE, PURSE, RESCUED, draft, fill, some

ALWAYS = {"python", "config", "state", "disk", "ledger", "imagequant", "backend fal", "backend procedural"}
NOT_READABLE = set(DAMAGE) - set(RESCUED)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "state" / "ledger.db")
    return tmp_path / "state"


def run(*arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def doctor() -> dict[str, dict[str, Any]]:
    code, rows = run("doctor")
    assert code == (0 if all(row["ok"] for row in rows) else 3)
    assert all(row["fix"] for row in rows if not row["ok"])
    return {row["check"]: row for row in rows}


@pytest.mark.parametrize("damage", some(DAMAGE))
def test_every_check_is_made_whatever_the_ledger_is(damage: str, state: Path) -> None:
    (state / "store" / "00").mkdir(parents=True)
    (state / "store" / "00" / "an image").touch()
    DAMAGE[damage](state / "ledger.db")
    rows = doctor()
    assert rows.keys() >= ALWAYS
    assert not rows["ledger"]["ok"]
    assert not rows["ledger rows"]["ok"]
    if damage in RESCUED:
        assert "can be read" in rows["ledger rows"]["detail"]


def test_a_ledger_that_is_held_is_told_and_the_rest_is_checked(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelrouter.routing.doctor._BUSY_S", 0.1)
    other = sqlite3.connect(state / "ledger.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    rows = doctor()
    other.close()
    assert rows["ledger"]["ok"]
    assert "locked" in rows["ledger writable"]["detail"]
    assert rows.keys() >= ALWAYS
    assert doctor()["ledger writable"]["ok"]


def test_images_that_are_not_as_they_were_stored(state: Path) -> None:
    row = doctor()["store"]
    assert not row["ok"]
    assert f"{COUNT - 1} paid images" in row["detail"]


def test_a_row_that_cannot_be_read_is_named(state: Path) -> None:
    with sqlite3.connect(state / "ledger.db") as db:
        db.execute("UPDATE attempt SET raws = '{' WHERE id = ?", (draft(3).id,))
    db.close()
    assert draft(3).id[:12] in doctor()["ledger rows"]["detail"]


def test_a_config_file_that_cannot_be_read(state: Path) -> None:
    Path("pixelrouter.toml").write_text("size = [")
    rows = doctor()
    assert not rows["config"]["ok"]
    assert "pixelrouter.toml" in rows["config"]["detail"]


def test_a_file_where_the_state_folder_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("here")
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    rows = doctor()
    assert not rows["state"]["ok"]
    assert rows.keys() >= ALWAYS - {"disk"}


def test_the_doctor_makes_nothing(tmp_path: Path) -> None:
    with PixelRouter(state=tmp_path / "none") as router:
        assert all(row["ok"] for row in router.doctor())
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("damage", some(RESCUED))
def test_what_can_be_read_is_saved(damage: str, state: Path) -> None:
    path, saved = state / "ledger.db", state / "saved.db"
    DAMAGE[damage](path)
    before = path.read_bytes()
    code, done = run("doctor", "--rescue", str(saved))
    assert code == (3 if done["lost"] else 0)
    assert path.read_bytes() == before
    assert done["whole"] + len(done["in_part"]) >= RESCUED[damage]
    assert done["whole"] + len(done["in_part"]) + len(done["lost"]) >= COUNT - 1
    ledger = Ledger(saved, owner="me")
    assert ledger.check() == "ok"
    assert len(ledger.attempts()) == done["whole"] + len(done["in_part"])
    # What was bought is never bought again, and caps go on counting it.
    assert ledger.used(PURSE, "project") == Money(PRICE * len(ledger.attempts()))
    for attempt in ledger.attempts():
        assert ledger.standing(attempt.key) == attempt
    assert [row.state for row in ledger.attempts() if row.id == draft(COUNT - 1).id] in (["accepted"], ["unknown"], [])
    ledger.close()
    assert [each.name for each in state.iterdir() if each.name.startswith("tmp")] == []


@pytest.mark.parametrize("damage", sorted(NOT_READABLE))
def test_where_nothing_can_be_saved_that_is_said(damage: str, state: Path) -> None:
    DAMAGE[damage](state / "ledger.db")
    code, answer = run("doctor", "--rescue", str(state / "saved.db"))
    assert code == 11
    assert answer["error"]["type"] == "LedgerError"
    assert not (state / "saved.db").exists()


def test_a_rescue_overwrites_nothing(state: Path) -> None:
    for name, make in (("file", Path.touch), ("folder", Path.mkdir), ("link", lambda at: at.symlink_to("nowhere"))):
        make(state / name)
        with pytest.raises(InvalidRequest, match="exists already"):
            rescue(state / "ledger.db", state / name)
    with pytest.raises(LedgerError, match="cannot be written"):
        rescue(state / "ledger.db", state / "no such folder" / "saved.db")
    assert (state / "link").readlink() == Path("nowhere")


def test_a_row_with_columns_that_cannot_be_read_is_saved_without_them(state: Path) -> None:
    with sqlite3.connect(state / "ledger.db") as db:
        db.execute("UPDATE attempt SET delivery = '[', tags = '5', created_at = 9e99 WHERE rowid = 4")
        db.execute("UPDATE attempt SET ticket = '{}' WHERE state = 'accepted'")
    db.close()
    done = rescue(state / "ledger.db", state / "saved.db")
    assert (done.whole, len(done.in_part), done.lost) == (COUNT - 2, 2, [])
    ledger = Ledger(state / "saved.db", owner="me")
    assert [row.state for row in ledger.attempts(live_only=True)] == ["unknown"]
    ledger.close()
