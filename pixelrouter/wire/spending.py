"""The spend guard of a test run: while it stands, no paid request leaves for a vendor.

The wire asks it before every paid request, and a recording before it sends one. What leads to this machine itself is a
simulator, whose money is not real, and always allowed; an answer from a recording costs nothing and is not asked about.
A guard stands where :func:`stand` was called, or where the environment names one, which reaches programs that a test
starts. What it refuses it notes in a file as well, because the code under test may swallow the error.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pixelrouter.errors import SpendForbidden
from pixelrouter.wire import guard

VARIABLE = "PIXELROUTER_SPEND_GUARD"
_FREE_NAMES = (".test", ".invalid", ".localhost")  # RFC 6761: nobody can register one
ALLOWS_VARIABLE = "PIXELROUTER_SPEND_GUARD_ALLOWS"


@dataclass(frozen=True)
class Guard:
    """``log``: where refused requests are noted, a JSON object a line. ``allows``: the state folder that may pay."""

    log: Path
    allows: Path | None = None

    def environment(self) -> dict[str, str]:
        """The variables that make it stand in other programs too; an empty value: none."""
        return {VARIABLE: str(self.log), ALLOWS_VARIABLE: str(self.allows or "")}


_standing: Guard | None = None


def stand(new: Guard | None) -> None:
    """Let this guard stand in this process, in the place of any other; None takes it down."""
    global _standing
    _standing = new


def standing() -> Guard | None:
    """The guard of this process, if one stands."""
    return _standing


def check(url: str, state: Path | None) -> None:
    """Raise SpendForbidden, and note it, if a guard stands and there may be a vendor at ``url``.

    ``state`` is the state folder of the router that wants to pay: where its ledger, and with it its cap, is kept.
    """
    now = _standing or _of_environment()
    if now is None or _is_nobodys(url) or (now.allows and state and _same(now.allows, state)):
        return
    parts = urlsplit(url)
    what = f"{parts.scheme}://{parts.netloc}{parts.path}"
    with now.log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"url": what, "pid": os.getpid()}) + "\n")
    raise SpendForbidden(
        f"A paid request to {what} was about to leave in a test run. Nothing was sent.",
        hint="Use the fixture fake_pixelrouter or pixelrouter_replay, or a simulator: docs/testing.md.",
    )


def noted(log: Path) -> list[str]:
    """The addresses in a guard's log, in order; empty where nothing was refused."""
    try:
        return [str(json.loads(line)["url"]) for line in log.read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return []


def _of_environment() -> Guard | None:
    log, allows = os.environ.get(VARIABLE), os.environ.get(ALLOWS_VARIABLE)
    return Guard(Path(log), Path(allows) if allows else None) if log else None


def _is_nobodys(url: str) -> bool:
    """Whether no vendor can be there: this machine itself, or a name that is kept free for tests."""
    return guard.is_loopback(url) or (urlsplit(url).hostname or "").rstrip(".").endswith(_FREE_NAMES)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
