"""Stored files cut and finished: from raw bytes and a layout to images. Pure: no ledger, no network, no settings.

A purchase that has just arrived and a build that runs years later come through here, so both get the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from pixelrouter.errors import ConfigError, UnreadableImage
from pixelrouter.pixels import Cut, Decoded, Finished, FinishSpec, cut, finish, finish_many
from pixelrouter.pixels.colors.quantize import quantizer
from pixelrouter.routing.arguments import Finishing
from pixelrouter.types import VIEW_NAMES, GenerationRequest, Layout, Views

DEFAULT_COLORS = 32


def finish_spec(request: GenerationRequest, wishes: Mapping[str, Any], *, native: bool = False) -> FinishSpec:
    """What the finished images of a request shall be; ``wishes`` are routing.arguments.Finishing, None for not made.

    Raises InvalidRequest for what cannot be, ConfigError for what is not installed, while nothing is paid for yet.
    """
    if unknown := set(wishes) - set(Finishing.__annotations__):
        raise TypeError(f"There is no argument {sorted(unknown)[0]!r}.")
    fields = {name: value for name, value in wishes.items() if value is not None}
    for name in ("pixel_size", "origin"):  # JSON and config know lists only
        if isinstance(fields.get(name), Sequence):
            fields[name] = tuple(fields[name])
    quantizer(fields.get("quantizer", "auto"))  # says what is not installed
    if fields.get("matte") == "rembg" and find_spec("rembg") is None:
        raise ConfigError("rembg is not installed. Nothing was sent.", hint="pip install 'pixelrouter[rembg]'")
    return FinishSpec(
        size=request.size,
        colors=request.colors or (None if request.palette else DEFAULT_COLORS),
        palette=request.palette,
        transparent=request.transparent,
        native=native,
        **fields,
    )


def finished_images(
    raws: Sequence[str],
    raw_names: Sequence[str],
    layout: Layout,
    spec: FinishSpec,
    views: Views | None,
    read: Callable[[str], Decoded | bytes],
) -> tuple[list[Finished], tuple[str, ...], tuple[int, ...]]:
    """The finished images of the raws that ``read`` gives, their names, and their milliseconds where they move.

    The same arguments give the same images, whoever asks: a purchase, or a build years later.
    """
    cuts: list[Cut] = []
    for at, raw in enumerate(raws):
        try:
            one = cut(read(raw), layout)
        except UnreadableImage:
            continue  # the attempt's row says so; the others are still worth having
        label = raw_names[at] if at < len(raw_names) else ""
        if len(one.images) == 1:
            fallback = layout.names[at] if len(layout.names) == len(raws) > 1 else one.names[0]
            one = replace(one, names=(label or fallback,))
        elif label:
            one = replace(one, names=tuple(f"{label}/{name or number}" for number, name in enumerate(one.names)))
        elif len(raws) > 1:
            one = replace(one, names=tuple(f"{at}/{name or number}" for number, name in enumerate(one.names)))
        cuts.append(one)
    images = [image for one in cuts for image in one.images]
    # Frames, views and tiles belong together: one palette for all.
    done = [finish(image, spec) for image in images] if layout.is_plain else finish_many(images, spec)
    warnings = [one.warnings for one in cuts for _ in one.images]
    done = [
        replace(one, report=replace(one.report, warnings=(*extra, *one.report.warnings))) if extra else one
        for one, extra in zip(done, warnings, strict=True)
    ]
    times = tuple(time for one in cuts for time in one.durations)
    names = tuple(name for one in cuts for name in one.names)
    if views and set(names) == set(VIEW_NAMES[views]):
        # Vendors deliver views in orders of their own; a caller gets them in one.
        done = [done[names.index(view)] for view in VIEW_NAMES[views]]
        names = VIEW_NAMES[views]
    return done, names, times if any(times) else ()
