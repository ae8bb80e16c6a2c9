"""A ledger on a server: what its settings, its losses and its addresses could do to a promise."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("psycopg")

import psycopg

from pixelrouter.errors import ConfigError, ConnectionLost, LedgerError
from pixelrouter.money import database, postgres
from pixelrouter.money.database import open_database
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.postgres import Postgres, dialect, placeholders
from pixelrouter.money.raws import Raws
from pixelrouter.testing.postgres import PostgresServer
from pixelrouter.types import Cost, Money
from tests.money.lossy import Lossy
from tests.money.test_ledger import PURSE, TICKET, draft

ID = "id-000000"
COMMIT = "COMMIT\0"  # the whole message, as the beginning says READ COMMITTED


@pytest.fixture
def team(team_ledger: str) -> Iterator[Postgres]:
    made = Postgres(team_ledger)
    yield made
    made.close()


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


# --- statements ---


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT :a, :b_2 FROM t WHERE x = :a", "SELECT %(a)s, %(b_2)s FROM t WHERE x = %(a)s"),
        ("id LIKE :id || '%'", "id LIKE %(id)s || '%%'"),
        ("'attempt'::regclass::oid", "'attempt'::regclass::oid"),
        ("x = '12:30:00' AND y = 'it''s :not %'", "x = '12:30:00' AND y = 'it''s :not %%'"),
        ("a % :b", "a %% %(b)s"),
    ],
)
def test_parameters_are_written_as_the_driver_wants_them(ours: str, theirs: str) -> None:
    assert placeholders(ours) == theirs


def test_a_percent_sign_and_a_cast_reach_the_server_as_they_are(team: Postgres) -> None:
    with team.reading() as db:
        row = db.execute("SELECT '7'::int % :n AS rest, 'a%' LIKE :text || '%' AS found", {"n": 4, "text": "a"})
        assert row.fetchone() == {"rest": 3, "found": True}


def test_the_schema_is_said_in_the_servers_words() -> None:
    said = dialect("CREATE TABLE IF NOT EXISTS t (\n a INTEGER, -- an INTEGER; really\n b REAL, c BLOB\n) STRICT;")
    assert "BIGINT" in said
    assert "DOUBLE PRECISION" in said
    assert "BYTEA" in said
    assert not any(word in said for word in ("STRICT", "INTEGER", "REAL", "BLOB", "really"))


# --- settings ---


def test_a_servers_defaults_weaken_nothing(postgres: PostgresServer) -> None:
    weak = "synchronous_commit=off", "default_transaction_isolation=serializable", "default_transaction_read_only=on"
    url = postgres.new() + quote("".join(f" -c {setting}" for setting in weak), safe="")
    with psycopg.connect(url) as plain:
        assert plain.execute("SHOW synchronous_commit").fetchone() == ("off",)  # the defaults did arrive
    ledger = Ledger(url, owner="me")
    with ledger.database.transaction() as db:
        for name, value in [
            ("synchronous_commit", "on"),
            ("transaction_isolation", "read committed"),
            ("transaction_read_only", "off"),
        ]:
            row = db.execute("SELECT current_setting(:name) AS value", {"name": name}).fetchone()
            assert row["value"] == value
    assert ledger.reserve(draft(), PURSE)
    ledger.close()


@pytest.mark.slow
def test_a_stronger_durability_is_left_alone(postgres: PostgresServer) -> None:
    team = Postgres(postgres.new() + quote(" -c synchronous_commit=remote_apply", safe=""))
    with team.transaction() as db:
        assert db.execute("SHOW synchronous_commit").fetchone() == {"synchronous_commit": "remote_apply"}
    team.close()


def test_an_exclusive_transaction_waits_for_the_other_and_sees_what_it_wrote(team_ledger: str) -> None:
    one, two = Postgres(team_ledger), Postgres(team_ledger)
    inside, seen = threading.Event(), []

    def second() -> None:
        inside.set()
        with two.transaction(exclusive=True) as db:
            seen.append(db.execute("SELECT COUNT(*) AS n FROM balance").fetchone()["n"])

    thread = threading.Thread(target=second)
    with one.transaction(exclusive=True) as db:
        thread.start()
        assert inside.wait(10)
        thread.join(0.1)
        assert not seen
        db.execute("INSERT INTO balance (backend, account, unit, micros, read_at) VALUES ('b', 'a', 'usd', 1, 0)")
    thread.join()
    assert seen == [1]
    one.close()
    two.close()


def test_ledgers_in_other_schemas_do_not_wait_for_each_other(postgres: PostgresServer) -> None:
    one, two = Postgres(postgres.new()), Postgres(postgres.new())
    with one.transaction(exclusive=True), two.transaction(exclusive=True):
        pass
    one.close()
    two.close()


def test_whoever_stops_in_the_middle_is_thrown_out(team: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_BEGIN", postgres._BEGIN.replace("'10s'", "'200ms'"))

    def stop_in_the_middle() -> None:
        with team.transaction(exclusive=True) as db:
            db.execute("SELECT 1")
            threading.Event().wait(0.5)  # as a suspended machine would
            db.execute("SELECT 1")

    with pytest.raises(ConnectionLost):
        stop_in_the_middle()
    with team.transaction(exclusive=True) as db:
        db.execute("SELECT 1")


# --- the schema ---


def test_a_newer_ledger_is_refused(team_ledger: str) -> None:
    Postgres(team_ledger).close()
    run(team_ledger, "UPDATE ledger_version SET version = 99")
    with pytest.raises(LedgerError, match="newer pixelrouter"):
        Postgres(team_ledger)


def test_an_older_ledger_is_upgraded_by_one_of_many_who_open_it(
    team_ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Postgres(team_ledger).close()
    version = database.SCHEMA_VERSION
    monkeypatch.setattr(postgres, "SCHEMA_VERSION", version + 1)
    monkeypatch.setitem(database.UPGRADES, version, ("ALTER TABLE attempt ADD COLUMN extra REAL",))
    barrier, opened = threading.Barrier(4), []

    def open_it() -> None:
        barrier.wait()
        opened.append(Postgres(team_ledger))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    with opened[0].reading() as db:
        row = db.execute("SELECT data_type FROM information_schema.columns WHERE column_name = 'extra'").fetchone()
        assert row == {"data_type": "double precision"}
    for one in opened:
        one.close()


@pytest.mark.slow
def test_a_failed_set_up_leaves_nothing_half_done(team_ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = database.schema()
    monkeypatch.setattr(postgres, "schema", lambda: whole + "\nCREATE TABLE broken (;\n")
    with pytest.raises(LedgerError, match="set up"):
        Postgres(team_ledger)
    monkeypatch.undo()
    with psycopg.connect(team_ledger) as plain:
        assert plain.execute("SELECT to_regclass('attempt'), to_regclass('ledger_version')").fetchone() == (None, None)
    Postgres(team_ledger).close()


# --- losses ---


@pytest.fixture
def lossy(postgres: PostgresServer) -> Iterator[tuple[Lossy, str]]:
    """A proxy that loses answers, and the address of a new ledger behind it."""
    with tempfile.TemporaryDirectory(prefix="lossy-") as folder:
        url = postgres.new().replace(quote(str(postgres.folder), safe=""), quote(folder, safe=""))
        with Lossy(Path(folder), postgres.folder / ".s.PGSQL.5432") as proxy:
            yield proxy, url


def to_sending(book: Ledger) -> None:
    book.reserve(draft(), PURSE)
    book.sending(ID)


def to_accepted(book: Ledger) -> None:
    to_sending(book)
    book.accepted(ID, TICKET)


MOVES: dict[str, tuple[Callable[[Ledger], object], Callable[[Ledger], object], str]] = {
    "reserve": (lambda book: None, lambda book: book.reserve(draft(), PURSE), "reserved"),
    "sending": (lambda book: book.reserve(draft(), PURSE), lambda book: book.sending(ID), "sending"),
    "accepted": (to_sending, lambda book: book.accepted(ID, TICKET), "accepted"),
    "adopt": (to_sending, lambda book: book.adopt(ID, TICKET), "accepted"),
    "settle": (to_accepted, lambda book: book.settle(ID, Cost(Money(9), "reported"), raws=["ab"]), "settled"),
    "release": (to_sending, lambda book: book.release(ID), "released"),
    "unknown": (to_sending, lambda book: book.unknown(ID), "unknown"),
}


@pytest.mark.parametrize("lost", [COMMIT, pytest.param("BEGIN", marks=pytest.mark.slow)], ids=["commit", "begin"])
@pytest.mark.parametrize("move", MOVES)
def test_a_change_whose_answer_is_lost_is_written_once(lossy: tuple[Lossy, str], move: str, lost: str) -> None:
    proxy, url = lossy
    book = Ledger(url, owner="me")
    before, change, state = MOVES[move]
    before(book)
    proxy.lose(lost)
    answer = change(book)
    assert proxy.lost == 1
    rows = book.attempts()
    assert [row.state for row in rows] == [state]
    if move == "reserve":
        assert answer is not None
        assert answer.new  # type: ignore[attr-defined]  # a Reservation
    if move == "adopt":
        assert answer is True
    assert book.used(PURSE, "project") == Money({"settled": 9, "released": 0}.get(state, 25_000))
    book.close()


def test_a_claim_whose_answer_is_lost_is_still_ours(lossy: tuple[Lossy, str]) -> None:
    proxy, url = lossy
    other, book = Ledger(url, owner="dead"), Ledger(url, owner="me")
    to_accepted(other)
    proxy.lose(COMMIT)
    claimed = book.claim()
    assert claimed is not None
    assert book.owner_and_body(ID)[0] == "me"
    proxy.lose(COMMIT)
    assert other.take_over(ID, "me", "accepted")
    assert proxy.lost == 2
    other.close()
    book.close()


def test_an_image_whose_answer_is_lost_is_stored(lossy: tuple[Lossy, str]) -> None:
    proxy, url = lossy
    team = Postgres(url)
    proxy.lose(COMMIT)
    digest = Raws(team).write(b"\x00\xff an image")
    assert proxy.lost == 1
    assert Raws(team).read(digest) == b"\x00\xff an image"
    team.close()


def test_connections_that_died_are_replaced(team: Postgres, team_ledger: str) -> None:
    with team.reading() as db:
        db.execute("SELECT 1")
    for use in (team.reading, team.transaction):
        run(
            team_ledger, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pixelrouter'"
        )
        with use() as db:
            assert db.execute("SELECT 1 AS one").fetchone() == {"one": 1}


@pytest.mark.slow
def test_a_server_that_is_down_is_told_and_found_again(
    postgres: PostgresServer, team_ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelrouter.money.postgres.WAIT_S", 0.5)
    book = Ledger(team_ledger, owner="me")
    to_sending(book)
    postgres.stop()
    try:
        with pytest.raises(LedgerError, match="not bought again"):
            book.accepted(ID, TICKET)
        with pytest.raises(LedgerError, match="cannot be opened"):
            Postgres(team_ledger)
    finally:
        postgres.start()
    assert [row.state for row in book.attempts()] == ["sending"]  # a power cut, and nothing that was told is lost
    book.accepted(ID, TICKET)
    book.close()


# --- addresses ---


@pytest.fixture(scope="module")
def guarded(postgres: PostgresServer) -> str:
    """The address of a database whose role needs a password, without it."""
    with psycopg.connect(postgres.url, autocommit=True) as db:
        db.execute("CREATE ROLE keeper LOGIN PASSWORD 'open%20se/same'")
        db.execute("CREATE SCHEMA guarded AUTHORIZATION keeper")
    rules = postgres.folder / "data" / "pg_hba.conf"
    rules.write_text("local all keeper scram-sha-256\n" + rules.read_text())
    postgres.reload()
    return postgres.url.replace("tester@", "keeper@") + "&options=-csearch_path%3Dguarded"


PASSWORD = "open%20se/same"


@pytest.mark.parametrize("way", ["url", "environment", "file"])
def test_a_password_may_come_from_anywhere(
    guarded: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "url":
        guarded = guarded.replace("keeper@", f"keeper:{quote(PASSWORD, safe='')}@")
    elif way == "environment":
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
    else:
        kept = tmp_path / "pgpass"
        kept.write_text(f"*:*:*:keeper:{PASSWORD}\n")
        kept.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(kept))
    team = Postgres(guarded)
    assert "keeper@" in team.where
    assert "schema guarded" in team.where
    assert PASSWORD not in team.where
    assert quote(PASSWORD, safe="") not in team.where
    team.close()


@pytest.mark.parametrize("given", [None, "a wrong one"])
def test_a_wrong_password_is_told_without_it(guarded: str, given: str | None) -> None:
    if given:
        guarded = guarded.replace("keeper@", f"keeper:{quote(given)}@")
    with pytest.raises(LedgerError, match="password") as caught:
        Postgres(guarded)
    assert "cannot be opened" in str(caught.value)
    assert given is None or given not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret-word@localhost:port/ledger",
        "postgresql://me:s3cret-word@localhost/ledger?nonsense=1",
        "mysql://me:s3cret-word@localhost/ledger",
        "postgresql://me:s3cret-word@127.0.0.1:1/ledger",
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(url: str) -> None:
    with pytest.raises((ConfigError, LedgerError)) as caught:
        open_database(url)
    error: BaseException | None = caught.value
    assert "s3cret" not in str(error)
    assert "s3cret" not in repr(error)


def test_a_router_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    from pixelrouter.config import load_settings

    monkeypatch.setenv("PIXELROUTER_LEDGER", "postgresql://me:s3cret-word@localhost/ledger")
    assert "s3cret" not in repr(load_settings())


def test_without_the_extra_the_error_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pixelrouter.errors import ConfigError\n"
        "from pixelrouter.money.database import open_database\n"
        "try: open_database('postgresql://localhost/x')\n"
        "except ConfigError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'pixelrouter[postgres]'" in done.stdout


# --- what a server refuses ---


def test_a_text_that_no_database_takes_is_written_as_far_as_it_can_be(team: Postgres) -> None:
    book = Ledger(team, owner="me")
    to_sending(book)
    book.release(ID, ValueError("a vendor wrote \0 and \ud83d"))
    (row,) = book.attempts()
    assert row.state == "released"
    assert row.error is not None
    assert "a vendor wrote" in row.error


@pytest.mark.parametrize("text", ["\0", "\ud83d"])
def test_a_text_that_cannot_be_written_is_a_ledger_error(team: Postgres, text: str) -> None:
    book = Ledger(team, owner="me")
    with pytest.raises(LedgerError):
        book.reserve(draft(key=text), PURSE)
    assert not book.attempts()


def test_a_number_too_large_is_a_ledger_error(team: Postgres) -> None:
    book = Ledger(team, owner="me")
    with pytest.raises(LedgerError):
        book.reserve(draft(micros=10**20), PURSE)
    assert not book.attempts()


@pytest.mark.slow
def test_the_check_tells_of_a_server_that_does_not_flush(team: Postgres) -> None:
    assert team.check() == "ok"
    with PostgresServer(fsync="off") as careless:
        other = Postgres(careless.new())
        assert "fsync" in other.check()
        other.close()
