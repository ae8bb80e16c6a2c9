"""``palette``: palettes listed, shown, converted from any file to any other, and extracted from a folder of art."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.files import check_folder, check_target
from pixelrouter.cli.output import command, emit, printable, say, table
from pixelrouter.cli.pictures import images_in
from pixelrouter.errors import InvalidRequest

if TYPE_CHECKING:
    from pixelrouter.pixels import Extracted, Palette

palette = typer.Typer(name="palette", help="List, show, convert and extract palettes.", no_args_is_help=True)

_ROW = 16  # colours a row, in a terminal and in a picture
_MANY = 256  # colours of one image from which on it may be unfinished
_TOLD = 12  # images that are told of in words; --json has them all

Wanted = Annotated[
    str,
    typer.Argument(metavar="NAME|FILE", help="A built-in palette, or a palette file.", show_default=False),
]
Target = Annotated[Path, typer.Argument(metavar="OUT", help="A palette file.", show_default=False)]
Sources = Annotated[
    list[Path],
    typer.Argument(metavar="FILE|FOLDER|PATTERN…", help="Finished images, or folders of them.", show_default=False),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="hex|gpl|pal|txt|act|ase|png|aseprite", help="Instead of OUT's ending.", show_default=False
    ),
]
Title = Annotated[str | None, typer.Option("--name", help="The palette's name, where the format has a place for it.")]
Scale = Annotated[int, typer.Option(min=1, max=64, help="Pixels a side of a colour in a PNG.")]
Swatches = Annotated[
    Path | None, typer.Option("--png", metavar="FILE.png", help="Draw the colours.", rich_help_panel=o.OUTPUT)
]
Out = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="A palette file of any kind.", rich_help_panel=o.OUTPUT),
]
Most = Annotated[int | None, typer.Option("--colors", min=1, max=256, help="At most so many; else all, up to 256.")]


@palette.command("list")
@command()
def list_palettes(as_json: o.AsJson = False) -> int:
    """The built-in palettes, with author and source."""
    from pixelrouter.pixels import built_ins

    every = [built_ins()[key] for key in sorted(built_ins())]
    if as_json:
        emit([asdict(one) for one in every])
    else:
        table(["name", "palette", "colours", "author"], [(p.key, p.name, len(p.colors), p.author) for p in every])
    return 0


@palette.command("show")
@command()
def show_palette(wanted: Wanted, png: Swatches = None, as_json: o.AsJson = False, quiet: o.Quiet = False) -> int:
    """The colours of a palette: as swatches in a terminal, as hex codes in a pipe."""
    found = _read(wanted)
    if png:
        _draw(found.colors, png)
    if as_json:
        emit({**_data(wanted, found), "png": str(png) if png else None})
        return 0
    if not quiet:
        _warn(found.warnings)
        say(f"{found.name or wanted}: {len(found.colors)} colours")
    for at, (color, name) in enumerate(zip(found.colors, found.names, strict=True)):
        print(f"{_swatch(color)}{color}{_note(found, at)}{'  ' if name else ''}{printable(name)}")
    return 0


@palette.command("convert")
@command()
def convert_palette(
    wanted: Wanted,
    out: Target,
    format: Format = None,
    name: Title = None,
    scale: Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Write a palette as another kind of file: its entries in their order, names and alpha where there is a place."""
    from pixelrouter.pixels import write_palette

    found = _read(wanted)
    _check_place(out, [] if found.format == "built-in" else [Path(wanted)])
    lost = write_palette(
        out,
        found.colors,
        found.names,
        found.name if name is None else name,
        alpha=found.alpha,
        transparent=found.transparent,
        scale=scale,
        format=format,
    )
    if as_json:
        emit({"file": str(out), **_data(wanted, found), "lost": list(lost)})
        return 0
    if not quiet:
        _warn((*found.warnings, *lost))
        say(f"{wanted} | {len(found.colors)} colours")
    print(out)
    return 0


