"""Pictures made to use up memory or time: small files that declare, or unpack to, far too much."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

MIB = 1 << 20


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, extra: bytes = b"", *, bits: int = 8, kind: int = 6, data: bytes | None = None
) -> bytes:
    """A PNG of zeros, with chunks of one's own before its pixels; ``data`` instead of them, packed."""
    row = (width * bits * {0: 1, 2: 3, 6: 4}[kind] + 7) // 8 + 1
    packed = zlib.compress(bytes(row * height), 1) if data is None else data
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def gif(width: int, height: int, frames: int, frame: tuple[int, int] | None = None) -> bytes:
    wide, high = frame or (width, height)
    one = b"\x21\xf9\x04\x04\x01\0\0\0\x2c" + struct.pack("<HHHH", 0, 0, wide, high) + b"\0\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff" + one * frames + b"\x3b"


@cache
def bomb(mib: int = 256) -> bytes:
    """Zeros that take a thousandth of their room packed."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(mib)), packer.flush()])


def moving(kind: str, size: tuple[int, int], frames: int) -> bytes:
    file = io.BytesIO()
    images = [Image.new("RGB", size, (n % 256, n // 256, 0)) for n in range(frames)]
    images[0].save(file, kind, save_all=True, append_images=images[1:])
    return file.getvalue()


def still(kind: str, size: tuple[int, int], **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind, **options)
    return file.getvalue()


def _sideways(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x" * 60_000
    return still(kind, (8, 6), exif=exif)


_DECLARED = struct.pack(">II", 100_000, 100_000)
#: name -> the file; each in a few MiB. None may take more than BOUND of memory, or be read to the end of time.
PICTURES: dict[str, Callable[[], bytes]] = {
    "png as large as is read": lambda: png(8000, 8000),
    "png of one bit": lambda: png(64_000, 1000, bits=1, kind=0),
    "png that declares 100,000 a side": lambda: png(1, 1).replace(struct.pack(">II", 1, 1), _DECLARED),
    "png, iTXt bomb": lambda: png(1, 1, chunk(b"iTXt", b"k\0\1\0\0\0" + bomb())),
    "png, zTXt bomb": lambda: png(1, 1, chunk(b"zTXt", b"k\0\0" + bomb())),
    "png, iCCP bomb": lambda: png(1, 1, chunk(b"iCCP", b"k\0\0" + bomb())),
    "png, pixels bomb": lambda: png(10, 10, data=bomb()),
    "png of many texts": lambda: png(1, 1, chunk(b"tEXt", b"k\0" + b"x" * 1000) * 20_000),
    "png of many chunks": lambda: png(1, 1, chunk(b"abCd", b"") * 200_000),
    "gif of as many frames as are read": lambda: gif(350, 350, 512),
    "gif of 100,000 frames": lambda: gif(1, 1, 100_000),
    "gif of 2,000,000 frames": lambda: gif(1, 1, 2_000_000),
    "gif whose frames outgrow it": lambda: gif(1, 1, 3, (60_000, 60_000)),
    "gif of wide frames": lambda: gif(11_000, 11, 500),
    "apng": lambda: moving("PNG", (200, 200), 500),
    "webp of 1500 frames": lambda: moving("WEBP", (16, 16), 1500),
    "webp as large as is read": lambda: still("WEBP", (8000, 8000), lossless=True),
    "webp that declares too much": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\xff" * 100,
    "webp of many chunks": lambda: b"RIFF" + struct.pack("<I", 8_000_000) + b"WEBP" + b"ABCD\0\0\0\0" * 1_000_000,
    "jpeg, progressive": lambda: still("JPEG", (8000, 8000), progressive=True),
    "jpeg of many segments": lambda: b"\xff\xd8" + b"\xff\xe1\0\x02" * 2_000_000,
    "jpeg of fill bytes": lambda: b"\xff\xd8" + b"\xff" * 20_000_000,
    "jpeg on its side": lambda: _sideways("JPEG"),
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "eps": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    "pdf": lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
    "tiff": lambda: still("TIFF", (9, 9)),
    "bmp": lambda: still("BMP", (9, 9)),
    "ico": lambda: still("ICO", (16, 16)),
    "png with a program behind it": lambda: png(8, 6) + b"PK\x03\x04" + b"#!/bin/sh\n" * 100,
}
BOUND = 1400 * MIB  # a picture of 64 million pixels takes 256 MB, and its copy in RGBA as much


def _most() -> int:
    """The most kilobytes that this process has had in memory."""
    if sys.platform == "linux":  # ru_maxrss also counts the process that started this one
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """In a process of its own: decode the picture named, and print what came of it and the most memory it took."""
    import time

    from pixelrouter.errors import UnreadableImage
    from pixelrouter.pixels.decode import decode

    data = PICTURES[sys.argv[1]]()
    limit = _most()
    start = time.process_time()
    try:
        came = f"{len(decode(data).frames)} frames"
    except UnreadableImage as error:
        came = f"refused: {error}"
    most = _most()
    print(f"{time.process_time() - start:.1f}\t{most // 1024}\t{max(0, most - limit) // 1024}\t{came}")


if __name__ == "__main__":
    main()
