"""Cutting a vendor's file into its images: cells, frames, names, and honest warnings where it does not fit."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelrouter.backends.procedural.draw import draw as drawn
from pixelrouter.errors import InvalidRequest, QualityRejected, UnreadableImage
from pixelrouter.pixels import FinishSpec, Slicing, cut, finish, finish_many, finish_sheet, jitter
from pixelrouter.types import Layout

COLORS = ["#101010", "#e04040", "#40e040", "#4040e0", "#e0e040", "#e040e0"]


def sheet(columns: int, rows: int, cell: tuple[int, int] = (8, 8)) -> Image.Image:
    image = Image.new("RGB", (columns * cell[0], rows * cell[1]))
    draw = ImageDraw.Draw(image)
    for at in range(columns * rows):
        x, y = at % columns * cell[0], at // columns * cell[1]
        draw.rectangle((x, y, x + cell[0] - 1, y + cell[1] - 1), fill=COLORS[at % len(COLORS)])
    return image


def film(count: int, kind: str = "GIF") -> bytes:
    frames = [Image.new("RGB", (8, 8), COLORS[at]) for at in range(count)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=[100 + at * 10 for at in range(count)])
    return out.getvalue()


def colors(images: tuple[Image.Image, ...]) -> list[str]:
    return ["#{:02x}{:02x}{:02x}".format(*image.convert("RGB").getpixel((3, 3))) for image in images]


def test_a_plain_file_is_one_image() -> None:
    done = cut(sheet(1, 1), Layout())
    assert (len(done.images), done.names, done.durations, done.warnings) == (1, ("",), (0,), ())


def test_cells_come_row_by_row_with_their_names() -> None:
    done = cut(sheet(3, 2), Layout(columns=3, rows=2, names=("a", "b", "c", "d", "e", "f")))
    assert colors(done.images) == COLORS
    assert done.names == tuple("abcdef")
    assert {image.size for image in done.images} == {(8, 8)}


def test_an_empty_name_leaves_its_cell_out() -> None:
    done = cut(sheet(3, 2), Layout(columns=3, rows=2, names=("a", "", "c", "d", "", "f")))
    assert done.names == ("a", "c", "d", "f")
    assert colors(done.images) == [COLORS[0], COLORS[2], COLORS[3], COLORS[5]]


def test_cells_by_their_size() -> None:
    done = cut(sheet(2, 3, (16, 8)), Layout(cell=(16, 8)))
    assert len(done.images) == 6
    assert done.names == ("",) * 6


def test_a_size_that_does_not_divide_is_shared_out() -> None:
    done = cut(Image.new("RGB", (10, 7)), Layout(columns=3, rows=2))
    assert [image.width for image in done.images[:3]] == [3, 4, 3]
    assert sum(image.height for image in done.images[::3]) == 7


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_frames_of_a_film_are_images_with_times(kind: str) -> None:
    done = cut(film(4, kind), Layout(frames=True))
    assert len(done.images) == 4
    assert done.durations == (100, 110, 120, 130)


def test_a_film_that_is_not_asked_for_is_its_first_frame() -> None:
    done = cut(film(4), Layout())
    assert len(done.images) == 1
    assert done.durations == (0,)


def test_more_or_fewer_than_named_is_warned_about_and_kept() -> None:
    done = cut(film(3), Layout(frames=True, names=("one", "two")))
    assert len(done.images) == 3
    assert any("2 images were expected" in warning for warning in done.warnings)
    fewer = cut(film(2), Layout(frames=True, names=("one", "two", "three")))
    assert fewer.names == ("one", "two")
    assert fewer.warnings


def test_another_size_than_expected_is_warned_about() -> None:
    done = cut(sheet(1, 1), Layout(raw_size=(16, 16)))
    assert done.warnings == ("The vendor drew 8x8 instead of 16x16.",)
    assert not cut(sheet(1, 1), Layout(raw_size=(8, 8))).warnings


def test_a_keyed_cell_loses_its_ground_and_keeps_the_same_colour_inside() -> None:
    image = Image.new("RGB", (32, 16), "#ff0000")
    draw = ImageDraw.Draw(image)
    for x in (0, 16):
        draw.rectangle((x + 4, 4, x + 11, 11), fill="#204080")
        draw.rectangle((x + 7, 7, x + 8, 8), fill="#ff0000")
    left, right = cut(image, Layout(columns=2, names=("l", "r"), key=True)).images
    for cell in (left, right):
        assert cell.getpixel((0, 0)) == (0, 0, 0, 0)
        assert cell.getpixel((5, 5)) == (0x20, 0x40, 0x80, 255)
        assert cell.getpixel((7, 7)) == (255, 0, 0, 255)


def test_what_is_no_image_is_said_so() -> None:
    with pytest.raises(UnreadableImage):
        cut(b"nothing", Layout())


# --- larger canvases ---


def figure(canvas: int, left: int, top: int, side: int = 20) -> Image.Image:
    image = Image.new("RGBA", (canvas, canvas))
    draw = ImageDraw.Draw(image)
    draw.rectangle((left, top, left + side - 1, top + side - 1), fill="#204080")
    draw.rectangle((left + 4, top + 4, left + 6, top + 6), fill="#f0f0f0")
    return image


def test_a_figure_on_a_larger_canvas_is_cut_out_not_resampled() -> None:
    done = finish(figure(76, 30, 40), FinishSpec(size=(48, 48), native=True))
    assert done.report.method == "native"
    assert done.image.getbbox() == (16, 26, 36, 46)
    assert not done.report.warnings


def test_the_frames_of_a_film_are_cut_by_one_window() -> None:
    frames = [figure(76, 10, 40), figure(76, 12, 40), figure(76, 14, 38)]
    done = finish_many(frames, FinishSpec(size=(48, 48), native=True))
    boxes = [one.image.getbbox() for one in done]
    assert [box[0] - boxes[0][0] for box in boxes if box] == [0, 2, 4]
    assert [box[1] - boxes[0][1] for box in boxes if box] == [0, 0, -2]


def test_a_figure_that_does_not_fit_is_brought_to_size_with_a_warning() -> None:
    done = finish(figure(76, 5, 5, 60), FinishSpec(size=(48, 48), native=True))
    assert done.image.size == (48, 48)
    assert done.report.warnings


def test_a_line_between_the_cells_does_not_hide_the_ground() -> None:
    image = Image.new("RGB", (400, 400), "#ff0000")
    draw = ImageDraw.Draw(image)
    draw.rectangle((198, 0, 201, 399), fill="#ffffff")
    draw.rectangle((0, 198, 399, 201), fill="#ffffff")
    for x in (60, 260):
        for y in (60, 260):
            draw.rectangle((x, y, x + 80, y + 80), fill="#204080")
    done = cut(image, Layout(columns=2, rows=2, key=True))
    for cell in done.images:
        assert cell.getpixel((0, 0))[3] == 0
        assert cell.getpixel((90, 90)) == (0x20, 0x40, 0x80, 255)
    assert not done.warnings


def test_a_ground_of_many_colours_is_warned_about() -> None:
    noise = Image.effect_noise((64, 64), 200).convert("RGB")
    assert any("ground" in warning for warning in cut(noise, Layout(key=True)).warnings)


def test_a_blacked_out_picture_is_warned_about() -> None:
    done = finish(Image.new("RGB", (64, 64)), FinishSpec(size=(32, 32)))
    assert any("one colour" in warning for warning in done.report.warnings)


# --- one grid and one palette over all images ---

NAMES = ("knight", "robot", "slime", "wizard", "ghost", "dragon")
STRAY = ((0, 0), (1, -2), (-2, 1), (2, 2), (-1, -1), (0, 2))


def sprite(name: str, side: int = 24) -> Image.Image:
    found = drawn(name, 0, side, side, True)
    colors = np.zeros((len(found.palette), 4), np.uint8)
    colors[:, :3] = found.palette
    colors[1:, 3] = 255
    colors[0] = 0
    return Image.fromarray(colors[found.pixels])


def sprite_sheet(
    sprites: list[Image.Image], ground: tuple[int, ...] = (0, 0, 0, 0), stray: bool = False
) -> Image.Image:
    """Three columns and two rows of cells of 32 pixels, a sprite of 24 in each."""
    image = Image.new("RGBA", (96, 64), ground)
    for at, one in enumerate(sprites):
        dx, dy = STRAY[at] if stray else (0, 0)
        image.alpha_composite(one, (at % 3 * 32 + 4 + dx, at // 3 * 32 + 4 + dy))
    return image


def fake(image: Image.Image, factor: float, noise: float = 0) -> Image.Image:
    """Enlarged by a factor that need not be whole, as a model draws it; noise in bytes."""
    size = (round(image.width * factor), round(image.height * factor))
    rgba = np.asarray(image.resize(size, Image.Resampling.NEAREST)).astype(float)
    rgba[..., :3] += np.random.default_rng(0).normal(0, noise, rgba[..., :3].shape)
    return Image.fromarray(rgba.clip(0, 255).astype(np.uint8))


def same(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels that are equal, but for eight steps of colour."""
    assert one.size == other.size
    apart = np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int))
    return float((apart.max(axis=-1) <= 8).mean())


