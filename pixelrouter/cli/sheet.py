"""``sheet``: sprite sheets cut, finished with one grid and one palette, registered and packed, without any vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.files import check_folder, check_target
from pixelrouter.cli.output import command, emit, say
from pixelrouter.cli.pictures import images_in, save_json, save_picture
from pixelrouter.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL.Image import Image

    from pixelrouter.pixels import Slicing

sheet = typer.Typer(name="sheet", help="Cut, finish, register and pack sprite sheets.", no_args_is_help=True)

CUTTING, PLACING = "How it is cut", "Where frames stand"

File = Annotated[Path, typer.Argument(help="The sheet.", show_default=False)]
Files = Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER|PATTERN…", help="The images.", show_default=False)]
Folder = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FOLDER", help="Default: a folder beside it.", rich_help_panel=o.OUTPUT),
]
Cells = Annotated[
    str | None, typer.Option("--cells", metavar="N|WxH", help="Equal cells of this size.", rich_help_panel=CUTTING)
]
Grid = Annotated[
    str | None, typer.Option("--grid", metavar="CxR", help="So many columns and rows.", rich_help_panel=CUTTING)
]
Views = Annotated[bool, typer.Option("--views", help="Four views, two by two.", rich_help_panel=CUTTING)]
Gutters = Annotated[
    bool, typer.Option("--gutters", help="Along the empty lines between sprites; the default.", rich_help_panel=CUTTING)
]
Margin = Annotated[int, typer.Option(min=0, help="Pixels around all cells.", rich_help_panel=CUTTING)]
Spacing = Annotated[int, typer.Option(min=0, help="Pixels between two cells.", rich_help_panel=CUTTING)]
MinGutter = Annotated[int, typer.Option(min=1, help="Least width of a gutter.", rich_help_panel=CUTTING)]
Join = Annotated[
    bool, typer.Option("--join/--no-join", help="Small parts belong to the sprite beside.", rich_help_panel=CUTTING)
]
SkipEmpty = Annotated[bool, typer.Option("--skip-empty", help="Leave out empty cells.", rich_help_panel=CUTTING)]
AnchorName = Annotated[
    str, typer.Option("--anchor", metavar="feet|centre|mass", help="What is kept in place.", rich_help_panel=PLACING)
]
AxesName = Annotated[
    str, typer.Option("--axes", metavar="both|x|y", help="x: a jump stays a jump.", rich_help_panel=PLACING)
]


def slicing_of(
    cells: str | None,
    grid: str | None,
    views: bool,
    gutters: bool,
    margin: int,
    spacing: int,
    min_gutter: int,
    join: bool,
    skip_empty: bool,
) -> Slicing:
    """The way to cut that the options name. Raises typer.BadParameter for two ways, InvalidRequest for a wrong one."""
    from pixelrouter.pixels import Slicing

    if sum((cells is not None, grid is not None, views, gutters)) > 1:
        raise typer.BadParameter("--cells, --grid, --views and --gutters are four ways to cut: use one of them.")
    return Slicing(
        by="cells" if cells or grid else "views" if views else "gutters",
        cell=pair(cells, "--cells") if cells else None,
        grid=pair(grid, "--grid") if grid else None,
        margin=margin,
        spacing=spacing,
        min_gutter=min_gutter,
        join=join,
        skip_empty=skip_empty,
    )


def pair(text: str, option: str) -> tuple[int, int]:
    """``"32"`` or ``"32x48"`` as two numbers from 1. Raises typer.BadParameter."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise typer.BadParameter(f"{text!r} is not N or NxM.", param_hint=option)
    return int(parts[0]), int(parts[-1])


