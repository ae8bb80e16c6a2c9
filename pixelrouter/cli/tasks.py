"""``edit``, ``inpaint``, ``rotate``, ``animate``, ``tileset``, ``remove-background``: one command a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pixelrouter.cli import options as o
from pixelrouter.cli.drawing import Shared, drawing

Strength = Annotated[
    float | None, typer.Option(min=0, max=1, help="0 keeps the picture, 1 is free of it.", rich_help_panel=o.PICTURE)
]
Mask = Annotated[Path, typer.Argument(metavar="MASK", help="White where it is drawn anew.", show_default=False)]
Gif = Annotated[
    Path | None,
    typer.Option(
        "--gif", metavar="FILE.gif", help="A moving picture too: .gif, .png, .webp.", rich_help_panel=o.OUTPUT
    ),
]


@drawing
def edit(image: o.Image, prompt: o.Prompt, strength: Strength = None, *, shared: Shared) -> int:
    """Change a picture as the prompt says."""
    return shared.draw(prompt, task="edit", images=[image], strength=strength)


@drawing
def inpaint(image: o.Image, mask: Mask, prompt: o.Prompt, *, shared: Shared) -> int:
    """Draw a part of a picture anew: where the mask is white."""
    return shared.draw(prompt, task="inpaint", images=[image], mask=mask)


@drawing
def rotate(
    prompt: o.OptionalPrompt = "",
    image: o.OptionalImage = None,
    views: o.ViewsOption = "4",
    sheet: o.SheetOption = False,
    *,
    shared: Shared,
) -> int:
    """Draw the same subject from several sides."""
    name = _subject(prompt, image)
    images = [image] if image else []
    return shared.draw(prompt, name=name, task="views", images=images, views=views, layout=_layout(sheet=sheet))


@drawing
def animate(
    prompt: o.OptionalPrompt = "",
    action: o.ActionOption = None,
    image: o.OptionalImage = None,
    frames: o.FramesOption = None,
    sheet: o.SheetOption = False,
    gif: Gif = None,
    *,
    shared: Shared,
) -> int:
    """Draw a subject in motion: frames, a sheet, a moving picture."""
    return shared.draw(
        prompt,
        name=f"{_subject(prompt, image)} {action or ''}",
        animation=gif,
        task="animation",
        images=[image] if image else [],
        action=action,
        frames=frames,
        layout=_layout(sheet=sheet),
    )


@drawing
def tileset(
    prompt: o.Prompt,
    tiles: o.TilesOption = "seamless",
    upper: o.UpperOption = None,
    sheet: o.SheetOption = False,
    *,
    shared: Shared,
) -> int:
    """Draw tiles: one that repeats without a seam, or those of a border between two grounds."""
    return shared.draw(prompt, task="tileset", tiles=tiles, upper=upper, layout=_layout(sheet=sheet))


@drawing
def remove_background(image: o.Image, *, shared: Shared) -> int:
    """Put the subject of a picture on transparent ground."""
    name = f"{image.stem} cut out"
    return shared.draw("", name=name, task="remove_background", images=[image], transparent=True)


def _subject(prompt: str, image: Path | None) -> str:
    """What a file is called after: the prompt, else the picture. Raises typer.BadParameter where there is neither."""
    if not prompt.strip() and image is None:
        raise typer.BadParameter("give a prompt, or --image FILE.")
    return prompt.strip() or (image.stem if image else "")


def _layout(*, sheet: bool) -> str:
    return "sheet" if sheet else "frames"
