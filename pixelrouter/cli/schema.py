"""``schema``: the JSON Schema of assets.toml, for editors."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pixelrouter.cli.output import command

AsPath = Annotated[bool, typer.Option("--path", help="Print where the file lies instead.")]


@command()
def schema(path: AsPath = False) -> None:
    """Print the JSON Schema of assets.toml: completion and checks in editors that know Taplo."""
    from pixelrouter.assets.manifest.schema import FILE

    if path:
        print(FILE)
    else:
        sys.stdout.write(FILE.read_text("utf-8"))
