"""The palette of an .aseprite file; the file itself is the business of :mod:`pixelrouter.formats.aseprite`."""

from __future__ import annotations

from pixelrouter.errors import UnknownPalette, UnreadableImage
from pixelrouter.pixels.colors.palettes.value import Palette, Sheet, bounded, faded, hexed

_INDEXED, _RGBA_DEPTH = 8, 32  # bits a pixel
_CANVAS = 16  # pixels a side of a file that is only a palette
_LAYER = b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x00\x00\x00"  # visible, a picture, normal, opaque


def read_aseprite(data: bytes, what: str) -> Palette:
    """The palette of the first frame: the new chunk, or the old ones where that is missing.

    ``transparent`` is the header's index, which counts in indexed sprites only. Where the header counts fewer colours
    than an old chunk sets, which always sets 256, the header is believed.
    """
    from pixelrouter.formats import aseprite as container  # loads Pillow, which text files do not need

    try:
        file = container.parse(data, what)
        chunks = file.frames[0].chunks if file.frames else ()
        entries = container.read_palette(chunks, what)
        later = any(chunk.kind == container.PALETTE for frame in file.frames[1:] for chunk in frame.chunks)
    except UnreadableImage as error:
        raise UnknownPalette(error.message, hint=error.hint) from error
    bounded(what, len(entries))
    warnings = []
    new = any(chunk.kind == container.PALETTE for chunk in chunks)
    counted = file.header.colors
    if not new and 0 < counted < len(entries):
        entries = entries[:counted]
    if counted and counted != len(entries):
        warnings.append(f"The header counts {counted} colours; the palette has {len(entries)}.")
    if later:
        warnings.append("The palette changes in later frames; it is read as in the first.")
    alpha = tuple(entry.rgba[3] for entry in entries)
    if warning := faded(alpha):
        warnings.append(warning)
    clear = file.header.transparent if file.header.depth == _INDEXED else None
    return Palette(
        tuple(hexed(*entry.rgba[:3]) for entry in entries),
        tuple("".join(c if c.isprintable() else " " for c in entry.name).strip() for entry in entries),
        alpha=alpha,
        transparent=clear if clear is not None and clear < len(entries) else None,
        format="aseprite",
        warnings=tuple(warnings),
    )


def write_aseprite(sheet: Sheet) -> bytes:
    """A sprite of one empty layer with the palette; indexed only where an index shall be transparent."""
    from pixelrouter.formats import aseprite as container

    alpha = sheet.alpha or (255,) * len(sheet.colors)
    entries = [
        container.Color((*color, opacity), name)
        for color, opacity, name in zip(sheet.colors, alpha, sheet.names, strict=True)
    ]
    header = container.Header(
        _CANVAS,
        _CANVAS,
        depth=_RGBA_DEPTH if sheet.transparent is None else _INDEXED,
        transparent=sheet.transparent or 0,
        colors=len(entries),
    )
    layer = container.Chunk(container.LAYER, _LAYER + container.text("Layer 1"))
    chunks = (container.color_profile(), *container.palette_chunks(entries), layer)
    return container.dump(header, [container.Frame(100, chunks)])
