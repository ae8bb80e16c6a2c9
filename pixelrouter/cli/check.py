"""``check``: image files against the rules of true pixel art; the exit code says whether all of them pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED, worst
from pixelrouter.cli.files import check_folder, check_target
from pixelrouter.cli.output import command, emit, error_data, report, say, table
from pixelrouter.cli.pictures import images_in
from pixelrouter.cli.waiting import counting
from pixelrouter.errors import InvalidRequest, PixelRouterError, StoreError

if TYPE_CHECKING:
    from pixelrouter.pixels import CheckReport

_TOLD = 3  # findings that are told of a file in words; --json has them all

Sources = Annotated[
    list[Path],
    typer.Argument(metavar="FILE|FOLDER|PATTERN…", help="Image files, or folders of them.", show_default=False),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        metavar="FOLDER|FILE.png",
        help="Draw what was found over each image.",
        rich_help_panel=o.OUTPUT,
    ),
]
Least = Annotated[float | None, typer.Option("--min-score", min=0, max=100, help="What an image has to reach: 80.")]
Colors = Annotated[int | None, typer.Option(min=1, max=256, help="Most colours an image may have: 64.")]
Palette = Annotated[str | None, typer.Option(metavar="NAME|FILE|#hex,#hex", help="The only colours it may have.")]
Size = Annotated[str | None, typer.Option(metavar="N|WxH", help="How many pixels its art should have.")]
GAME = "For a game"
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", metavar="N|WxH", help="Sheets of cells of this size.", rich_help_panel=GAME),
]
Tile = Annotated[
    bool, typer.Option("--tile", help="Tiles, or sheets of tiles: no seam may show.", rich_help_panel=GAME)
]
AxesName = Annotated[
    str, typer.Option("--axes", metavar="both|x|y", help="In which directions tiles repeat.", rich_help_panel=GAME)
]
MaxSeam = Annotated[
    float | None, typer.Option(min=0, help="Highest seam score that passes: 0.5.", rich_help_panel=GAME)
]
Frames = Annotated[
    bool,
    typer.Option(
        "--frames",
        help="Animations (moving pictures, rows of a --sheet, or all files together): feet stay on one line.",
        rich_help_panel=GAME,
    ),
]
MaxJitter = Annotated[
    float | None,
    typer.Option(min=0, help="Pixels that feet may stray: 4 % of the height, at least 1.", rich_help_panel=GAME),
]
Native = Annotated[
    bool, typer.Option("--native", help="Every pixel of the file is one of the art.", rich_help_panel=GAME)
]
Require = Annotated[
    str | None,
    typer.Option(
        metavar="RULE,RULE…",
        help="Rules that may not be broken anywhere: alpha, hidden, orphans …",
        rich_help_panel=GAME,
    ),
]


@command()
def check(
    sources: Sources,
    min_score: Least = None,
    colors: Colors = None,
    palette: Palette = None,
    size: Size = None,
    sheet: Sheet = None,
    tile: Tile = False,
    axes: AxesName = "both",
    max_seam: MaxSeam = None,
    frames: Frames = False,
    max_jitter: MaxJitter = None,
    native: Native = False,
    require: Require = None,
    annotate: Picture = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Say how true images are to pixel art: one pixel size, one grid, few colours, clean lines. Free and offline.

    Leaves with 3 if an image scores less than --min-score, or is not what --size, --colors, --palette, --sheet, --tile,
    --frames and --require ask for.
    """
    from pixelrouter.pixels import resolve_palette  # loaded once the command line is known to be right

    colours = o.palette_value(palette)
    wish: dict[str, Any] = {
        "colors": colors,
        "palette": None if colours is None else resolve_palette(colours),
        "size": o.finished_size(size),
        "cell": o.finished_size(sheet),
        "tile": axes if tile else None,
        "max_seam": max_seam,
        "max_jitter": max_jitter,
        "native": native,
        **({} if min_score is None else {"threshold": min_score}),
    }
    wish["required"] = _required(wish, frames, require)
    files = images_in(sources, deep=True)
    pictures = _pictures(files, annotate)
    reports: dict[Path, CheckReport] = {}
    errors: dict[Path, PixelRouterError] = {}
    drawn: dict[Path, Path] = {}
    with counting(quiet=quiet or as_json or len(files) < 2) as bar:
        for number, file in enumerate(files, 1):
            try:
                reports[file] = _checked(file, wish, pictures.get(file), moves=frames)
            except PixelRouterError as error:  # one bad file does not stop the rest
                errors[file] = error
            else:
                drawn |= {file: pictures[file]} if file in pictures else {}
            _count(bar, number, len(files))
    if frames and sheet is None:
        _as_one(reports, max_jitter)
    failed = [file for file, found in reports.items() if not found.passed]
    if as_json:
        emit([_row(file, reports.get(file), errors.get(file), drawn.get(file)) for file in files])
    else:
        _tell(reports, drawn, quiet=quiet)
        for file, problem in errors.items():
            report(problem, prefix=f"{file}: ")
        if len(files) > 1 and not quiet:
            parts = {"passed": len(reports) - len(failed), "failed": len(failed), "unreadable": len(errors)}
            say(", ".join(f"{count} {word}" for word, count in parts.items() if count))
    return worst(errors.values()) or (CHECK_FAILED if failed else 0)


