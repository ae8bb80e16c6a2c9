"""check: what true pixel art scores, what each rule finds and where, and that nothing makes it fall over."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from pixelrouter import GenerationRequest
from pixelrouter.backends.procedural import Backend
from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.errors import InvalidRequest, UnknownPalette, UnreadableImage
from pixelrouter.pixels import CheckReport, FinishSpec, annotate, check, finish
from pixelrouter.types import Inline

INK, RED, SKY, CLEAR = (20, 16, 32, 255), (200, 40, 50, 255), (120, 180, 230, 255), (0, 0, 0, 0)
SPRITES = Path(__file__).parents[3] / "shared" / "pixelbench" / "sprites"
PROMPTS = ["a red potion", "a knight", "a castle", "forest tile", "a dragon", "a wooden cart", "a gold coin"]


def drawn(prompt: str, side: int = 32) -> Image.Image:
    """A sprite of the built-in backend at 1x."""
    request = GenerationRequest(prompt=prompt, width=side, height=side, seed=7)
    (item, *_) = Backend(BackendSettings(), None).generate(request, lambda _: None).items
    assert isinstance(item, Inline)
    return Image.open(io.BytesIO(item.data)).convert("RGBA")


def enlarged(image: Image.Image, factor: float, how: Image.Resampling = Image.Resampling.NEAREST) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), how)


def canvas(side: int = 24, ground: tuple[int, ...] = SKY) -> np.ndarray:
    return np.full((side, side, 4), ground, dtype=np.uint8)


def seen(pixels: np.ndarray, **wish: object) -> CheckReport:
    return check(Image.fromarray(pixels), **wish)


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=80)
    return Image.open(buffer)


def noisy(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(3).normal(0, 6, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image.convert("RGB")) + noise, 0, 255).astype(np.uint8))


def photo(side: int = 200) -> Image.Image:
    """Smooth light with fine grain: like no pixel art, like every photo."""
    y, x = np.mgrid[0:side, 0:side] / side
    light = np.stack([np.sin(5 * x + y), np.cos(4 * y), np.sin(3 * x * y + 1)], axis=2) * 90 + 130
    grain = np.random.default_rng(1).normal(0, 4, light.shape)
    return Image.fromarray(np.clip(light + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_true_pixel_art_passes_at_any_whole_size(prompt: str) -> None:
    sprite = drawn(prompt)
    report = check(sprite)
    assert report.passed
    assert report.score >= 85
    assert (report["pixel-size"].score, report["grid"].score) == (100, 100)
    assert (report.cells, report.pixel_size) == ((32, 32), (1.0, 1.0))
    big = check(enlarged(sprite, 8))
    assert (big.score, big.cells, big.pixel_size, big.size) == (report.score, (32, 32), (8.0, 8.0), (256, 256))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda image: enlarged(image, 7.3),
        lambda image: enlarged(image, 8, Image.Resampling.BILINEAR),
        lambda image: enlarged(image, 8, Image.Resampling.LANCZOS),
        lambda image: enlarged(image, 8).filter(ImageFilter.GaussianBlur(1.5)),
        lambda image: jpeg(enlarged(image, 8)),
        lambda image: noisy(enlarged(image, 8)),
    ],
    ids=["uneven", "bilinear", "lanczos", "blur", "jpeg", "noise"],
)
def test_fake_pixel_art_fails_and_passes_once_it_is_finished(spoil: Callable[[Image.Image], Image.Image]) -> None:
    sprite = drawn("a red potion")
    flat = Image.new("RGBA", sprite.size, SKY)
    flat.alpha_composite(sprite)
    fake = spoil(flat)
    report = check(fake)
    assert report.score <= 45
    assert not report.passed
    done = finish(fake, FinishSpec(size=(32, 32), colors=8))
    assert check(done.image).score >= report.score + 40


def test_a_photo_and_an_illustration_are_none() -> None:
    report = check(photo())
    assert report.score < 10
    assert report["pixel-size"].score < 10
    assert report.findings[0].rule in ("pixel-size", "grid")


def test_mixed_pixel_sizes_are_found_where_they_are() -> None:
    picture = np.asarray(enlarged(drawn("a castle"), 4)).copy()
    picture[40:44, 60:63] = RED  # 3 wide on a grid of 4
    report = seen(picture)
    (finding,) = [each for each in report.findings if each.rule == "pixel-size"]
    assert report["pixel-size"].score <= 70
    assert "4x4" in finding.what
    assert finding.boxes
    assert all(58 <= box[0] <= 66 and 39 <= box[1] <= 45 for box in finding.boxes)


def test_colors_are_counted_and_a_palette_is_held() -> None:
    pixels = canvas(16)
    ramp = np.arange(120)
    pixels.reshape(-1, 4)[:120, :3] = np.stack([ramp * 2, 255 - ramp, (ramp * 37) % 256], axis=1)
    report = seen(pixels)
    assert report.colors == 121
    assert report["colors"].score == pytest.approx(100 * (64 / 121) ** 0.5, abs=0.1)
    assert seen(pixels, colors=121)["colors"].score == 100
    assert seen(pixels, colors=4)["colors"].score < 20
    two = canvas()
    two[3, 5:9] = RED
    held = seen(two, palette=["#78b4e6"])
    (finding,) = [each for each in held.findings if each.rule == "colors"]
    assert (finding.boxes, finding.count) == (((5, 3, 9, 4),), 4)
    assert seen(two, palette=["#78b4e6", "#c82832"])["colors"].score == 100


def test_half_transparent_and_hidden_pixels_are_found() -> None:
    pixels = canvas(20, CLEAR)
    pixels[4:16, 4:16] = RED
    pixels[4, 4:10, 3] = 100
    pixels[0, 2:5] = (9, 9, 9, 0)
    report = seen(pixels)
    found = {finding.rule: finding for finding in report.findings}
    assert (found["alpha"].boxes, found["alpha"].count) == (((4, 4, 10, 5),), 6)
    assert report["alpha"].score == pytest.approx(100 * (1 - 20 * 6 / 144), abs=0.1)
    assert found["hidden"].boxes == ((2, 0, 5, 1),)


def scattered(side: int = 128) -> Image.Image:
    """Four sprites at 1x on one ground."""
    ground = Image.new("RGBA", (side, side), SKY)
    for at, prompt in enumerate(["a knight", "a castle", "a red potion", "a dragon"]):
        ground.alpha_composite(drawn(prompt, 32), ((at % 2) * 66 + 3, (at // 2) * 66 + 5))
    return ground


@pytest.mark.parametrize("whole", [1, 3])
@pytest.mark.parametrize("larger", [2, 3, 4])
def test_a_larger_sprite_among_others_is_found_where_it_is(larger: int, whole: int) -> None:
    art = scattered(192)
    sprite = enlarged(drawn("a red potion", 24), larger)
    clean = check(enlarged(art, whole))
    art.alpha_composite(sprite, (81, 77))
    report = check(enlarged(art, whole))
    assert clean["pixel-size"].score == 100
    assert report["pixel-size"].score <= 70
    (finding,) = [each for each in report.findings if each.rule == "pixel-size"]
    assert f"{larger * whole}x{larger * whole}" in finding.what
    area = [whole * side for side in (81 - 16, 77 - 16, 81 + 24 * larger + 16, 77 + 24 * larger + 16)]
    assert finding.boxes
    for left, top, right, bottom in finding.boxes:
        assert left >= area[0]
        assert top >= area[1]
        assert right <= area[2]
        assert bottom <= area[3]


@pytest.mark.parametrize("half", [1, 2, 3])
def test_a_sprite_half_a_pixel_off_the_others_grid_is_found(half: int) -> None:
    art = enlarged(scattered(), 2 * half)
    sprite = enlarged(drawn("a sword", 16), 2 * half)
    left, top = 30 * 2 * half + half, 52 * 2 * half + half
    art.alpha_composite(sprite, (left, top))
    report = check(art)
    assert report["grid"].score < 100
    assert not report.passed
    (finding,) = [each for each in report.findings if each.rule == "grid"]
    near = [box for box in finding.boxes if left - 1 <= box[0] <= left + sprite.width and top - 1 <= box[1]]
    assert len(near) >= 0.8 * len(finding.boxes) > 0


def test_two_halves_on_two_grids_are_found() -> None:
    pixels = np.asarray(enlarged(scattered(), 4)).copy()
    pixels[256:] = np.roll(pixels[256:], 2, axis=1)
    report = seen(pixels)
    assert not report.passed
    (finding,) = [each for each in report.findings if each.rule == "grid"]
    assert finding.what.startswith("Two grids: the pixels are 4x4")
    halves = {box[1] < 256 for box in finding.boxes}
    assert len(halves) == 1  # one of the two; nobody can say which is right


@pytest.mark.parametrize("factor", [1.2, 1.25, 1.333, 1.5, 1.6, 1.75])
@pytest.mark.parametrize("prompt", ["a knight", "a castle", "a dragon"])
def test_enlarged_by_less_than_two_is_no_single_pixel_art(prompt: str, factor: float) -> None:
    report = check(enlarged(drawn(prompt, 48), factor))
    assert report["pixel-size"].score <= 40
    assert report.pixel_size == pytest.approx((factor, factor), abs=0.06)


@pytest.mark.parametrize("side", [8, 12, 16, 20, 24, 40, 64, 96])
def test_the_built_in_backend_draws_true_pixels_at_every_size(side: int) -> None:
    for prompt in [*PROMPTS, "stone wall", "a ship", "a skull"]:
        report = check(drawn(prompt, side))
        assert report["pixel-size"].score == report["grid"].score == 100, prompt
        assert report.passed, (prompt, report.findings)


def test_woven_patterns_are_single_pixels() -> None:
    plaid = canvas(48)
    plaid[::3] = RED
    plaid[:, ::3] = INK
    bricks = canvas(40)
    bricks[::5] = INK
    for row in range(8):
        bricks[5 * row : 5 * row + 5, row % 2 * 5 :: 10] = INK
    for pixels in (plaid, bricks):
        assert seen(pixels)["pixel-size"].score == seen(pixels)["grid"].score == 100


def test_colours_that_look_the_same_are_found() -> None:
    pixels = canvas()
    pixels[10, 10:14] = (121, 181, 231, 255)
    report = seen(pixels)
    (finding,) = [each for each in report.findings if each.rule == "duplicates"]
    assert report["duplicates"].score == 50
    assert finding.boxes == ((10, 10, 14, 11),)


def test_stray_pixels_are_found_but_dithering_and_an_eye_are_not() -> None:
    lone = canvas()
    for at, (x, y) in enumerate([(3, 3), (9, 4), (15, 3), (20, 9), (4, 12), (10, 14), (17, 15), (5, 20), (14, 21)]):
        lone[y, x] = (at * 25, 250 - at * 20, 30 + at * 13, 255)
    report = seen(enlarged_pixels(lone, 5))
    (finding,) = [each for each in report.findings if each.rule == "orphans"]
    assert finding.count == 9
    assert (45, 20, 50, 25) in finding.boxes  # in pixels of the image, not of the art
    eye = canvas()
    eye[8, 8] = INK
    assert seen(eye)["orphans"].score == 100
    checkers = canvas()
    checkers[::2, ::2] = RED
    checkers[1::2, 1::2] = RED
    assert seen(checkers)["orphans"].score == 100
    sparse = canvas()
    sparse[::2, ::2] = RED
    assert seen(sparse)["orphans"].score == 100


def enlarged_pixels(pixels: np.ndarray, factor: int) -> np.ndarray:
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def test_faint_noise_is_found() -> None:
    rng = np.random.default_rng(2)
    pixels = np.asarray(drawn("a castle")).copy()
    clean = seen(pixels)["noise"].score
    pixels[..., :3] = np.clip(pixels[..., :3].astype(int) + rng.integers(-4, 5, (32, 32, 3)), 0, 255)
    assert clean == 100
    assert seen(pixels)["noise"].score < 40


def stair(lengths: list[int]) -> np.ndarray:
    """A staircase that goes down to the right with runs of those lengths."""
    pixels = np.full((len(lengths) + 6, sum(lengths) + 2, 4), SKY, dtype=np.uint8)
    at = 1
    for row, length in enumerate(lengths, 3):
        pixels[row:, at : at + length] = INK
        at += length
    pixels[:, -1] = SKY
    return pixels


def test_jagged_lines_are_found_and_even_ones_are_not() -> None:
    even = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    growing = [1, 1, 2, 2, 3, 4, 5, 6, 7, 8]
    jagged = [4, 4, 1, 4, 4, 7, 4, 1, 4, 4]
    assert seen(stair(even))["jaggies"].score == 100
    assert seen(stair(growing))["jaggies"].score == 100
    report = seen(stair(jagged))
    (finding,) = [each for each in report.findings if each.rule == "jaggies"]
    assert finding.count == 3
    assert finding.boxes[0] == (9, 4, 10, 5)  # the third run: one pixel, after two of four


def test_bands_that_hug_each_other_are_found() -> None:
    banded, shaded = canvas(40), canvas(40)
    for column in range(0, 36, 9):
        for row in range(0, 36, 6):
            for step in range(4):
                tone = 60 + 45 * step
                banded[row + step, column : column + 7] = (tone, tone, tone, 255)
                shaded[row + step, column + step : column + 7 - step // 2] = (tone, tone, tone, 255)
    assert seen(banded)["banding"].score < 60
    assert seen(shaded)["banding"].score == 100


def test_the_size_can_be_asked_for() -> None:
    sprite = enlarged(drawn("a knight"), 4)
    assert check(sprite, size=(32, 32)).passed
    report = check(sprite, size=(16, 16))
    assert report.score == 0
    assert "--size 16x16" in report.findings[0].advice
    with pytest.raises(KeyError):
        check(sprite)["size"]


def test_every_frame_of_a_moving_picture_counts() -> None:
    good = drawn("a knight", 24)
    ground = Image.new("RGBA", good.size, SKY)
    ground.alpha_composite(good)
    bad = np.asarray(ground).copy()
    bad[10:14, 2:20, 3] = 90
    buffer = io.BytesIO()
    ground.save(buffer, "PNG", save_all=True, append_images=[ground, Image.fromarray(bad)], duration=100, blend=0)
    report = check(buffer.getvalue())
    alone = check(ground)
    assert report.frames >= 2
    assert report["alpha"].score < 100 == alone["alpha"].score
    assert {finding.frame for finding in report.findings if finding.rule == "alpha"} == {report.frames - 1}


def test_the_threshold_decides_what_passes() -> None:
    sprite = drawn("a knight")
    score = check(sprite).score
    assert check(sprite, threshold=score).passed
    assert not check(enlarged(sprite, 7.3), threshold=90).passed
    assert check(enlarged(sprite, 7.3), threshold=0).passed
    for wrong in (-1, 101, float("nan")):
        with pytest.raises(InvalidRequest):
            check(sprite, threshold=wrong)
    with pytest.raises(UnreadableImage):
        check(b"not an image")
    with pytest.raises(UnknownPalette):
        check(sprite, palette="nope")


def test_the_score_is_what_the_rules_say_and_every_rule_has_a_meaning() -> None:
    report = check(noisy(drawn("a castle")), size=(32, 32))
    product = 1.0
    for rule in report.rules:
        product *= 1 - rule.weight * (1 - rule.score / 100)
        assert rule.meaning
        assert rule.meaning[0].isupper()
        assert 0 <= rule.score <= 100
    assert report.score == pytest.approx(100 * product, abs=0.06)
    data = json.loads(json.dumps(report.as_dict()))
    assert data["score"] == report.score
    assert {finding["rule"] for finding in data["findings"]} <= {rule["name"] for rule in data["rules"]}


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"]),
    st.integers(0, 3),
    st.integers(0, 2**31),
)
def test_nothing_makes_it_fall_over(width: int, height: int, mode: str, kind: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, [1, 2, 6, 256][kind], (height, width, 4)) * [1, 255, 51, 1][kind]
    image = Image.fromarray(pixels.astype(np.uint8)).convert("RGBA")
    image = image.convert("L").convert(mode) if mode in ("I;16", "F") else image.convert(mode)
    report = check(image)
    assert 0 <= report.score <= 100
    for finding in report.findings:
        assert finding.what
        assert finding.advice
        assert 0 < finding.severity <= 1
        for left, top, right, bottom in finding.boxes:
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
    assert annotate(image, report).mode == "RGB"


def test_the_annotated_picture_marks_the_places() -> None:
    pixels = canvas(16, RED)
    pixels[3, 5, 3] = 99
    report = seen(pixels)
    (finding,) = report.findings
    assert finding.rule == "alpha"
    picture = annotate(Image.fromarray(pixels), report)
    scale = 768 // 16
    assert picture.size[0] > 768
    marks = [picture.getpixel((16 + 5 * scale + at, 16 + 3 * scale)) for at in (4, 20, 40)]
    assert set(marks) == {(86, 180, 233)}
    assert picture.getpixel((16 + 12 * scale + 4, 16 + 9 * scale)) == RED[:3]
    clean = annotate(Image.fromarray(canvas(16, RED)), seen(canvas(16, RED)))
    assert clean.getpixel((16 + 5 * scale + 4, 16 + 3 * scale)) == RED[:3]


def test_a_large_picture_is_shown_smaller() -> None:
    wide = Image.new("RGBA", (3000, 40), SKY)
    wide.putpixel((2900, 20), (9, 9, 9, 90))
    assert annotate(wide, check(wide)).width < 3000


def test_the_manuals_examples_run_and_its_rules_are_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, names)
    assert capsys.readouterr().out.startswith("95.3 True\n")
    assert (tmp_path / "found.png").is_file()
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \|", page, re.MULTILINE)
    report = check(Image.new("RGBA", (8, 8), RED), size=(8, 8))
    assert [(name, float(weight)) for name, weight in rows] == [(rule.name, rule.weight) for rule in report.rules]


@pytest.mark.skipif(not SPRITES.is_dir(), reason="the benchmark's hand-made sprites are not here")
def test_hand_made_sprites_score_high() -> None:
    reports = [check(path) for path in sorted(SPRITES.glob("*.png"))]
    assert len(reports) > 20
    assert sum(report.score for report in reports) / len(reports) >= 85
    assert all(report["pixel-size"].score == report["grid"].score == 100 for report in reports)
