"""Tiles: seamless ones are told from crops, seams are mended with the tile's own pixels, corner tiles fit or do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pixelrouter.backends.procedural.grounds import seamless, wang
from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import TILEABLE, check_wang, make_seamless, preview, seam_score, wang_map
from pixelrouter.pixels.color import Bytes as Pixels
from pixelrouter.pixels.tiles.seam import Axes
from pixelrouter.pixels.tiles.wang import corners

TONES = [0, 40, 128, 255]
GROUNDS = ["grass", "dirt", "sand", "water", "lava", "stone", "brick"]


def ground(prompt: str, side: int = 32, seed: int = 1) -> Pixels:
    sprite = seamless(prompt, seed, side, side)
    return np.array(sprite.palette, np.uint8)[sprite.pixels]


def scenery(side: int, seed: int) -> Pixels:
    """What a photo is like: noise of all scales (1/f), lit from one side, nothing that repeats."""
    rng = np.random.default_rng(seed)
    big = 4 * side
    scale = np.hypot(np.fft.fftfreq(big)[:, None], np.fft.fftfreq(big)[None]) * big
    scale[0, 0] = 1
    planes = [np.fft.ifft2(np.fft.fft2(rng.normal(size=(big, big))) / scale**1.5).real[:side, :side] for _ in range(3)]
    picture = np.stack(planes, axis=-1)
    picture = (picture - picture.min()) / np.ptp(picture) + np.linspace(0, 0.7, side)[:, None, None]
    return (picture / picture.max() * 255).astype(np.uint8)


@pytest.mark.parametrize("prompt", GROUNDS)
def test_textures_that_repeat_pass_wherever_they_are_cut(prompt: str) -> None:
    rng = np.random.default_rng(8)
    tile = ground(prompt)
    scores = [seam_score(Image.fromarray(np.roll(tile, rng.integers(0, 32, 2), (0, 1)))).score for _ in range(6)]
    assert np.median(scores) <= TILEABLE / 2
    assert max(scores) <= 2 * TILEABLE


@pytest.mark.parametrize("side", [16, 64, 256])
def test_crops_of_pictures_do_not_pass(side: int) -> None:
    for seed in range(4):
        assert not seam_score(Image.fromarray(scenery(side, seed))).tileable


def test_a_horizon_is_no_seamless_line() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:20], picture[20:] = (120, 180, 255), (60, 120, 40)
    seam = seam_score(Image.fromarray(picture))
    assert seam.x == 0
    assert seam.y is not None
    assert seam.y > TILEABLE
    assert seam_score(Image.fromarray(picture), "x").tileable
    assert seam_score(Image.fromarray(picture), "x").y is None


def test_a_joint_that_is_also_inside_is_no_seam() -> None:
    wall = np.full((32, 32, 3), (150, 60, 40), np.uint8)
    wall[::16] = wall[:, ::16] = (230, 220, 200)
    assert seam_score(Image.fromarray(wall)).score < 0.01  # rounding of single floats


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(3, 9), st.integers(3, 9), st.just(4))), st.integers(0, 8), st.integers(0, 8)
)
def test_what_is_repeated_twice_has_no_seam(tile: Pixels, y: int, x: int) -> None:
    height, width = tile.shape[:2]
    crop = np.tile(tile, (4, 4, 1))[y : y + 2 * height, x : x + 2 * width]
    assert seam_score(Image.fromarray(crop)).score < 0.05  # rounding of single floats, near black a cube root apart


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 2)])
def test_tiny_tiles_have_a_score(size: tuple[int, int]) -> None:
    seam = seam_score(Image.new("RGBA", size, "red"))
    assert seam.score == 0
    assert make_seamless(Image.new("RGBA", size, "red")).size == size


def test_transparent_pixels_look_alike() -> None:
    rgba = np.random.default_rng(0).integers(0, 255, (16, 16, 4)).astype(np.uint8)
    rgba[..., 3] = 0
    assert seam_score(Image.fromarray(rgba)).score == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("axes", ["both", "x", "y"])
def test_a_crop_becomes_seamless_with_its_own_colours(seed: int, axes: Axes) -> None:
    crop = Image.fromarray(scenery(48, seed) // 24 * 24).convert("RGBA")
    done = make_seamless(crop, axes)
    assert seam_score(done, axes).tileable
    assert not seam_score(crop, axes).tileable
    before, after = np.asarray(crop), np.asarray(done)
    assert np.isin(after.view(np.uint32), before.view(np.uint32)).all()
    middle = slice(10, 38)
    assert (after[middle, middle] == before[middle, middle]).all()
    if axes == "x":
        assert (after[:, 10:38] == before[:, 10:38]).all()


def test_no_new_seam_is_cut_inside() -> None:
    rng = np.random.default_rng(4)
    tile = np.tile(ground("grass", 64), (2, 2, 1))[3:48, 7:60]
    done = np.asarray(make_seamless(Image.fromarray(tile)))
    for _ in range(5):
        turned = Image.fromarray(np.roll(done, rng.integers(0, 45, 2), (0, 1)))
        assert seam_score(turned).score < 2 * TILEABLE


def test_a_seamless_tile_stays_as_it_is() -> None:
    tile = Image.fromarray(ground("water")).convert("RGBA")
    assert make_seamless(tile).tobytes() == tile.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.uint8,
        st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(4)),
        elements=st.sampled_from([0, 40, 128, 255]),
    ),
    st.sampled_from(["both", "x", "y"]),
)
def test_mending_never_makes_it_worse(tile: Pixels, axes: Axes) -> None:
    image = Image.fromarray(tile)
    done = make_seamless(image, axes)
    assert done.size == image.size
    assert seam_score(done, axes).score <= seam_score(image, axes).score + 1e-9
    assert np.isin(np.asarray(done).copy().view(np.uint32), tile.view(np.uint32)).all()


def test_the_preview_repeats_every_pixel() -> None:
    tile = Image.fromarray(ground("brick", 16)).convert("RGBA")
    picture = preview(tile, 3, 2, scale=2)
    assert picture.size == (96, 64)
    for x in (0, 32, 64):
        assert picture.crop((x, 32, x + 32, 64)).resize((16, 16), Image.Resampling.NEAREST).tobytes() == tile.tobytes()
    with pytest.raises(InvalidRequest):
        preview(tile, 0)


def test_unknown_axes_are_refused() -> None:
    for work in (seam_score, make_seamless):
        with pytest.raises(InvalidRequest, match="Use one of"):
            work(Image.new("RGB", (8, 8)), "z")  # type: ignore[arg-type]  # that is what is tested


# --- corner tiles ---


def corner_tiles(lower: str, upper: str, side: int) -> dict[str, Image.Image]:
    tiles = wang(lower, upper, 1, side, side)
    return {f"wang-{code}": Image.fromarray(np.array(t.palette, np.uint8)[t.pixels]) for code, t in tiles.items()}


@pytest.mark.parametrize("side", [16, 32])
@pytest.mark.parametrize(("lower", "upper"), [("grass", "dirt"), ("water", "sand"), ("dirt", "snow")])
def test_a_set_fits_until_one_tile_is_turned(lower: str, upper: str, side: int) -> None:
    tiles = corner_tiles(lower, upper, side)
    good = check_wang(tiles)
    assert good.fits
    assert len(good.joints) == 128
    assert not good.faults
    tiles["wang-0110"] = tiles["wang-0110"].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    bad = check_wang(tiles)
    assert not bad.fits
    assert bad.faults[0][0] == "wang-0110"


def test_a_missing_tile_is_named() -> None:
    tiles = corner_tiles("water", "sand", 16)
    del tiles["wang-1001"]
    found = check_wang(tiles)
    assert found.missing == ("1001",)
    assert not found.fits
    with pytest.raises(InvalidRequest, match="1001"):
        wang_map(tiles)


def test_a_map_is_laid_by_the_corners() -> None:
    flat = {}
    for number in range(16):
        code = f"{number:04b}"
        bits = np.array([int(bit) for bit in code], np.uint8).reshape(2, 2) * 255
        flat[f"wang-{code}"] = Image.fromarray(bits.repeat(2, 0).repeat(2, 1))
    picture = np.asarray(wang_map(flat, 6, 5, seed=3))[..., 0]
    assert picture.shape == (20, 24)
    # Two tiles that meet show the same corner on both sides.
    assert (picture[:, 3:-1:4] == picture[:, 4::4]).all()
    assert (picture[3:-1:4] == picture[4::4]).all()
    assert len(np.unique(picture)) == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [("wang-0110", "0110"), ("shore_1001-b", "1001"), ("0001", "0001"), ("wang-01101", None), ("grass", None)],
)
def test_corners_are_read_from_names(name: str, code: str | None) -> None:
    assert corners(name) == code


def test_sets_that_cannot_be_checked_are_refused() -> None:
    tile = Image.new("RGB", (8, 8))
    for tiles in ({}, {"grass": tile}, {"wang-0000": tile, "wang-0001": Image.new("RGB", (9, 8))}):
        with pytest.raises(InvalidRequest):
            check_wang(tiles)


def test_a_shading_that_no_patch_can_close_stays_as_it_is() -> None:
    few = np.random.default_rng(0).integers(60, 200, (3, 3)).astype(np.uint8)
    tile = Image.fromarray(few).resize((32, 32), Image.Resampling.BICUBIC).convert("RGB")
    assert seam_score(tile).score > 4
    assert np.array_equal(np.asarray(make_seamless(tile))[..., :3], np.asarray(tile))
