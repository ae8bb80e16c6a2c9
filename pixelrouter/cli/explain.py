"""``explain``: why a wish would go to which backend, and why not to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixelrouter.cli import options as o
from pixelrouter.cli.output import command, emit, say, table

if TYPE_CHECKING:
    from pixelrouter.routing.choosing.explanation import Considered


@command()
def explain(
    prompt: o.Prompt,
    size: o.Size = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    n: o.Count = 1,
    task: o.TaskName = "image",
    image: o.OptionalImage = None,
    reference: o.References = None,
    views: o.ViewsOption = None,
    action: o.ActionOption = None,
    frames: o.FramesOption = None,
    tiles: o.TilesOption = None,
    upper: o.UpperOption = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    commercial: o.Commercial = False,
    strategy: o.StrategyName = None,
    style_group: o.StyleGroup = None,
    restyle: o.Restyle = False,
    max_usd: o.MaxUsd = None,
    max_generations: o.MaxGenerations = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    as_json: o.AsJson = False,
) -> None:
    """Say which backend would draw a sprite, and why the others would not. Asking is free."""
    wish: dict[str, Any] = {
        **o.wish(route=route, backend=backend, palette=None, option=option),
        "size": size,
        "transparent": transparent,
        "seed": seed,
        "n": n,
        "task": task.replace("-", "_"),
        "images": [*([image] if image else []), *(reference or ())],
        "views": views,
        "action": action,
        "frames": frames,
        "tiles": tiles,
        "upper": upper,
        "model": model,
        "commercial": commercial,
        "strategy": strategy,
        "style_group": style_group,
        "restyle": restyle,
        "max_usd": max_usd,
        "max_generations": max_generations,
        "timeout_s": timeout,
        "fresh": fresh,
    }
    from pixelrouter import PixelRouter

    with PixelRouter() as router:
        found = router.explain(prompt, **wish)
    if as_json:
        emit(found.as_dict())
        return
    table(["", "backend", "model", "price", "why"], [_row(row) for row in found.rows])
    say(f"{found.chosen} would serve this." if found.chosen else "No backend would serve this.")


def _row(row: Considered) -> list[object]:
    price = str(row.price.cost) if row.price is not None else "-"
    return [row.place or "-", row.backend, row.model or "-", price, "; ".join(row.reasons)]
