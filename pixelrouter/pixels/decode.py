"""Decoding images that strangers made: sizes are checked in the header, before a single pixel is decoded."""

from __future__ import annotations

import io
import os
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pixelrouter.errors import UnreadableImage
from pixelrouter.pixels.color import Bytes

MAX_PIXELS = 64_000_000  # of all frames together
MAX_BYTES = 64 * 1024 * 1024
MAX_FRAMES = 512
MAX_PARTS = 1 << 16  # chunks of a PNG; segments and fill bytes of a JPEG before its size
_STRIP = 1 << 17  # pixels converted at a time
FORMATS = ("PNG", "GIF", "WEBP", "JPEG")
_one_at_a_time = threading.Lock()

T = TypeVar("T")


@dataclass(frozen=True)
class Decoded:
    """The frames of an image in mode RGBA, at least one; ``durations`` in milliseconds, 0 where the file says none."""

    frames: tuple[Image.Image, ...]
    durations: tuple[int, ...]

    @property
    def image(self) -> Image.Image:
        """The first frame."""
        return self.frames[0]


Source: TypeAlias = bytes | str | os.PathLike[str] | Image.Image | NDArray[Any] | Decoded


def decode(source: Source) -> Decoded:
    """An image from encoded bytes, a path, a PIL image or an array, upright and in RGBA; a decoded one is given back.

    PNG, APNG, GIF, WebP and JPEG; any mode of Pillow; arrays ``(h, w)``, ``(h, w, 3)`` or ``(h, w, 4)`` of bytes.
    Frames that outgrow the first one are cut to it. Raises UnreadableImage for anything else, for a damaged file and
    for one that declares more than MAX_PIXELS pixels, MAX_BYTES bytes or MAX_FRAMES frames.
    """
    if isinstance(source, Decoded):
        return source
    if isinstance(source, Image.Image | np.ndarray):
        image = _opened(source)
        return Decoded((guarded("The image", lambda: to_rgba(image)),), (0,))
    if not isinstance(source, bytes | str | os.PathLike):
        raise UnreadableImage(
            f"Not an image: {type(source).__name__}.", hint="Give bytes, a path, a PIL image or an array."
        )
    name = "The image" if isinstance(source, bytes) else Path(source).name
    data = source if isinstance(source, bytes) else read_file(Path(source))
    if len(data) > MAX_BYTES:
        raise UnreadableImage(f"{name} has {len(data)} bytes; at most {MAX_BYTES} are read.")
    if declared := declared_size(data, name):
        _check_size(declared, 1, name)
    return guarded(name, lambda: _decode(data, name))


def _opened(source: Image.Image | NDArray[Any]) -> Image.Image:
    """A PIL image of a size that is decoded; an array as one."""
    if isinstance(source, np.ndarray):
        array = source
        if not array.size:
            raise UnreadableImage(f"An array of shape {array.shape} is empty.")
        source = guarded("The array", lambda: Image.fromarray(array))
    _check_size(source.size, 1)
    return source


