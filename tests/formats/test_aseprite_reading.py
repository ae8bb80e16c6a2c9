"""Files as artists save them: layers, groups, opacity, links, grey and RGBA; and files that are damaged."""

from __future__ import annotations

import struct
import sys
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.formats import aseprite_reading
from pixelrouter.formats.aseprite import (
    CEL,
    LAYER,
    OLDER_PALETTE,
    SLICE,
    Chunk,
    Color,
    Frame,
    Header,
    dump,
    is_aseprite,
    palette_chunks,
    parse,
    read_palette,
    text,
)
from pixelrouter.formats.aseprite_marks import Key, Slice, Tag
from pixelrouter.formats.aseprite_reading import read_aseprite
from pixelrouter.formats.aseprite_writing import write_aseprite

RED, GREEN, HALF = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 128)
COLORS = [Color((9, 9, 9, 255)), Color(RED), Color(GREEN, "leaf"), Color(HALF)]


def layer(name: str, flags: int = 1, kind: int = 0, level: int = 0, blend: int = 0, opacity: int = 255) -> Chunk:
    return Chunk(LAYER, struct.pack("<HHHHHHB3x", flags, kind, level, 0, 0, blend, opacity) + text(name))


def cel(
    at: int, pixels: Any, x: int = 0, y: int = 0, opacity: int = 255, kind: int = 2, z: int = 0, size: Any = None
) -> Chunk:
    """Pixels are an array ``(h, w)`` or ``(h, w, channels)``; for kind 1, the number of a frame."""
    head = struct.pack("<HhhBHh5x", at, x, y, opacity, kind, z)
    if kind == 1:
        return Chunk(CEL, head + struct.pack("<H", pixels))
    array = np.asarray(pixels, dtype=np.uint8)
    width, height = size or (array.shape[1], array.shape[0])
    body = array.tobytes() if kind == 0 else zlib.compress(array.tobytes())
    return Chunk(CEL, head + struct.pack("<HH", width, height) + body)


def file(*frames: list[Chunk], size: tuple[int, int] = (2, 1), depth: int = 32, flags: int = 1) -> bytes:
    return dump(Header(*size, depth=depth, flags=flags), [Frame(100, tuple(chunks)) for chunks in frames])


def pixels(data: bytes, frame: int = 0) -> list[tuple[int, ...]]:
    return [tuple(map(int, pixel)) for pixel in read_aseprite(data).frames[frame].reshape(-1, 4)]


def line(*colors: tuple[int, ...]) -> Any:
    return np.array([colors], dtype=np.uint8)


def test_layers_lie_on_one_another() -> None:
    data = file([layer("below"), layer("above"), cel(0, line(RED, RED)), cel(1, line(GREEN), x=1)])
    assert pixels(data) == [RED, GREEN]
    assert read_aseprite(data).layers == ("below", "above")


def test_cels_may_stick_out_of_the_canvas() -> None:
    wide = line(GREEN, RED, GREEN, RED)
    assert pixels(file([layer("a"), cel(0, wide, x=-1)])) == [RED, GREEN]
    assert pixels(file([layer("a"), cel(0, wide, x=5)])) == [(0,) * 4] * 2
    assert pixels(file([layer("a"), cel(0, wide, y=-1)])) == [(0,) * 4] * 2
    assert pixels(file([layer("a"), cel(0, wide, size=(0, 3))])) == [(0,) * 4] * 2  # an empty cel is no error


def test_opacity_of_layer_cel_and_color_multiply() -> None:
    data = file([layer("a", opacity=128), cel(0, line(RED, HALF), opacity=128)])
    assert pixels(data) == [(255, 0, 0, 64), (0, 0, 255, 32)]
    data = file([layer("a", opacity=1), cel(0, line(RED, RED))], flags=0)  # an old file: the number means nothing
    assert pixels(data) == [RED, RED]


