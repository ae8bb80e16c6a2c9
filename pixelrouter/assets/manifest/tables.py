"""What may be written in ``assets.toml``: one model a table, with the words that docs and the JSON Schema show."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from pixelrouter.assets.asset import Provenance, TagDirection
from pixelrouter.assets.manifest.names import NAME_PATTERN, OUTSIDE
from pixelrouter.assets.manifest.values import (
    Amount,
    Exclude,
    Exports,
    Flag,
    ForEach,
    Formats,
    Names,
    Number,
    Options,
    PaletteWord,
    Pivot,
    PixelSize,
    Point,
    Size,
    TaskWord,
    Text,
    Texts,
    ViewsWord,
    Whole,
)
from pixelrouter.types import Tiles

#: The words of ``routing.arguments.Finishing``: they change the finished picture, and never what is bought.
FINISHING = (
    *("policy", "pixel_size", "origin", "mode", "dither", "one_bit", "merge", "quantizer", "pad_palette"),
    *("matte", "holes", "despill"),
)


class Table(BaseModel):
    """A table whose every word is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Wishes(Table):
    """What may be said once for all assets, for a style, or for one asset; the nearest word holds."""

    backend: Text | None = Field(None, min_length=1, description="The one vendor that draws.")
    route: Names | None = Field(None, description="Vendors to try in this order, instead of backend.")
    model: Text | None = Field(None, min_length=1, description="The vendor's model or style.")
    options: Options | None = Field(None, description="The vendor's own parameters, under its own names.")
    commercial: Flag | None = Field(None, description="Only models whose licence clearly allows commercial use.")

    task: TaskWord | None = Field(
        None, description="What is drawn: image, edit, inpaint, views, animation, tileset or remove-background."
    )
    size: Size | None = Field(None, description='The sprite\'s own pixels: 16, "16x24" or [16, 24].')
    n: Whole | None = Field(None, ge=1, le=64, description="How many candidates to choose from.")
    transparent: Flag | None = Field(None, description="A transparent background (true), or an opaque one (false).")
    prefix: Text | None = Field(None, description="Stands before every prompt.")
    suffix: Text | None = Field(None, description="Stands behind every prompt.")
    references: Texts | None = Field(
        None, description='Pictures to follow: files, patterns ("art/ref/*.png"), or "asset:NAME".'
    )
    strength: Number | None = Field(None, ge=0, le=1, description="edit: 0 keeps the picture, 1 is free of it.")
    views: ViewsWord | None = Field(None, description='views: "2x2", 4 or 8 sides.')
    action: Text | None = Field(None, min_length=1, description='animation: what is done, "walk".')
    frames: Whole | None = Field(None, ge=1, le=64, description="animation: in how many frames.")
    tiles: Tiles | None = Field(None, description='tileset: one "seamless" tile, or the 16 "wang" tiles of a border.')
    upper: Text | None = Field(None, min_length=1, description="tileset: the ground that lies on the prompt's.")

    palette: PaletteWord | None = Field(
        None, description='A built-in name, a palette file, or a list of colours; "none" for no palette.'
    )
    colors: Whole | None = Field(None, ge=1, le=256, description="Most visible colours.")
    policy: Literal["snap", "resample", "reject", "reroute"] | None = Field(
        None, description="What to do with a picture that has no clear pixel grid."
    )
    pixel_size: PixelSize | None = Field(
        None, description="Source pixels a pixel of the art, one number or [x, y], instead of detection."
    )
    origin: Point | None = Field(None, description="[x, y] of one corner of a cell, instead of detection.")
    mode: Literal["restore", "convert"] | None = Field(
        None, description="Restore the pixels of pixel art, or convert a photo or painting."
    )
    dither: Literal["none", "bayer2", "bayer4", "bayer8", "floyd-steinberg", "atkinson", "yliluoma"] | None = Field(
        None, description="The pattern between two colours."
    )
    one_bit: Flag | None = Field(None, description="Two colours only.")
    merge: Number | None = Field(None, ge=0, le=1, description="OKLab distance within which colours count as one.")
    quantizer: Literal["auto", "imagequant", "own"] | None = Field(None, description="What proposes the palette.")
    pad_palette: Flag | None = Field(None, description="Keep palette colours that are not used.")
    matte: Literal["key", "rembg"] | None = Field(None, description="How a background is cut out.")
    holes: Flag | None = Field(None, description="Cut out enclosed parts of a solid background too.")
    despill: Flag | None = Field(None, description="Take the background's tint off the outline.")
    min_score: Number | None = Field(None, ge=0, le=100, description="Turn down pictures whose check scores lower.")

    exports: Exports | None = Field(None, description="Files for engines and editors, beside the PNG.")
    fps: Number | None = Field(None, gt=0, le=240, description="Frames a second, instead of the vendor's times.")
    loop: Flag | None = Field(None, description="Whether an animation starts again.")
    pivot: Pivot | None = Field(None, description='Where the sprite stands: "bottom", or [x, y] from 0 to 1.')
    tags: Texts | None = Field(None, description="Words by which costs can be added up.")


