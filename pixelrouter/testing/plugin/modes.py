"""What a test run may do: replay recordings, make new ones, or talk to the vendors. Everything but replaying pays.

Paying needs a limit on the command line, and on a build server (``CI`` set) a second word in the environment, so that
neither a forgotten option nor a copied one spends money.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, get_args

import pytest

Mode = Literal["replay", "record-missing", "rewrite", "live"]
MODES: tuple[Mode, ...] = get_args(Mode)
MODE_VARIABLE = "PIXELROUTER_TEST_MODE"
ALLOW_VARIABLE = "PIXELROUTER_ALLOW_SPEND"
RUN_KEY = "pixelrouter_run"  # of what pytest-xdist hands to its workers
_NO = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Run:
    """One run of pytest, on however many workers. ``folder`` keeps the ledgers of the tests that may pay."""

    mode: Mode
    max_usd: Decimal
    max_generations: Decimal
    folder: Path

    @property
    def pays(self) -> bool:
        """Whether tests may send paid requests."""
        return self.mode != "replay"


def run_of(config: pytest.Config) -> Run:
    """The run that options, environment and ini file ask for, in this order. Raises pytest.UsageError."""
    mode = config.getoption("pixelrouter_mode") or os.environ.get(MODE_VARIABLE, "").strip()
    mode = mode or str(config.getini("pixelrouter_mode")).strip() or "replay"
    if mode not in MODES:
        raise pytest.UsageError(f"pixelrouter: there is no mode {mode!r}. Use one of: {', '.join(MODES)}.")
    limit = config.getoption("pixelrouter_max_usd")
    if mode != "replay" and limit is None:
        raise pytest.UsageError(
            f"pixelrouter: mode {mode!r} can spend money, so say how much the whole run may: --pixelrouter-max-usd 0.50"
        )
    if mode != "replay" and in_ci() and os.environ.get(ALLOW_VARIABLE) != "1":
        raise pytest.UsageError(
            f"pixelrouter: mode {mode!r} can spend money, and CI is set. If you mean it, set {ALLOW_VARIABLE}=1 too."
        )
    units = config.getoption("pixelrouter_max_generations")
    run = getattr(config, "workerinput", {}).get(RUN_KEY) or uuid.uuid4().hex[:12]
    folder = config.rootpath / ".pixelrouter" / "tests" / str(run)
    return Run(mode, _amount("--pixelrouter-max-usd", limit), _amount("--pixelrouter-max-generations", units), folder)


def in_ci() -> bool:
    """Whether this is a build server, as they all say it: by the variable CI."""
    return os.environ.get("CI", "").strip().lower() not in _NO


def _amount(option: str, text: str | None) -> Decimal:
    try:
        amount = Decimal(text or "0")
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise pytest.UsageError(f"pixelrouter: {option} {text!r} is no amount. Write 0.50 for half a dollar.")
    return amount
