"""Cutting sheets: cells with margin and spacing, uneven gutters on every kind of ground, two by two views."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.pixels import Slicing, pack, slice_boxes, slice_sheet
from pixelrouter.pixels.sheets.content import find_content

Boxes = list[tuple[int, int, int, int]]

# Three rows of different heights, sprites of different widths, and a coin among giants.
UNEVEN: Boxes = [
    (3, 2, 43, 50), (49, 6, 61, 18), (66, 4, 120, 49),
    (5, 57, 30, 80), (36, 60, 100, 83),
    (2, 90, 20, 110), (24, 88, 60, 112), (64, 90, 84, 108), (90, 92, 122, 111),
]  # fmt: skip
GROUNDS = {"clear": (0, 0, 0, 0), "white": (255, 255, 255, 255), "black": (0, 0, 0, 255), "magenta": (255, 0, 255, 255)}


def drawn(
    boxes: Boxes = UNEVEN, size: tuple[int, int] = (126, 115), ground: tuple[int, ...] = (0, 0, 0, 0)
) -> Image.Image:
    """Outlined ellipses of several colours, each touching all four sides of its box."""
    image = Image.new("RGBA", size, ground)
    draw = ImageDraw.Draw(image)
    for at, (left, top, right, bottom) in enumerate(boxes):
        fill = ((40 + at * 23) % 200 + 20, 90, (170 + at * 31) % 200 + 20, 255)
        draw.ellipse((left, top, right - 1, bottom - 1), fill=fill, outline=(60, 30, 20, 255))
    return image


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    rgb = np.asarray(image.convert("RGB")).astype(float)
    rgb += np.random.default_rng(5).normal(0, sigma, rgb.shape)
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8))


def off(found: tuple[tuple[int, ...], ...], truth: Boxes) -> int:
    assert len(found) == len(truth), found
    return int(np.abs(np.array(found) - np.array(truth)).max())


@pytest.mark.parametrize("ground", GROUNDS)
def test_uneven_gutters_are_found_to_the_pixel_in_reading_order(ground: str) -> None:
    assert list(slice_boxes(drawn(ground=GROUNDS[ground]), Slicing())) == UNEVEN


@pytest.mark.parametrize("sigma", [2, 6, 12])
def test_noise_on_the_ground_is_no_sprite(sigma: float) -> None:
    assert off(slice_boxes(noisy(drawn(ground=(40, 110, 60, 255)), sigma), Slicing()), UNEVEN) <= 1


def test_a_compressed_and_enlarged_sheet_is_cut() -> None:
    image = drawn(ground=(255, 255, 255, 255)).convert("RGB").resize((126 * 4, 115 * 4), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    assert off(slice_boxes(out.getvalue(), Slicing()), [tuple(4 * v for v in box) for box in UNEVEN]) <= 4  # type: ignore[misc]  # four numbers stay four


def test_a_painted_checkerboard_is_ground() -> None:
    y, x = np.indices((115, 126))
    squares = np.where((y // 6 + x // 6) % 2, 255, 204).astype(np.uint8)
    image = Image.fromarray(np.stack([squares] * 3, axis=-1)).convert("RGBA")
    image.alpha_composite(drawn())
    assert list(slice_boxes(image, Slicing())) == UNEVEN


def test_the_haze_of_a_cut_out_is_no_sprite() -> None:
    rgba = np.asarray(drawn()).copy()
    haze = np.random.default_rng(1).integers(1, 12, rgba.shape[:2])
    rgba[..., 3] = np.where(rgba[..., 3] == 0, haze, rgba[..., 3])
    assert list(slice_boxes(Image.fromarray(rgba), Slicing())) == UNEVEN


@pytest.mark.parametrize("ground", ["clear", "magenta"])
def test_drawn_lines_between_the_cells_are_gutters(ground: str) -> None:
    boxes: Boxes = [(4, 4, 26, 27), (36, 5, 58, 25), (5, 38, 28, 60), (35, 36, 59, 58)]
    image = drawn(boxes, (63, 64), GROUNDS[ground])
    draw = ImageDraw.Draw(image)
    draw.line((31, 0, 31, 63), fill="#ffffff")
    draw.line((0, 32, 62, 32), fill="#ffffff")
    assert list(slice_boxes(image, Slicing())) == boxes


def test_tiles_that_cover_the_sheet_are_cut_along_its_lines() -> None:
    rng = np.random.default_rng(3)
    rgb = rng.integers(0, 255, (33, 33, 3)).astype(np.uint8)
    rgb[16] = rgb[:, 16] = (10, 10, 10)
    found = slice_boxes(Image.fromarray(rgb), Slicing())
    assert list(found) == [(0, 0, 16, 16), (17, 0, 33, 16), (0, 17, 16, 33), (17, 17, 33, 33)]


def test_a_spark_beside_a_sprite_belongs_to_it() -> None:
    boxes: Boxes = [(2, 10, 32, 40), (50, 10, 80, 40)]
    image = drawn(boxes, (90, 44))
    image.paste((255, 220, 0, 255), (34, 12, 37, 15))
    assert list(slice_boxes(image, Slicing())) == [(2, 10, 37, 40), boxes[1]]
    assert len(slice_boxes(image, Slicing(join=False))) == 3


def test_a_least_gutter_keeps_parts_together() -> None:
    image = drawn([(2, 2, 20, 20), (23, 2, 40, 20), (50, 2, 70, 20)], (74, 24))
    assert len(slice_boxes(image, Slicing(min_gutter=5))) == 2


# --- cells ---


def test_cells_with_margin_and_spacing_as_tiled_counts_them() -> None:
    image = Image.new("RGBA", (4 + 3 * 16 + 2 * 2 + 3, 4 + 2 * 16 + 2))
    boxes = slice_boxes(image, Slicing("cells", cell=(16, 16), margin=4, spacing=2))
    assert [box[:2] for box in boxes] == [(4, 4), (22, 4), (40, 4), (4, 22), (22, 22), (40, 22)]
    assert all((box[2] - box[0], box[3] - box[1]) == (16, 16) for box in boxes)


def test_so_many_columns_and_rows() -> None:
    boxes = slice_boxes(Image.new("RGBA", (10, 7)), Slicing("cells", grid=(3, 2)))
    assert [box[2] - box[0] for box in boxes[:3]] == [3, 4, 3]
    inner = slice_boxes(Image.new("RGBA", (21, 21)), Slicing("cells", grid=(2, 2), margin=1, spacing=3))
    assert inner == ((1, 1, 9, 9), (12, 1, 20, 9), (1, 12, 9, 20), (12, 12, 20, 20))


def test_empty_cells_can_be_left_out() -> None:
    image = drawn([(2, 2, 14, 14), (34, 18, 46, 30)], (48, 32))
    assert len(slice_boxes(image, Slicing("cells", cell=(16, 16)))) == 6
    assert slice_boxes(image, Slicing("cells", cell=(16, 16), skip_empty=True)) == ((0, 0, 16, 16), (32, 16, 48, 32))


# --- views ---


def test_views_are_parted_in_the_middle_where_that_is_free() -> None:
    boxes: Boxes = [(4, 4, 26, 27), (36, 5, 58, 25), (5, 38, 28, 60), (35, 36, 59, 58)]
    assert [box[:2] for box in slice_boxes(drawn(boxes, (64, 64)), Slicing("views"))] == [
        (0, 0),
        (32, 0),
        (0, 32),
        (32, 32),
    ]


def test_views_that_reach_over_the_middle_are_not_cut() -> None:
    boxes: Boxes = [(2, 2, 36, 28), (40, 3, 62, 30), (4, 36, 35, 62), (41, 37, 61, 60)]
    image = drawn(boxes, (64, 64))
    found = slice_boxes(image, Slicing("views"))
    for outer, inner in zip(found, boxes, strict=True):
        assert outer[0] <= inner[0]
        assert outer[1] <= inner[1]
        assert outer[2] >= inner[2]
        assert outer[3] >= inner[3]


# --- what cannot be done ---


@pytest.mark.parametrize(
    "wish",
    [
        {"by": "magic"}, {"by": "cells"}, {"by": "cells", "cell": (8, 8), "grid": (2, 2)}, {"cell": (8, 8)},
        {"by": "cells", "cell": (0, 8)}, {"by": "cells", "cell": (8, 8), "margin": -1}, {"min_gutter": 0},
    ],
)  # fmt: skip
def test_a_wish_that_makes_no_sense_is_refused(wish: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        Slicing(**wish)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(
    ("image", "slicing", "says"),
    [
        (Image.effect_noise((40, 40), 200), Slicing(), "gutters"),
        (Image.new("RGBA", (20, 20)), Slicing(), "empty"),
        (Image.new("RGB", (20, 20), "red"), Slicing(), "empty"),
        (Image.new("RGB", (20, 20)), Slicing("cells", cell=(32, 32)), "cannot be cut"),
        (Image.new("RGB", (1, 20)), Slicing("views"), "quarters"),
    ],
)
def test_what_cannot_be_cut_is_said_so(image: Image.Image, slicing: Slicing, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        slice_boxes(image, slicing)


def test_dust_is_no_sheet() -> None:
    y, x = np.indices((200, 200))
    rgba = np.zeros((200, 200, 4), np.uint8)
    rgba[(y % 2 == 1) & (x % 2 == 1)] = 255
    with pytest.raises(InvalidRequest, match="noise"):
        slice_boxes(Image.fromarray(rgba), Slicing(join=False))


def test_what_is_no_image_is_said_so() -> None:
    with pytest.raises(UnreadableImage):
        slice_sheet(b"nothing", Slicing())


def test_a_dark_drawing_on_black_is_seen_whole() -> None:
    image = Image.new("RGB", (20, 20))
    image.paste((4, 4, 4), (5, 5, 15, 15))
    assert int(find_content(np.asarray(image.convert("RGBA"))).shown.sum()) == 100


# --- there and back ---


@st.composite
def sprites(draw: st.DrawFn) -> list[Image.Image]:
    seed = draw(st.integers(0, 10_000))
    sizes = draw(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=12))
    rng = np.random.default_rng(seed)
    out = []
    for width, height in sizes:
        rgba = rng.integers(0, 256, (height, width, 4)).astype(np.uint8)
        rgba[..., 3] = np.where(rgba[..., 3] < 60, 0, rgba[..., 3])
        rgba[rgba[..., 3] == 0] = 0
        out.append(Image.fromarray(rgba))
    return out


@settings(max_examples=60, deadline=None)
@given(
    sprites(), st.sampled_from(["maxrects", "shelf", "grid"]), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_what_is_packed_comes_back_to_the_pixel(
    images: list[Image.Image], method: str, spacing: int, margin: int, extrude: int, trim: bool, power: bool
) -> None:
    packed = pack(
        images, method, spacing=spacing, margin=margin, extrude=extrude, trim=trim, power_of_two=power  # type: ignore[arg-type]  # one of the three
    )  # fmt: skip
    for image, back in zip(images, packed.unpack(), strict=True):
        assert back.tobytes() == image.tobytes()
    apart = np.zeros((packed.image.height, packed.image.width), np.int8)
    for left, top, right, bottom in packed.boxes:
        assert min(left, top) >= margin + extrude
        assert max(right - packed.image.width, bottom - packed.image.height) <= -(margin + extrude)
        apart[top - extrude : bottom + extrude, left - extrude : right + extrude] += 1
    assert apart.max() == 1
    if power:
        assert all(side & (side - 1) == 0 for side in packed.image.size)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 999), st.integers(1, 9), st.integers(1, 12), st.integers(1, 12), st.integers(0, 4), st.integers(0, 4)
)  # fmt: skip
def test_a_grid_is_cut_as_it_was_packed(
    seed: int, count: int, width: int, height: int, spacing: int, margin: int
) -> None:
    rng = np.random.default_rng(seed)
    images = [Image.fromarray(rng.integers(0, 256, (height, width, 4)).astype(np.uint8)) for _ in range(count)]
    packed = pack(images, "grid", spacing=spacing, margin=margin)
    back = slice_sheet(packed.image, Slicing("cells", cell=(width, height), spacing=spacing, margin=margin))
    assert [one.tobytes() for one in back[:count]] == [one.tobytes() for one in images]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.lists(st.tuples(st.integers(4, 24), st.integers(4, 24)), min_size=2, max_size=10))
def test_gutters_give_back_what_shelves_hold(seed: int, sizes: list[tuple[int, int]]) -> None:
    rng = np.random.default_rng(seed)
    images = []
    for width, height in sizes:
        rgba = rng.integers(0, 256, (height, width, 4)).astype(np.uint8)
        rgba[..., 3] = 255
        images.append(Image.fromarray(rgba))
    packed = pack(images, "shelf", spacing=2, margin=1)
    assert sorted(slice_boxes(packed.image, Slicing(join=False))) == sorted(packed.boxes)
