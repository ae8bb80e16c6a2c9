"""The pytest plugin, loaded in every run where pixelrouter is installed: options, guards, and the fixtures' scenery.

Nothing heavy is imported before a fixture is used, and a run that uses nothing of it sees no difference, save that the
spend guard stands: a test that would send a paid request to a vendor fails, whatever it does with the error.
``-p no:pixelrouter`` leaves the plugin out. (PYTEST_DONT_REWRITE: there are no assertions in here to be explained.)
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.testing.plugin.fixtures import (
    _pixelrouter_recording,
    _pixelrouter_stand_in,
    async_pixelrouter_replay,
    fake_async_pixelrouter,
    fake_pixelrouter,
    pixelrouter_replay,
)
from pixelrouter.testing.plugin.modes import MODES, RUN_KEY
from pixelrouter.testing.plugin.session import SESSION, Marked, Session
from pixelrouter.testing.plugin.summary import write

__all__ = [  # pytest takes the fixtures of a plugin from its module; the first two are what the others stand on
    "_pixelrouter_recording",
    "_pixelrouter_stand_in",
    "async_pixelrouter_replay",
    "fake_async_pixelrouter",
    "fake_pixelrouter",
    "pixelrouter_replay",
]

_MARKER = (
    "pixelrouter(recording, backend, model, max_usd, expires, network, spend_guard): where the test's recording lies, "
    "what its router is made with, and what its guards let through"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; each of the environment and the ini file stands beside its own in docs/testing.md."""
    group = parser.getgroup("pixelrouter")
    add = group.addoption
    add("--pixelrouter-mode", choices=MODES, help="what tests with a recording do (default: replay)")
    add("--pixelrouter-max-usd", metavar="USD", help="most dollars for the whole run, on all workers together")
    add("--pixelrouter-max-generations", metavar="N", help="most PixelLab generations for the whole run (default: 0)")
    add("--pixelrouter-strict-expiry", action="store_true", help="an expired recording is an error")
    add("--pixelrouter-unused", action="store_true", help="list the recordings that no test has used")
    parser.addini("pixelrouter_mode", "as --pixelrouter-mode", default="")
    parser.addini("pixelrouter_expires", "age at which a recording has expired: 180d, or never", default="180d")
    parser.addini("pixelrouter_block_network", "no test may use the network", type="bool", default=False)
    parser.addini("pixelrouter_block_loopback", "guarded tests may not use this machine's own either", type="bool")
    parser.addini("pixelrouter_spend_guard", "no test may send a paid request", type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    """Settle the mode, which may end the run with a usage error, and raise the spend guard."""
    config.addinivalue_line("markers", _MARKER)
    log = Path(tempfile.gettempdir()) / f"pixelrouter-spend-guard-{uuid.uuid4().hex}"
    config.stash[SESSION] = session = Session(config, log)
    session.begin()
    config.pluginmanager.register(session.notebook, "pixelrouter-notebook")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the process as it was."""
    if SESSION in config.stash:
        config.stash[SESSION].end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """The guards stand as this test needs them, from before its fixtures until after them."""
    session = item.config.stash[SESSION]
    session.test_begins(item, Marked.of(item))
    try:
        return (yield)
    finally:
        session.test_ends()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """A marker with a mistake in it fails its test."""
    if mistake := Marked.of(item).mistake:
        pytest.fail(mistake, pytrace=False)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Whatever a guard refused in this phase fails it, although it may have passed, been skipped or failed as hoped."""
    report: pytest.TestReport = yield
    session = item.config.stash[SESSION]
    if found := session.violations():
        text = "\n".join(found)
        if report.failed:
            report.sections.append(("pixelrouter", text))
        else:
            report.outcome, report.longrepr = "failed", text
            if hasattr(report, "wasxfail"):
                del report.wasxfail
    if report.failed and (help_text := session.how_to_record(item, call.excinfo)):
        report.sections.append(("pixelrouter", help_text))
    if call.when == "call":
        session.passed = report.passed
    if call.when == "setup":
        vars(report)["pixelrouter"] = session.notes()  # pytest-xdist carries what is JSON
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist belongs to the same run, and so to the same limit."""
    node.workerinput[RUN_KEY] = node.config.stash[SESSION].run.folder.name


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Expired recordings, and on request those that nobody used."""
    write(terminalreporter, config)