def test_normal_blending_counts_as_aseprite_does() -> None:
    data = file([layer("a"), layer("b"), cel(0, line(RED, RED)), cel(1, line(HALF, (0, 255, 0, 0)))])
    assert pixels(data) == [(127, 0, 128, 255), RED]


def test_hidden_layers_groups_and_references_are_not_seen() -> None:
    group = [layer("group", flags=0, kind=1), layer("in it", level=1), layer("after"), layer("reference", flags=65)]
    data = file([*group, cel(1, line(RED, RED)), cel(2, line(GREEN)), cel(3, line(RED, RED))])
    assert pixels(data) == [GREEN, (0,) * 4]


def test_a_groups_opacity_counts_where_the_file_says_so() -> None:
    chunks = [layer("group", kind=1, opacity=128), layer("in it", level=1), cel(1, line(RED, RED))]
    assert pixels(file(chunks)) == [RED, RED]
    assert pixels(file(chunks, flags=3)) == [(255, 0, 0, 128)] * 2
    both = [*chunks, layer("too", level=1), cel(2, line(GREEN, GREEN))]  # a group is laid over the rest as one
    assert pixels(file(both, flags=3)) == [(0, 255, 0, 128)] * 2
    blended = [layer("group", kind=1, blend=2), layer("in it", level=1), cel(1, line(RED, RED))]
    assert pixels(file(blended)) == [RED, RED]
    with pytest.raises(UnreadableImage, match="'group' has a blend mode"):
        read_aseprite(file(blended, flags=3))


def test_z_index_changes_the_order() -> None:
    low, high = cel(0, line(RED, RED), z=1), cel(1, line(GREEN, GREEN))
    assert pixels(file([layer("a"), layer("b"), low, high])) == [RED, RED]
    assert pixels(file([layer("a"), layer("b"), cel(0, line(RED, RED)), high])) == [GREEN, GREEN]


def test_linked_and_raw_cels() -> None:
    data = file([layer("a"), cel(0, line(RED, GREEN), kind=0)], [cel(0, 0, kind=1)], [cel(0, 1, kind=1)], [])
    assert [pixels(data, at) for at in range(4)] == [[RED, GREEN]] * 3 + [[(0,) * 4] * 2]


def test_grey_with_alpha() -> None:
    assert pixels(file([layer("a"), cel(0, line((7, 255), (200, 3)))], depth=16)) == [(7, 7, 7, 255), (200,) * 3 + (3,)]


def test_indexed_with_a_clear_index_and_a_background() -> None:
    first = [*palette_chunks(COLORS), layer("a"), cel(0, [[0, 3]])]
    assert pixels(file(first, depth=8)) == [(0,) * 4, HALF]
    ground = [*palette_chunks(COLORS), layer("a", flags=9), cel(0, [[0, 200]])]
    assert pixels(file(ground, depth=8)) == [(9, 9, 9, 255), (0,) * 4]
    moved = dump(Header(2, 1, transparent=1), [Frame(100, (*palette_chunks(COLORS), layer("a"), cel(0, [[0, 1]])))])
    assert pixels(moved) == [(9, 9, 9, 255), (0,) * 4]
    assert read_aseprite(moved).transparent == 1


def test_times_of_old_files_are_the_headers() -> None:
    data = bytearray(file([layer("a")], [layer("a")]))
    struct.pack_into("<H", data, 18, 70)  # the header's speed
    struct.pack_into("<H", data, 128 + 8, 0)  # the first frame's own
    assert read_aseprite(bytes(data)).durations == (70, 100)


