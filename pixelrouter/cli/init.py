"""``init``: a first assets.toml, with comments, that builds for free."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.output import command, emit, say
from pixelrouter.errors import InvalidRequest, StoreError

Folder = Annotated[Path, typer.Argument(metavar="[FOLDER]", help="The game's folder.", show_default=False)]
Force = Annotated[bool, typer.Option("--force", help="Replace the assets.toml that is there.")]


@command()
def init(folder: Folder = Path(), force: Force = False, as_json: o.AsJson = False, quiet: o.Quiet = False) -> None:
    """Write a commented assets.toml to start from. It builds with the free backend, without any key."""
    from pixelrouter.assets.manifest import FILE_NAME
    from pixelrouter.files import write_whole

    file = folder / FILE_NAME
    if os.path.lexists(file) and not force:
        raise InvalidRequest(f"{file} is there already.", hint="--force replaces it.")
    text = resources.files("pixelrouter.assets.manifest").joinpath("starter.toml").read_bytes()
    try:
        write_whole(file, text)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error}.") from error
    ignored = _ignored(folder)
    if as_json:
        emit({"file": str(file), "ignored": ignored})
        return
    print(file)
    if not quiet:
        say("next: pixelrouter plan, then pixelrouter build")
        if not ignored:
            say("hint:  add a line .pixelrouter/ to .gitignore: the ledger of this machine")


def _ignored(folder: Path) -> bool:
    """Whether .gitignore names the folder that the ledger lies in."""
    try:
        lines = (folder / ".gitignore").read_text("utf-8", errors="replace").split()
    except OSError:
        return False
    return any(line.strip("/") == ".pixelrouter" for line in lines)
