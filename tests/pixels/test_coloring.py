"""Colours of finished pictures: near duplicates become one, drawn colours stay, palettes keep their order."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.pixels import FinishSpec, finish, finish_many, resolve_palette
from pixelrouter.pixels.color import pack, to_oklab, unpack
from pixelrouter.pixels.colors.coloring import color
from pixelrouter.pixels.colors.indexed import to_indexed
from pixelrouter.pixels.colors.merge import measure_noise, merge_noise, merge_within

TRUTHS = Path(__file__).parents[2].parent / "shared" / "pixelbench" / "sprites"


def drawing(colors: int, side: int, seed: int) -> np.ndarray:
    """A drawing ``(side, side, 3)``: patches and single pixels of colours that an eye tells apart."""
    rng = np.random.default_rng(seed)
    palette = [rng.integers(0, 256, 3, dtype=np.uint8)]
    while len(palette) < colors:
        new = rng.integers(0, 256, 3, dtype=np.uint8)
        if (np.linalg.norm(to_oklab(np.array(palette)) - to_oklab(new), axis=1) > 0.08).all():
            palette.append(new)
    points = rng.random((colors * 4, 2)) * side
    y, x = np.mgrid[:side, :side]
    index = ((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2).argmin(axis=2) % colors
    odd = rng.random((side, side)) < 0.08
    index[odd] = rng.integers(0, colors, odd.sum())
    return np.array(palette)[index]


def noisy(rgb: np.ndarray, sigma: float, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).normal(0, sigma, rgb.shape)
    return Image.fromarray(np.rint(rgb + noise).clip(0, 255).astype(np.uint8))


def distinct(rgb) -> int:
    return len(np.unique(pack(np.asarray(rgb)[..., :3])))


@pytest.mark.parametrize("limit", [12, 16, 32, 256])
@pytest.mark.parametrize("sigma", [2, 4, 8])
def test_twelve_colors_and_noise_come_back_as_twelve(sigma, limit):
    for seed, side in ((1, 24), (2, 48), (3, 64)):
        art = drawing(12, side, seed)
        big = noisy(art.repeat(8, axis=0).repeat(8, axis=1), sigma, seed)
        done = finish(big, FinishSpec((side, side), colors=limit, pixel_size=8))
        assert len(done.palette) == 12
        miss = np.abs(np.asarray(done.image)[..., :3].astype(int) - art).max(axis=2)
        assert (miss <= 4).mean() > 0.97


@pytest.mark.parametrize("quality", [95, 90])
def test_twelve_colors_and_jpeg_come_back_as_twelve(quality):
    for seed, side in ((1, 24), (2, 48)):
        art = drawing(12, side, seed)
        file = io.BytesIO()
        Image.fromarray(art.repeat(11, axis=0).repeat(11, axis=1)).save(file, "JPEG", quality=quality)
        done = finish(file.getvalue(), FinishSpec((side, side), colors=64, pixel_size=11))
        assert len(done.palette) == 12


@pytest.mark.parametrize("sigma", [2, 4])
def test_noise_on_true_1x_pixels_is_merged_when_the_colors_do_not_fit(sigma):
    art = drawing(12, 64, 5)
    done = finish(noisy(art, sigma, 5), FinishSpec((64, 64), colors=32))
    assert len(done.palette) == 12


@pytest.mark.parametrize(("sigma", "within"), [(1, 0.4), (2, 0.15), (4, 0.15), (7, 0.15)])
def test_noise_is_measured(sigma, within):
    frame = np.asarray(noisy(drawing(10, 64, 6), sigma, 6).convert("RGBA"))
    assert measure_noise([frame]) == pytest.approx(sigma, rel=within)


def gradients():
    y, x = np.mgrid[:64, :64]
    yield "slow", np.stack([x + y, y, x], axis=2)
    yield "steep", np.stack([x * 4, y * 4, (x + y) * 2], axis=2)
    yield "round", np.repeat(np.hypot(x - 30, y - 30)[..., None] * 3, 3, axis=2)


@pytest.mark.parametrize("name", ["slow", "steep", "round"])
def test_a_gradient_is_not_noise(name):
    rgb = dict(gradients())[name].clip(0, 255).astype(np.uint8)
    assert measure_noise([np.asarray(Image.fromarray(rgb).convert("RGBA"))]) == 0
    done = finish(Image.fromarray(rgb), FinishSpec((64, 64), colors=64))
    assert len(done.palette) == min(64, distinct(rgb))


def test_a_drawing_a_texture_and_pure_noise_are_not_noisy():
    rng = np.random.default_rng(8)
    ramp = np.linspace((60, 40, 20), (130, 110, 60), 12).astype(np.uint8)
    random = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
    for rgb in (drawing(30, 48, 8), ramp[rng.integers(0, 12, (32, 32))], random):
        assert measure_noise([np.asarray(Image.fromarray(rgb).convert("RGBA"))]) == 0


@pytest.mark.parametrize("dither", ["none", "bayer4", "floyd-steinberg", "yliluoma"])
def test_close_ramps_of_a_drawing_stay_to_the_pixel(dither):
    rng = np.random.default_rng(9)
    ramps = np.concatenate([np.linspace(c, np.minimum(c + 30, 255), 15) for c in rng.integers(0, 226, (17, 3))])
    colors = unpack(np.unique(pack(ramps.astype(np.uint8))))
    for side in (16, 40):
        art = Image.fromarray(colors[rng.integers(0, len(colors), (side, side))])
        done = finish(art, FinishSpec((side, side), colors=256, dither=dither))
        assert done.image.convert("RGB").tobytes() == art.tobytes()
        big = art.resize((side * 6, side * 6), Image.Resampling.NEAREST)
        assert finish(big, FinishSpec((side, side), colors=256)).image.convert("RGB").tobytes() == art.tobytes()


@pytest.mark.skipif(not TRUTHS.is_dir(), reason="the folder of drawn sprites is not here")
def test_drawn_sprites_stay_to_the_pixel():
    for file in sorted(TRUTHS.glob("*.png")):
        art = Image.open(file).convert("RGBA")
        rgba = np.asarray(art).copy()
        rgba[..., 3] = np.where(rgba[..., 3] >= 128, 255, 0)
        rgba[rgba[..., 3] == 0] = 0
        colors = len(np.unique(pack(rgba[..., :3])[rgba[..., 3] > 0]))
        if colors > 255:
            continue
        for limit in (colors, 255):
            assert finish(art, FinishSpec(art.size, colors=limit)).image.tobytes() == rgba.tobytes(), file.name


def test_merge_can_be_switched_off_and_given():
    art = drawing(12, 32, 3)
    big = noisy(art.repeat(8, axis=0).repeat(8, axis=1), 4, 3)
    off = finish(big, FinishSpec((32, 32), colors=64, pixel_size=8, merge=0))
    assert len(off.palette) == 64
    close = np.array(
        [[[10, 10, 10], [12, 10, 10], [200, 0, 0], [204, 0, 0], [0, 200, 0], [12, 10, 10]]], dtype=np.uint8
    )
    spec = FinishSpec((6, 1), merge=0.03)
    done = finish(Image.fromarray(close), spec)
    assert done.palette == ("#0c0a0a", "#c80000", "#00c800")  # the colour of most pixels stays
    assert finish(done.image, spec).image.tobytes() == done.image.tobytes()


def test_merging_within_a_radius_leaves_nothing_within_it():
    rng = np.random.default_rng(1)
    colors = unpack(np.unique(rng.integers(0, 1 << 24, 800, dtype=np.uint32)))
    counts = rng.integers(1, 50, len(colors))
    left, owner = merge_within(colors, counts, 0.05)
    lab = to_oklab(left)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2) + np.eye(len(left))
    assert apart.min() > 0.05
    assert (np.linalg.norm(to_oklab(colors) - lab[owner], axis=1) <= 0.05 + 1e-6).all()


def test_a_rare_color_far_away_is_kept():
    colors = np.array([[100, 100, 100], [101, 100, 100], [100, 102, 100], [250, 20, 20]], dtype=np.uint8)
    left, owner = merge_noise(colors, np.array([500, 300, 200, 1]), 1.0)
    assert len(left) == 2
    assert owner.tolist() == [0, 0, 0, 1]
    assert left[1].tolist() == [250, 20, 20]


def test_a_palette_keeps_its_order_and_pads_on_request():
    names = resolve_palette("pico-8")
    art = Image.new("RGB", (4, 2), names[7])
    art.putpixel((0, 0), tuple(bytes.fromhex(names[2][1:])))
    assert finish(art, FinishSpec((4, 2), palette=names)).palette == (names[2], names[7])
    padded = finish(art, FinishSpec((4, 2), palette=names, pad_palette=True))
    assert padded.palette == names
    assert padded.report.colors_after == 2
    file = io.BytesIO()
    padded.indexed.save(file, "PNG")
    again = Image.open(io.BytesIO(file.getvalue()))
    assert again.getpalette()[: 3 * 16] == [part for name in names for part in bytes.fromhex(name[1:])]
    assert np.array_equal(np.asarray(again), np.asarray(padded.indexed))
    assert np.asarray(again)[0].tolist() == [2, 7, 7, 7]


def test_a_padded_palette_makes_room_for_what_is_transparent():
    names = [f"#{value:06x}" for value in range(0, 256 * 257, 257)]
    art = Image.new("RGBA", (3, 1), names[200])
    art.putpixel((0, 0), (0, 0, 0, 0))
    done = finish(art, FinishSpec((3, 1), palette=names, pad_palette=True))
    assert len(done.palette) == 255
    assert names[200] in done.palette
    assert list(done.palette) == [name for name in names if name in done.palette]
    assert done.indexed.convert("RGBA").tobytes() == done.image.tobytes()
    empty = finish(Image.new("RGBA", (3, 1)), FinishSpec((3, 1), palette=names, pad_palette=True))
    assert len(empty.palette) == 255


def test_noisy_frames_share_one_palette():
    art = drawing(12, 32, 4)
    frames = [noisy(art.repeat(8, axis=0).repeat(8, axis=1), 3, seed) for seed in (1, 2, 3)]
    done = finish_many(frames, FinishSpec((32, 32), colors=64, pixel_size=8))
    assert len({d.palette for d in done}) == 1
    assert len(done[0].palette) == 12
    assert len({d.image.tobytes() for d in done}) == 1


def test_the_example_in_the_docs_runs(capsys):
    text = (Path(__file__).parents[2] / "docs" / "colors.md").read_text(encoding="utf-8")
    exec(compile(text.split("```python\n")[1].split("```")[0], "docs/colors.md", "exec"), {})  # our own file
    assert capsys.readouterr().out.startswith("('#1")


def test_noise_too_small_to_be_measured_is_merged_as_well():
    art = drawing(12, 96, 10)
    big = noisy(art.repeat(12, axis=0).repeat(12, axis=1), 2, 10)
    assert len(finish(big, FinishSpec((96, 96), colors=256, pixel_size=12)).palette) == 12


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    kinds=st.integers(1, 400),
    spread=st.integers(0, 12),
    drawn=st.booleans(),
    spec=st.builds(
        FinishSpec,
        size=st.just((1, 1)),
        colors=st.one_of(st.none(), st.integers(1, 256)),
        palette=st.one_of(st.none(), st.just(resolve_palette("pico-8")), st.just(("#112233",))),
        dither=st.sampled_from(["none", "bayer2", "bayer8", "floyd-steinberg", "atkinson", "yliluoma"]),
        merge=st.sampled_from([None, 0, 0.05]),
        one_bit=st.booleans(),
        pad_palette=st.booleans(),
        mode=st.sampled_from(["restore", "convert"]),
    ),
)
def test_whatever_the_frames_the_limit_holds(seed, kinds, spread, drawn, spec):
    rng = np.random.default_rng(seed)
    base, frames = rng.integers(0, 256, (kinds, 3)), []
    for _ in range(int(rng.integers(1, 4))):
        shape = tuple(rng.integers(1, 24, 2))
        rgb = base[rng.integers(0, kinds, shape)] + rng.integers(-spread, spread + 1, (*shape, 3))
        alpha = np.where(rng.random(shape) < rng.random(), 255, 0)[..., None]
        frames.append((np.concatenate([rgb.clip(0, 255), alpha], axis=2) * (alpha > 0)).astype(np.uint8))
    done, palette = color(frames, spec, [], drawn=drawn)
    visible = np.unique(np.concatenate([pack(f[..., :3])[f[..., 3] > 0] for f in done]))
    limit = 2 if spec.one_bit else len(spec.palette) if spec.palette else spec.colors or 256
    clear = any((f[..., 3] == 0).any() for f in done)
    assert len(visible) <= min(limit, 256 - clear)
    assert np.isin(visible, pack(palette)).all()
    if not (spec.pad_palette and spec.palette):
        assert len(palette) == len(visible)
    for before, after in zip(frames, done, strict=True):
        assert np.array_equal(before[..., 3], after[..., 3])
        assert not after[after[..., 3] == 0].any()
        assert np.array_equal(np.asarray(to_indexed(after, palette).convert("RGBA")), after)
    again, same = color(done, spec, [], drawn=True)
    assert np.array_equal(same, palette)
    assert all(np.array_equal(one, two) for one, two in zip(done, again, strict=True))


def test_rare_colors_of_a_drawing_and_of_a_texture_are_not_noise():
    rng = np.random.default_rng(11)
    drawn = drawing(6, 48, 11).repeat(2, axis=0).repeat(2, axis=1)
    odd = rng.random((96, 96)) < 0.05  # shades that a single pixel has, close to what is around them
    drawn[odd] = (drawn[odd].astype(int) + rng.integers(-9, 10, (odd.sum(), 3))).clip(0, 255)
    assert measure_noise([np.asarray(Image.fromarray(drawn).convert("RGBA"))]) == 0
    ramp = np.linspace((60, 40, 20), (96, 76, 47), 10).astype(np.uint8)
    texture = ramp[rng.integers(0, 10, (32, 32))]
    odd = rng.random((32, 32)) < 0.08
    texture[odd] += rng.integers(0, 2, (odd.sum(), 3), dtype=np.uint8)
    assert measure_noise([np.asarray(Image.fromarray(texture).convert("RGBA"))]) < 1.8


@pytest.mark.parametrize(("quality", "chroma"), [(75, 0), (85, 0), (90, 2), (95, 2)])
def test_flat_art_with_the_rims_of_jpeg_comes_back_with_its_colors(quality, chroma):
    rng = np.random.default_rng(quality)
    colors = np.array([[43, 31, 54], [250, 240, 210], [200, 60, 50], [60, 120, 190], [240, 190, 70]], dtype=np.uint8)
    y, x = np.mgrid[:48, :48]
    points = rng.random((10, 2)) * 48
    art = colors[((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2).argmin(axis=2) % 5]
    at = (np.arange(306) + 0.5) / 306 * 48  # 6.375 source pixels a pixel, so that blocks and pixels do not agree
    file = io.BytesIO()
    Image.fromarray(art[at.astype(int)][:, at.astype(int)]).save(file, "JPEG", quality=quality, subsampling=chroma)
    done = finish(file.getvalue(), FinishSpec((48, 48), pixel_size=306 / 48))
    assert 5 <= len(done.palette) <= 6  # what JPEG did to one cell may look like a highlight
    miss = np.abs(np.asarray(done.image)[..., :3].astype(int) - art).max(axis=2)
    assert (miss <= 8).mean() > 0.98


def test_a_crowd_at_the_rim_is_noise_and_a_single_highlight_is_not():
    heavy = [[60, 60, 60], [200, 60, 60], [60, 200, 60]]
    highlight = [78, 60, 60]  # as far away as the crowd
    crowd = [[60 + dx, 60 + dy, 60 + dz] for dx, dy, dz in ((9, 9, 9), (-14, 6, 0), (0, -10, 11), (-6, -6, -12))]
    for rare, left in (([highlight], 4), (crowd, 3)):
        colors = np.array(heavy + rare, dtype=np.uint8)
        counts = np.array([900, 800, 700] + [1] * len(rare))
        assert len(merge_noise(colors, counts, 1.5)[0]) == left


def test_two_clouds_of_like_weight_are_two_colors():
    rng = np.random.default_rng(13)
    middles = np.array([[100, 100, 100], [106, 106, 106]])  # 10 levels apart, which is 3.5 times the noise
    pixels = np.rint(middles.repeat(600, axis=0) + rng.normal(0, 3, (1200, 3))).astype(np.uint8)
    values, counts = np.unique(pack(pixels), return_counts=True)
    left, _ = merge_noise(unpack(values), counts, 3.0)
    assert len(left) == 2
    assert np.abs(np.sort(left[:, 0].astype(int)) - (100, 106)).max() <= 2


def test_rare_colors_of_a_restored_drawing_stay():
    rng = np.random.default_rng(14)
    drawn = drawing(6, 60, 14).repeat(2, axis=0).repeat(2, axis=1)
    odd = rng.random(drawn.shape[:2]) < 0.04
    drawn[odd] = rng.integers(0, 256, (odd.sum(), 3))  # colours of one pixel, far from all others
    assert measure_noise([np.asarray(Image.fromarray(drawn).convert("RGBA"))], drawn=False) == 0
