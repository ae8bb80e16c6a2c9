"""The options that several commands share, and how their text becomes values."""

from __future__ import annotations

import functools
import inspect
import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pixelrouter.errors import InvalidRequest


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("should be a finite number.")
    return value


PICTURE, FINISHING, VENDOR = "The picture", "Finishing", "The backend"
MONEY, OUTPUT = "Money and time", "Output"

Prompt = Annotated[str, typer.Argument(help="What to draw.", show_default=False)]
Size = Annotated[str | None, typer.Option(metavar="N|WxH", help="Pixels of the sprite.", rich_help_panel=PICTURE)]
Colors = Annotated[int | None, typer.Option(min=1, max=256, help="Most colours.", rich_help_panel=PICTURE)]
Palette = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE|#hex,#hex", help="Use only these colours.", rich_help_panel=PICTURE),
]
Transparent = Annotated[
    bool | None,
    typer.Option("--transparent/--opaque", help="Insist on the background.", rich_help_panel=PICTURE),
]
PixelSize = Annotated[
    str | None,
    typer.Option(
        metavar="X|X,Y", help="Source pixels per sprite pixel; overrides detection.", rich_help_panel=FINISHING
    ),
]
Origin = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y", help="A cell's corner in source pixels; overrides detection.", rich_help_panel=FINISHING
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        metavar="snap|resample|reject|reroute", help="For an image without a clear grid.", rich_help_panel=FINISHING
    ),
]
Mode = Annotated[
    str | None,
    typer.Option(metavar="restore|convert", help="convert: a photo or painting.", rich_help_panel=FINISHING),
]
Dither = Annotated[
    str | None,
    typer.Option(
        metavar="none|bayer2|bayer4|bayer8|floyd-steinberg|atkinson|yliluoma",
        help="Pattern between two colours.",
        rich_help_panel=FINISHING,
    ),
]
OneBit = Annotated[bool, typer.Option("--one-bit", help="Two colours only.", rich_help_panel=FINISHING)]
Merge = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Merge colours this close (OKLab); 0: never.", rich_help_panel=FINISHING),
]
Quantizer = Annotated[
    str | None,
    typer.Option(metavar="auto|imagequant|own", help="What proposes the palette.", rich_help_panel=FINISHING),
]
PadPalette = Annotated[
    bool, typer.Option("--pad-palette", help="Keep palette colours that are not used.", rich_help_panel=FINISHING)
]
Matte = Annotated[
    str | None,
    typer.Option(metavar="key|rembg", help="How a background is cut out.", rich_help_panel=FINISHING),
]
Holes = Annotated[bool, typer.Option("--holes", help="Cut out enclosed background too.", rich_help_panel=FINISHING)]
Despill = Annotated[
    bool | None,
    typer.Option("--despill/--no-despill", help="Take the background's tint off outlines.", rich_help_panel=FINISHING),
]
MinScore = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=100,
        callback=_finite,
        help="Turn down what checks lower, and try the next backend.",
        rich_help_panel=FINISHING,
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, rich_help_panel=PICTURE)]
Count = Annotated[int, typer.Option("--n", "-n", min=1, max=64, help="How many images.", rich_help_panel=PICTURE)]
BackendName = Annotated[str | None, typer.Option("--backend", help="Use this backend.", rich_help_panel=VENDOR)]
Route = Annotated[str | None, typer.Option(metavar="A,B", help="Try these backends, in order.", rich_help_panel=VENDOR)]
Model = Annotated[str | None, typer.Option(help="Model or style of the backend.", rich_help_panel=VENDOR)]
VendorOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="KEY=VALUE",
        help="A vendor's own option; JSON or text. Repeatable.",
        rich_help_panel=VENDOR,
    ),
]
MaxUsd = Annotated[
    float | None, typer.Option(min=0, callback=_finite, help="Most dollars for this call.", rich_help_panel=MONEY)
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, callback=_finite, metavar="SECONDS", help="Longest wait for the image.", rich_help_panel=MONEY),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Buy anew, even if it was bought before.", rich_help_panel=MONEY)]
Asset = Annotated[str | None, typer.Option(metavar="NAME", help="What it is for; see `costs`.", rich_help_panel=MONEY)]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="WORD", help="A word to add costs up by. Repeatable.", rich_help_panel=MONEY),
]
Scale = Annotated[int, typer.Option(min=1, max=64, help="Enlarge the file by this factor.", rich_help_panel=OUTPUT)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only data and errors.", rich_help_panel=OUTPUT)]


References = Annotated[
    list[Path] | None,
    typer.Option("--reference", metavar="FILE", help="A reference image. Repeatable.", rich_help_panel=PICTURE),
]
Commercial = Annotated[
    bool, typer.Option("--commercial", help="Only models that clearly allow commercial use.", rich_help_panel=VENDOR)
]
StrategyName = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="in_order|cheapest|fastest|weighted",
        help="Which backend of the route is asked first.",
        rich_help_panel=VENDOR,
    ),
]
StyleGroup = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Its set of sprites, which keeps its backend.", rich_help_panel=VENDOR),
]
Restyle = Annotated[bool, typer.Option("--restyle", help="Let the set change its backend.", rich_help_panel=VENDOR)]
OnUnknown = Annotated[
    str | None,
    typer.Option(
        metavar="raise|spend_again", help="When the answer to a paid request was lost.", rich_help_panel=MONEY
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the requests, send nothing.", rich_help_panel=MONEY)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE.png",
        help="Where to save. Default: named by the prompt.",
        rich_help_panel=OUTPUT,
    ),
]
TaskName = Annotated[
    str,
    typer.Option("--task", metavar="TASK", help="What is to be drawn: image, edit, views …", rich_help_panel=PICTURE),
]
Image = Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture to work on.", show_default=False)]
OptionalImage = Annotated[
    Path | None, typer.Option("--image", metavar="FILE", help="A picture of the subject.", rich_help_panel=PICTURE)
]
OptionalPrompt = Annotated[str, typer.Argument(help="What to draw.", show_default=False)]
ActionOption = Annotated[str | None, typer.Option("--action", help="What is done: walk …", rich_help_panel=PICTURE)]
UpperOption = Annotated[
    str | None,
    typer.Option("--upper", help="With wang: the ground that lies on the prompt's.", rich_help_panel=PICTURE),
]
MaxGenerations = Annotated[
    float | None,
    typer.Option(min=0, callback=_finite, help="Most of a plan's generations for this call.", rich_help_panel=MONEY),
]
ViewsOption = Annotated[str | None, typer.Option(metavar="4|8|2x2", help="Which views.", rich_help_panel=PICTURE)]
FramesOption = Annotated[int | None, typer.Option(min=1, max=64, help="How many frames.", rich_help_panel=PICTURE)]
TilesOption = Annotated[
    str | None, typer.Option(metavar="seamless|wang", help="One tile, or a border's 16.", rich_help_panel=PICTURE)
]
SheetOption = Annotated[bool, typer.Option("--sheet", help="All images on one.", rich_help_panel=OUTPUT)]


