"""Unity: how the PNG is to be imported, as a ``.meta`` file with the slices of the sheet.

The fields and their numbers are those that Unity 2021 to 6 write for sprites (read in November 2026 in public
projects); fields that are left out get Unity's defaults. A file of Unity's own is never to be replaced: its ``guid`` is
what scenes refer to.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator

from pixelrouter.assets.export import Files
from pixelrouter.assets.export.clips import plain, unique
from pixelrouter.assets.sprite import Sprite

_SPRITE_CLASS = 213  # Unity's class id of Sprite
_CENTER, _CUSTOM = 0, 9  # values of SpriteAlignment
_REPEAT, _CLAMP = 0, 1  # values of TextureWrapMode
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def export(sprite: Sprite, stem: str, folder: str) -> Files:
    """``STEM.png.meta``: point filter, uncompressed, no mipmaps, and one slice a frame, its origin lower left."""
    place = f"{folder}/{stem}".lstrip("/")
    many = len(sprite.frames) > 1
    return {f"{stem}.png.meta": "\n".join([*_importer(sprite, place, stem, many=many), ""]).encode()}


def _importer(sprite: Sprite, place: str, stem: str, *, many: bool) -> Iterator[str]:
    names = unique(
        f"{plain(stem)}_{plain(sprite.frame_name(at)).replace('/', '_')}" for at in range(len(sprite.frames))
    )
    slices = [(name, _internal_id(place, name)) for name in names] if many else []
    boxes = sprite.boxes
    longest = max(max(box[2:]) for box in boxes)
    tiles = sprite.task == "tileset" and not many
    wrap = _REPEAT if tiles else _CLAMP
    yield "fileFormatVersion: 2"
    yield f"guid: {_hex(place, 'texture')}"
    yield "TextureImporter:"
    if slices:
        yield "  internalIDToNameTable:"
        for name, number in slices:
            yield f"  - first:\n      {_SPRITE_CLASS}: {number}\n    second: {_scalar(name)}"
    else:
        yield "  internalIDToNameTable: []"
    yield f"""\
  externalObjects: {{}}
  serializedVersion: 12
  mipmaps:
    mipMapMode: 0
    enableMipMap: 0
    sRGBTexture: 1
    linearTexture: 0
  isReadable: 0
  streamingMipmaps: 0
  maxTextureSize: {_max_size(longest)}
  textureSettings:
    serializedVersion: 2
    filterMode: 0
    aniso: 1
    mipBias: 0
    wrapU: {wrap}
    wrapV: {wrap}
    wrapW: {wrap}
  nPOTScale: 0
  compressionQuality: 50
  spriteMode: {2 if many else 1}
  spriteExtrude: 1
  spriteMeshType: 0
  alignment: {_CENTER if sprite.pivot is None else _CUSTOM}
  spritePivot: {_pivot(sprite)}
  spritePixelsToUnits: {sprite.pixels_per_unit or sprite.size[0]}
  spriteBorder: {{x: 0, y: 0, z: 0, w: 0}}
  spriteGenerateFallbackPhysicsShape: 1
  alphaUsage: 1
  alphaIsTransparency: 1
  spriteTessellationDetail: -1
  textureType: 8
  textureShape: 1
  platformSettings:
  - serializedVersion: 3
    buildTarget: DefaultTexturePlatform
    maxTextureSize: {_max_size(longest)}
    resizeAlgorithm: 0
    textureFormat: -1
    textureCompression: 0
    compressionQuality: 50
    crunchedCompression: 0
    allowsAlphaSplitting: 0
    overridden: 0
  spriteSheet:
    serializedVersion: 2"""
    if slices:
        yield "    sprites:"
        bottom = max(box[3] for box in boxes)
        for (name, number), box in zip(slices, boxes, strict=True):
            yield from _slice(sprite, place, name, number, (box[0], bottom - box[3]))
    else:
        yield "    sprites: []"
    yield f"""\
    outline: []
    physicsShape: []
    bones: []
    spriteID: {_hex(place, "sprite")}
    internalID: 0
    vertices: []
    indices:
    edges: []
    weights: []
    secondaryTextures: []"""
    yield "    nameFileIdTable:" if slices else "    nameFileIdTable: {}"
    for name, number in sorted(slices):
        yield f"      {_scalar(name)}: {number}"
    yield "  userData:\n  assetBundleName:\n  assetBundleVariant:"


def _slice(sprite: Sprite, place: str, name: str, number: int, corner: tuple[int, int]) -> Iterator[str]:
    width, height = sprite.size
    yield f"""\
    - serializedVersion: 2
      name: {_scalar(name)}
      rect:
        serializedVersion: 2
        x: {corner[0]}
        y: {corner[1]}
        width: {width}
        height: {height}
      alignment: {_CENTER if sprite.pivot is None else _CUSTOM}
      pivot: {_pivot(sprite)}
      border: {{x: 0, y: 0, z: 0, w: 0}}
      outline: []
      physicsShape: []
      tessellationDetail: -1
      bones: []
      spriteID: {_hex(place, "sprite", name)}
      internalID: {number}
      vertices: []
      indices:
      edges: []
      weights: []"""


def _pivot(sprite: Sprite) -> str:
    """Ours counts from the upper left, Unity's from the lower left."""
    x, y = sprite.pivot or (0.5, 0.5)
    return f"{{x: {x:.7g}, y: {1 - y:.7g}}}"


def _max_size(longest: int) -> int:
    """The smallest of Unity's limits that does not shrink the sheet."""
    return max(2048, 1 << (longest - 1).bit_length())


def _hex(*parts: str) -> str:
    """32 hexadecimal digits that depend on the place of the file only, so that a new build breaks no reference."""
    return hashlib.sha256("\0".join(("pixelrouter", *parts)).encode()).hexdigest()[:32]


def _internal_id(place: str, name: str) -> int:
    """A positive number of 63 bits, since Unity's are signed."""
    return int(_hex(place, "slice", name)[:16], 16) >> 1 | 1


def _scalar(text: str) -> str:
    """A string that YAML reads as that string."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
