"""Godot 4: SpriteFrames for sprites, a TileSet for tiles, and how the PNG is to be imported.

As Godot 4.6 writes these files itself (November 2026), less what changes from one save to the next: no ``load_steps``
(gone in 4.6), no ``uid``, no generated ids.
"""

from __future__ import annotations

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.clips import clips, unique
from pixelrouter.assets.export.terrain import GROUNDS, corner_codes, ground_colors
from pixelrouter.assets.sprite import Sprite

_SPEED = 10  # frames a second; a frame is shown for duration / speed, so milliseconds / 100 is exact
_CORNERS = ("top_left_corner", "top_right_corner", "bottom_left_corner", "bottom_right_corner")

# Lossless, no mipmaps, and never turned into a 3D texture with lossy compression. Clear pixels get the colours of
# their neighbours, which shows nowhere but keeps dark rims away where a game scales with a linear filter. Everything
# else is left to Godot, which adds it at the first import; filters are a project's setting, not a file's.
_IMPORT = """\
[remap]

importer="texture"
type="CompressedTexture2D"

[params]

compress/mode=0
mipmaps/generate=false
process/fix_alpha_border=true
detect_3d/compress_to=0
"""


def export(sprite: Sprite, stem: str, folder: str, *, root: str | None = None) -> Files:
    """``STEM.tres``, and ``STEM.png.import`` for where there is none yet.

    ``root``: the place of the project's out folder below ``res://``, "" for the project's own folder. Without it the
    texture is named relative to the ``.tres``, as Godot allows, so that both may lie anywhere.
    """
    places = [part.strip("/") for part in (root, folder, f"{stem}.png") if part and part.strip("/.")]
    texture = f"{stem}.png" if root is None else "res://" + "/".join(places)
    write = _tile_set if sprite.task == "tileset" else _sprite_frames
    return {f"{stem}.tres": write(sprite, texture).encode(), f"{stem}.png.import": _IMPORT.encode()}


def _sprite_frames(sprite: Sprite, texture: str) -> str:
    lines = [*_head("SpriteFrames", texture)]
    for number, (left, top, right, bottom) in enumerate(sprite.boxes):
        lines += [
            f'[sub_resource type="AtlasTexture" id="frame_{number}"]',
            'atlas = ExtResource("1")',
            f"region = Rect2({left}, {top}, {right - left}, {bottom - top})",
            "",
        ]
    shown = []
    found = clips(sprite)
    # The editor takes no "/" and no "," in the name of an animation.
    names = unique(clip.name.replace("/", "_").replace(",", " ") for clip in found)
    for clip, name in zip(found, names, strict=True):
        frames = [
            f'{{\n"duration": {time / (1000 / _SPEED)!r},\n"texture": SubResource("frame_{number}")\n}}'
            for number, time in zip(clip.frames, clip.times, strict=True)
        ]
        loop = "true" if sprite.loop and len(frames) > 1 else "false"
        listed = ", ".join(frames)
        shown.append(f'{{\n"frames": [{listed}],\n"loop": {loop},\n"name": &{_string(name)},\n"speed": {_SPEED}.0\n}}')
    return "\n".join([*lines, "[resource]", f"animations = [{', '.join(shown)}]", ""])


def _tile_set(sprite: Sprite, texture: str) -> str:
    """Cells by their place on the sheet; corner tiles as a terrain set that matches corners."""
    width, height = sprite.size
    codes = corner_codes(sprite)
    lines = [
        *_head("TileSet", texture),
        '[sub_resource type="TileSetAtlasSource" id="tiles"]',
        'texture = ExtResource("1")',
        f"texture_region_size = Vector2i({width}, {height})",
    ]
    for number, (left, top, _, _) in enumerate(sprite.boxes):
        cell = f"{left // width}:{top // height}/0"
        lines.append(f"{cell} = 0")
        if number in codes:
            code = codes[number]
            # A cell that is painted gets ground to all its corners, and the cells around it follow.
            lines += [f"{cell}/terrain_set = 0", f"{cell}/terrain = {int(code == '1111')}"]
            lines += [
                f"{cell}/terrains_peering_bit/{corner} = {bit}" for corner, bit in zip(_CORNERS, code, strict=True)
            ]
    lines += ["", "[resource]", f"tile_size = Vector2i({width}, {height})"]
    if codes:
        lines.append("terrain_set_0/mode = 1")
        for number, (ground, color) in enumerate(zip(GROUNDS, ground_colors(sprite, codes), strict=True)):
            parts = ", ".join(f"{value / 255:.7g}" for value in color)
            lines += [
                f"terrain_set_0/terrain_{number}/name = {_string(ground)}",
                f"terrain_set_0/terrain_{number}/color = Color({parts}, 1)",
            ]
    return "\n".join([*lines, 'sources/0 = SubResource("tiles")', ""])


def _head(kind: str, texture: str) -> tuple[str, ...]:
    return (
        f'[gd_resource type="{kind}" format=3]',
        "",
        f'[ext_resource type="Texture2D" path={_string(texture)} id="1"]',
        "",
    )


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
