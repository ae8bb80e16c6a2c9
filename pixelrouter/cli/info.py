"""``doctor`` and ``backends``: is everything in place, and what is there to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED, OK
from pixelrouter.cli.output import command, emit, say, table
from pixelrouter.errors import ConfigError


@command()
def doctor(
    rescue: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Copy what can be read of a damaged ledger into this new file.")
    ] = None,
    as_json: o.AsJson = False,
) -> int:
    """Check configuration, credentials, ledger and store. Sends nothing that costs."""
    from pixelrouter import PixelRouter
    from pixelrouter.routing.doctor import without_settings

    try:
        router = PixelRouter()
    except ConfigError as error:
        if rescue:
            raise
        checks = without_settings(error)
    else:
        with router:
            if rescue:
                return _rescued(router.rescue(rescue), as_json=as_json)
            checks = router.doctor()
    if as_json:
        emit(checks)
    else:
        rows = [[_mark(c["ok"]), c["check"], c["detail"], "" if c["ok"] else c.get("fix") or ""] for c in checks]
        table(["", "check", "found", "what to do"], rows)
    return OK if all(check["ok"] for check in checks) else CHECK_FAILED


def _rescued(done: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        emit(done)
    else:
        say(f"{done['whole']} attempts were copied into {done['saved_as']}, {len(done['in_part'])} of them in part.")
        for name, what in (("in_part", "in part"), ("lost", "lost")):
            for one in done[name]:
                say(f"{what}: {one}")
        say(f"Now move {done['ledger']} (with -wal and -shm) away, keep it, and put the new file in its place.")
    return CHECK_FAILED if done["lost"] else OK


@command()
def backends(
    name: Annotated[str | None, typer.Argument(help="List this backend's models.", show_default=False)] = None,
    as_json: o.AsJson = False,
) -> None:
    """List the backends: which are ready, what they draw, under which licence. With a name: its models."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        rows = router.models(name) if name else router.backends()
    if as_json:
        emit(rows)
        return
    if name:
        models = [
            [row["id"], " ".join(row["tasks"]), _span(row), row["max_n"], row["max_references"], row["commercial_use"]]
            for row in rows
        ]
        table(["model", "tasks", "sizes", "images", "references", "commercial use"], models)
        return
    cells = [
        [
            *(row["name"], row["kind"], _ready(row), row["models"], row["sizes"], " ".join(row["tasks"])),
            *(f"{row['licence']} ({row['commercial_use']})", row["summary"]),
        ]
        for row in rows
    ]
    table(["name", "kind", "ready", "models", "sizes", "tasks", "licence (commercial use)", "about"], cells)


@command()
def prices(
    backend: Annotated[str | None, typer.Argument(help="Only this backend's.", show_default=False)] = None,
    as_json: o.AsJson = False,
) -> None:
    """Print the price list: each price with its formula, source and date. A vendor's own quote wins over it."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        rows = router.prices(backend)
    if as_json:
        emit(rows)
        return
    cells = [
        [row["backend"], ", ".join(row["models"]), row["unit"], row["formula"], f"{row['source']}, {row['date']}"]
        for row in rows
    ]
    table(["backend", "models", "unit", "price", "says who"], cells)


@command()
def balance(
    backend: Annotated[str | None, typer.Argument(help="Only this backend's.", show_default=False)] = None,
    as_json: o.AsJson = False,
) -> int:
    """Ask the vendors what is left on the accounts. Free."""
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        ready = [row["name"] for row in router.backends() if row["kind"] == "remote" and row["configured"]]
        names = [backend] if backend else ready
        left = {name: router.balance(name) for name in names}
    if as_json:
        emit({name: money and {"amount": str(money.amount), "unit": money.unit} for name, money in left.items()})
    elif not left:
        say("No vendor has a key set.")
    else:
        table(
            ["backend", "left"], [[name, str(money) if money else "it does not tell"] for name, money in left.items()]
        )
    return OK


def _span(row: dict[str, Any]) -> str:
    low, high = f"{row['min_width']}x{row['min_height']}", f"{row['max_width']}x{row['max_height']}"
    return low if low == high else f"{low} to {high}"


def _mark(ok: bool | None) -> str:
    return "ok" if ok else "FAIL"


def _ready(row: dict[str, object]) -> str:
    if row["configured"]:
        return f"yes ({row['credential']})" if row.get("credential") else "yes"
    return f"no: {row['install']}" if row.get("lacks") else "no key"