@sheet.command("slice")
@command()
def slice_file(
    file: File,
    cells: Cells = None,
    grid: Grid = None,
    views: Views = False,
    gutters: Gutters = False,
    margin: Margin = 0,
    spacing: Spacing = 0,
    min_gutter: MinGutter = 1,
    join: Join = True,
    skip_empty: SkipEmpty = False,
    output: Folder = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw the cuts over the sheet.", rich_help_panel=o.OUTPUT),
    ] = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Cut a sheet into its images, pixel by pixel as they are. `sheet finish` makes them real pixel art as well."""
    from pixelrouter.pixels import decode, slice_boxes

    slicing = slicing_of(cells, grid, views, gutters, margin, spacing, min_gutter, join, skip_empty)
    folder = _folder(output, file)
    if picture:
        check_target(picture)
    image = decode(file).image
    boxes = slice_boxes(image, slicing)
    parts = [image.crop(box) for box in boxes]
    saved = _save_all(parts, folder, file.stem)
    if picture:
        save_picture(outlined(image, boxes), picture)
    if as_json:
        rows = [{"file": str(path), "box": list(box)} for path, box in zip(saved, boxes, strict=True)]
        emit({"source": str(file), "size": list(image.size), "by": slicing.by, "images": rows})
        return 0
    _tell(parts, saved, f"{file.name} | {image.width}x{image.height} | {len(parts)} images by {slicing.by}", quiet)
    return 0


@sheet.command("finish")
@command()
@o.with_finishing
def finish_file(
    file: File,
    cells: Cells = None,
    grid: Grid = None,
    views: Views = False,
    gutters: Gutters = False,
    margin: Margin = 0,
    spacing: Spacing = 0,
    min_gutter: MinGutter = 1,
    join: Join = True,
    skip_empty: SkipEmpty = False,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    anchor: Annotated[
        str | None,
        typer.Option(metavar="feet|centre|mass", help="Register the frames.", rich_help_panel=PLACING),
    ] = None,
    axes: AxesName = "both",
    output: Folder = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    *,
    finishing: Mapping[str, Any],
) -> int:
    """Finish every image of a sheet: one pixel grid and one palette over all of them, no pixel cut in two."""
    from pixelrouter.pixels import FinishSpec, finish_sheet

    slicing = slicing_of(cells, grid, views, gutters, margin, spacing, min_gutter, join, skip_empty)
    wish: dict[str, Any] = {
        "size": o.finished_size(size),
        "palette": o.palette_value(palette),
        "transparent": transparent,
        **({"colors": colors} if colors else {}),  # else the post-processor's own default
        **finishing,
    }
    spec = FinishSpec(**wish)
    folder = _folder(output, file)
    done = finish_sheet(file, slicing, spec, anchor=anchor, axes=axes)  # type: ignore[arg-type]  # checked there
    saved = _save_all([one.image for one in done], folder, file.stem, scale=scale)
    result = done[0].report
    if as_json:
        rows = [{"file": str(path), **one.report.as_dict()} for path, one in zip(saved, done, strict=True)]
        emit({"source": str(file), "by": slicing.by, "palette": list(done[0].palette), "images": rows})
        return 0
    line = (
        f"{file.name} | {len(done)} images | {result.colors_before} -> {len(done[0].palette)} colours | "
        f"{result.method}, confidence {result.confidence:.2f}"
    )
    _tell([one.image for one in done], saved, line, quiet)
    for warning in dict.fromkeys(warning for one in done for warning in one.report.warnings):
        say(f"warning: {warning}")
    return 0


@sheet.command("register")
@command()
def register_files(
    files: Files,
    anchor: AnchorName = "feet",
    axes: AxesName = "both",
    size: Annotated[
        str | None, typer.Option(metavar="N|WxH", help="Canvas of the frames.", rich_help_panel=PLACING)
    ] = None,
    output: Folder = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Move frames by whole pixels so that a figure stands still: its feet, the middle of its box or its mass."""
    from pixelrouter.pixels import decode, register

    sources = images_in(files)
    folder = _folder(output, sources[0], "registered")
    frames = [(path, frame) for path in sources for frame in decode(path).frames]
    canvas = pair(size, "--size") if size else None
    done = register([frame for _, frame in frames], anchor, axes=axes, size=canvas)  # type: ignore[arg-type]  # checked there
    stem = sources[0].stem if len(sources) == 1 else None
    saved = _save_all(done.frames, folder, stem, names=[path.stem for path, _ in frames])
    if as_json:
        emit(
            {
                "files": [str(path) for path in saved],
                "size": list(done.frames[0].size),
                "shifts": [list(shift) for shift in done.shifts],
                "jitter_before": list(done.jitter_before),
                "jitter_after": list(done.jitter_after),
            }
        )
        return 0
    (bx, by), (ax, ay) = done.jitter_before, done.jitter_after
    line = f"{len(saved)} frames by {anchor} | jitter {bx:.2f}, {by:.2f} -> {ax:.2f}, {ay:.2f} pixels (x, y)"
    _tell(done.frames, saved, line, quiet)
    return 0


