"""``finish``: an image file through the post-processor, without any vendor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import worst
from pixelrouter.cli.files import check_target, save
from pixelrouter.cli.output import command, emit, error_data, report, say
from pixelrouter.errors import InvalidRequest, PixelRouterError

if TYPE_CHECKING:
    from PIL.Image import Image

    from pixelrouter.types import PixelArt

Files = Annotated[list[Path], typer.Argument(help="Image files.", show_default=False)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE.png|FOLDER",
        help="Default: NAME-finished.png beside the file.",
        rich_help_panel=o.OUTPUT,
    ),
]


@command()
def finish(
    files: Files,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    policy: o.Policy = None,
    pixel_size: o.PixelSize = None,
    output: Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Turn image files into real pixel art. Free and offline; without --size the native size is found."""
    from pixelrouter.types import parse_size

    wish: dict[str, Any] = {
        "size": parse_size(size) if size else None,
        **({"colors": colors} if colors else {}),  # else the post-processor's own default
        "palette": o.palette_value(palette),
        "transparent": transparent,
        "policy": o.policy_value(policy) or "snap",
        "pixel_size": pixel_size,
    }
    done: list[dict[str, Any]] = []
    errors: list[PixelRouterError] = []
    for file, target in targets(files, output).items():
        try:
            art = finished(file, wish)
            saved = save(art, target, scale=scale)
        except PixelRouterError as error:
            errors.append(error)
            done.append({"source": str(file), "error": error_data(error)})
            if not as_json:
                report(error, prefix=f"{file}: " if len(files) > 1 else "")
            continue
        result = art.report
        done.append(
            {"source": str(file), "files": [str(f) for f in saved], "palette": list(art.palette), **result.as_dict()}
        )
        if as_json:
            continue
        if not quiet:
            from pixelrouter.cli.preview import show

            show(art.images)
            sizes = f"{result.source_size[0]}x{result.source_size[1]} -> {result.size[0]}x{result.size[1]}"
            colours = f"{result.colors_before} -> {result.colors_after} colours"
            say(f"{file.name} | {sizes} | {colours} | {result.method}, confidence {result.confidence:.2f}")
            for warning in result.warnings:
                say(f"warning: {warning}")
        for path in saved:
            print(path)
    if as_json:
        emit(done)
    return worst(errors)


def targets(files: list[Path], output: Path | None) -> dict[Path, Path]:
    """Where each file's result goes. Raises InvalidRequest before any work if a place cannot be written."""
    one_file = len(files) == 1 and output is not None and not output.is_dir() and output.suffix != ""
    places: dict[Path, Path] = {}
    for file in files:
        if output is not None and one_file:
            place = output
        else:
            place = (output or file.parent) / f"{file.stem}{'' if output else '-finished'}.png"
        check_target(place)
        if place.absolute() in {path.absolute() for path in files}:
            raise InvalidRequest(f"{place} would overwrite its own source.", hint="Choose another place with -o.")
        if place in places.values():
            raise InvalidRequest(f"Two files would be saved as {place}.", hint="Finish them in two calls.")
        places[file] = place
    return places


def finished(file: Path, wish: dict[str, Any]) -> PixelArt:
    """One file, finished. Raises InvalidRequest for an image that cannot be read or that has no size to find."""
    from pixelrouter.pixels import FinishSpec, decode
    from pixelrouter.pixels import finish as run
    from pixelrouter.types import FREE, PixelArt

    image = decode(file).image
    size = wish["size"] or native_size(image, wish["pixel_size"], file.name)
    result = run(file, FinishSpec(**{**wish, "size": size}))
    return PixelArt(
        indexed=(result.indexed,),
        palette=result.palette,
        cost=FREE,
        paid=FREE,
        backend="finish",
        model=None,
        seed=None,
        attempts=(),
        reports=(result.report,),
    )


def native_size(image: Image, pixel_size: float | None, name: str) -> tuple[int, int]:
    """Width and height of the art hidden in an image: its cells. Raises InvalidRequest where nothing suggests any."""
    from pixelrouter.pixels import detect_grid
    from pixelrouter.types import MAX_SIDE

    width, height = image.size
    if pixel_size is not None:
        return max(1, round(width / pixel_size)), max(1, round(height / pixel_size))
    grid = detect_grid(image)
    if max(grid.size) > MAX_SIDE or (grid.size == image.size and not grid.native):
        raise InvalidRequest(
            f"No pixel grid was found in {name} ({width}x{height}).",
            hint="Say the size you want: --size 64, or how large a pixel is: --pixel-size 8.",
        )
    return grid.size
