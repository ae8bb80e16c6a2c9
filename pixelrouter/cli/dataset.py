"""``dataset``: a folder of images as a training set for LoRAs, and the proof that nothing in it was interpolated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.exits import CHECK_FAILED, INTERRUPTED, worst
from pixelrouter.cli.files import check_folder
from pixelrouter.cli.output import command, emit, error_data, say, table
from pixelrouter.cli.waiting import counting
from pixelrouter.errors import InvalidRequest

if TYPE_CHECKING:
    from pixelrouter.dataset import Dataset
    from pixelrouter.pixels import Slicing

dataset = typer.Typer(name="dataset", help="Make training sets of pixel art for LoRAs.", no_args_is_help=True)

BUCKETS, SELECTION, CAPTIONS = "Buckets", "Which images", "Captions"
_TOLD = 8  # files that a note names

Source = Annotated[
    Path, typer.Argument(metavar="DIR|assets.lock", help="A folder with images, or a game's picks.", show_default=False)
]
Out = Annotated[
    Path, typer.Option("--output", "-o", metavar="OUT", help="Where the set goes.", rich_help_panel=o.OUTPUT)
]
Resolution = Annotated[int, typer.Option(help="The trainer's: 512, 768, 1024.", rich_help_panel=BUCKETS)]
Step = Annotated[int, typer.Option("--bucket-step", help="Sides are multiples of it.", rich_help_panel=BUCKETS)]
Least = Annotated[int, typer.Option("--min-bucket", help="Shortest side.", rich_help_panel=BUCKETS)]
Most = Annotated[int | None, typer.Option("--max-bucket", help="Longest side. Default: 1024.", rich_help_panel=BUCKETS)]
Square = Annotated[bool, typer.Option("--square", help="One square bucket.", rich_help_panel=BUCKETS)]
Factors = Annotated[
    str | None,
    typer.Option("--factor", metavar="N[,N…]", help="Enlarge by one of these only: 8,16.", rich_help_panel=BUCKETS),
]
Upscale = Annotated[
    bool, typer.Option("--upscale/--no-upscale", help="Enlarge into buckets, or stay at 1x.", rich_help_panel=BUCKETS)
]
Ground = Annotated[
    str, typer.Option(metavar="#rrggbb|none", help="What transparent pixels become.", rich_help_panel=BUCKETS)
]
Pad = Annotated[
    str, typer.Option(metavar="auto|ground|border|edge", help="What fills the bucket.", rich_help_panel=BUCKETS)
]
Frames = Annotated[str, typer.Option(metavar="first|all", help="Of moving pictures.", rich_help_panel=SELECTION)]
Slice = Annotated[
    str | None,
    typer.Option("--slice", metavar="gutters|views|WxH", help="Cut every image as a sheet.", rich_help_panel=SELECTION),
]
Trim = Annotated[bool, typer.Option("--trim", help="Cut off transparent margins.", rich_help_panel=SELECTION)]
MinSize = Annotated[int, typer.Option(min=1, help="Least pixels of the shorter side.", rich_help_panel=SELECTION)]
MaxSize = Annotated[int | None, typer.Option(min=1, help="Most pixels of the longer side.", rich_help_panel=SELECTION)]
MinConfidence = Annotated[
    float, typer.Option(min=0, max=1, help="Set aside grids less sure than that.", rich_help_panel=SELECTION)
]
ResampleSize = Annotated[
    int | None,
    typer.Option(min=1, help="Longer side of what --policy resample takes in.", rich_help_panel=SELECTION),
]
Dedupe = Annotated[
    str, typer.Option(metavar="exact|flipped|none", help="Which pictures count as one.", rich_help_panel=SELECTION)
]
Validation = Annotated[
    float, typer.Option(min=0, max=0.99, help="Share that is kept for validation.", rich_help_panel=SELECTION)
]
Template = Annotated[
    str,
    typer.Option(
        "--caption",
        metavar="TEMPLATE",
        help="{text} {name} {folder} {colors} {width} {height} {palette} {trigger}.",
        rich_help_panel=CAPTIONS,
    ),
]
Trigger = Annotated[str, typer.Option(metavar="WORD", help="In front of every caption.", rich_help_panel=CAPTIONS)]
Names = Annotated[
    bool, typer.Option("--names", help="A file's name is its caption where there is none.", rich_help_panel=CAPTIONS)
]
CaptionFiles = Annotated[
    str, typer.Option("--captions", metavar="both|txt|jsonl|none", help="Where they go.", rich_help_panel=CAPTIONS)
]
Repeats = Annotated[
    int | None, typer.Option(min=1, help="Pictures go to a folder N_TRIGGER.", rich_help_panel=CAPTIONS)
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Files at a time. Default: one a core.")]


@dataset.command("prepare")
@command()
@o.with_finishing
def prepare_set(
    source: Source,
    output: Out,
    colors: o.Colors = 32,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    resolution: Resolution = 1024,
    bucket_step: Step = 64,
    min_bucket: Least = 256,
    max_bucket: Most = None,
    square: Square = False,
    factor: Factors = None,
    upscale: Upscale = True,
    ground: Ground = "auto",
    pad: Pad = "auto",
    frames: Frames = "first",
    slicing: Slice = None,
    trim: Trim = False,
    min_size: MinSize = 8,
    max_size: MaxSize = None,
    min_confidence: MinConfidence = 0.0,
    resample_size: ResampleSize = None,
    dedupe: Dedupe = "exact",
    validation: Validation = 0.0,
    caption: Template = "{text}",
    trigger: Trigger = "",
    names: Names = False,
    captions: CaptionFiles = "both",
    repeats: Repeats = None,
    jobs: Jobs = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    *,
    finishing: Mapping[str, Any],
) -> int:
    """Make a training set of a folder of images: 1x, few colours, enlarged by whole factors into buckets, captioned.

    Free and offline. Nothing is interpolated, images without a pixel grid are set aside, sources are only read.
    """
    from pixelrouter.dataset import DatasetSpec, prepare
    from pixelrouter.pixels import FinishSpec
    from pixelrouter.pixels.batch.executors import executor

    wish: dict[str, Any] = {"colors": colors, "palette": o.palette_value(palette), "transparent": transparent}
    finish = FinishSpec(**{**wish, "policy": "reject", **finishing})
    spec = DatasetSpec(
        finish=finish,
        resample_size=resample_size,
        min_confidence=min_confidence,
        resolution=resolution,
        bucket_step=bucket_step,
        min_bucket=min_bucket,
        max_bucket=max_bucket,
        square=square,
        factors=_factors(factor),
        upscale=upscale,
        ground=ground,
        pad=pad,  # type: ignore[arg-type]  # checked there, as are the words below
        frames=frames,  # type: ignore[arg-type]  # checked there
        slicing=_slicing(slicing),
        trim=trim,
        min_size=min_size,
        max_size=max_size,
        dedupe=dedupe,  # type: ignore[arg-type]  # checked there
        validation=validation,
        caption=caption,
        trigger=trigger,
        names=names,
        captions=captions,  # type: ignore[arg-type]  # checked there
        palette_name=Path(palette).stem if palette and not palette.startswith("#") else "",
        repeats=repeats,
    )
    check_folder(output)
    folder, files = _source(source)
    try:
        with counting(quiet=quiet or as_json) as bar:
            workers = executor("local", jobs=jobs) if jobs else None
            made = prepare(folder, output, spec, workers, bar, files=files)
    except KeyboardInterrupt:
        say("Interrupted. What is done is kept; the same command does the rest.")
        return INTERRUPTED
    if as_json:
        errors = {name: error_data(error) for name, error in made.errors.items()}
        emit({**made.as_dict(), "changed": made.changed, "errors": errors})
    else:
        _tell(made, output, quiet=quiet)
    return worst(made.errors.values()) or (0 if made.pictures else CHECK_FAILED)


def _source(source: Path) -> tuple[Path, dict[str, str] | None]:
    """The folder to look into, and of a game's lock the picked pictures with their prompts. Raises ConfigError."""
    if source.suffix != ".lock" or source.is_dir():
        return source, None
    from pixelrouter.assets import load_manifest, read_lock

    if not source.is_file():
        raise InvalidRequest(f"There is no {source}.", hint="`pixelrouter build` makes it; or name a folder.")
    manifest = source.with_suffix(".toml")
    known = load_manifest(manifest).assets if manifest.is_file() else {}
    files = {}
    for name, locked in read_lock(source).assets.items():
        end = f"{name.rpartition('/')[2]}.png"
        if picture := next((path for path in sorted(locked.outputs) if path.endswith(end)), None):
            files[picture] = known[name].prompt if name in known else ""
    return source.parent, files


