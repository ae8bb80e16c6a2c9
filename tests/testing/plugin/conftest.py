"""Real runs of pytest, with the plugin as a user has it."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pixelrouter.testing import RetroDiffusionSimulator

ROOT = Path(__file__).resolve().parents[3]
INSTALLED = any(entry.name == "pixelrouter" for entry in entry_points(group="pytest11"))
KEY = "rdpk-simulator-0001"
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest in a process of its own; ``env`` holds variables for it alone."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.delenv("CI", raising=False)
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, env: dict[str, str] | None = None) -> pytest.RunResult:
        plugin = [] if INSTALLED else ["-p", "pixelrouter.testing.plugin"]
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            return pytester.run(
                sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "-W", "error", "--strict-markers",
                *arguments, timeout=60,
            )  # fmt: skip

    return run


@pytest.fixture
def here(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, clean_environment: None
) -> Callable[..., pytest.RunResult]:
    """Runs pytest within this process, which is quicker; ``env`` holds variables for the run alone."""
    monkeypatch.delenv("CI", raising=False)

    def run(*arguments: str, env: dict[str, str] | None = None) -> pytest.RunResult:
        plugin = [] if INSTALLED else ["-p", "pixelrouter.testing.plugin"]
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            words = (*plugin, "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error", "--strict-markers")
            try:
                return pytester.runpytest_inprocess(*words, *arguments)
            finally:
                _tidy()

    return run


def _tidy() -> None:
    """Routers that the written tests left open are theirs to close, and no fault of the test that comes next here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def vendor() -> Iterator[RetroDiffusionSimulator]:
    """Retro Diffusion on a real socket."""
    with RetroDiffusionSimulator(keys=(KEY,), balance="10") as simulator:
        yield simulator


@pytest.fixture
def at_vendor(vendor: RetroDiffusionSimulator) -> dict[str, str]:
    """The environment of somebody who buys there."""
    return {
        "PIXELROUTER_BACKENDS_RETRODIFFUSION_BASE_URL": vendor.url,
        "PIXELROUTER_BACKENDS_RETRODIFFUSION_POLL_S": "0.01",
        "RETRODIFFUSION_API_KEY": KEY,
    }
