"""The PostgreSQL server for tests: found or told as missing, each ledger new, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrouter.testing import postgres as helper
from pixelrouter.testing.postgres import PostgresServer


def test_where_it_is_not_installed_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(helper, "_FOLDERS", ())
    assert "apt-get install postgresql" in helper.missing()
    with pytest.raises(RuntimeError, match="not installed"):
        PostgresServer()


def test_where_only_root_is_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer) -> None:
    monkeypatch.setattr(helper, "_NOBODY", ())
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert "does not run as root" in helper.missing()


def test_each_ledger_is_a_new_one(postgres: PostgresServer) -> None:
    assert len({postgres.new() for _ in range(3)}) == 3


@pytest.mark.slow
def test_it_leaves_nothing_behind(postgres: PostgresServer) -> None:
    with PostgresServer() as server:
        folder = server.folder
        assert (folder / "data" / "postmaster.pid").exists()
    assert not folder.exists()


@pytest.mark.slow
def test_a_setting_that_it_refuses_is_told_with_its_own_words(postgres: PostgresServer) -> None:
    with pytest.raises(RuntimeError, match="nonsense"), PostgresServer(nonsense="on"):
        pass