@sheet.command("pack")
@command()
def pack_files(
    files: Files,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE.png", help="The sheet; its JSON beside it.", show_default=False),
    ],
    method: Annotated[
        str, typer.Option(metavar="maxrects|shelf|grid", help="grid: equal cells, for animations.")
    ] = "maxrects",
    columns: Annotated[int | None, typer.Option(min=1, help="Columns of a grid.")] = None,
    spacing: Annotated[int, typer.Option(min=0, help="Pixels between two images.")] = 0,
    margin: Annotated[int, typer.Option(min=0, help="Pixels around all images.")] = 0,
    extrude: Annotated[int, typer.Option(min=0, help="Repeat the border pixels outwards.")] = 0,
    trim: Annotated[bool, typer.Option("--trim", help="Take transparent margins off.")] = False,
    power_of_two: Annotated[bool, typer.Option("--power-of-two", help="Sides that are powers of two.")] = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Put images on one sheet and write where they lie as JSON (Aseprite's array format)."""
    from pixelrouter.pixels import decode, pack

    check_target(output)
    sources = [file for file in images_in(files) if file.absolute() != output.absolute()]
    names, durations, frames = [], [], []
    for path in sources:
        decoded = decode(path)
        moving = len(decoded.frames) > 1
        for at, (frame, duration) in enumerate(zip(decoded.frames, decoded.durations, strict=True)):
            names.append(f"{path.stem}-{at + 1}" if moving else path.stem)
            durations.append(duration)
            frames.append(frame)
    packed = pack(
        frames,
        method,  # type: ignore[arg-type]  # checked there
        columns=columns,
        spacing=spacing,
        margin=margin,
        extrude=extrude,
        trim=trim,
        power_of_two=power_of_two,
    )
    data = packed.as_dict(output.name, names, durations)
    saved = [save_picture(packed.image, output), save_json(data, output.with_suffix(".json"))]
    if as_json:
        emit({"files": [str(path) for path in saved], **data})
        return 0
    width, height = packed.image.size
    used = sum((box[2] - box[0]) * (box[3] - box[1]) for box in packed.boxes) / (width * height)
    _tell([packed.image], saved, f"{len(frames)} images | {width}x{height} | {used:.0%} used", quiet)
    return 0


def outlined(image: Image, boxes: Sequence[tuple[int, int, int, int]]) -> Image:
    """A sheet, enlarged where it is small, with a line around every image and its number."""
    from PIL import ImageDraw
    from PIL.Image import Resampling

    factor = max(1, 800 // max(image.size))
    out = image.resize((image.width * factor, image.height * factor), Resampling.NEAREST).convert("RGBA")
    draw = ImageDraw.Draw(out)
    for number, (left, top, right, bottom) in enumerate(boxes, 1):
        corners = (left * factor, top * factor, right * factor - 1, bottom * factor - 1)
        draw.rectangle(corners, outline="#ff0040")
        draw.text((corners[0] + 2, corners[1] + 1), str(number), fill="#ffffff", stroke_width=1, stroke_fill="#000000")
    return out


def _folder(output: Path | None, file: Path, suffix: str = "frames") -> Path:
    folder = output or file.parent / f"{file.stem}-{suffix}"
    check_folder(folder)
    return folder


def _save_all(
    images: Sequence[Image],
    folder: Path,
    stem: str | None,
    *,
    names: Sequence[str] = (),
    scale: int = 1,
) -> list[Path]:
    """Numbered files after ``stem``; without one under ``names``. Raises InvalidRequest for two of one name."""
    digits = len(str(len(images)))
    files = [folder / f"{stem}-{at:0{digits}}.png" for at in range(1, len(images) + 1)]
    if stem is None:
        files = [folder / f"{name}.png" for name in names]
        if len(set(files)) < len(files):
            raise InvalidRequest("Two frames have one name.", hint="Rename the files, or register a film alone.")
    return [save_picture(image, file, scale=scale) for image, file in zip(images, files, strict=True)]


def _tell(images: Sequence[Image], files: Sequence[Path], line: str, quiet: bool) -> None:
    if not quiet:
        from pixelrouter.cli.preview import show  # rich takes its time to load

        show(images)
        say(line)
    for path in files:
        print(path)
