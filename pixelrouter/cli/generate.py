"""``generate`` and ``quote``: one wish, drawn or only priced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import draw
from pixelrouter.cli.output import command, emit, say, table

if TYPE_CHECKING:
    from pixelrouter.types import Quote


@command(pays=True)
def generate(
    prompt: o.Prompt,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    n: o.Count = 1,
    policy: o.Policy = None,
    pixel_size: o.PixelSize = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    reference: o.References = None,
    commercial: o.Commercial = False,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    on_unknown: o.OnUnknown = None,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw a sprite and save it. The same command again costs nothing: it reuses what was paid for."""
    wish: dict[str, Any] = {
        **o.wish(route=route, backend=backend, palette=palette, policy=policy, option=option),
        "size": size,
        "colors": colors,
        "transparent": transparent,
        "seed": seed,
        "n": n,
        "model": model,
        "max_usd": max_usd,
        "timeout_s": timeout,
        "fresh": fresh,
        "pixel_size": pixel_size,
        "images": reference or (),
        "commercial": commercial,
        "on_unknown": on_unknown,
    }
    return draw(prompt, wish, o.Saving(output, scale, as_json, quiet), dry_run=dry_run)


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
    frames: o.FramesOption = None,
    tiles: o.TilesOption = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    fresh: o.Fresh = False,
    as_json: o.AsJson = False,
) -> None:
    """Say what a sprite would cost. Asking is free."""
    wish: dict[str, Any] = {
        **o.wish(route=route, backend=backend, palette=None, policy=None, option=option),
        "size": size,
        "transparent": transparent,
        "seed": seed,
        "n": n,
        "model": model,
        "fresh": fresh,
        "task": task.replace("-", "_"),
        "images": [image] if image else (),
        "views": views,
        "frames": frames,
        "tiles": tiles,
    }
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        quoted = router.quote(prompt, **wish)
    if as_json:
        emit(quoted.as_dict())
        return
    rows = [
        [step.backend, step.model or "-", _price(step), _namer(step.binding)] for step in (quoted.steps or (quoted,))
    ]
    if quoted.steps:
        rows.append(["both steps", quoted.model or "-", str(quoted.cost), ""])
    table(["backend", "model", "costs", "named by"], rows)
    for note in () if quoted.reused else quoted.notes:
        say(f"note: {note}")


def _price(quoted: Quote) -> str:
    return "nothing: it was paid for already" if quoted.reused else str(quoted.cost)


def _namer(binding: bool) -> str:
    return "the vendor" if binding else "pixelrouter's price list"