@pytest.mark.parametrize("factor", [1, 4, 6.7, 9.3])
@pytest.mark.parametrize("by", ["cells", "grid"])
def test_no_pixel_is_cut_in_two(factor: float, by: str) -> None:
    sprites = [sprite(name) for name in NAMES]
    big = fake(sprite_sheet(sprites), factor)
    # The cell is given in the file's own pixels, so its border lies inside a pixel where the factor is not whole.
    side = round(32 * factor)
    slicing = Slicing("cells", cell=(side, side)) if by == "cells" else Slicing("cells", grid=(3, 2))
    done = finish_sheet(big, slicing, FinishSpec(size=(32, 32), colors=None))
    assert len(done) == 6
    for one, truth in zip(done, sprites, strict=True):
        whole = Image.new("RGBA", (32, 32))
        whole.paste(truth, (4, 4))
        assert same(one.image, whole) > 0.995


def test_all_images_share_grid_and_palette() -> None:
    ground = (32, 208, 96, 255)
    big = fake(sprite_sheet([sprite(name) for name in NAMES], ground), 7.3, noise=4)
    done = finish_sheet(big, Slicing(), FinishSpec(colors=12, transparent=True))
    assert len(done) == 6
    assert {one.palette for one in done} == {done[0].palette}
    assert len(done[0].palette) <= 12
    assert {one.report.grid for one in done} == {done[0].report.grid}
    for one, name in zip(done, NAMES, strict=True):
        truth = sprite(name)
        box = truth.getbbox()
        assert box is not None
        assert np.abs(np.array(one.image.size) - (box[2] - box[0], box[3] - box[1])).max() <= 1
        assert one.report.size == one.image.size
        assert one.indexed.convert("RGBA").tobytes() == one.image.tobytes()


