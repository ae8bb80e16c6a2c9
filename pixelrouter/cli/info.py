"""``doctor`` and ``backends``: is everything in place, and what is there to choose from."""

from __future__ import annotations

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED, OK
from pixelrouter.cli.output import command, emit, table


@command()
def doctor(as_json: o.AsJson = False) -> int:
    """Check configuration, credentials, ledger and store. Sends nothing that costs."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        checks = router.doctor()
    if as_json:
        emit(checks)
    else:
        rows = [[_mark(c["ok"]), c["check"], c["detail"], "" if c["ok"] else c.get("fix") or ""] for c in checks]
        table(["", "check", "found", "what to do"], rows)
    return OK if all(check["ok"] for check in checks) else CHECK_FAILED


@command()
def backends(as_json: o.AsJson = False) -> None:
    """List the backends: which are ready, what they draw, under which licence."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        rows = router.backends()
    if as_json:
        emit(rows)
        return
    cells = [
        [row["name"], row["kind"], _ready(row), row["models"], row["sizes"], row["licence"], row["summary"]]
        for row in rows
    ]
    table(["name", "kind", "ready", "models", "sizes", "licence", "about"], cells)


def _mark(ok: bool | None) -> str:
    return "ok" if ok else "FAIL"


def _ready(row: dict[str, object]) -> str:
    if row["configured"]:
        return f"yes ({row['credential']})" if row.get("credential") else "yes"
    return "no key"
