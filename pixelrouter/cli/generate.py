"""``generate`` and ``quote``: one wish, drawn or only priced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import worst
from pixelrouter.cli.files import check_target, save, save_named, slug
from pixelrouter.cli.output import command, emit, error_data, report, say, table
from pixelrouter.cli.waiting import progress
from pixelrouter.errors import IncompleteDelivery

if TYPE_CHECKING:
    from pixelrouter.types import PixelArt

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE.png",
        help="Where to save. Default: named by the prompt.",
        rich_help_panel=o.OUTPUT,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the requests, send nothing.", rich_help_panel=o.MONEY)]


@command(pays=True)
def generate(
    prompt: o.Prompt,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    n: o.Count = 1,
    policy: o.Policy = None,
    pixel_size: o.PixelSize = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: DryRun = False,
    output: Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw a sprite and save it. The same command again costs nothing: it reuses what was paid for."""
    wish: dict[str, Any] = {
        **o.wish(route=route, backend=backend, palette=palette, policy=policy, option=option),
        "size": size,
        "colors": colors,
        "transparent": transparent,
        "seed": seed,
        "n": n,
        "model": model,
        "max_usd": max_usd,
        "timeout_s": timeout,
        "fresh": fresh,
        "pixel_size": pixel_size,
    }
    check_target(output or Path(f"{slug(prompt)}.png"))
    from pixelrouter import PixelRouter  # loaded once the command line is known to be right

    with PixelRouter() as router:
        if dry_run:
            show_requests(router.dry_run(prompt, **wish), as_json=as_json)
            return 0
        short: IncompleteDelivery | None = None
        with progress(quiet=quiet or as_json) as notify:
            try:
                art = router.generate(prompt, **wish, progress=notify)
            except IncompleteDelivery as error:
                if error.art is None:
                    raise
                art, short = error.art, error  # what came was paid for, so it is saved before the error is told
    files = save(art, output, scale=scale) if output else save_named(art, slug(prompt), scale=scale)
    if as_json:
        trouble = {"error": error_data(short)} if short else {}
        emit({**art.as_dict(), "files": [str(file) for file in files], **trouble})
    else:
        tell(art, files, quiet=quiet)
        if short:
            report(short, pays=True)
    return worst([short] if short else [])


@command()
def quote(
    prompt: o.Prompt,
    size: o.Size = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    n: o.Count = 1,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    fresh: o.Fresh = False,
    as_json: o.AsJson = False,
) -> None:
    """Say what a sprite would cost. Asking is free."""
    wish: dict[str, Any] = {
        **o.wish(route=route, backend=backend, palette=None, policy=None, option=option),
        "size": size,
        "transparent": transparent,
        "seed": seed,
        "n": n,
        "model": model,
        "fresh": fresh,
    }
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        quoted = router.quote(prompt, **wish)
    if as_json:
        emit(quoted.as_dict())
        return
    price = "nothing: it was paid for already" if quoted.reused else str(quoted.cost)
    table(
        ["backend", "model", "costs", "named by"],
        [[quoted.backend, quoted.model or "-", price, _namer(quoted.binding)]],
    )
    for note in () if quoted.reused else quoted.notes:
        say(f"note: {note}")


def _namer(binding: bool) -> str:
    return "the vendor" if binding else "pixelrouter's price list"


def tell(art: PixelArt, files: Sequence[Path], *, quiet: bool) -> None:
    """The art for a person: preview, summary and warnings; and the files for whoever reads stdout."""
    if not quiet:
        from pixelrouter.cli.preview import show  # rich takes its time to load

        show(art.images)
        say(summary(art))
        for warning in art.warnings:
            say(f"warning: {warning}")
    for file in files:
        print(file)


def summary(art: PixelArt) -> str:
    """The art in one line: who drew it, what it is, what it cost."""
    width, height = art.size
    count = f"{len(art.indexed)} x " if len(art.indexed) > 1 else ""
    cost = "reused, nothing paid" if art.reused else str(art.cost)
    colors = max(report.colors_after for report in art.reports)
    parts = [art.backend, art.model, f"{count}{width}x{height}", f"{colors} colours", cost]
    return " | ".join(part for part in parts if part)


def show_requests(requests: list[dict[str, Any]], *, as_json: bool) -> None:
    """The requests of a dry run: as JSON, or the way HTTP writes them."""
    if as_json:
        emit(requests)
        return
    for request in requests:
        print(f"# {request['backend']}, model {request.get('model') or 'default'}")
        if request.get("note"):
            print(f"# {request['note']}")
        if request.get("url"):
            print(f"{request['method']} {request['url']}")
            headers: Mapping[str, str] = request.get("headers") or {}
            for header, value in headers.items():
                print(f"{header}: {value}")
            body = request.get("body")
            if body is not None:
                print(f"\n{body if isinstance(body, str) else json.dumps(body, indent=2, default=str)}")
        print()
    say("dry run: nothing was sent.")
