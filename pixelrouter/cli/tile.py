"""``tile``: whether tiles repeat without a seam, how that looks, and how to take the seam out, without any vendor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED, worst
from pixelrouter.cli.files import check_target
from pixelrouter.cli.output import command, emit, error_data, report, say, table
from pixelrouter.cli.pictures import images_in, places, save_picture
from pixelrouter.errors import PixelRouterError

if TYPE_CHECKING:
    from PIL.Image import Image

tile = typer.Typer(name="tile", help="Check, preview and mend tiles that repeat.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER|PATTERN…", help="The tiles.", show_default=False)]
AxesName = Annotated[str, typer.Option("--axes", metavar="both|x|y", help="In which directions it repeats.")]
Wang = Annotated[bool, typer.Option("--wang", help="The files are one set of corner tiles, wang-0000 to wang-1111.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE.png|FOLDER", help="Default: beside the file.", show_default=False),
]


@tile.command("check")
@command()
def check_files(
    files: Files,
    axes: AxesName = "both",
    max_score: Annotated[
        float | None, typer.Option(min=0, help="Highest score that passes: 0.5, for edges of a set 0.8.")
    ] = None,
    wang: Wang = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw each tile three by three, or a map of the set.")
    ] = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Say how visible the seam of each tile is: 0 is as smooth as the tile is inside.

    Leaves with 3 if a seam scores more than --max-score.
    """
    from pixelrouter.pixels import TILEABLE, seam_score

    if picture:
        check_target(picture)
    sources = images_in(files)
    if wang:
        return _check_set(sources, max_score, picture, as_json=as_json, quiet=quiet)
    limit = TILEABLE if max_score is None else max_score
    rows: list[dict[str, Any]] = []
    errors: list[PixelRouterError] = []
    for file in sources:
        try:
            seam = seam_score(file, axes)  # type: ignore[arg-type]  # checked there
        except PixelRouterError as error:
            errors.append(error)
            rows.append({"source": str(file), "error": error_data(error)})
            if not as_json:
                report(error, prefix=f"{file}: ")
            continue
        passed = seam.score <= limit
        rows.append({"source": str(file), **seam.as_dict(), "threshold": limit, "tileable": passed})
    good = [row for row in rows if "error" not in row]
    if picture and good:
        save_picture(_contact([Path(row["source"]) for row in good]), picture)
    if as_json:
        emit(rows)
    elif good:
        lines = [
            (row["source"], _number(row["x"]), _number(row["y"]), "tileable" if row["tileable"] else "seam shows")
            for row in good
        ]
        table(("tile", "x", "y", "verdict"), lines)
        if picture and not quiet:
            say(f"drawn: {picture}")
    return worst(errors) or (0 if all(row["tileable"] for row in good) else CHECK_FAILED)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _check_set(files: list[Path], max_score: float | None, picture: Path | None, *, as_json: bool, quiet: bool) -> int:
    from pixelrouter.pixels import check_wang, wang_map
    from pixelrouter.pixels.tiles.wang import FITS

    limit = FITS if max_score is None else max_score
    tiles = {file.stem: file for file in files}
    found = check_wang(tiles)
    fits = found.score <= limit and not found.missing
    if picture and not found.missing:
        save_picture(wang_map(tiles), picture)
    if as_json:
        emit({**found.as_dict(), "threshold": limit, "fits": fits})
        return 0 if fits else CHECK_FAILED
    sides = ("top", "right", "bottom", "left")
    edges = [(name, *(_number(found.edges[name].get(side)) for side in sides)) for name in sorted(found.edges)]
    table(("tile", *sides), edges)
    if found.missing:
        say(f"missing: {', '.join(f'wang-{code}' for code in found.missing)}")
    if quiet:
        return 0 if fits else CHECK_FAILED
    if picture and not found.missing:
        say(f"drawn: {picture}")
    say(f"worst edge {found.score:.2f}, limit {limit:.2f}: {'the set fits' if fits else 'the set does not fit'}")
    return 0 if fits else CHECK_FAILED


def _contact(files: list[Path]) -> Image:
    """Every tile three by three, enlarged alike, side by side."""
    from PIL.Image import Resampling

    from pixelrouter.pixels import pack, preview

    pictures = [preview(file) for file in files]
    factor = max(1, 256 // max(max(one.size) for one in pictures))
    sheet = pack(pictures, "grid", spacing=4, margin=4).image
    return sheet.resize((sheet.width * factor, sheet.height * factor), Resampling.NEAREST)


@tile.command("preview")
@command()
def preview_files(
    files: Files,
    columns: Annotated[int | None, typer.Option(min=1, max=64, help="Tiles across: 3, of a map 8.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, max=64, help="Tiles down: 3, of a map 6.")] = None,
    wang: Wang = False,
    seed: Annotated[int, typer.Option(min=0, help="Another map of the set.")] = 0,
    output: Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw each tile side by side with itself, or a map of a set of corner tiles."""
    from pixelrouter.pixels import preview, wang_map

    sources = images_in(files)
    if wang:
        place = output or sources[0].parent / "wang-map.png"
        check_target(place)
        pictures = {place: wang_map({file.stem: file for file in sources}, columns or 8, rows or 6, seed=seed)}
    else:
        across, down = columns or 3, rows or 3
        targets = places(sources, output, f"{across}x{down}")
        pictures = {place: preview(file, across, down) for file, place in targets.items()}
    saved = [save_picture(picture, place, scale=scale) for place, picture in pictures.items()]
    if as_json:
        emit({"files": [str(path) for path in saved]})
        return 0
    if not quiet:
        from pixelrouter.cli.preview import show  # rich takes its time to load

        show(list(pictures.values()))
    for path in saved:
        print(path)
    return 0


@tile.command("seamless")
@command()
def seamless_files(
    files: Files,
    axes: AxesName = "both",
    output: Output = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Take the seam out of tiles, with pixels that are in them already: size and colours stay as they are."""
    from pixelrouter.pixels import make_seamless, preview, seam_score

    targets = places(images_in(files), output, "seamless")
    rows: list[dict[str, Any]] = []
    errors: list[PixelRouterError] = []
    for file, place in targets.items():
        try:
            before = seam_score(file, axes)  # type: ignore[arg-type]  # checked there
            mended = make_seamless(file, axes)  # type: ignore[arg-type]  # checked there
            after = seam_score(mended, axes)  # type: ignore[arg-type]  # checked there
            save_picture(mended, place)
        except PixelRouterError as error:
            errors.append(error)
            rows.append({"source": str(file), "error": error_data(error)})
            if not as_json:
                report(error, prefix=f"{file}: ")
            continue
        rows.append({"source": str(file), "files": [str(place)], "before": before.as_dict(), "after": after.as_dict()})
        if as_json:
            continue
        if not quiet:
            from pixelrouter.cli.preview import show  # rich takes its time to load

            show([preview(mended)])
            say(f"{file.name} | seam {before.score:.2f} -> {after.score:.2f}")
            if not after.tileable:
                say(f"warning: the seam of {file.name} still shows; a larger picture has more to patch it with.")
        print(place)
    if as_json:
        emit(rows)
    return worst(errors)
