"""The store's folder, tampered with, full or read-only: what is there is the image, or an error says why not."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pixelrouter import store as storing
from pixelrouter.errors import StoreError
from pixelrouter.store import Store
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of

IMAGE = b"a sprite" * 1000


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return Store(tmp_path / "store")


@contextmanager
def full_disk(room: int = 0) -> Iterator[None]:
    """No file may grow past ``room`` bytes: what a write meets on a full disk, for this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def instead(path: Path, kind: str, elsewhere: Path) -> None:
    """Something else in an image's place."""
    path.unlink()
    elsewhere.write_bytes(b"somebody's file")
    match kind:
        case "link":
            path.symlink_to(elsewhere)
        case "hard link":
            path.hardlink_to(elsewhere)
        case "dangling":
            path.symlink_to(elsewhere.with_name("not there"))
        case "loop":
            path.symlink_to(path)
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "cut off":
            path.write_bytes(IMAGE[:5])
        case "empty":
            path.touch()


KINDS = ("link", "hard link", "dangling", "loop", "pipe", "device", "folder", "cut off", "empty")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_lies_in_an_images_place_is_no_image(kind: str, store: Store, tmp_path: Path) -> None:
    digest = store.put(IMAGE)
    instead(store.path(digest), kind, tmp_path / "theirs")
    with pytest.raises(StoreError) as caught:
        store.get(digest)
    assert caught.value.hint
    assert store.problem(digest)
    if kind == "folder":
        with pytest.raises(StoreError, match="cannot be stored"):
            store.put(IMAGE)
        store.path(digest).rmdir()
    assert store.put(IMAGE) == digest  # bought anew, or collected again: the real file takes its place
    assert store.get(digest) == IMAGE
    assert not store.path(digest).is_symlink()
    assert store.problem(digest) is None
    assert (tmp_path / "theirs").read_bytes() == b"somebody's file"
    assert not (tmp_path / "not there").exists()


def test_a_link_to_the_same_bytes_is_read_and_replaced_when_it_is_stored_again(store: Store, tmp_path: Path) -> None:
    digest = store.put(IMAGE)
    store.path(digest).rename(tmp_path / "moved")
    store.path(digest).symlink_to(tmp_path / "moved")
    assert store.get(digest) == IMAGE
    store.put(IMAGE)
    assert not store.path(digest).is_symlink()


def test_a_folder_that_leads_elsewhere_takes_nothing(store: Store, tmp_path: Path) -> None:
    digest = store.put(IMAGE)
    store.path(digest).unlink()
    store.path(digest).parent.rmdir()
    (tmp_path / "elsewhere").mkdir()
    store.path(digest).parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="link to another folder"):
        store.put(IMAGE)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_store_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "large disk")
    store = Store(tmp_path / "store")
    assert store.get(store.put(IMAGE)) == IMAGE


@pytest.mark.parametrize("room", [0, 100, len(IMAGE) - 1])
def test_a_full_disk_leaves_no_half_image(room: int, store: Store) -> None:
    with full_disk(room), pytest.raises(StoreError, match="Free space"):
        store.put(IMAGE)
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    assert store.get(store.put(IMAGE)) == IMAGE


def test_what_crashes_left_is_cleared_away_and_what_others_write_is_not(store: Store) -> None:
    store.put(b"another")
    old, new, older = store.folder / ".part-old", store.folder / ".part-new", store.folder / "ab" / ".part-older"
    older.parent.mkdir(exist_ok=True)
    for path in (old, new, older):
        path.touch()
    for path in (old, older):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    Store(store.folder).put(IMAGE)
    assert not old.exists()
    assert not older.exists()
    assert new.exists()


def test_what_came_with_the_answer_is_kept_elsewhere_and_found_again(store: Store, tmp_path: Path) -> None:
    store.folder.write_text("no folder")
    with pytest.raises(StoreError):
        store.put(IMAGE)
    digest = store.put_aside(IMAGE)
    assert store.put_aside(IMAGE) == digest
    assert store.get(digest) == IMAGE
    kept = next(path for path in (tmp_path / "tmp").rglob(digest))
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    kept.write_bytes(b"something else")
    with pytest.raises(StoreError):
        store.get(digest)


@pytest.mark.parametrize("kind", ["link", "file", "theirs"])
def test_nobody_else_can_lay_out_where_it_is_kept(kind: str, store: Store, tmp_path: Path) -> None:
    place = storing._aside()
    (tmp_path / "elsewhere").mkdir()
    if kind == "link":
        place.symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        place.write_text("")
    else:
        place.mkdir()
        if os.getuid():
            pytest.skip("only root can give a folder away")
        os.chown(place, 65534, 65534)
    with pytest.raises(StoreError, match="either"):
        store.put_aside(IMAGE)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("vendor", ["pixellab", pytest.param("fal", marks=pytest.mark.slow)])
def test_a_store_that_takes_nothing_after_paying(
    vendor: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is paid for; once there is room, the same call has it without a second charge."""
    monkeypatch.setattr("pixelrouter.routing.collecting.keeping.KEEP_TRYING_S", 0.2)
    with simulator_of(vendor)() as simulator:
        shop = Shop(vendor, simulator, tmp_path / "state")
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "store").write_text("no folder")
        router = shop.router()
        with pytest.raises(StoreError, match="collected, not bought"):
            router.generate("a potion")
        assert [row.state for row in router.attempts()] == ["accepted"]
        (tmp_path / "state" / "store").unlink()
        assert router.generate("a potion").attempts[0].state == "settled"
        assert len(simulator.charges) == 1
        assert all(row["ok"] for row in router.doctor() if row["check"] == "store")
        shop.close()


def fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.slow
def test_a_real_disk_without_room(tmp_path: Path) -> None:
    """A disk of a few megabytes, filled while a job runs: paid once, told, and collected when there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        with simulator_of("fal")() as simulator:
            shop = Shop("fal", simulator, disk / "state")
            router = shop.router()
            router.generate("a first potion")
            ballast = disk / "ballast"
            fill(ballast)
            for _ in range(3):
                with pytest.raises(Exception, match=r"disk|space") as caught:
                    router.generate("a potion")
                assert type(caught.value).__module__ == "pixelrouter.errors"
                assert getattr(caught.value, "hint", None)
            assert not all(row["ok"] for row in router.doctor())
            charges = len(simulator.charges)
            ballast.unlink()
            assert router.generate("a potion").attempts[-1].state == "settled"
            assert len(simulator.charges) <= max(charges, 2)
            shop.check_money(router)
            assert router._open().ledger.check() == "ok"
            shop.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
