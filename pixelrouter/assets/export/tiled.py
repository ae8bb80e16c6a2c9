"""Tiled: a tileset file (TSX) with animated tiles, and a Wang set for corner tiles.

The format is that of "TMX Map Format" in Tiled's manual, version 1.10, read in November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.clips import Clip, clips, plain
from pixelrouter.assets.export.terrain import GROUNDS, corner_codes, ground_colors, plain_tile
from pixelrouter.assets.sprite import Sprite

_ROWS = ("top", "", "bottom")
_COLUMNS = ("left", "", "right")


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.tsx``."""
    width, height = sprite.size
    boxes = sprite.boxes
    image = (max(box[2] for box in boxes), max(box[3] for box in boxes))
    head = {
        "version": "1.10",
        "name": plain(sprite.name),
        "tilewidth": width,
        "tileheight": height,
        "tilecount": len(boxes),
        "columns": image[0] // width,
    }
    if alignment := _alignment(sprite):
        head["objectalignment"] = alignment
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<tileset{_attributes(**head)}>",
        f" <image{_attributes(source=f'{stem}.png', width=image[0], height=image[1])}/>",
        *_tiles(sprite),
        *_wang_set(sprite),
        "</tileset>",
        "",
    ]
    return {f"{stem}.tsx": "\n".join(lines).encode()}


def _alignment(sprite: Sprite) -> str:
    """Where a tile object is held: the corner, side or centre nearest to the pivot. "" leaves it to Tiled."""
    if sprite.pivot is None:
        return ""
    x, y = (min(2, max(0, round(2 * part))) for part in sprite.pivot)
    return (_ROWS[y] + _COLUMNS[x]) or "center"


def _tiles(sprite: Sprite) -> Iterator[str]:
    """Tiles that have a name or move. A clip is played by the tile of its first frame; the first clip to claim it."""
    moving: dict[int, Clip] = {}
    if sprite.moves:
        for clip in clips(sprite):
            if len(clip.frames) > 1:
                moving.setdefault(clip.frames[0], clip)
    for number in range(len(sprite.frames)):
        clip_here = moving.get(number)
        name = clip_here.name if clip_here else sprite.frame_name(number)
        if not clip_here and name == str(number):
            continue
        yield f" <tile{_attributes(id=number)}>"
        yield "  <properties>"
        yield f"   <property{_attributes(name='name', value=plain(name))}/>"
        yield "  </properties>"
        if clip_here:
            yield "  <animation>"
            for frame, time in zip(clip_here.frames, clip_here.times, strict=True):
                yield f"   <frame{_attributes(tileid=frame, duration=time)}/>"
            yield "  </animation>"
        yield " </tile>"


def _wang_set(sprite: Sprite) -> Iterator[str]:
    """Colour 1 is the lower ground, 2 the upper; a Wang id lists top, top right, right and so on clockwise."""
    codes = corner_codes(sprite)
    if not codes:
        return
    yield " <wangsets>"
    yield f"  <wangset{_attributes(name=plain(sprite.name), type='corner', tile=-1)}>"
    for ground, color in enumerate(ground_colors(sprite, codes)):
        tile = plain_tile(codes, ground)
        shade = "#{:02x}{:02x}{:02x}".format(*color)
        icon = -1 if tile is None else tile
        yield f"   <wangcolor{_attributes(name=GROUNDS[ground], color=shade, tile=icon, probability=1)}/>"
    for number, code in codes.items():
        north_west, north_east, south_west, south_east = (int(bit) + 1 for bit in code)
        wang_id = f"0,{north_east},0,{south_east},0,{south_west},0,{north_west}"
        yield f"   <wangtile{_attributes(tileid=number, wangid=wang_id)}/>"
    yield "  </wangset>"
    yield " </wangsets>"


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())