def _pictures(files: list[Path], place: Path | None) -> dict[Path, Path]:
    """Where each file's annotated picture goes. Raises InvalidRequest before any work if one cannot be written."""
    if place is None:
        return {}
    if place.suffix.lower() == ".png" and not place.is_dir():
        if len(files) > 1:
            raise InvalidRequest(f"{place} is one file.", hint="Name a folder for the pictures: --annotate FOUND.")
        places = {files[0]: place}
    else:
        check_folder(place)
        places = {}
        for file in files:
            # Files of one name from several folders: the later ones are numbered.
            names = (f"{file.stem}-check{number}.png" for number in ("", *(f"-{n}" for n in range(2, len(files) + 2))))
            taken = set(places.values())
            places[file] = next(path for name in names if (path := place / name) not in taken)
    for file, path in places.items():
        check_target(path)
        if path.absolute() in {each.absolute() for each in files}:
            raise InvalidRequest(f"{path} would overwrite an image that is checked.", hint=f"Checked was {file}.")
    return places


def _required(wish: dict[str, Any], moves: bool, require: str | None) -> tuple[str, ...]:
    """What was asked for outright has to be so, however little else it would cost."""
    asked = {
        "colors": wish["colors"] is not None or wish["palette"] is not None,
        "size": wish["size"] is not None or wish["cell"] is not None,
        "seam": wish["tile"] is not None,
        "jitter": moves,
    }
    named = [name.strip() for name in (require or "").split(",") if name.strip()]
    return tuple(dict.fromkeys([*(name for name, is_ in asked.items() if is_), *named]))


def _as_one(reports: dict[Path, CheckReport], max_jitter: float | None) -> None:
    """Stills among the files are the frames of one animation, in the order of the files."""
    from pixelrouter.pixels.check.checking import with_motion

    stills = [file for file, found in reports.items() if found.frames == 1]
    if len(stills) > 1:
        together = with_motion([reports[file] for file in stills], stills, max_jitter)
        reports.update(zip(stills, together, strict=True))


def _checked(file: Path, wish: dict[str, Any], picture: Path | None, *, moves: bool) -> CheckReport:
    """One file's report; its picture is drawn. Raises UnreadableImage, StoreError."""
    from pixelrouter.pixels import annotate, decode
    from pixelrouter.pixels import check as run

    image = decode(file)
    # Stills without a sheet are frames of one animation together, which is seen to when all of them are read.
    found = run(image, **wish, moves=moves and (wish["cell"] is not None or len(image.frames) > 1))
    if picture is not None:
        try:
            picture.parent.mkdir(parents=True, exist_ok=True)
            annotate(image, found).save(picture)
        except OSError as error:
            raise StoreError(f"{picture} cannot be written: {error}.") from error
    return found


def _count(bar: Callable[..., None] | None, done: int, total: int) -> None:
    if bar is not None:
        from pixelrouter.pixels.batch.batch import Step

        bar(Step("checking", done, total, done - 1))


def _row(file: Path, found: CheckReport | None, error: PixelRouterError | None, picture: Path | None) -> dict[str, Any]:
    if found is None:
        return {"source": str(file), "error": error_data(error) if error else None}
    return {"source": str(file), "annotated": str(picture) if picture else None, **found.as_dict()}


def _tell(reports: dict[Path, CheckReport], drawn: dict[Path, Path], *, quiet: bool) -> None:
    """The files as a table on stdout, and in words what is wrong with those that fail."""
    if not reports:
        return
    rows = [
        [
            "pass" if found.passed else "FAIL",
            f"{found.score:g}",
            file,
            f"{found.cells[0]}x{found.cells[1]}",
            "x".join(f"{side:g}" for side in found.pixel_size),
            found.colors,
            ", ".join(f"{rule.name} {rule.score:.0f}" for rule in found.rules if round(rule.score) < 100) or "-",
        ]
        for file, found in reports.items()
    ]
    table(["", "score", "file", "pixels", "of", "colours", "rules below 100"], rows)
    if quiet:
        return
    for file, found in reports.items():
        if not found.passed:
            say(f"\n{file}:")
            first = sorted(found.findings, key=lambda one: one.rule not in found.unmet)
            for finding in first[:_TOLD]:
                frame = f"frame {finding.frame}: " if found.frames > 1 else ""
                say(f"  {frame}{finding.what} {_where(finding.boxes)}{finding.advice}")
    for picture in drawn.values():
        say(f"drawn: {picture}")


def _where(boxes: tuple[tuple[int, int, int, int], ...]) -> str:
    """The first places in words, empty where it is everywhere."""
    if not boxes:
        return ""
    places = ", ".join(f"({box[0]}, {box[1]})" for box in boxes[:3])
    return f"At {places}{', …' if len(boxes) > 3 else ''}. "