def read_file(path: Path) -> bytes:
    """The bytes of a file, and no more of them than are decoded: a device or a pipe may have no end."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a ValueError: a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise UnreadableImage(f"Cannot read {path}: {why}.", hint="Check the path.") from error
    if len(data) > MAX_BYTES:
        raise UnreadableImage(f"{path.name} is larger than the {MAX_BYTES} bytes that are read.")
    return data


def guarded(name: str, work: Callable[[], T]) -> T:
    """``work()``, with whatever Pillow raises turned into one clear error."""
    try:
        with _quiet():
            return work()
    except UnreadableImage:
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(f"{name} is not a picture.", hint=f"Readable are {', '.join(FORMATS)}.") from None
    except Exception as error:  # Pillow's plugins raise whatever their parsers trip over
        why = str(error).rstrip(".") or type(error).__name__
        raise UnreadableImage(
            f"{name} cannot be decoded: {why}.", hint="It is damaged or incomplete; fetch it again."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's remarks on metadata that is damaged, which are nothing to the pixels.

    A warning filter is global to the process, so one image is decoded at a time: else one thread would put back what
    another has set.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_size(size: tuple[int, int], frames: int, name: str = "The image") -> None:
    width, height = size
    if width < 1 or height < 1:
        raise UnreadableImage(f"{name} is empty: it has {width}x{height} pixels.")
    if width * height * frames > MAX_PIXELS:
        times = f" in {frames} frames" if frames > 1 else ""
        raise UnreadableImage(
            f"{name} declares {width}x{height} pixels{times}, more than the {MAX_PIXELS // 1_000_000} million that "
            "are decoded.",
            hint="It was refused before decoding. Scale it down first if it is really yours.",
        )


def declared_size(data: bytes, name: str = "The image") -> tuple[int, int] | None:
    """``(width, height)`` as the header of a PNG, GIF, WebP or JPEG declares it, None where there is no such header.

    Pillow checks sizes as well, but between its two limits it warns instead of refusing, and a warning filter is
    global to the process.
    """
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            _count_chunks(data, name)
            return _pair(struct.unpack(">II", data[16:24]))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return _pair(struct.unpack("<HH", data[6:10]))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
        if data[:2] == b"\xff\xd8":
            return _jpeg_size(data, name)
    except (struct.error, IndexError):
        raise UnreadableImage(f"{name} breaks off inside its header.", hint="Fetch it again.") from None
    return None


def _count_chunks(data: bytes, name: str) -> None:
    """Raise UnreadableImage for a PNG of so many chunks that reading them takes a while."""
    at = 8
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    raise _too_many_parts(name)


def _too_many_parts(name: str) -> UnreadableImage:
    return UnreadableImage(f"{name} has more than {MAX_PARTS} parts, and no picture has.")


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    return values[0], values[1]


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = int.from_bytes(data[24:27], "little"), int.from_bytes(data[27:30], "little")
        return wide + 1, high + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack("<HH", data[26:30])
        return wide & 0x3FFF, high & 0x3FFF
    return None


def _jpeg_size(data: bytes, name: str) -> tuple[int, int] | None:
    at = 2
    for _ in range(MAX_PARTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame
            high, wide = struct.unpack(">HH", data[at + 5 : at + 9])
            return wide, high
        elif marker in (0x01, *range(0xD0, 0xD9)):  # markers without a length
            at += 2
        else:
            at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    raise _too_many_parts(name)


def _decode(data: bytes, name: str) -> Decoded:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        count = int(getattr(image, "n_frames", 1))
        if count > MAX_FRAMES:
            raise UnreadableImage(f"{name} has {count} frames; at most {MAX_FRAMES} are read.")
        _check_size(image.size, count, name)
        size, frames, durations = image.size, [], []
        # An APNG may begin with a picture for those who show no animations; it is no frame.
        for index in range(int(getattr(image, "default_image", False)), count):
            if count > 1:
                image.seek(index)
                _check_size(image.size, count, name)  # a GIF's frames may be larger than the GIF says
            frame = to_rgba(image if count > 1 else _upright(image))
            frames.append(frame if count == 1 or frame.size == size else frame.crop((0, 0, *size)))
            durations.append(round(image.info.get("duration", 0) or 0))  # an APNG says 2009.9999 for 2010
    return Decoded(tuple(frames), tuple(durations))


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF orientation says."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  # damaged EXIF data is no reason to refuse good pixels
        return image


def to_rgba(image: Image.Image) -> Image.Image:
    """A copy in mode RGBA. 16 bits a channel are scaled to 8; numbers above 255 in mode I count as 16 bits."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_bytes(np.asarray(image), image.mode)).convert("RGBA")
    if image.mode == "RGBA":
        return image.copy()
    if image.mode == "La":
        image = image.convert("LA")
    elif image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBa"):
        image = image.convert("RGB")
    return image.convert("RGBA")


def _to_bytes(values: NDArray[Any], mode: str) -> Bytes:
    """The grey levels of numbers ``(h, w)``: floats are 0..1 if none is above 1, and no number counts as 0."""
    if mode == "F":
        top = 1.0 if np.max(values, where=np.isfinite(values), initial=0.0) <= 1 else 255.0
    else:
        top = 65535.0 if mode != "I" or values.max() > 255 else 255.0
    out = np.empty(values.shape, dtype=np.uint8)
    rows = max(1, _STRIP // values.shape[1])
    for start in range(0, len(values), rows):
        part = np.nan_to_num(values[start : start + rows].astype(np.float64), nan=0.0)
        out[start : start + rows] = np.rint(part.clip(0, top) * (255 / top))
    return out


def to_array(source: Source) -> Bytes:
    """The ``(h, w, 4)`` RGBA bytes of an image, of its first frame if it has several; raises as :func:`decode`.

    Strip by strip, since Pillow's own way holds three copies of the image at a time.
    """
    image = _opened(source if isinstance(source, Image.Image | np.ndarray) else decode(source).image)
    return guarded("The image", lambda: _by_strips(image))


def _by_strips(image: Image.Image) -> Bytes:
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
        image = to_rgba(image)  # 16 bits and floats are scaled by the whole image
    width, height = image.size
    out = np.empty((height, width, 4), dtype=np.uint8)
    rows = max(1, _STRIP // max(1, width))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        out[top : top + rows] = np.asarray(strip if strip.mode == "RGBA" else strip.convert("RGBA"))
    return out
