"""Decoding: every mode, orientation, animations, and files that are broken or mean harm."""

import importlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.errors import UnreadableImage
from pixelrouter.pixels import decode
from pixelrouter.pixels.decode import MAX_BYTES, declared_size


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (20, 14)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(pixels).convert("RGB" if mode == "P" else mode).convert(mode)


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG"])
def test_each_format_is_read_and_its_declared_size_is_right(kind):
    data = encoded(picture(), kind)
    assert declared_size(data) == (20, 14)
    assert decode(data).image.size == (20, 14)
    assert decode(data).image.mode == "RGBA"


def test_lossless_webp_with_and_without_alpha():
    for mode in ("RGB", "RGBA"):
        data = encoded(picture(mode), "WEBP", lossless=True)
        assert declared_size(data) == (20, 14)
        assert decode(data).image.convert(mode).size == (20, 14)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "RGBa", "La"])
def test_each_mode_becomes_rgba(mode):
    premultiplied = {"La": "LA", "RGBa": "RGBA"}
    image = picture(premultiplied.get(mode, mode)).convert(mode)
    assert decode(image).image.mode == "RGBA"


def test_sixteen_bits_are_scaled_not_clipped():
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    data = encoded(Image.fromarray(values), "PNG")
    assert np.asarray(decode(data).image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_transparent_palette_index_becomes_alpha():
    image = picture("P")
    image.info["transparency"] = image.getpixel((3, 3))
    assert decode(encoded(image, "PNG")).image.getpixel((3, 3))[3] == 0


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(picture(), "JPEG", exif=exif)).image.size == (14, 20)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_cost_the_picture():
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09garbage")
    assert decode(data).image.size == (20, 14)


def test_frames_and_durations():
    frames = [Image.new("RGB", (8, 8), c) for c in ("red", "green", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=120, **options)
        result = decode(data)
        assert len(result.frames) == 3, kind
        assert result.durations == (120, 120, 120)
        assert result.frames[2].getpixel((0, 0)) == (0, 0, 255, 255)


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (12_000, 8_000), (2**31 - 1, 2**31 - 1)])
def test_png_bomb_is_refused_by_its_header(width, height, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("the bomb reached Pillow"))
    with pytest.raises(UnreadableImage, match="million"):
        decode(png_header(width, height))


def test_gif_webp_and_jpeg_bombs():
    gif = bytearray(encoded(picture(), "GIF"))
    gif[6:10] = struct.pack("<HH", 60_000, 60_000)
    jpeg = bytearray(encoded(picture(), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
    webp = b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\xff" * 2
    for data in (bytes(gif), bytes(jpeg), webp):
        with pytest.raises(UnreadableImage, match="million"):
            decode(data)


def test_zero_size_and_wrong_dimensions():
    with pytest.raises(UnreadableImage):
        decode(png_header(0, 10))
    with pytest.raises(UnreadableImage, match="empty"):
        decode(Image.new("RGB", (0, 5)))


def test_too_many_bytes_and_too_many_frames(monkeypatch):
    with pytest.raises(UnreadableImage, match="bytes"):
        decode(b"\0" * (MAX_BYTES + 1))
    frames = [Image.new("L", (2, 2), value) for value in range(20)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(importlib.import_module("pixelrouter.pixels.decode"), "MAX_FRAMES", 10)
    with pytest.raises(UnreadableImage, match="frames"):
        decode(data)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"not a picture", b"RIFF"])
def test_what_is_no_picture(data):
    with pytest.raises(UnreadableImage):
        decode(data)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(UnreadableImage, match="Cannot read"):
            decode(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks about damaged metadata
@settings(max_examples=80, deadline=None)
@given(kind=st.sampled_from(["PNG", "GIF", "WEBP", "JPEG"]), share=st.floats(0, 0.98), flip=st.integers(0, 4000))
def test_truncated_and_damaged_files_never_show_a_raw_error(kind, share, flip):
    data = bytearray(encoded(picture(size=(40, 40)), kind))
    damaged = data.copy()
    damaged[flip % len(data)] ^= 0xFF
    for broken in (bytes(data[: int(len(data) * share)]), bytes(damaged)):
        try:
            result = decode(broken)
        except UnreadableImage:
            continue
        assert result.image.mode == "RGBA"


def test_a_truncated_png_is_an_error():
    data = encoded(picture(size=(60, 60)), "PNG")
    with pytest.raises(UnreadableImage, match="cannot be decoded"):
        decode(data[: len(data) // 2])
