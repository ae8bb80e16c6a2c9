"""``gallery``: all candidates of a build on one page, to look at, or served so that a click picks."""

from __future__ import annotations

import webbrowser
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.output import command, emit, say
from pixelrouter.cli.waiting import counting

if TYPE_CHECKING:
    from pixelrouter.assets.gallery import Gallery

Manifest = Annotated[
    Path | None, typer.Option("--manifest", "-m", metavar="FILE", help="Default: assets.toml here or above.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE.html", help="Default: gallery.html.")]
Serve = Annotated[bool, typer.Option("--serve", help="Serve it on this machine: a click picks.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="With --serve; default: a free one.", show_default=False)]
Open = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]


@command()
def gallery(
    manifest: Manifest = None,
    output: Output = None,
    open_it: Open = False,
    serve: Serve = False,
    port: Port = 0,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Write one page with all candidates: large, moving, tiled, with their costs. Free, offline.

    With --serve a click picks and the page shows what builds bring; without it, the page gives the commands.
    """
    if serve and output is not None:
        raise typer.BadParameter("--serve writes no file: leave -o out.", param_hint="--output")
    if port and not serve:
        raise typer.BadParameter("it is for --serve.", param_hint="--port")
    if serve:
        _serve(manifest, port, open_it=open_it, as_json=as_json)
        return
    from pixelrouter.assets.gallery import Reader
    from pixelrouter.assets.gallery.reading import write_page

    with counting(quiet=quiet or as_json) as bar:
        shown = Reader(manifest).gallery(_counted(bar))
    path = write_page(shown, output or Path("gallery.html"))
    if as_json:
        emit({"file": str(path), **summary(shown)})
    else:
        _tell(shown, quiet=quiet)
        print(path)
    if open_it:
        webbrowser.open(path.absolute().as_uri())


def summary(shown: Gallery) -> dict[str, Any]:
    """What is on the page, counted: JSON-ready."""
    from pixelrouter.assets.gallery.model import STATES

    states = Counter(state for card in shown.cards for state in card.states)
    return {
        "assets": len(shown.cards),
        "candidates": sum(len(card.shots) for card in shown.cards),
        "states": {state: states[state] for state in STATES},
        "unpicked": [card.asset.name for card in shown.cards if "unpicked" in card.states],
        "missing": [card.asset.name for card in shown.cards if "missing" in card.states],
    }


def _tell(shown: Gallery, *, quiet: bool) -> None:
    told = summary(shown)
    if not quiet:
        left = f", {len(told['unpicked'])} to choose" if told["unpicked"] else ""
        say(f"{told['assets']} assets, {told['candidates']} candidates{left}")
    for card in shown.cards:
        for shot in card.shots:
            if shot.problem:
                say(f"warning: {card.asset.name} {shot.candidate.number}: {shot.problem}")


def _serve(manifest: Path | None, port: int, *, open_it: bool, as_json: bool) -> None:
    from pixelrouter.assets import pick
    from pixelrouter.assets.gallery import GalleryServer, Reader

    reader = Reader(manifest)

    def picked(name: str, number: int) -> None:
        pick(reader.path, name, number)
        say(f"picked: {name} {number}")

    with GalleryServer(reader, picked, port=port) as server:
        if as_json:
            emit({"url": server.url})
        else:
            print(server.url, flush=True)
        say("Whoever has this address can pick. Ctrl-C ends it.")
        if open_it:
            webbrowser.open(server.url)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("Ended.")


def _counted(bar: Callable[..., None] | None) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        if bar is not None:
            from pixelrouter.pixels.batch.batch import Step

            bar(Step("drawing", done, of, 0))

    return told