def _factors(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidRequest(f"--factor {text!r} is no whole factor.", hint="Give 8, or 8,16.") from None


def _slicing(text: str | None) -> Slicing | None:
    from pixelrouter.pixels import Slicing
    from pixelrouter.types import parse_size

    if text is None:
        return None
    if text in ("gutters", "views"):
        return Slicing(by=text)  # type: ignore[arg-type]  # one of its words
    return Slicing(by="cells", cell=parse_size(text, most=4096), skip_empty=True)


def _tell(made: Dataset, output: Path, *, quiet: bool) -> None:
    """The buckets as a table on stdout, the rest in words."""
    if made.pictures:
        rows = [
            (f"{wide}x{high}", number, ", ".join(f"x{factor}" for factor in _factors_of(made, (wide, high))))
            for (wide, high), number in made.bucket_counts.items()
        ]
        table(("bucket", "pictures", "enlarged"), rows)
    for one in made.aside:
        if one.why in ("unreadable", "failed"):
            say(f"error: {one.source}: {one.detail}")
    if quiet:
        return
    numbers = made.summary()
    for why, number in numbers["aside"].items():
        names = [one.source for one in made.aside if one.why == why]
        say(f"set aside, {why}: {number} ({', '.join(names[:_TOLD])}{', …' if number > _TOLD else ''})")
    if missing := made.without_caption:
        names = [Path(one.file).stem for one in missing[:_TOLD]]
        say(f"warning: no caption for {len(missing)}: {', '.join(names)}{', …' if len(missing) > _TOLD else ''}")
    for text in made.warnings:
        say(f"warning: {text}")
    say(f"{numbers['train']} to train, {numbers['validation']} to validate, {len(made.aside)} set aside")
    say(f"{made.changed} files written; see {output / 'dataset.html'}")


def _factors_of(made: Dataset, bucket: tuple[int, int]) -> list[int]:
    return sorted({one.factor for one in made.pictures if one.bucket == bucket})


@dataset.command("verify")
@command()
def verify_set(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A training set.", show_default=False)],
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Prove from the files that nothing was interpolated: every picture is its 1x, enlarged by its whole factor.

    Leaves with 3 if anything is wrong.
    """
    from pixelrouter.dataset import verify

    found = verify(folder)
    if as_json:
        emit(found.as_dict())
    else:
        for problem in found.problems:
            print(f"{problem.file}: {problem.rule}: {problem.what}")
        if not quiet:
            say(f"{found.pictures} pictures, {len(found.problems)} problems")
    return 0 if found.passed else CHECK_FAILED
