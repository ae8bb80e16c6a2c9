"""Reading ``.aseprite`` files as artists save them: layers put together, frame by frame, with tags and slices."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelrouter.errors import UnreadableImage
from pixelrouter.formats.aseprite import (
    CEL,
    COMPRESSED_CEL,
    LAYER,
    LINKED_CEL,
    RAW_CEL,
    Chunk,
    Color,
    Container,
    Header,
    Reader,
    broken,
    parse,
    read_palette,
)
from pixelrouter.formats.aseprite_marks import Slice, Tag, read_note, read_slices, read_tags
from pixelrouter.formats.tables import Bytes

MAX_PIXELS = 32_000_000  # of all frames together, and of all cels
MAX_WORK = 128_000_000  # pixels laid over others
MAX_FRAMES = 4096
MAX_DEPTH = 64  # of groups in groups

_VISIBLE, _BACKGROUND, _REFERENCE = 1, 8, 64
_IMAGE, _GROUP = 0, 1
_LAYER_OPACITY, _GROUP_BLENDS = 1, 2  # of the header's flags: what counts
_NORMAL = 0
_STRIP = 1 << 17  # pixels laid over others at a time
_BYTES = {8: 1, 16: 2, 32: 4}  # of a pixel


@dataclass(frozen=True, slots=True)
class AsepriteFile:
    """A sprite as it is seen. ``frames`` are ``(h, w, 4)`` bytes of RGBA, ``durations`` milliseconds.

    ``palette`` is empty where the file has none; ``transparent`` the clear index of an indexed file, else None.
    ``grid``: width and height of a cell, None without one. ``note``: the sprite's own text.
    """

    frames: tuple[Bytes, ...]
    durations: tuple[int, ...]
    tags: tuple[Tag, ...] = ()
    slices: tuple[Slice, ...] = ()
    palette: tuple[Color, ...] = ()
    transparent: int | None = None
    grid: tuple[int, int] | None = None
    layers: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    kind: int
    parent: int  # the number of the group around it, -1 for none
    shown: bool  # and every group around it
    background: bool
    blend: int
    opacity: int


@dataclass(frozen=True, slots=True)
class _Cel:
    layer: int
    x: int
    y: int
    opacity: int
    z: int
    kind: int
    body: bytes


def read_aseprite(data: bytes, name: str = "The file") -> AsepriteFile:
    """A file's visible layers, put together as Aseprite shows them: indexed, grey or RGBA, with opacity.

    (What Aseprite exports of indexed sprites lacks the opacity of layers; here it counts, as on the screen.)
    Raises UnreadableImage for another kind of file, a damaged one, more than MAX_FRAMES frames or MAX_PIXELS pixels,
    and for visible layers that are tilemaps or blend in another way: reading those wrongly would be worse.
    """
    file = parse(data, name)
    header = file.header
    _check(file, name)
    first = file.frames[0].chunks
    palette = read_palette(first, name)
    layers = tuple(_layers(first, header, name))
    every = tuple(chunk for frame in file.frames for chunk in frame.chunks)
    grid = header.grid[2:] if header.grid[2] and header.grid[3] else None
    return AsepriteFile(
        _Canvas(file, layers, palette, name).frames(),
        tuple(frame.duration for frame in file.frames),
        read_tags(every, len(file.frames), name),
        read_slices(every, name),
        palette,
        header.transparent if header.depth == 8 else None,
        grid,
        tuple(layer.name for layer in layers),
        read_note(first, name),
    )


def _check(file: Container, name: str) -> None:
    header, count = file.header, len(file.frames)
    if header.depth not in _BYTES:
        raise UnreadableImage(f"{name} has {header.depth} bits a pixel; 8, 16 and 32 are known.")
    if not count or not header.width or not header.height:
        raise UnreadableImage(f"{name} is empty: {count} frames of {header.width}x{header.height} pixels.")
    if count > MAX_FRAMES or count * header.width * header.height > MAX_PIXELS:
        raise UnreadableImage(
            f"{name} has {count} frames of {header.width}x{header.height} pixels, more than are read.",
            hint=f"{MAX_FRAMES} frames and {MAX_PIXELS // 1_000_000} million pixels are the most.",
        )


def _layers(chunks: tuple[Chunk, ...], header: Header, name: str) -> Iterator[_Layer]:
    """Layers and groups as they are numbered."""
    around: list[tuple[int, bool]] = []  # number and visibility of the last layer or group of each level
    images = (chunk for chunk in chunks if chunk.kind == LAYER)
    for number, chunk in enumerate(images):
        reader = Reader(chunk.data, name)
        flags, kind, level, blend, opacity = reader.take("HHH4xHB3x")
        label = reader.text()
        if level > min(len(around), MAX_DEPTH):
            raise broken(name)
        counts = header.flags & (_GROUP_BLENDS if kind == _GROUP else _LAYER_OPACITY)
        parent, shown = around[level - 1] if level else (-1, True)
        shown = shown and bool(flags & _VISIBLE) and not flags & _REFERENCE
        around = [*around[:level], (number, shown)]
        if kind == _GROUP and not counts:
            blend = _NORMAL
        yield _Layer(label, kind, parent, shown, bool(flags & _BACKGROUND), blend, opacity if counts else 255)


class _Canvas:
    """Puts the cels of each frame on one another; each picture is unpacked once, however often it is linked to."""

    def __init__(self, file: Container, layers: tuple[_Layer, ...], palette: tuple[Color, ...], name: str) -> None:
        self.file, self.layers, self.name = file, layers, name
        self.header = file.header
        self.table = _table(palette)
        self.cels = [{cel.layer: cel for cel in self._cels(frame.chunks)} for frame in file.frames]
        self.pictures: dict[tuple[int, int], Bytes] = {}
        self.pixels = self.work = 0

    def frames(self) -> tuple[Bytes, ...]:
        return tuple(self._frame(at) for at in range(len(self.file.frames)))

    def _cels(self, chunks: tuple[Chunk, ...]) -> Iterator[_Cel]:
        for chunk in chunks:
            if chunk.kind == CEL:
                reader = Reader(chunk.data, self.name)
                layer, x, y, opacity, kind, z = reader.take("HhhBHh5x")
                if layer < len(self.layers) and self.layers[layer].shown:
                    self._check(self.layers[layer], kind)
                    yield _Cel(layer, x, y, opacity, z, kind, reader.rest())

    def _check(self, layer: _Layer, kind: int) -> None:
        if layer.kind != _IMAGE or kind not in (RAW_CEL, LINKED_CEL, COMPRESSED_CEL):
            raise UnreadableImage(
                f"{self.name}: the layer {layer.name!r} is a tilemap or of another unknown kind.",
                hint="Turn it into an ordinary layer in Aseprite (Layer > Convert To > Layer) and save again.",
            )
        self._check_blend(layer)

    def _check_blend(self, layer: _Layer) -> None:
        if layer.blend != _NORMAL:
            raise UnreadableImage(
                f"{self.name}: {layer.name!r} has a blend mode other than normal.",
                hint="Flatten it in Aseprite, or hide it, and save again.",
            )

    def _frame(self, at: int) -> Bytes:
        """All cels, or where groups blend as one, what is in no group and the groups."""
        if self.header.flags & _GROUP_BLENDS:
            return self._group(at, -1)
        return self._stacked(at, list(self.cels[at].values()), [])

    def _group(self, at: int, parent: int) -> Bytes:
        cels = [cel for cel in self.cels[at].values() if self.layers[cel.layer].parent == parent]
        groups = [
            number
            for number, layer in enumerate(self.layers)
            if layer.kind == _GROUP and layer.shown and layer.parent == parent
        ]
        return self._stacked(at, cels, groups)

    def _stacked(self, at: int, cels: list[_Cel], groups: list[int]) -> Bytes:
        """Cels and groups on one another, in the order that Aseprite's notes on the z-index give."""
        out = np.zeros((self.header.height, self.header.width, 4), dtype=np.uint8)
        order: list[tuple[tuple[int, int], _Cel | int]] = [((cel.layer + cel.z, cel.z), cel) for cel in cels]
        order += [((number, 0), number) for number in groups]
        for _, one in sorted(order, key=lambda entry: entry[0]):
            if isinstance(one, int):
                self._check_blend(self.layers[one])
                self._lay(out, self._group(at, one), (0, 0), self.layers[one].opacity)
            else:
                source, place = self._picture(at, one)
                opacity = _times(place.opacity, self.layers[one.layer].opacity)
                self._lay(out, source, (place.x, place.y), opacity)
        return out

    def _picture(self, at: int, cel: _Cel) -> tuple[Bytes, _Cel]:
        """The pixels of a cel in RGBA, and the cel whose place they have: a linked cel is the very one it names."""
        seen = set()
        while cel.kind == LINKED_CEL:
            seen.add(at)
            at = Reader(cel.body, self.name).number("H")
            found = self.cels[at].get(cel.layer) if at < len(self.cels) and at not in seen else None
            if found is None:
                raise broken(self.name)
            cel = found
        key = at, cel.layer
        if key not in self.pictures:
            self.pictures[key] = self._unpack(cel)
        return self.pictures[key], cel

    def _unpack(self, cel: _Cel) -> Bytes:
        reader = Reader(cel.body, self.name)
        width, height = reader.take("HH")
        self.pixels += width * height
        if self.pixels > MAX_PIXELS:
            raise UnreadableImage(f"{self.name} holds more than {MAX_PIXELS // 1_000_000} million pixels.")
        channels = _BYTES[self.header.depth]
        size = width * height * channels
        data = reader.rest()
        if cel.kind == COMPRESSED_CEL:
            try:
                data = zlib.decompressobj().decompress(data, max(size, 1))
            except zlib.error:
                raise broken(self.name) from None
        if len(data) < size:
            raise broken(self.name)
        values = np.frombuffer(data[:size], dtype=np.uint8).reshape(height, width, channels)
        return self._rgba(values, self.layers[cel.layer].background)

    def _rgba(self, values: Bytes, background: bool) -> Bytes:
        if self.header.depth == 32:
            return values
        if self.header.depth == 16:
            return np.concatenate([values[..., :1]] * 3 + [values[..., 1:]], axis=2)
        out = self.table[values[..., 0]]
        if not background:
            out[values[..., 0] == self.header.transparent] = 0
        return out

    def _lay(self, out: Bytes, source: Bytes, place: tuple[int, int], opacity: int) -> None:
        """The part of a picture that lies on the canvas over what is there."""
        x, y = place
        left, top = max(x, 0), max(y, 0)
        right = min(x + source.shape[1], self.header.width)
        bottom = min(y + source.shape[0], self.header.height)
        if right <= left or bottom <= top:
            return
        self.work += (right - left) * (bottom - top)
        if self.work > MAX_WORK:
            raise UnreadableImage(f"{self.name} has too many layers and frames to be put together.")
        part = source[top - y : bottom - y, left - x : right - x]
        rows = max(1, _STRIP // (right - left))
        for start in range(0, bottom - top, rows):  # strip by strip: the numbers in between are larger than pixels
            strip = out[top + start : min(top + start + rows, bottom), left:right]
            strip[:] = _over(strip, part[start : start + rows], opacity)


def _table(palette: tuple[Color, ...]) -> Bytes:
    """256 colours ``(256, 4)``; indices beyond the palette are clear, as Aseprite shows them."""
    table = np.zeros((256, 4), dtype=np.uint8)
    colors = [color.rgba for color in palette[:256]]
    if colors:
        table[: len(colors)] = colors
    return table


def _times(one: int, other: int) -> int:
    """The product of two numbers from 0 to 255 that stand for 0 to 1, rounded."""
    part = one * other + 0x80
    return ((part >> 8) + part) >> 8


def _over(below: Bytes, above: Bytes, opacity: int) -> Bytes:
    """Porter and Duff's "over" on colours that are not multiplied by alpha, in whole numbers as Aseprite counts.

    Over nothing, the colour above stays what it is; clear pixels have the colour 0.
    """
    if opacity == 255 and above.size and above[..., 3].min() == 255:
        return above
    product: NDArray[np.int32] = above[..., 3].astype(np.int32) * opacity + 0x80
    alpha = ((product >> 8) + product) >> 8
    base = below[..., 3].astype(np.int32)
    product = base * alpha + 0x80
    whole = alpha + base - (((product >> 8) + product) >> 8)
    lower, upper = below[..., :3].astype(np.int32), above[..., :3].astype(np.int32)
    step = (upper - lower) * alpha[..., None] / np.maximum(whole, 1)[..., None]
    mixed = lower + np.trunc(step).astype(np.int32)
    mixed = np.where((base == 0)[..., None], upper, mixed)
    mixed[whole == 0] = 0
    return np.concatenate([mixed, whole[..., None]], axis=2).astype(np.uint8)
