"""Draws docs/images/atlas.png: a packed atlas, and below it where each frame lies, extruded borders and all."""

from __future__ import annotations

import colorsys
import io
import json
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from pixelrouter import PixelRouter
from pixelrouter.assets.asset import Asset, Atlas
from pixelrouter.assets.export.atlas import export_atlas
from pixelrouter.assets.render import sprite_of
from pixelrouter.assets.sprite import Sprite

OUT = Path(__file__).resolve().parent.parent / "docs" / "images" / "atlas.png"
SCALE, GROUND = 4, "#8a8f98"


def sprites() -> list[Sprite]:
    """Two potions, a slime that walks, and sixteen tiles, by the built-in backend."""
    with tempfile.TemporaryDirectory() as state, PixelRouter(backend="procedural", state=state) as router:
        bottles = [router.generate(f"a {color} potion", size=24, seed=5) for color in ("red", "blue")]
        walk = router.animate("a green slime", action="walk", frames=6, size=32)
        ground = router.tileset("grass", tiles="wang", upper="dirt path", size=16)
    made = [
        sprite_of(Asset(f"potion-{at}", "", (24, 24)), bottle.images, bottle.palette)
        for at, bottle in enumerate(bottles)
    ]
    made.append(sprite_of(Asset("slime", "", (32, 32), task="animation"), walk.images, walk.palette))
    tiles = Asset("ground", "", (16, 16), task="tileset")
    return [*made, sprite_of(tiles, ground.images, ground.palette, ground.names)]


def main() -> None:
    """Write the picture."""
    atlas = Atlas("items", (), "items", extrude=1, trim=True)
    files = export_atlas(atlas, sprites(), "items", "")
    with Image.open(io.BytesIO(files["items.png"])) as read:
        sheet = read.convert("RGBA")
    large = sheet.resize((sheet.width * SCALE, sheet.height * SCALE), Image.Resampling.NEAREST)
    out = Image.new("RGBA", (large.width + 2 * SCALE, 2 * large.height + 4 * SCALE), GROUND)
    below = 3 * SCALE + large.height
    for top in (SCALE, below):
        out.paste(large, (SCALE, top), large)
    draw = ImageDraw.Draw(out)
    names = [frame["filename"].partition("/")[0] for frame in json.loads(files["items.json"])["frames"]]
    assets = sorted(set(names))
    for name, frame in zip(names, json.loads(files["items.json"])["frames"], strict=True):
        hue = colorsys.hsv_to_rgb(assets.index(name) / len(assets), 0.9, 1.0)
        left, top, width, height = (value * SCALE for value in frame["frame"].values())
        left, top = left + SCALE, top + below
        box = (left, top, left + width - 1, top + height - 1)
        draw.rectangle(box, outline=tuple(round(255 * value) for value in hue), width=2)
    out.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(OUT, optimize=True)


if __name__ == "__main__":
    main()
