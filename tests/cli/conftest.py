"""The command line in a folder of its own, away from whatever the developer's environment holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty game folder, as working folder; its ledger lies inside."""
    keys = ("RETRODIFFUSION_API_KEY", "RD_API_KEY", "RD_TOKEN", "NO_COLOR", "FORCE_COLOR", "COLORTERM")
    for name in [*keys, *(name for name in os.environ if name.startswith("PIXELROUTER_"))]:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pixelrouter.toml").write_text('project = "test"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(home: Path) -> Callable[..., Result]:
    """Runs a command in this process; the result has exit_code, stdout and stderr."""
    from pixelrouter.cli.app import app

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, [str(arg) for arg in args], env={"COLUMNS": "200"})

    return run


@pytest.fixture
def cli_json(cli: Callable[..., Result]) -> Callable[..., Any]:
    """Runs a command with --json and returns what it printed."""

    def run(*args: str, code: int = 0) -> Any:
        result = cli(*args, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def process(home: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the program as a real process."""

    def start(*args: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
        return subprocess.Popen(
            [sys.executable, "-m", "pixelrouter", *args],
            env={**os.environ, "PYTHONPATH": path, **(env or {})},
            **options,
        )

    return start
