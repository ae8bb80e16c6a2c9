"""Transparency: figures are drawn on many grounds, and what is left of them is compared with what was drawn."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.pixels import FinishSpec, finish
from pixelrouter.pixels.alpha.harden import connected_to_border, flatten, harden
from pixelrouter.pixels.alpha.key import has_checkerboard, key_out
from tests.pixels.sprites import KEYS, enlarged, figure, ground, key_for, over, soft

CASES = {"solid": 0.99, "noise": 0.99, "jpeg": 0.99, "vignette": 0.97, "gradient": 0.97, "checkerboard": 0.97}


def opaque(rgba):
    return rgba[..., 3] > 0


def overlap(found, true):
    """Intersection over union of two masks."""
    return float((found & true).sum() / max(1, (found | true).sum()))


def drawn(kind, seed):
    """A source image of a figure on a ground, and the mask that perfect keying by flood leaves at 1x."""
    rng = np.random.default_rng([seed, len(kind)])
    sprite = figure(rng, int(rng.integers(20, 49)))
    big = enlarged(sprite, rng.uniform(5, 9))
    behind = ground(kind, rng, len(big), key_for(rng, sprite, 120 if kind == "gradient" else 50))
    image = over(big, behind, int(rng.integers(60, 96)) if kind == "jpeg" else None)
    return image, sprite, ~connected_to_border(~opaque(sprite))


# --- thresholds ---


def test_alpha_becomes_0_or_255_and_nothing_hides_under_0():
    rgba = np.array([[[9, 9, 9, 127], [9, 9, 9, 128], [9, 9, 9, 0]]], dtype=np.uint8)
    assert harden(rgba).tolist() == [[[0, 0, 0, 0], [9, 9, 9, 255], [0, 0, 0, 0]]]


def test_flattening_lays_over_white():
    rgba = np.array([[[0, 0, 0, 0], [100, 0, 0, 255], [0, 0, 0, 51]]], dtype=np.uint8)
    assert flatten(rgba).tolist() == [[[255, 255, 255, 255], [100, 0, 0, 255], [204, 204, 204, 255]]]


def test_partial_alpha_is_kept_where_it_is_wished():
    rgba = np.full((8, 8, 4), 90, dtype=np.uint8)
    kept = finish(Image.fromarray(rgba), FinishSpec((8, 8), partial_alpha=True))
    assert kept.image.getpixel((3, 3)) == (90, 90, 90, 90)
    assert not np.asarray(finish(Image.fromarray(rgba), FinishSpec((8, 8))).image).any()


# --- keying ---


@pytest.mark.parametrize("kind", CASES)
def test_figures_come_off_their_ground(kind):
    overlaps = []
    for seed in range(18):
        image, sprite, true = drawn(kind, seed)
        done = finish(Image.fromarray(image), FinishSpec(sprite.shape[1::-1], transparent=True))
        overlaps.append(overlap(opaque(np.asarray(done.image)), true))
    said = f"{kind}: mean IoU {np.mean(overlaps):.4f}, worst {min(overlaps):.4f} over {len(overlaps)} drawn figures"
    assert np.mean(overlaps) >= CASES[kind], said
    assert min(overlaps) >= 0.9, said


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_many_figures_come_off_their_ground_in_full_resolution_and_at_1x(kind):
    kept, made, full = [], [], []
    for seed in range(100, 200):
        image, sprite, true = drawn(kind, seed)
        done = opaque(
            np.asarray(finish(Image.fromarray(image), FinishSpec(sprite.shape[1::-1], transparent=True)).image)
        )
        made.append((done & true).sum() / max(1, done.sum()))
        kept.append((done & true).sum() / true.sum())
        keyed = key_out(image)
        big = np.asarray(Image.fromarray(true).resize(image.shape[1::-1], Image.Resampling.NEAREST))
        full.append(0.0 if keyed is None else overlap(opaque(keyed), big))
    said = f"{kind}: precision {np.mean(made):.4f}, recall {np.mean(kept):.4f}, IoU in full {np.mean(full):.4f}"
    assert min(np.mean(made), np.mean(kept)) >= CASES[kind], said
    assert np.mean(full) >= 0.97, said


@pytest.mark.parametrize("key", [(255, 0, 0), (255, 255, 255), (0, 177, 64)])
def test_a_strong_vignette_leaves_nothing_of_the_ground(key):
    y, x = np.mgrid[:256, :256] / 255
    behind = np.array(key, dtype=float) - 60 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)[..., None] * 2
    sprite = np.zeros((256, 256, 4), dtype=np.uint8)
    sprite[80:176, 80:176] = (32, 64, 128, 255)
    keyed = key_out(over(sprite, behind))
    assert np.array_equal(opaque(keyed), opaque(sprite))


def test_enclosed_parts_of_the_grounds_colour_stay_unless_holes_are_wished():
    sprite = np.zeros((40, 40, 4), dtype=np.uint8)
    sprite[8:32, 8:32] = (20, 20, 60, 255)
    sprite[14:20, 14:20] = 0
    image = over(sprite, np.full((40, 40, 3), 250.0))
    assert key_out(image)[16, 16].tolist() == [250, 250, 250, 255]
    assert np.array_equal(opaque(key_out(image, holes=True)), opaque(sprite))
    for holes, alpha in ((False, 255), (True, 0)):
        done = finish(Image.fromarray(image), FinishSpec((40, 40), transparent=True, holes=holes))
        assert done.image.getpixel((16, 16))[3] == alpha


def test_a_diagonal_outline_is_tight():
    image = np.full((24, 24, 4), 255, dtype=np.uint8)
    for step in range(9):  # a diamond whose sides touch at corners only
        for y, x in ((3 + step, 11 - step), (3 + step, 11 + step), (19 - step, 11 - step), (19 - step, 11 + step)):
            image[y, x, :3] = 0
    keyed = key_out(image)
    assert keyed[11, 11, 3] == 255
    assert keyed[0, 0, 3] == 0


def test_a_figure_may_touch_the_border():
    image = np.full((48, 48, 4), (255, 0, 255, 255), dtype=np.uint8)
    image[20:48, 4:44] = (40, 90, 40, 255)
    image[24:48, 8:40] = (250, 230, 100, 255)
    keyed = key_out(image)
    assert np.array_equal(opaque(keyed), ~(image[..., :3] == (255, 0, 255)).all(axis=-1))


@pytest.mark.parametrize("line", [(0, 0, 0), (255, 255, 255), (90, 90, 90)])
@pytest.mark.parametrize(("side", "thick"), [(48, 1), (400, 3)])
def test_a_frame_line_does_not_hide_the_ground(line, side, thick):
    image = np.full((side, side, 4), (*line, 255), dtype=np.uint8)
    image[thick:-thick, thick:-thick] = (0, 177, 64, 255)
    image[side // 4 : side // 2, side // 4 : side // 2] = (32, 64, 128, 255)
    keyed = key_out(image)
    assert opaque(keyed).sum() == (side // 2 - side // 4) ** 2


def test_a_figure_that_fills_the_picture_is_no_frame():
    image = np.full((48, 48, 4), (255, 0, 255, 255), dtype=np.uint8)
    image[1:-1, 1:-1] = (200, 30, 30, 255)
    image[20:28, 20:28] = (255, 255, 255, 255)
    assert opaque(key_out(image)).sum() == 46 * 46


def test_outlines_nearly_as_dark_as_a_clean_ground_stay():
    image = np.zeros((32, 32, 4), dtype=np.uint8)
    image[..., 3] = 255
    image[8:24, 8:24, :3] = 4
    image[9:23, 9:23, :3] = (60, 120, 60)
    assert opaque(key_out(image)).sum() == 16 * 16


def test_white_clothes_on_a_white_square_of_a_checkerboard():
    y, x = np.mgrid[:256, :256]
    image = np.full((256, 256, 4), 255, dtype=np.uint8)
    image[..., :3] = np.where((y // 16 + x // 16) % 2 == 0, 255, 204)[..., None]
    assert has_checkerboard(image)
    image[100:180, 100:180, :3] = (255, 255, 255)  # no outline: white squares join it, but grey ones show its shape
    kept = opaque(key_out(image))
    assert kept[100:180, 100:180].mean() > 0.35
    assert not kept[:96].any()
    assert not kept[:, 184:].any()


def test_stripes_and_gradients_are_no_checkerboard():
    y, x = np.mgrid[:128, :128]
    stripes = np.repeat(np.where(x // 8 % 2 == 0, 255, 200)[..., None], 4, axis=2).astype(np.uint8)
    slope = np.repeat((x + y)[..., None], 4, axis=2).astype(np.uint8)
    assert not has_checkerboard(stripes)
    assert not has_checkerboard(slope)


def test_a_picture_without_a_ground_is_left_alone():
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (40, 40, 4), dtype=np.uint8)
    noise[..., 3] = 255
    assert key_out(noise) is None
    assert key_out(np.full((9, 9, 4), 255, dtype=np.uint8)) is None  # nothing else would be left


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5)])
def test_the_smallest_pictures_are_keyed_or_left_alone(shape):
    image = np.full((*shape, 4), 255, dtype=np.uint8)
    image[shape[0] // 2, shape[1] // 2, :3] = 0
    keyed = key_out(image, holes=True, despill=True)
    assert keyed is None or (keyed.shape == image.shape and keyed[shape[0] // 2, shape[1] // 2, 3] == 255)


def test_vendor_alpha_is_kept():
    sprite = figure(np.random.default_rng(8), 32)
    sprite[12:20, 12:20] = (255, 255, 255, 255)
    for transparent in (None, True):
        for matte in ("key", "rembg"):
            done = finish(Image.fromarray(sprite), FinishSpec((32, 32), transparent=transparent, matte=matte))
            assert np.array_equal(opaque(np.asarray(done.image)), opaque(sprite))


# --- despill ---


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**16), side=st.integers(12, 64), key=st.sampled_from(KEYS))
def test_hard_edges_are_not_touched(seed, side, key):
    image = over(
        figure(np.random.default_rng(seed), side), np.broadcast_to(np.array(key, dtype=float), (side, side, 3))
    )
    plain, clean = key_out(image), key_out(image, despill=True)
    if plain is None:
        assert clean is None
    else:
        assert np.array_equal(plain, clean)


@pytest.mark.parametrize("key", [(255, 0, 255), (0, 255, 0), (255, 255, 255), (0, 0, 0)])
def test_the_tint_of_the_ground_is_taken_off_soft_outlines(key):
    before, after, shapes = [], [], []
    for seed in range(6):
        image, share, colors = soft(np.random.default_rng(seed), 48, key)
        for keyed, into in ((key_out(image), before), (key_out(image, despill=True), after)):
            outline = keyed[opaque(keyed) & (share < 1)][:, :3].astype(float)
            away = np.sqrt(((outline[:, None] - colors[None]) ** 2).sum(axis=-1)).min(axis=1)
            into.append(away.mean() if len(away) else 0.0)
        shapes.append(overlap(opaque(keyed), share > 0.5))
    assert np.mean(after) < 0.25 * np.mean(before), (before, after)
    assert np.mean(shapes) >= 0.98, shapes


def test_a_green_figure_on_magenta_keeps_its_green():
    image, share, _ = soft(np.random.default_rng(1), 48, (255, 0, 255))
    green = image.copy()
    amount = share[..., None]
    green[..., :3] = np.rint(amount * (30, 200, 40) + (1 - amount) * np.array((255, 0, 255)))
    keyed = key_out(green, despill=True)
    assert (keyed[opaque(keyed)][:, :3] == (30, 200, 40)).all(axis=-1).mean() > 0.97
    assert np.array_equal(keyed[share == 1], green[share == 1])


def test_tint_takes_no_colours_of_the_palette():
    image, _, colors = soft(np.random.default_rng(5), 48, (0, 255, 0))
    spec = {"size": (48, 48), "colors": 3, "transparent": True}
    clean = finish(Image.fromarray(image), FinishSpec(**spec))
    tinted = finish(Image.fromarray(image), FinishSpec(**spec, despill=False))
    want = {tuple(color) for color in colors.tolist()}
    have = [{tuple(bytes.fromhex(color[1:])) for color in done.palette} for done in (clean, tinted)]
    near = [
        sum(min(max(abs(a - b) for a, b in zip(w, h, strict=True)) for h in found) <= 12 for w in want)
        for found in have
    ]
    assert near[0] >= 2
    assert near[0] >= near[1]
    assert not any(g > r + 100 and g > b + 100 for r, g, b in have[0] - want)


# --- finishing twice ---


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.tuples(st.integers(1, 64), st.integers(1, 64)),
    kind=st.sampled_from(["soft", "hard", "noise", "vignette", "gradient", "checkerboard"]),
    mode=st.sampled_from(["RGB", "RGBA", "L", "P", "CMYK"]),
    holes=st.booleans(),
    despill=st.booleans(),
    colors=st.sampled_from([1, 2, 6, 32, 256, None]),
)
def test_a_keyed_image_finished_again_is_the_same(seed, size, kind, mode, holes, despill, colors):
    rng = np.random.default_rng(seed)
    side = max(12, *size)
    if kind == "soft":
        image = soft(rng, side, (0, 255, 0))[0]
    else:
        sprite = figure(rng, side)
        image = over(sprite, ground(kind, rng, side, key_for(rng, sprite)))
    picture = Image.fromarray(image).convert("RGB").convert(mode).crop((0, 0, *size))
    spec = FinishSpec(size, colors=colors, transparent=True, holes=holes, despill=despill)
    once = finish(picture, spec)
    twice = finish(once.image, spec)
    assert once.image.tobytes() == twice.image.tobytes()
    assert once.palette == twice.palette


def test_the_example_in_the_docs_runs():
    text = (Path(__file__).parents[2] / "docs" / "transparency.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    exec(compile(code, "docs/transparency.md", "exec"), {})  # our own file