def test_a_native_sheet_keeps_every_pixel() -> None:
    sprites = [sprite(name) for name in NAMES]
    done = finish_sheet(sprite_sheet(sprites), Slicing(join=False), FinishSpec(colors=None))
    assert [one.image.tobytes() for one in done] == [one.crop(one.getbbox()).tobytes() for one in sprites]


def test_views_are_quarters() -> None:
    sprites = [sprite(name) for name in NAMES[:4]]
    image = Image.new("RGBA", (64, 64))
    for at, one in enumerate(sprites):
        image.paste(one, (at % 2 * 32 + 4, at // 2 * 32 + 4))
    done = finish_sheet(fake(image, 5), Slicing("views"), FinishSpec(size=(24, 24), colors=None))
    assert all(same(one.image, truth) == 1 for one, truth in zip(done, sprites, strict=True))


def test_strayed_frames_are_registered() -> None:
    sheet_of_one = fake(sprite_sheet([sprite("knight")] * 6, stray=True), 6.4)
    loose = finish_sheet(sheet_of_one, Slicing("cells", grid=(3, 2)), FinishSpec())
    done = finish_sheet(sheet_of_one, Slicing("cells", grid=(3, 2)), FinishSpec(), anchor="feet")
    assert min(jitter([one.image for one in loose])) > 1
    assert max(jitter([one.image for one in done])) < 0.1


def test_smaller_images_are_padded_and_stand_on_the_ground() -> None:
    done = finish_sheet(sprite_sheet([sprite("knight")] * 6), Slicing(), FinishSpec(size=(40, 40)), anchor="feet")
    box = done[0].image.getbbox()
    assert box is not None
    assert box[3] == 40
    assert {one.image.size for one in done} == {(40, 40)}


def test_a_layout_will_do() -> None:
    image = sprite_sheet([sprite(name) for name in NAMES], (200, 40, 160, 255))
    done = finish_sheet(image, Layout(columns=3, rows=2, key=True), FinishSpec())
    assert [one.image.size for one in done] == [(32, 32)] * 6
    assert all(one.report.transparent for one in done)
    assert len(finish_sheet(image, Layout(cell=(32, 64)), FinishSpec())) == 3


def test_a_sheet_without_a_grid_needs_a_size() -> None:
    y, x = np.indices((200, 400)) / 45
    smooth = np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1) * 100 + 128
    grain = np.random.default_rng(0).normal(0, 8, smooth.shape)
    image = Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))
    slicing = Slicing("cells", grid=(2, 1))
    with pytest.raises(InvalidRequest, match="grid"):
        finish_sheet(image, slicing, FinishSpec())
    done = finish_sheet(image, slicing, FinishSpec(size=(16, 16), colors=6))
    assert [one.image.size for one in done] == [(16, 16)] * 2
    assert {one.palette for one in done} == {done[0].palette}
    with pytest.raises(QualityRejected):
        finish_sheet(image, slicing, FinishSpec(size=(16, 16), policy="reject"))
    converted = finish_sheet(image, slicing, FinishSpec(size=(16, 16), mode="convert"))
    assert converted[0].report.method == "convert"


