"""``edit``, ``inpaint``, ``rotate``, ``animate``, ``tileset``, ``remove-background``: one command a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import draw
from pixelrouter.cli.output import command

Strength = Annotated[
    float | None, typer.Option(min=0, max=1, help="0 keeps the picture, 1 is free of it.", rich_help_panel=o.PICTURE)
]
Mask = Annotated[Path, typer.Argument(metavar="MASK", help="White where it is drawn anew.", show_default=False)]
Action = Annotated[str | None, typer.Option(help="What is done: walk, idle, attack …", rich_help_panel=o.PICTURE)]
Upper = Annotated[
    str | None, typer.Option(help="With wang: the ground that lies on the prompt's.", rich_help_panel=o.PICTURE)
]
Gif = Annotated[
    Path | None,
    typer.Option(
        "--gif", metavar="FILE.gif", help="A moving picture too: .gif, .png, .webp.", rich_help_panel=o.OUTPUT
    ),
]


def _something(prompt: str, image: Path | None) -> None:
    if not prompt.strip() and image is None:
        raise typer.BadParameter("give a prompt, or --image FILE.")


def _common(
    *,
    size: str | None,
    colors: int | None,
    palette: str | None,
    transparent: bool | None,
    seed: int | None,
    backend: str | None,
    route: str | None,
    model: str | None,
    option: list[str] | None,
    max_usd: float | None,
    timeout: float | None,
    fresh: bool,
) -> dict[str, Any]:
    return {
        **o.wish(route=route, backend=backend, palette=palette, policy=None, option=option),
        "size": size,
        "colors": colors,
        "transparent": transparent,
        "seed": seed,
        "model": model,
        "max_usd": max_usd,
        "timeout_s": timeout,
        "fresh": fresh,
    }


@command(pays=True)
def edit(
    image: o.Image,
    prompt: o.Prompt,
    strength: Strength = None,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Change a picture as the prompt says."""
    wish = {
        **_common(
            size=size,
            colors=colors,
            palette=palette,
            transparent=transparent,
            seed=seed,
            backend=backend,
            route=route,
            model=model,
            option=option,
            max_usd=max_usd,
            timeout=timeout,
            fresh=fresh,
        ),
        "task": "edit",
        "images": [image],
        "strength": strength,
    }
    saving = o.Saving(output, scale, as_json, quiet)
    return draw(prompt, wish, saving, dry_run=dry_run)


@command(pays=True)
def inpaint(
    image: o.Image,
    mask: Mask,
    prompt: o.Prompt,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw a part of a picture anew: where the mask is white."""
    wish = {
        **_common(
            size=size,
            colors=colors,
            palette=palette,
            transparent=transparent,
            seed=seed,
            backend=backend,
            route=route,
            model=model,
            option=option,
            max_usd=max_usd,
            timeout=timeout,
            fresh=fresh,
        ),
        "task": "inpaint",
        "images": [image],
        "mask": mask,
    }
    saving = o.Saving(output, scale, as_json, quiet)
    return draw(prompt, wish, saving, dry_run=dry_run)


@command(pays=True)
def rotate(
    prompt: o.OptionalPrompt = "",
    image: o.OptionalImage = None,
    views: o.ViewsOption = "4",
    sheet: o.SheetOption = False,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw the same subject from several sides."""
    _something(prompt, image)
    wish = {
        **_common(
            size=size,
            colors=colors,
            palette=palette,
            transparent=transparent,
            seed=seed,
            backend=backend,
            route=route,
            model=model,
            option=option,
            max_usd=max_usd,
            timeout=timeout,
            fresh=fresh,
        ),
        "task": "views",
        "images": [image] if image else [],
        "views": views,
        "layout": "sheet" if sheet else "frames",
    }
    saving = o.Saving(output, scale, as_json, quiet)
    return draw(prompt, wish, saving, dry_run=dry_run, name=prompt or (image.stem if image else ""))


@command(pays=True)
def animate(
    prompt: o.OptionalPrompt = "",
    action: Action = None,
    image: o.OptionalImage = None,
    frames: o.FramesOption = None,
    sheet: o.SheetOption = False,
    gif: Gif = None,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw a subject in motion: frames, a sheet, a moving picture."""
    _something(prompt, image)
    wish = {
        **_common(
            size=size,
            colors=colors,
            palette=palette,
            transparent=transparent,
            seed=seed,
            backend=backend,
            route=route,
            model=model,
            option=option,
            max_usd=max_usd,
            timeout=timeout,
            fresh=fresh,
        ),
        "task": "animation",
        "images": [image] if image else [],
        "action": action,
        "frames": frames,
        "layout": "sheet" if sheet else "frames",
    }
    saving = o.Saving(output, scale, as_json, quiet, gif)
    return draw(prompt, wish, saving, dry_run=dry_run, name=f"{prompt or (image.stem if image else '')} {action or ''}")


@command(pays=True)
def tileset(
    prompt: o.Prompt,
    tiles: o.TilesOption = "seamless",
    upper: Upper = None,
    sheet: o.SheetOption = False,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    transparent: o.Transparent = None,
    seed: o.Seed = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Draw tiles: one that repeats without a seam, or the 16 of a border between two grounds."""
    wish = {
        **_common(
            size=size,
            colors=colors,
            palette=palette,
            transparent=transparent,
            seed=seed,
            backend=backend,
            route=route,
            model=model,
            option=option,
            max_usd=max_usd,
            timeout=timeout,
            fresh=fresh,
        ),
        "task": "tileset",
        "tiles": tiles,
        "upper": upper,
        "layout": "sheet" if sheet else "frames",
    }
    saving = o.Saving(output, scale, as_json, quiet)
    return draw(prompt, wish, saving, dry_run=dry_run)


@command(pays=True)
def remove_background(
    image: o.Image,
    size: o.Size = None,
    colors: o.Colors = None,
    palette: o.Palette = None,
    seed: o.Seed = None,
    backend: o.BackendName = None,
    route: o.Route = None,
    model: o.Model = None,
    option: o.VendorOptions = None,
    max_usd: o.MaxUsd = None,
    timeout: o.Timeout = None,
    fresh: o.Fresh = False,
    dry_run: o.DryRun = False,
    output: o.Output = None,
    scale: o.Scale = 1,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> int:
    """Put the subject of a picture on transparent ground."""
    wish = {
        **_common(
            size=size,
            colors=colors,
            palette=palette,
            transparent=True,
            seed=seed,
            backend=backend,
            route=route,
            model=model,
            option=option,
            max_usd=max_usd,
            timeout=timeout,
            fresh=fresh,
        ),
        "task": "remove_background",
        "images": [image],
    }
    saving = o.Saving(output, scale, as_json, quiet)
    return draw("", wish, saving, dry_run=dry_run, name=f"{image.stem} cut out")