@pytest.mark.parametrize("scale", [1, 4])
def test_old_palettes(scale: int) -> None:
    kind, top = (OLDER_PALETTE, 63) if scale == 4 else (4, 255)
    body = struct.pack("<H", 2) + bytes([1, 1, top, 0, 0]) + bytes([1, 2, 0, top, 0, 0, 0, top // 3])
    found = read_palette([Chunk(kind, body)])
    assert [color.rgba for color in found] == [
        (0, 0, 0, 255), (255, 0, 0, 255), (0, 0, 0, 255), (0, 255, 0, 255), (0, 0, 85, 255)
    ]  # fmt: skip
    assert read_palette([Chunk(kind, body), *palette_chunks(COLORS)]) == tuple(COLORS)
    assert read_palette([*palette_chunks(COLORS), Chunk(kind, body)]) == tuple(COLORS)


def test_256_colours_in_the_old_chunk_are_counted_as_none() -> None:
    many = [Color((at, 0, 0, 255)) for at in range(256)]
    old = [chunk for chunk in palette_chunks(many) if chunk.kind == 4]
    assert old[0].data[:4] == bytes([1, 0, 0, 0])
    assert read_palette(old) == tuple(many)


def test_what_cannot_be_read_rightly_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="'shade' has a blend mode"):
        read_aseprite(file([layer("shade", blend=1), cel(0, line(RED))]))
    assert pixels(file([layer("shade", flags=0, blend=1), cel(0, line(RED))])) == [(0,) * 4] * 2
    with pytest.raises(UnreadableImage, match="'map' is a tilemap"):
        read_aseprite(file([layer("map", kind=2), cel(0, line(RED), kind=3)]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a file of Aseprite's"),
        (b"ASEF" + bytes(200), "palette of Adobe's"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not a file of Aseprite's"),
        (file([layer("a")])[:140], "breaks off"),
        (file([], size=(9, 9), depth=24), "24 bits a pixel"),
        (file(*[[]] * 3, size=(65535, 65535)), "more than are read"),
        (file([layer("a"), cel(0, 3, kind=1)]), "breaks off"),  # a link to a frame that is not there
        (file([layer("a"), cel(0, 0, kind=1)]), "breaks off"),  # and to itself
        (file([layer("a"), cel(0, 1, kind=1)], [cel(0, 0, kind=1)]), "breaks off"),  # and in a ring
        (file([layer("a"), cel(0, line(RED), size=(2, 1))]), "breaks off"),
        (file([layer("a"), cel(0, line(RED), size=(65535, 65535))]), "32 million"),
        (file([Chunk(LAYER, b"\1")]), "breaks off"),
        (file([layer("a", level=1)]), "breaks off"),
        (file([layer("a", kind=1, level=at) for at in range(80)]), "breaks off"),
        (file([Chunk(0x2019, struct.pack("<III8x", 1 << 31, 0, 1 << 30))]), "palette of more"),
    ],
)
def test_damaged_files_are_told_apart(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableImage, match=message):
        read_aseprite(data)


def test_a_small_file_that_unpacks_to_much_is_not_unpacked() -> None:
    bomb = zlib.compress(bytes(50_000_000))
    head = struct.pack("<HhhBHh5xHH", 0, 0, 0, 255, 2, 0, 2, 1)
    data = file([layer("a"), Chunk(CEL, head + bomb)])
    tracemalloc.start()
    try:
        assert pixels(data) == [(0,) * 4] * 2  # eight bytes are taken of it
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_the_middle_of_a_nine_patch_is_passed_over() -> None:
    keys = struct.pack("<IiiIIiiIIii", 0, 1, 2, 3, 4, 1, 1, 1, 1, -5, 6)
    data = file([layer("a"), Chunk(SLICE, struct.pack("<III", 1, 3, 0) + text("button") + keys)])
    assert read_aseprite(data).slices == (Slice("button", (Key(0, (1, 2, 3, 4), (-5, 6)),)),)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aseprite_reading, "MAX_WORK", 5)
    frames = [[layer("a"), cel(0, line(RED, RED))], [cel(0, 0, kind=1)], [cel(0, 0, kind=1)]]
    assert len(read_aseprite(file(*frames[:2])).frames) == 2
    with pytest.raises(UnreadableImage, match="too many layers"):
        read_aseprite(file(*frames))


WHOLE = write_aseprite(
    [np.array([[0, 1], [2, 3]], dtype=np.uint8)] * 2,
    COLORS,
    [80, 90],
    tags=[Tag("walk", 0, 1, "pingpong", 2)],
    slices=[Slice("all", (Key(0, (0, 0, 2, 2), (1, 2)),))],
    grid=(2, 2),
    note="made by hand",
)


def test_what_is_written_is_read() -> None:
    found = read_aseprite(WHOLE)
    assert found.tags == (Tag("walk", 0, 1, "pingpong", 2),)
    assert found.slices == (Slice("all", (Key(0, (0, 0, 2, 2), (1, 2)),)),)
    assert (found.durations, found.grid, found.note, found.palette) == ((80, 90), (2, 2), "made by hand", tuple(COLORS))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.integers(0, len(WHOLE)))
