"""``generate`` and ``quote``: one wish, drawn or only priced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import Shared, drawing
from pixelrouter.cli.output import command, emit, say, table

if TYPE_CHECKING:
    from pixelrouter.types import Quote


@drawing
def generate(prompt: o.Prompt, n: o.Count = 1, reference: o.References = None, *, shared: Shared) -> int:
    """Draw a sprite and save it. The same command again costs nothing: it reuses what was paid for."""
    return shared.draw(prompt, n=n, images=reference or ())


@command()
def quote(
    prompt: o.Prompt,
    size: o.Size = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    n: o.Count = 1,
    task: o.TaskName = "image",
    image: o.OptionalImage = None,
    views: o.ViewsOption = None,
    action: o.ActionOption = None,
    frames: o.FramesOption = None,
    tiles: o.TilesOption = None,
    upper: o.UpperOption = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    fresh: o.Fresh = False,
    as_json: o.AsJson = False,
) -> None:
    """Say what a sprite would cost. Asking is free."""
    wish: dict[str, Any] = {
        **o.wish(route=route, backend=backend, palette=None, option=option),
        "size": size,
        "transparent": transparent,
        "seed": seed,
        "n": n,
        "model": model,
        "fresh": fresh,
        "task": task.replace("-", "_"),
        "images": [image] if image else (),
        "views": views,
        "action": action,
        "frames": frames,
        "tiles": tiles,
        "upper": upper,
    }
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        quoted = router.quote(prompt, **wish)
    if as_json:
        emit(quoted.as_dict())
        return
    rows = [[step.backend, step.model or "-", _price(step), _namer(step)] for step in (quoted.steps or (quoted,))]
    if quoted.steps:
        rows.append(["both steps", quoted.model or "-", str(quoted.cost), ""])
    table(["backend", "model", "costs", "named by"], rows)
    for note in () if quoted.reused else quoted.notes:
        say(f"note: {note}")


def _price(quoted: Quote) -> str:
    return "nothing: it was paid for already" if quoted.reused else str(quoted.cost)


def _namer(quoted: Quote) -> str:
    vendor = quoted.binding or quoted.cost.source in ("quoted", "reported")
    return "the vendor" if vendor else "pixelrouter's price list"
