"""The four fixtures: a router that replays the test's recording, one that fakes every vendor, and both for asyncio."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pixelrouter.testing.plugin import budget
from pixelrouter.testing.plugin.recordings import age_of, file_name, folder_of, limit_of, swap
from pixelrouter.testing.plugin.session import SESSION, Marked, Session, Surroundings, remaining

if TYPE_CHECKING:
    from pixelrouter.routing.router import AsyncPixelRouter, PixelRouter
    from pixelrouter.testing.fake import FakeAsyncPixelRouter, FakePixelRouter


@pytest.fixture
def _pixelrouter_recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The options of routers in this test, and the surroundings that give them to every router made in it."""
    session: Session = request.config.stash[SESSION]
    marked = Marked.of(request.node)
    folder = folder_of(request.node, marked.recording)
    _check_age(session, marked, folder)
    with _replaying(session, marked, folder, tmp_path_factory, request.node) as options:
        around = Surroundings()
        around.set(stand_in=None, ledger=None, **options)
        try:
            yield {**options, "ledger": ""}
        finally:
            around.restore()


@pytest.fixture
def pixelrouter_replay(_pixelrouter_recording: dict[str, Any]) -> Iterator[PixelRouter]:
    """A PixelRouter whose answers come from the test's recording: no key, no network, nothing to pay, no waiting.

    The recording lies in ``recordings/<module>/<test>`` beside the test, or where ``@pytest.mark.pixelrouter`` says.
    A request that was not recorded is a CassetteMiss. Routers that the test makes itself replay the same recording.
    """
    from pixelrouter.routing.router import PixelRouter

    with PixelRouter(**_pixelrouter_recording) as router:
        yield router


@pytest.fixture
def async_pixelrouter_replay(_pixelrouter_recording: dict[str, Any]) -> Iterator[AsyncPixelRouter]:
    """As ``pixelrouter_replay``, for asyncio."""
    import asyncio

    from pixelrouter.routing.router import AsyncPixelRouter

    router = AsyncPixelRouter(**_pixelrouter_recording)
    yield router
    asyncio.run(router.aclose())


@pytest.fixture
def _pixelrouter_stand_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The folder and options of fake routers, and the surroundings that make every router in the test one of them."""
    marked = Marked.of(request.node)
    folder = tmp_path_factory.mktemp("pixelrouter-fake")
    options = _wanted(marked) | ({} if marked.max_usd is None else {"max_usd": marked.max_usd})
    around = Surroundings()
    around.set(stand_in=folder, **options)
    try:
        yield folder, options
    finally:
        around.restore()


@pytest.fixture
def fake_pixelrouter(_pixelrouter_stand_in: tuple[Path, dict[str, Any]]) -> Iterator[FakePixelRouter]:
    """A PixelRouter over stand-ins for every vendor: sprites drawn here, list prices, no keys, no network, no bill.

    ``calls`` and ``bought`` say what was asked for and bought, ``fail_next(error)`` makes the next purchase fail.
    Routers that the test makes itself, or in a program that it starts, are fakes too and share all that.
    """
    from pixelrouter.testing.fake import FakePixelRouter

    folder, options = _pixelrouter_stand_in
    with FakePixelRouter(folder, **options) as router:
        yield router


@pytest.fixture
def fake_async_pixelrouter(_pixelrouter_stand_in: tuple[Path, dict[str, Any]]) -> Iterator[FakeAsyncPixelRouter]:
    """As ``fake_pixelrouter``, for asyncio."""
    import asyncio

    from pixelrouter.testing.fake import FakeAsyncPixelRouter

    folder, options = _pixelrouter_stand_in
    router = FakeAsyncPixelRouter(folder, **options)
    yield router
    asyncio.run(router.aclose())


def _wanted(marked: Marked) -> dict[str, Any]:
    """The router's options that the marker gives."""
    if marked.backend is None:
        return {}
    settings = {"backends": {marked.backend: {"model": marked.model}}} if marked.model else {}
    return {"backend": marked.backend, **settings}


def _check_age(session: Session, marked: Marked, folder: Path) -> None:
    """Note how old the recording is; fail where a strict run meets an expired one."""
    limit = limit_of(marked.expires or str(session.config.getini("pixelrouter_expires")))
    age = age_of(folder)
    expired = age is not None and age.expired(limit, dt.datetime.now(dt.UTC).date())
    notes = {} if age is None else {"origin": age.origin, "date": age.date.isoformat()}
    session.uses(folder, expired=expired, **notes)
    if expired and age is not None and not session.run.pays and session.config.getoption("pixelrouter_strict_expiry"):
        pytest.fail(f"pixelrouter: the recording {folder} is of {age.date}, and has expired. Record it again.", False)


@contextmanager
def _replaying(
    session: Session, marked: Marked, folder: Path, temporary: pytest.TempPathFactory, item: pytest.Item
) -> Iterator[dict[str, Any]]:
    """The options of the test's routers, by the run's mode."""
    run = session.run
    if not run.pays:
        state = temporary.mktemp("pixelrouter-state")
        yield {**_wanted(marked), "state": state, "cassette": folder, "cassette_mode": "replay"}
        return
    with budget.turn(run.folder):
        dollars, units = remaining(run, budget.spent(run.folder), marked)
        state = run.folder / file_name(item.nodeid)
        caps = {"project": "tests", "max_usd_per_project": dollars, "max_generations_per_project": units}
        options = {**_wanted(marked), "state": state, **caps}
        session.guard_spending(True, allows=state)
        if run.mode == "live":
            yield options
            return
        new = state / "recording"
        if run.mode == "record-missing":
            yield {**options, "cassette": folder, "cassette_mode": "record-missing"}
            return
        yield {**options, "cassette": new, "cassette_mode": "record"}
        if session.passed and (new / "cassette.json").exists():
            swap(new, folder)