def test_a_damaged_file_is_read_or_refused(at: int, value: int, end: int) -> None:
    for data in (WHOLE[:at] + bytes([value]) + WHOLE[at + 1 :], WHOLE[:end]):
        try:
            found = read_aseprite(data)
        except UnreadableImage:
            continue
        assert all(frame.shape[2] == 4 for frame in found.frames)


def test_chunks_survive_a_round_trip() -> None:
    container = parse(WHOLE)
    assert dump(container.header, container.frames) == WHOLE
    assert is_aseprite(WHOLE)
    assert not is_aseprite(b"ASEF" + WHOLE[4:])
    longer = replace(container.frames[0], duration=99_999)
    assert parse(dump(container.header, [longer])).frames[0].duration == 65535


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": []},
        {"frames": [np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)], "durations": [1, 1]},
        {"durations": [1, 2]},
        {"palette": COLORS[:1]},
        {"palette": COLORS * 65},
    ],
)
def test_what_cannot_be_written_is_refused(wrong: dict[str, Any]) -> None:
    right = {"frames": [np.ones((2, 2), np.uint8)], "palette": COLORS, "durations": [100]}
    with pytest.raises(InvalidRequest):
        write_aseprite(**right | wrong)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the PyPI package aseprite needs Python 3.12")
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 6), st.sampled_from([8, 16, 32]))
def test_random_layers_look_as_aseprite_py_shows_them(seed: int, count: int, depth: int) -> None:
    import aseprite

    random = np.random.default_rng(seed)
    # Indexed layers that shine through each other look otherwise on Aseprite's screen (as here) than in its exports.
    least = 255 if depth == 8 else 0
    chunks = [*palette_chunks(COLORS[:3])]
    level = 0
    kinds = random.integers(0, 3, count) == 0  # one in three is a group
    for at in range(count):
        opacity = int(random.integers(least, 256))
        chunks.append(layer(str(at), int(random.random() < 0.8), int(kinds[at]), level, opacity=opacity))
        level = level + 1 if kinds[at] else int(random.integers(0, level + 1))
    for at in range(count):
        if kinds[at]:
            continue
        shape = (int(random.integers(1, 5)), int(random.integers(1, 5)), depth // 8)
        x, y, z = random.integers(-2, 3, 3).tolist()
        values = random.integers(0, 3 if depth == 8 else 256, shape)
        opacity = int(random.integers(least, 256))
        chunks.append(cel(at, values, x, y, opacity, int(random.choice([0, 2])), z))
    data = file(chunks, size=(4, 4), depth=depth, flags=1 if depth == 8 else int(random.choice([1, 3])))
    theirs = np.frombuffer(bytes(aseprite.Sprite.from_bytes(data).flatten(frame=0)), dtype=np.uint8).reshape(4, 4, 4)
    ours = read_aseprite(data).frames[0]
    assert np.array_equal(np.where(theirs[..., 3:] == 0, 0, theirs), ours)