def finishing(
    policy: Policy = None,
    mode: Mode = None,
    pixel_size: PixelSize = None,
    origin: Origin = None,
    dither: Dither = None,
    one_bit: OneBit = False,
    merge: Merge = None,
    quantizer: Quantizer = None,
    pad_palette: PadPalette = False,
    matte: Matte = None,
    holes: Holes = False,
    despill: Despill = None,
) -> dict[str, Any]:
    """The options of the panel Finishing as fields of FinishSpec: those that were given. Raises InvalidRequest."""
    given = {
        "policy": policy,
        "mode": mode,
        "pixel_size": pixel_size_value(pixel_size),
        "origin": origin_value(origin),
        "dither": dither,
        "one_bit": one_bit or None,
        "merge": merge,
        "quantizer": quantizer,
        "pad_palette": pad_palette or None,
        "matte": matte,
        "holes": holes or None,
        "despill": despill,
    }
    return {name: value for name, value in given.items() if value is not None}


def with_finishing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the options of :func:`finishing` before its own; it gets them as one mapping ``finishing``."""
    theirs = inspect.signature(finishing, eval_str=True).parameters
    own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "finishing"]

    @functools.wraps(function)
    def run(*args: Any, **given: Any) -> Any:
        # Whoever calls the function without the command line may leave options out.
        fields = finishing(**{name: given.pop(name) for name in theirs if name in given})
        return function(*args, finishing=fields, **given)

    # The command-line library reads options off a signature. Options without defaults (arguments) come first.
    first = [p for p in own if p.default is p.empty]
    both = (*first, *theirs.values(), *(p for p in own if p.default is not p.empty))
    run.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in both}
    return run


def wish(
    *, route: str | None, backend: str | None, palette: str | None, option: Sequence[str] | None
) -> dict[str, Any]:
    """The options that need more than a number, as the router takes them. Raises typer.BadParameter."""
    if route and backend:
        raise typer.BadParameter("--backend names one backend, --route several: use one of them.")
    return {
        "route": [part.strip() for part in route.split(",") if part.strip()] if route else None,
        "backend": backend,
        "palette": palette_value(palette),
        "options": vendor_options(option or ()) or None,
    }


def palette_value(text: str | None) -> str | list[str] | None:
    """Colours separated by commas as a list; a name or a file as it is."""
    if text and re.match(r"#?[0-9A-Fa-f]{6}\s*(,|$)|#", text):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def finished_size(text: str | None) -> tuple[int, int] | None:
    """The size of a finished image, which may be larger than any backend draws. Raises InvalidRequest."""
    from pixelrouter.pixels.spec import MAX_SIDE
    from pixelrouter.types import parse_size

    return parse_size(text, most=MAX_SIDE) if text else None


def origin_value(text: str | None) -> tuple[float, float] | None:
    """``X,Y`` as two numbers. Raises InvalidRequest."""
    if text is None:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidRequest(
            f"--origin {text!r} is not X,Y.", hint="Source pixels from the left and the top: 3.5,0."
        ) from None
    return x, y


def pixel_size_value(text: str | None) -> float | tuple[float, float] | None:
    """``X`` as a number, ``X,Y`` as two. Raises InvalidRequest."""
    if text is None:
        return None
    try:
        x, *more = (float(part) for part in text.split(","))
        (y,) = more or (None,)
    except ValueError:
        hint = "Source pixels of one cell: 8, or 7.5,8 where width and height differ."
        raise InvalidRequest(f"--pixel-size {text!r} is not X or X,Y.", hint=hint) from None
    return x if y is None else (x, y)


def vendor_options(pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value is JSON where it can be read as JSON, else text. Raises typer.BadParameter."""
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key.strip() or not equals:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--option")
        if key in options:
            raise typer.BadParameter(f"{key!r} is given twice.", param_hint="--option")
        try:
            options[key.strip()] = json.loads(value)
        except ValueError:
            options[key.strip()] = value
    return options
