"""The store: whole files or none, and never other bytes than were put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrouter.errors import StoreError
from pixelrouter.store import Store


def test_bytes_come_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    digest = store.put(b"a sprite")
    assert store.get(digest) == b"a sprite"
    assert digest in store
    assert store.put(b"a sprite") == digest
    assert [p.name for p in (tmp_path / "store").rglob("*") if p.is_file()] == [digest]


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.put(b"a sprite")
    store.path(digest).write_bytes(b"another")
    with pytest.raises(StoreError, match="changed or damaged"):
        store.get(digest)


def test_missing_bytes_say_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="fresh=True"):
        Store(tmp_path).get("0" * 64)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "g" * 64, "0" * 63])
def test_a_name_that_is_no_hash_reaches_no_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(StoreError, match="not a content hash"):
        Store(tmp_path).get(digest)


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="collected, not bought"):
        Store(tmp_path / "store").put(b"a sprite")
    assert (tmp_path / "store").read_text() == "a file where the folder should be"