def test_cells_smaller_than_pixels_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="smaller than the pixels"):
        finish_sheet(fake(sprite("knight"), 8), Slicing("cells", cell=(4, 4)), FinishSpec())


@pytest.mark.parametrize("after", [1, 2, 3])
def test_one_line_too_many_between_two_cells_changes_no_frame(after: int) -> None:
    chance = np.random.default_rng(3)
    frames = []
    for _ in range(4):
        frame = np.zeros((12, 12, 4), dtype=np.uint8)
        frame[2:11, 3:10] = (0, 0, 0, 255)
        frame[2:11, 3:10, :3] = chance.choice([30, 90, 150, 210], (9, 7, 3))
        frames.append(frame)
    wide = np.zeros((12, 1, 4), dtype=np.uint8)
    drawn = np.concatenate([*frames[:after], wide, *frames[after:]], axis=1).repeat(8, axis=0).repeat(8, axis=1)
    done = finish_sheet(Image.fromarray(drawn), Slicing("cells", grid=(4, 1)), FinishSpec(colors=None))
    assert [one.image.size for one in done] == [(12, 12)] * 4
    placed = [one.image.getchannel("A").getbbox() for one in done]
    for one, frame, (left, top, right, bottom) in zip(done, frames, placed, strict=True):
        assert abs(left - 3) <= 1
        assert np.array_equal(np.asarray(one.image)[top:bottom, left:right], frame[2:11, 3:10])
