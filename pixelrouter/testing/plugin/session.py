"""A run of tests as the plugin sees it: which guards stand for which test, and what is worth telling at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.testing.plugin.modes import Run, run_of
from pixelrouter.testing.plugin.network import SocketGuard
from pixelrouter.wire import spending

MARK = "pixelrouter"
REPLAYS = ("pixelrouter_replay", "async_pixelrouter_replay")
FAKES = ("fake_pixelrouter", "fake_async_pixelrouter")
_PREFIX = "PIXELROUTER_"


@dataclass(frozen=True)
class Marked:
    """What ``@pytest.mark.pixelrouter`` says of a test; ``mistake`` if that cannot be used."""

    recording: str | None = None
    backend: str | None = None
    model: str | None = None
    max_usd: Any = None
    expires: str | None = None
    network: bool | None = None
    spend_guard: bool | None = None
    there: bool = False
    mistake: str = ""

    @classmethod
    def of(cls, item: pytest.Item) -> Marked:
        """The marker nearest to the test, its fields filled up from those farther away."""
        fields: dict[str, Any] = {}
        known = [name for name in cls.__dataclass_fields__ if name not in ("there", "mistake")]
        marks = list(item.iter_markers(MARK))
        for mark in reversed(marks):
            unknown = sorted(set(mark.kwargs) - set(known))
            if mark.args or unknown:
                what = f"argument {unknown[0]!r}" if unknown else "positional argument"
                return cls(there=True, mistake=f"@pytest.mark.pixelrouter has no {what}. It has: {', '.join(known)}.")
            fields |= mark.kwargs
        return cls(there=bool(marks), **fields)


SESSION = pytest.StashKey["Session"]()


class Notebook:
    """Keeps the notes that reports carry, here or from a worker, for the summary."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for every phase of every test, in the process that writes the summary too."""
        if notes := getattr(report, "pixelrouter", None):
            self.notes.append(notes)


@dataclass
class Session:
    """``log``: where the spend guard notes what it refused, in this process and in those that it starts."""

    config: pytest.Config
    log: Path
    run: Run = field(init=False)
    sockets: SocketGuard = field(default_factory=SocketGuard)
    notebook: Notebook = field(default_factory=Notebook)
    passed: bool = False
    _noted: int = 0
    _notes_of_test: dict[str, Any] = field(default_factory=dict)
    _before: dict[str, str | None] = field(default_factory=dict)
    _standing_before: spending.Guard | None = None

    def begin(self) -> None:
        """Raises pytest.UsageError for a mode that cannot be."""
        self.run = run_of(self.config)
        self._standing_before = spending.standing()
        self._before = {name: os.environ.get(name) for name in spending.Guard(self.log).environment()}
        self.guard_spending(self.config.getini("pixelrouter_spend_guard"))

    def end(self) -> None:
        """Take everything down that was put up."""
        self.sockets.take_down()
        spending.stand(self._standing_before)
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self.log.unlink(missing_ok=True)

    def guard_spending(self, up: bool, allows: Path | None = None) -> None:
        """Let the spend guard stand, or not; ``allows`` is the state folder that may pay."""
        guard = spending.Guard(self.log, allows)
        spending.stand(guard if up else None)
        for name, value in guard.environment().items():
            if up:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)

    def test_begins(self, item: pytest.Item, marked: Marked) -> None:
        """Set the guards for one test."""
        self.passed, self._notes_of_test = False, {}
        used = set(getattr(item, "fixturenames", ()))
        ours = marked.there or bool(used & {*REPLAYS, *FAKES})
        blocks = ours or self.config.getini("pixelrouter_block_network")
        if marked.network is not None:
            blocks = not marked.network
        if self.run.pays and used & set(REPLAYS):
            blocks = False
        if blocks:
            self.sockets.raise_up(strict=bool(self.config.getini("pixelrouter_block_loopback")))
        if marked.spend_guard is not None:
            self.guard_spending(marked.spend_guard)

    def test_ends(self) -> None:
        """Put the guards back."""
        self.sockets.take_down()
        self.guard_spending(self.config.getini("pixelrouter_spend_guard"))

    def violations(self) -> list[str]:
        """What the guards refused since the last look, as sentences."""
        found = [
            f"pixelrouter: this test was about to use the network ({what}), which is blocked for it. Nothing was sent."
            for what in dict.fromkeys(self.sockets.refused())
        ]
        paid = spending.noted(self.log)
        found += [
            f"pixelrouter: this test was about to pay: a request to {url}. Nothing was sent. Use fake_pixelrouter or "
            "pixelrouter_replay, a simulator, or allow it: docs/testing.md."
            for url in dict.fromkeys(paid[self._noted :])
        ]
        self._noted = len(paid)
        return found

    # --- recordings ---

    def uses(self, folder: Path, **notes: Any) -> None:
        """The test that runs now uses this recording."""
        self._notes_of_test = {"used": str(folder.resolve()), **notes}

    def notes(self) -> dict[str, Any]:
        """What the test's report carries home, JSON-ready."""
        return self._notes_of_test

    def how_to_record(self, item: pytest.Item, caught: pytest.ExceptionInfo[BaseException] | None) -> str:
        """What to do about a recording that is not there, or does not answer; empty where that is not what failed."""
        folder = self._notes_of_test.get("used")
        error: BaseException | None = caught.value if caught else None
        while error is not None and not _about_recording(error):
            error = error.__cause__ or error.__context__
        if error is None or folder is None:
            return ""
        mode = "rewrite" if Path(folder).exists() else "record-missing"
        return (
            f"The test's recording is {folder}. To make it (anew), with a key set and a limit on what that may cost:\n"
            f"    pytest '{item.nodeid}' --pixelrouter-mode {mode} --pixelrouter-max-usd 0.50"
        )


def _about_recording(error: BaseException) -> bool:
    return type(error).__name__ == "CassetteMiss" or "There is no cassette at" in str(error)


@dataclass
class Surroundings:
    """The environment variables that a fixture sets, so that routers made anywhere in the test are like its own."""

    before: dict[str, str | None] = field(default_factory=dict)

    def set(self, *, backends: Mapping[str, Mapping[str, object]] | None = None, **values: object) -> None:
        """By the option's name, and backends' settings by theirs; None takes the variable away."""
        for backend, settings in (backends or {}).items():
            values |= {f"backends_{backend}_{key}": value for key, value in settings.items()}
        if values.get("backend") is not None:
            values["route"] = None  # the two exclude each other
        for name, value in values.items():
            variable = f"{_PREFIX}{name.upper()}"
            self.before.setdefault(variable, os.environ.get(variable))
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = str(value)

    def restore(self) -> None:
        """As it was."""
        for variable, value in self.before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


def remaining(run: Run, spent: dict[str, Decimal], marked: Marked) -> tuple[Decimal, Decimal]:
    """What one test may still spend: dollars and generations."""
    dollars = max(Decimal(0), run.max_usd - spent.get("usd", Decimal(0)))
    units = max(Decimal(0), run.max_generations - spent.get("generations", Decimal(0)))
    if marked.max_usd is not None:
        dollars = min(dollars, Decimal(str(marked.max_usd)))
    return dollars, units
