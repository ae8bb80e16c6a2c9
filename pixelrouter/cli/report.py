"""``report``: what shops ask about generated art, drafted from the lock. ``provenance show``: what a file says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import worst
from pixelrouter.cli.output import command, emit, error_data, say, table
from pixelrouter.cli.output import report as report_error
from pixelrouter.cli.pictures import images_in
from pixelrouter.errors import PixelRouterError, StoreError

if TYPE_CHECKING:
    from pixelrouter.assets.disclosure import Shop

provenance = typer.Typer(name="provenance", help="Where a picture says it comes from.", no_args_is_help=True)

Manifest = Annotated[Path, typer.Option("--manifest", "-m", metavar="FILE", help="The manifest.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.md", help="Default: printed.", rich_help_panel=o.OUTPUT)
]


@command()
def report(
    steam: Annotated[bool, typer.Option("--steam", help="Steam's content survey.")] = False,
    itch: Annotated[bool, typer.Option("--itch", help="itch.io's generative AI disclosure.")] = False,
    unity: Annotated[bool, typer.Option("--unity", help="The Unity Asset Store's listing.")] = False,
    manifest: Manifest = Path("assets.toml"),
    prompts: Annotated[bool, typer.Option("--prompts", help="With the prompts; they may spoil a story.")] = False,
    output: Output = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draft what shops ask about generated art, from the lock. Without a shop: all three. No legal advice."""
    from pixelrouter.assets.disclosure import disclosure, markdown, statement

    found = disclosure(manifest, prompts=prompts)
    wanted: list[tuple[bool, Shop]] = [(steam, "steam"), (itch, "itch"), (unity, "unity")]
    shops = [shop for chosen, shop in wanted if chosen] or [shop for _, shop in wanted]
    if as_json:
        emit({**found.as_dict(), "shops": shops, "statement": statement(found) if found.generated else None})
    text = markdown(found, shops)
    if output is not None:
        _save(text, output)
    elif not as_json:
        print(text, end="")
    if not quiet:
        if found.problems:
            say(f"{len(found.problems)} assets have a licence to settle before anything is sold.")
        say("This is a draft and no legal advice.")
        if output is not None:
            say(f"written: {output}")
    return 0


def _save(text: str, path: Path) -> None:
    from pixelrouter.files import write_whole

    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}.", hint="Choose another place with -o.") from error


@provenance.command("show")
@command()
def show(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER|PATTERN…", help="PNG files.", show_default=False)],
    as_json: o.AsJson = False,
) -> int:
    """Show what PNG files say of where they come from. Unsigned: whoever wants to can change it."""
    from pixelrouter.assets.provenance import read_provenance

    rows: list[dict[str, Any]] = []
    errors: list[PixelRouterError] = []
    for file in images_in(files, deep=True):
        try:
            rows.append({"file": str(file), "provenance": read_provenance(file)})
        except PixelRouterError as error:
            errors.append(error)
            rows.append({"file": str(file), "error": error_data(error)})
            if not as_json:
                report_error(error)
    if as_json:
        emit(rows)
    else:
        known = [row for row in rows if "error" not in row]
        lines = [
            (row["file"], name, value) for row in known for name, value in (row["provenance"] or {"-": "-"}).items()
        ]
        table(("file", "fact", "value"), lines)
    return worst(errors)
