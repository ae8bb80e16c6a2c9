"""Bad input to every public function: a result or one clear error, nothing else, and in bounded time and memory."""

import contextlib
import io
import struct
import threading
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelrouter import pixels
from pixelrouter.errors import InvalidRequest, PixelRouterError, UnreadableImage
from pixelrouter.pixels import FinishSpec, InProcess, Slicing, finish
from pixelrouter.pixels.animation import loop_of
from pixelrouter.pixels.decode import decode
from pixelrouter.pixels.snap.unmix import Response, unmix
from pixelrouter.types import Layout
from tests.pixels.anything import drawn

SPEC = FinishSpec((12, 10))
SIZE = (24, 20)


def picture(seed=1, mode="RGB", size=SIZE):
    return Image.fromarray(drawn("enlarged", *size, seed)).convert(mode)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def moving(kind, **options):
    first, *rest = (picture(seed) for seed in (1, 2, 3))
    return encoded(first, kind, save_all=True, append_images=rest, **options)


GOOD = encoded(picture(), "PNG")


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, *, bits=8, kind=2, channels=3, rows=None):
    """A PNG of noise, or one that declares more than it holds."""
    line = b"\0" + np.random.default_rng(0).bytes(width * channels * bits // 8) if rows is None else b""
    data = zlib.compress(line * height if rows is None else rows)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def growing(width, height):
    """A GIF whose second frame is larger than the GIF says: drawn so, or declared so without pixels."""
    gif, larger = encoded(picture(), "GIF"), encoded(picture(2, size=(40, 30)), "GIF")
    other = bytearray(larger[larger.index(b"\x2c\0\0\0\0") : -1])
    other[5:9] = struct.pack("<HH", width, height)
    return gif[:-1] + bytes(other) + b";"


def claiming(exif):
    return encoded(picture(), "JPEG", exif=exif)


# Finished images come of these.
ODD = {
    "16-bit grey": encoded(Image.fromarray(np.arange(480, dtype=np.uint16).reshape(20, 24) * 130), "PNG"),
    "16-bit colour": png(*SIZE, bits=16),
    "16-bit colour and alpha": png(*SIZE, bits=16, kind=6, channels=4),
    "CMYK": encoded(picture().convert("CMYK"), "JPEG"),
    "zero durations": moving("GIF", duration=0),
    "disposed to the background": moving("GIF", duration=[0, 10, 0], disposal=2),
    "disposed to the frame before": moving("GIF", duration=10, disposal=3),
    "an APNG with a picture of its own": moving("PNG", duration=0, default_image=True, disposal=2, blend=1),
    "a WebP that moves": moving("WEBP", duration=0),
    "frames that grow": growing(40, 30),
    "damaged EXIF": claiming(b"Exif\0\0MM\0*\0\0\0\x08\0\x09garbage"),
    "one colour": encoded(Image.new("RGB", SIZE, "red"), "PNG"),
    "all transparent": encoded(Image.new("RGBA", SIZE), "PNG"),
    "white under transparency": encoded(Image.new("RGBA", SIZE, (255, 255, 255, 0)), "PNG"),
    "one pixel": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
    "one clear pixel": encoded(Image.new("RGBA", (1, 1)), "PNG"),
    "half-transparent palette": encoded(picture().quantize(5), "PNG", transparency=bytes([0, 128, 255])),
}
# These are refused.
BAD = {
    "empty": b"",
    "text": b"not a picture at all",
    "another format": encoded(picture(), "BMP"),
    "half a PNG": GOOD[: len(GOOD) // 2],
    "half a WebP": encoded(picture(), "WEBP")[:60],
    "half a JPEG": encoded(picture(), "JPEG")[:-80],
    "half an APNG": moving("PNG")[:-60],
    "half a moving GIF": moving("GIF")[:-40],
    "no pixels": png(0, 0, rows=b""),
    "no width": png(0, 5, rows=b""),
    "pixels missing": png(4096, 4096, rows=b"\0" * 100),
    "a bomb": png(60_000, 60_000, rows=b"\0" * 100),
    "a small bomb": png(9000, 9000, rows=b"\0" * 100),
    "a frame that is a bomb": growing(60_000, 60_000),
    "a frame that is a small bomb": growing(9000, 9000),
}
FUNCTIONS = {
    "decode": decode,
    "finish": lambda source: finish(source, SPEC),
    "convert": lambda source: finish(source, FinishSpec((9, 7), mode="convert", transparent=True)),
    "finish_many": lambda source: pixels.finish_many([GOOD, source], SPEC),
    "finish_animation": lambda source: pixels.finish_animation(source, SPEC),
    "finish_sheet": lambda source: pixels.finish_sheet(source, Slicing("cells", grid=(2, 2)), SPEC),
    "check": pixels.check,
    "annotate": lambda source: pixels.annotate(source, pixels.check(GOOD)),
    "explain": lambda source: pixels.explain(source, SPEC).html("page"),
    "slice_sheet": lambda source: pixels.slice_sheet(source, Slicing("views")),
    "cut": lambda source: pixels.cut(source, Layout(columns=2)),
    "register": lambda source: pixels.register([GOOD, source]),
    "jitter": lambda source: pixels.jitter([GOOD, source]),
    "trim": pixels.trim,
    "pad": lambda source: pixels.pad(source, (60, 60)),
    "pack": lambda source: pixels.pack([GOOD, source]),
    "seam_score": pixels.seam_score,
    "make_seamless": pixels.make_seamless,
    "preview": pixels.preview,
    "check_wang": lambda source: pixels.check_wang({"0000": source, "1111": source}),
    "wang_map": lambda source: pixels.wang_map({f"{code:04b}": source for code in range(16)}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("odd", ODD)
def test_odd_pictures_are_finished(odd, name):
    # Nothing to cut, move or pack in one pixel or in nothing is refused with words; so is a picture without a grid.
    with contextlib.suppress(InvalidRequest):
        FUNCTIONS[name](ODD[odd])
    assert all(frame.size == SPEC.size for frame in finish(ODD[odd], SPEC).frames)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("bad", BAD)
def test_bad_files_are_refused_with_one_clear_error(bad, name):
    with pytest.raises(UnreadableImage) as error:
        FUNCTIONS[name](BAD[bad])
    assert len(str(error.value)) > 20


@pytest.mark.parametrize("name", FUNCTIONS)
def test_paths_without_a_picture(tmp_path, name):
    (tmp_path / "text.png").write_text("hello", encoding="utf-8")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    for path in ("text.png", "folder.png", "loop.png", "dangling.png", "missing.png", "\udcff.png", "a" * 400):
        with pytest.raises(UnreadableImage, match=r"picture|Cannot read"):
            FUNCTIONS[name](tmp_path / path)
    for path in ("a\0b.png", ""):
        with pytest.raises(UnreadableImage, match="Cannot read"):
            FUNCTIONS[name](path)


@pytest.mark.parametrize(
    "thing", [None, 3, [GOOD], io.BytesIO(GOOD), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 9))]
)
def test_things_that_are_no_image(thing):
    for function in FUNCTIONS.values():
        with pytest.raises(UnreadableImage):
            function(thing)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no file without an end")
def test_a_file_without_an_end_is_not_read_to_it():
    with pytest.raises(UnreadableImage, match="larger than"):
        decode("/dev/zero")


def test_images_that_fail_when_they_are_loaded():
    closed = Image.open(io.BytesIO(GOOD))
    closed.close()
    broken = [
        Image.open(io.BytesIO(GOOD[:100])),
        Image.open(io.BytesIO(encoded(picture(), "JPEG")[:-60])),
        Image.new("L", (7, 0)),
        closed,
    ]
    for function in (*FUNCTIONS.values(), pixels.snap_image, pixels.detect_grid):
        for image in broken:
            with pytest.raises(UnreadableImage):
                function(image)


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 3), (20, 24, 4)])
def test_arrays_are_images(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = Image.fromarray(array)
    assert decode(array).image.tobytes() == decode(image).image.tobytes()
    assert pixels.snap_image(array).tobytes() == pixels.snap_image(image).tobytes()
    assert finish(array, SPEC).image.tobytes() == finish(image, SPEC).image.tobytes()


def test_frames_that_outgrow_the_first_are_cut_to_it():
    frames = decode(ODD["frames that grow"]).frames
    assert [frame.size for frame in frames] == [SIZE, SIZE]


@pytest.mark.parametrize("top", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_floats_out_of_range(top):
    values = np.array([[0.0, 0.5, 1.0, top]], dtype=np.float32)
    levels = np.asarray(decode(Image.fromarray(values)).image)[0, :, 0].tolist()
    assert levels == ([0, 0, 1, 255] if top == np.float32(3e38) else [0, 128, 255, 255 if top == np.inf else 0])


def test_no_warning_leaks_and_filters_stay_as_they_were():
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        inside = list(warnings.filters)
        threads = [threading.Thread(target=decode, args=(ODD["damaged EXIF"],)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        loop_of(ODD["damaged EXIF"])
        assert warnings.filters == inside
    assert not seen
    assert warnings.filters == before


@pytest.mark.parametrize("bad", [*BAD, *ODD])
def test_one_file_in_a_folder_does_not_stop_the_rest(bad, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(BAD.get(bad) or ODD.get(bad, b""))
    (tmp_path / "in" / "b.png").write_bytes(GOOD)
    report = pixels.finish_folder(tmp_path / "in", tmp_path / "out", SPEC, InProcess())
    errors = [result.error for result in report.results if result.error]
    assert len(errors) == (bad in BAD)
    assert all(isinstance(error, PixelRouterError) for error in errors)


def test_a_long_thin_picture_takes_no_more_memory_than_its_cells_need():
    rows = 4000
    cells = np.random.default_rng(0).random((3, rows, 2), dtype=np.float32)
    middles = np.arange(rows)[:, None] + 0.5
    tracemalloc.start()
    try:
        out = unmix(cells, middles, Response("bilinear"), axis=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert out.shape == cells.shape
    assert peak < 30 * 1024 * 1024  # the square of the cells would be 128 MB


def test_no_period_is_guessed_far_from_what_was_measured():
    # Of such crumbs of JPEG, one in a few thousand had a slope where a peak was looked for.
    data = encoded(Image.fromarray(drawn("enlarged", *SIZE, 3700)).convert("RGB"), "JPEG", quality=45)
    grid = pixels.detect_grid(Image.open(io.BytesIO(data)))
    assert all(1 <= period <= side for period, side in zip(grid.period, SIZE, strict=True))


def broken_files(every):
    """Small files of all formats, cut off at every n-th byte, and with every n-th byte changed."""
    files = [GOOD, encoded(picture().quantize(8), "PNG"), ODD["damaged EXIF"]]
    files += [
        encoded(picture(), "WEBP", lossless=True),
        *(encoded(picture(), kind) for kind in ("GIF", "WEBP", "JPEG")),
    ]
    files += [moving(kind, duration=50) for kind in ("PNG", "GIF", "WEBP")]
    rng = np.random.default_rng(5)
    for data in files:
        for at in range(int(rng.integers(every)), len(data), every):
            yield data[:at]
            yield data[:at] + bytes([data[at] ^ int(rng.integers(1, 256))]) + data[at + 1 :]


def survives(data):
    try:
        done = finish(data, SPEC)
    except UnreadableImage:
        return False
    assert done.image.size == SPEC.size
    return True


def test_files_cut_off_or_damaged_somewhere():
    outcomes = {survives(data) for data in broken_files(41)}
    assert outcomes == {True, False}


@pytest.mark.slow
def test_files_cut_off_or_damaged_anywhere():
    assert {survives(data) for data in broken_files(1)} == {True, False}