class ProjectTable(Wishes):
    """The whole build: its name, folders and budget, and every asset's defaults."""

    name: Text | None = Field(None, min_length=1, description="The game's name; the folder's where there is none.")
    out: Text | None = Field(
        None,
        min_length=1,
        description='Folder of the finished art: "art".',
        json_schema_extra={"not": {"pattern": OUTSIDE}},
    )
    store: Text | None = Field(None, min_length=1, description="Folder of the raw pictures, to be committed or shared.")
    budget_usd: Amount | None = Field(None, description="Most dollars for the whole project, ever.")
    budget_generations: Amount | None = Field(None, description='The same in a vendor\'s "generations".')
    provenance: Provenance | None = Field(None, description="What is written into the PNGs about their making.")
    pixels_per_unit: Whole | None = Field(None, ge=1, le=4096, description="Unity's pixels a unit.")
    style: Text | None = Field(None, description="The style of assets that name none.")
    sticky: Flag | None = Field(None, description="Whether styles keep the vendor that drew their first picture.")


class StyleTable(Wishes):
    """A look that many assets share."""

    extends: Text | None = Field(None, min_length=1, description="A style that this one changes.")
    sticky: Flag | None = Field(None, description="Keep the vendor that drew the style's first picture (true).")


class FrameTagTable(Table):
    """A part of an animation with a name of its own."""

    name: Text = Field(min_length=1, description="The animation's name.")
    first: Whole = Field(ge=0, le=4096, description="Its first frame, from 0.")
    last: Whole = Field(ge=0, le=4096, description="Its last frame, included.")
    direction: TagDirection = Field("forward", description="How it is played.")


class AssetTable(Wishes):
    """One thing to be drawn, or many: with for_each or for_files the table stands for one asset a combination."""

    style: Text | None = Field(None, description="A [style.NAME].")
    prompt: Text | None = Field(None, description="What is to be seen.")
    seed: Whole | None = Field(None, ge=0, le=2**32 - 1, description="What the vendor draws from.")
    image: Text | None = Field(None, min_length=1, description='The picture to work on: a file or "asset:NAME".')
    mask: Text | None = Field(None, min_length=1, description="inpaint: a picture, white where it is drawn anew.")
    out: Text | None = Field(
        None,
        min_length=1,
        description="The file below the out folder, without its ending.",
        json_schema_extra={"pattern": NAME_PATTERN},
    )
    frame_tags: tuple[FrameTagTable, ...] | None = Field(None, max_length=256, description="Parts of the animation.")


#: Words that are texts: a variable that is a number becomes text in them, and stays a number in all others.
TEXTS = frozenset(
    name
    for name, field in AssetTable.model_fields.items()
    if any(kind in (Text, Texts, Names) for kind in get_args(field.annotation))
)


class MatrixWords(BaseModel):
    """The words that make one table many assets; they are taken out before the others are read."""

    for_each: ForEach = Field(
        None, description='Variables and their values, { color = ["red", "blue"] }: one asset a combination.'
    )
    for_files: Names | None = Field(
        None, description='One asset for each file, "sketches/*.png"; variables stem, path and folder.'
    )
    exclude: Exclude = Field(None, description='Combinations to leave out: [{ color = "red" }].')


class AtlasTable(Table):
    """Many assets on one sheet."""

    assets: Names = Field(description='Names of assets, or patterns: "items/*".')
    out: Text | None = Field(
        None,
        min_length=1,
        description="The file below the out folder, without its ending.",
        json_schema_extra={"pattern": NAME_PATTERN},
    )
    formats: Formats | None = Field(None, description="What describes the sheet to an engine.")
    method: Literal["grid", "shelf", "maxrects"] | None = Field(None, description="How the sprites are laid out.")
    spacing: Whole | None = Field(None, ge=0, le=64, description="Clear pixels between two sprites.")
    margin: Whole | None = Field(None, ge=0, le=64, description="Clear pixels around the sheet.")
    extrude: Whole | None = Field(None, ge=0, le=16, description="Pixels by which each sprite's border is repeated.")
    trim: Flag | None = Field(None, description="Cut off the clear border of each sprite.")
    power_of_two: Flag | None = Field(None, description="Width and height of the sheet are powers of two.")
