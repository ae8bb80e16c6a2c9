"""Dithers against known matrices, a plain reference, and what each must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import FinishSpec, finish, resolve_palette
from pixelrouter.pixels.color import LINEAR, linear_to_oklab, nearest, pack, parse_hex, to_oklab
from pixelrouter.pixels.colors.dither import ATKINSON, FLOYD_STEINBERG, bayer, diffuse, dither
from pixelrouter.pixels.colors.one_bit import one_bit, otsu, two_colors

METHODS = ["none", "bayer2", "bayer4", "bayer8", "floyd-steinberg", "atkinson", "yliluoma"]
PICO = parse_hex(resolve_palette("pico-8"))
BLACK_AND_WHITE = np.array([[0, 0, 0], [255, 255, 255]], dtype=np.uint8)


def opaque(rgb):
    return np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255)], axis=2).astype(np.uint8)


def ramp(width=96, height=48):
    return opaque(np.repeat(np.tile(np.linspace(0, 255, width), (height, 1))[..., None], 3, axis=2))


def test_bayer_matrices_are_the_published_ones():
    assert (bayer(2) * 4 - 0.5).tolist() == [[0, 2], [3, 1]]
    assert (bayer(4) * 16 - 0.5).tolist() == [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    eight = bayer(8) * 64 - 0.5
    assert sorted(eight.ravel().tolist()) == list(range(64))
    assert eight[0].tolist() == [0, 32, 8, 40, 2, 34, 10, 42]
    assert eight[7].tolist() == [63, 31, 55, 23, 61, 29, 53, 21]


def test_bayer_of_a_flat_grey_is_the_threshold_of_its_light():
    for value in (40, 99, 128, 188, 230):
        done = dither(opaque(np.full((8, 8, 3), value)), BLACK_AND_WHITE, "bayer8")
        assert np.array_equal(done[..., 0] == 255, LINEAR[value] > bayer(8))


def test_bayer_equals_every_pair_tried_one_after_the_other():
    rng = np.random.default_rng(6)
    picture = opaque(rng.integers(0, 256, (6, 9, 3)))
    light, shade = LINEAR[PICO].astype(float), to_oklab(PICO).astype(float)
    done = dither(picture, PICO, "bayer4")
    for y, x in np.ndindex(6, 9):
        tone, target = to_oklab(picture[y, x, :3]).astype(float), LINEAR[picture[y, x, :3]].astype(float)
        one = int(((shade - tone) ** 2).sum(axis=1).argmin())
        found = []
        for other in range(len(PICO)):
            along = light[other] - light[one]
            part = float(np.clip((target - light[one]) @ along / max(along @ along, 1e-9), 0, 1))
            mixed = linear_to_oklab((light[one] + part * along).astype(np.float32))
            grain = 0.005 * part * (1 - part) * ((shade[other] - shade[one]) ** 2).sum()
            found.append((((mixed - tone) ** 2).sum() + grain, other, part))
        _, other, part = min(found)
        if shade[one, 0] > shade[other, 0]:
            one, other, part = other, one, 1 - part
        expected = other if part > bayer(4)[y % 4, x % 4] else one
        assert done[y, x, :3].tolist() == PICO[expected].tolist()


def test_yliluoma_equals_a_list_grown_one_step_after_the_other():
    rng = np.random.default_rng(7)
    palette = PICO[:9]
    light, lightness = LINEAR[palette].astype(float), to_oklab(palette)[:, 0]
    for color in rng.integers(0, 256, (20, 3), dtype=np.uint8):
        target, step = LINEAR[color].astype(float), 0.002
        slope = np.stack([
            (linear_to_oklab((target + 0.01 + d).astype(np.float32)).astype(float)
             - linear_to_oklab((target + 0.01 - d).astype(np.float32))) / (2 * step)
            for d in np.eye(3) * step
        ], axis=1)  # fmt: skip
        order = ((to_oklab(palette) - to_oklab(color)) ** 2).sum(axis=1).argsort()
        chosen = []
        while len(chosen) < 64:
            tries = []
            for place, entry in enumerate(order):
                for times in (1, 2, 4, 8, 16):
                    if times <= max(len(chosen), 1) and len(chosen) + times <= 64:
                        mean = light[chosen + [entry] * times].mean(axis=0)
                        tries.append((((slope @ (mean - target)) ** 2).sum(), place, times))
            _, place, times = min(tries)
            chosen += [order[place]] * times
        chosen.sort(key=lambda entry: lightness[entry])
        expected = palette[np.array(chosen)[(bayer(8) * 64).astype(int)]]
        done = dither(opaque(np.broadcast_to(color, (8, 8, 3))), palette, "yliluoma")[..., :3]
        assert (pack(done) == pack(expected)).mean() > 0.96  # a tie may fall the other way


@pytest.mark.parametrize("kernel", [FLOYD_STEINBERG, ATKINSON])
def test_the_waves_equal_one_pixel_after_the_other(kernel):
    rng = np.random.default_rng(3)
    for height, width in ((1, 1), (1, 9), (9, 1), (7, 12), (13, 5)):
        rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        visible = rng.random((height, width)) < 0.8
        wanted, light, shade = LINEAR[rgb].astype(float), LINEAR[PICO].astype(float), to_oklab(PICO)
        expected = np.zeros((height, width), dtype=int)
        for y in range(height):
            for x in range(width):
                if not visible[y, x]:
                    continue
                target = wanted[y, x].clip(-1, 2)
                tone = linear_to_oklab(target.clip(0, 1).astype(np.float32))
                expected[y, x] = nearest(tone[None], shade)[0]
                for right, down, share in kernel:
                    if 0 <= x + right < width and y + down < height:
                        wanted[y + down, x + right] += (target - light[expected[y, x]]) * share
        assert np.array_equal(diffuse(rgb, visible, PICO, kernel), expected)


def test_the_kernels_hand_on_what_their_authors_say():
    assert sum(share for *_, share in FLOYD_STEINBERG) == 1
    assert sum(share for *_, share in ATKINSON) == 6 / 8


@pytest.mark.parametrize("method", ["bayer4", "bayer8", "floyd-steinberg", "yliluoma"])
def test_the_mean_light_of_a_gradient_is_kept(method):
    picture = ramp()
    done = dither(picture, BLACK_AND_WHITE, method)
    for part in range(0, 96, 24):  # in every part of it, not only over all
        have, want = (LINEAR[image[:, part : part + 24, :3]].mean() for image in (done, picture))
        assert have == pytest.approx(want, abs=0.04)
    assert abs(LINEAR[dither(picture, BLACK_AND_WHITE, "none")[..., :3]].mean() - LINEAR[picture[..., :3]].mean()) > 0.1


@pytest.mark.parametrize("method", METHODS[1:])
def test_a_color_between_is_closer_from_afar_than_the_nearest_color(method):
    wanted = np.full((16, 16, 3), (200, 120, 60))
    done = dither(opaque(wanted), PICO, method)
    assert len(np.unique(pack(done[..., :3]))) > 1
    miss = np.abs(LINEAR[done[..., :3]].mean(axis=(0, 1)) - LINEAR[wanted[0, 0]]).sum()
    plain = dither(opaque(wanted), PICO, "none")
    assert miss < np.abs(LINEAR[plain[0, 0, :3]] - LINEAR[wanted[0, 0]]).sum()


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    seed=st.integers(0, 2**16),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    size=st.integers(1, 40),
)
def test_only_colors_of_the_palette_and_never_twice(method, seed, height, width, size):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = np.where(picture[..., 3] < 60, 0, 255)
    picture[picture[..., 3] == 0] = 0
    palette = np.unique(rng.integers(0, 256, (size, 3), dtype=np.uint8), axis=0)
    done = dither(picture, palette, method)
    clear = picture[..., 3] == 0
    assert np.array_equal(done[clear], picture[clear])
    assert np.array_equal(done[..., 3], picture[..., 3])
    assert np.isin(pack(done[..., :3])[~clear], pack(palette)).all()
    assert np.array_equal(dither(done, palette, method), done)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_transparent_neither_gives_nor_takes(method):
    picture = ramp(40, 20)
    picture[:, 20:, 3] = 0
    loud = picture.copy()
    loud[:, 20:, :3] = np.random.default_rng(1).integers(0, 256, (20, 20, 3))
    left, right = (dither(p, PICO, method)[:, :20] for p in (picture, loud))
    assert np.array_equal(left, right)


def test_very_many_colors_share_yliluoma_lists_but_palette_colors_stay():
    rng = np.random.default_rng(5)
    picture = opaque(rng.integers(0, 256, (80, 80, 3)))
    spots = rng.integers(0, 16, (80, 80))
    own = rng.random((80, 80)) < 0.2
    picture[own, :3] = PICO[spots[own]]
    done = dither(picture, PICO, "yliluoma")
    assert np.array_equal(done[own], picture[own])


@pytest.mark.parametrize("method", METHODS)
def test_finishing_with_a_dither_keeps_the_limit_and_repeats_itself(method):
    from PIL import Image

    y, x = np.mgrid[:40, :40]
    art = Image.fromarray(np.stack([x * 6, y * 6, 255 - x * 3 - y * 3], axis=2).astype(np.uint8))
    spec = FinishSpec((40, 40), colors=6, dither=method)
    once = finish(art, spec)
    assert len(once.palette) <= 6
    assert finish(once.image, spec).image.tobytes() == once.image.tobytes()
    with pytest.raises(InvalidRequest):
        FinishSpec((40, 40), dither="random")


# --- one bit ---


def test_two_colors_are_the_darkest_and_the_lightest():
    assert two_colors(None).tolist() == BLACK_AND_WHITE.tolist()
    assert two_colors(resolve_palette("gameboy")).tolist() == [[0x9B, 0xBC, 0x0F], [0x0F, 0x38, 0x0F]]
    assert two_colors(["#123456"]).tolist() == [[0x12, 0x34, 0x56]]


def test_otsu_parts_two_heaps_in_the_middle_of_the_gap():
    rng = np.random.default_rng(2)
    heaps = np.concatenate([rng.normal(0.2, 0.02, 900), rng.normal(0.5, 0.02, 100)]).astype(np.float32)
    assert 0.26 < otsu(heaps) < 0.44


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_of_two_colors_is_1_bit_already(method):
    rng = np.random.default_rng(4)
    pattern = rng.random((12, 12)) < 0.3
    for dark, light in (((0, 0, 0), (255, 255, 255)), ((90, 10, 20), (120, 60, 60)), ((200, 0, 0), (255, 240, 0))):
        art = opaque(np.where(pattern[..., None], light, dark))
        done = one_bit([art], BLACK_AND_WHITE, method)[0]
        assert np.array_equal(done[..., 0] == 255, pattern)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 30, 200, 255])
def test_a_flat_picture_goes_to_the_nearer_color(method, value):
    done = one_bit([opaque(np.full((5, 5, 3), value))], BLACK_AND_WHITE, method)[0]
    assert np.unique(done[..., :3]).tolist() == [255 if value > 99 else 0]


@pytest.mark.parametrize("method", METHODS)
def test_one_bit_finishing(method):
    from PIL import Image

    picture = ramp(32, 32)
    picture[:4] = 0
    spec = FinishSpec((32, 32), one_bit=True, dither=method, palette=("#9bbc0f", "#306230", "#0f380f"))
    done = finish(Image.fromarray(picture), spec)
    assert done.palette == ("#9bbc0f", "#0f380f")
    assert not np.asarray(done.image)[:4].any()
    assert finish(done.image, spec).image.tobytes() == done.image.tobytes()
    dark = np.asarray(done.image)[4:, :, 0] == 0x0F
    assert dark[:, :8].mean() > 0.7 > 0.3 > dark[:, -8:].mean()


def test_one_bit_of_nothing_visible():
    from PIL import Image

    done = finish(Image.new("RGBA", (6, 6)), FinishSpec((6, 6), one_bit=True, dither="atkinson"))
    assert done.palette == ()
