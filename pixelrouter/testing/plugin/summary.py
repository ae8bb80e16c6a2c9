"""What the run says about recordings at its end: which have expired, and which no test has used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixelrouter.testing.plugin.recordings import all_below
from pixelrouter.testing.plugin.session import SESSION


def write(reporter: Any, config: pytest.Config) -> None:
    """Lines for the terminal. They warn; what is to fail has failed by now."""
    notes = config.stash[SESSION].notebook.notes
    expired = sorted({(note["used"], note["date"]) for note in notes if note.get("expired")})
    documented = sorted({note["used"] for note in notes if note.get("origin") == "documented"})
    run = config.stash[SESSION].run
    lines = []
    if not run.pays:
        lines += [f"expired: {_near(path, config)} was recorded on {date}" for path, date in expired]
    if config.get_verbosity() > 0:
        lines += [f"documented: {_near(path, config)} was written from a contract, not recorded" for path in documented]
    if config.getoption("pixelrouter_unused") or (notes and config.get_verbosity() > 0):
        used = {Path(note["used"]) for note in notes}
        lines += [f"unused: {_near(path, config)}" for path in sorted(all_below(_starts(config)) - used)]
    if run.pays and run.folder.exists():
        lines.append(f"ledgers of this run: {_near(run.folder, config)}")
    if lines:
        reporter.section("pixelrouter recordings")
        for line in lines:
            reporter.line(line, yellow=True)


def _starts(config: pytest.Config) -> list[Path]:
    """The places that this run was started with."""
    return [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]


def _near(path: Path | str, config: pytest.Config) -> str:
    path = Path(path)
    return path.relative_to(config.rootpath).as_posix() if path.is_relative_to(config.rootpath) else str(path)