@palette.command("extract")
@command()
def extract_colors(
    sources: Sources,
    colors: Most = None,
    output: Out = None,
    format: Format = None,
    name: Title = None,
    scale: Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """One shared palette from finished art, so that new sprites have the colours of the old ones.

    Every colour is kept where --colors allows it; else near duplicates become one. Without -o the colours are printed.
    """
    from pixelrouter.pixels import extract_palette, write_palette

    files = images_in(sources, deep=True)
    if output:
        _check_place(output, files)
    made = extract_palette(files, colors)
    lost = write_palette(output, made.colors, None, name or "", scale=scale, format=format) if output else ()
    if as_json:
        emit({"file": str(output) if output else None, **made.as_dict(), "lost": list(lost)})
        return 0
    if not quiet:
        _warn(lost)
        _tell(made)
    print(output if output else "\n".join(made.colors))
    return 0


def _read(wanted: str) -> Palette:
    """A built-in palette, else a file. Raises UnknownPalette."""
    from pixelrouter.pixels import Palette, find_built_in, read_palette, resolve_palette

    if (known := find_built_in(wanted)) is not None:
        return Palette(known.colors, name=known.name, format="built-in")
    if not Path(wanted).suffix:
        resolve_palette(wanted)  # says which names there are
    return read_palette(wanted)


def _data(wanted: str, found: Palette) -> dict[str, Any]:
    return {"source": wanted, **asdict(found)}


def _check_place(out: Path, sources: list[Path]) -> None:
    """Raise InvalidRequest before any work where a palette cannot be written, or would overwrite a source."""
    if out.is_dir():
        raise InvalidRequest(f"{out} is a folder.", hint="Name a file: palette.gpl.")
    check_folder(out.parent)
    if out.absolute() in {source.absolute() for source in sources}:
        raise InvalidRequest(f"{out} would overwrite what it is made from.", hint="Choose another name.")


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        say(f"warning: {warning}")


def _note(found: Palette, at: int) -> str:
    alpha = f"  alpha {found.alpha[at]}" if found.alpha and found.alpha[at] < 255 else ""
    return f"{alpha}  transparent" if at == found.transparent else alpha


def _swatch(color: str) -> str:
    """Two cells of the colour, where stdout is a terminal that shows colours; else nothing."""
    if not sys.stdout.isatty():
        return ""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout)
    if console.no_color or console.is_dumb_terminal or not console.color_system:
        return ""
    with console.capture() as drawn:
        console.print(Text("  ", style=f"on {color}"), end=" ")
    return drawn.get()


def _draw(colors: tuple[str, ...], path: Path) -> None:
    """Blocks of 24 pixels, sixteen a row. Raises InvalidRequest, StoreError."""
    from PIL import Image

    from pixelrouter.cli.pictures import save_picture

    check_target(path)
    picture = Image.new("RGBA", (min(_ROW, len(colors)), -(-len(colors) // _ROW)))
    for at, color in enumerate(colors):
        red, green, blue = bytes.fromhex(color[1:])
        picture.putpixel((at % _ROW, at // _ROW), (red, green, blue, 255))
    save_picture(picture, path, scale=24)


def _tell(made: Extracted) -> None:
    """What the images lose, in words, the worst first."""
    changed = sorted((one for one in made.coverage if one.changed), key=lambda one: (-one.mean, one.name))
    for one in changed[:_TOLD]:
        distances = f"{one.mean:.4f} on average, {one.max:.4f} at most"
        say(f"{one.name}: {one.changed} of {one.pixels} pixels change, by {distances}")
    if len(changed) > _TOLD:
        say(f"... and {len(changed) - _TOLD} more")
    for one in made.coverage:
        if one.colors > _MANY:
            say(f"warning: {one.name} has {one.colors} colours. If it is pixel art, `pixelrouter finish` it first.")
    images = "image" if len(made.coverage) == 1 else "images"
    exact = "all of them exactly" if not changed else f"{len(made.coverage) - len(changed)} of them exactly"
    say(f"{len(made.coverage)} {images} | {made.found} colours, {len(made.colors)} kept | {exact}")
