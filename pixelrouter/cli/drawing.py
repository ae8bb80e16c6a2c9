"""From a wish to files and words: what every command that draws does once its arguments are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrouter.cli.exits import worst
from pixelrouter.cli.files import check_target, save, save_named, slug
from pixelrouter.cli.options import Saving
from pixelrouter.cli.output import emit, error_data, report, say
from pixelrouter.cli.waiting import progress
from pixelrouter.errors import IncompleteDelivery

if TYPE_CHECKING:
    from pixelrouter.types import PixelArt


def draw(
    prompt: str, wish: Mapping[str, Any], saving: Saving, *, dry_run: bool = False, name: str | None = None
) -> int:
    """Obtain what is wished for and save it. ``name`` is the file's, where the prompt is no good one.

    Returns the exit code: that of IncompleteDelivery where less came than was paid for (what came is saved).
    """
    stem = slug(name or prompt)
    check_target(saving.output or Path(f"{stem}.png"))
    from pixelrouter import PixelRouter  # loaded once the command line is known to be right

    with PixelRouter() as router:
        if dry_run:
            show_requests(router.dry_run(prompt, **wish), as_json=saving.as_json)
            return 0
        short: IncompleteDelivery | None = None
        with progress(quiet=saving.quiet or saving.as_json) as notify:
            try:
                art = router.generate(prompt, **wish, progress=notify)
            except IncompleteDelivery as error:
                if error.art is None:
                    raise
                art, short = error.art, error  # what came was paid for, so it is saved before the error is told
    files = save(art, saving.output, scale=saving.scale) if saving.output else save_named(art, stem, scale=saving.scale)
    if saving.animation:
        files.append(art.save_animation(saving.animation, scale=saving.scale))
    if saving.as_json:
        trouble = {"error": error_data(short)} if short else {}
        emit({**art.as_dict(), "files": [str(file) for file in files], **trouble})
    else:
        tell(art, files, quiet=saving.quiet)
        if short:
            report(short, pays=True)
    return worst([short] if short else [])


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
    quoted = art.attempts[-1].quoted if art.attempts else None
    differs = quoted is not None and not art.reused and quoted.money != art.attempts[-1].cost.money
    cost = "reused, nothing paid" if art.reused else f"{art.cost}{f', quoted {quoted}' if differs else ''}"
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
