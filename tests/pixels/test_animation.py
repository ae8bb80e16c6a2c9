"""Animations come back as they were saved, stand on one grid, and do not flicker."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.errors import InvalidRequest
from pixelrouter.formats import ENDINGS
from pixelrouter.pixels import FinishSpec, decode, finish
from pixelrouter.pixels.animation import encode_animation, finish_animation, loop_of, save_animation
from pixelrouter.pixels.steady import steady

COLORS = np.array([(30, 40, 60), (200, 60, 50), (240, 220, 120), (60, 150, 80)], dtype=np.uint8)


def film(seed: int, count: int, size: tuple[int, int], colors: int, clear: bool) -> list[Image.Image]:
    """Frames of random pixels in few colours, transparent here and there."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (colors, 3), dtype=np.uint8)
    frames = []
    for _ in range(count):
        pixels = np.full((size[1], size[0], 4), 255, dtype=np.uint8)
        pixels[..., :3] = palette[rng.integers(0, colors, (size[1], size[0]))]
        if clear:
            pixels[rng.random((size[1], size[0])) < 0.4] = 0
        frames.append(Image.fromarray(pixels))
    return frames


def same(frames, others) -> bool:
    return [frame.convert("RGBA").tobytes() for frame in frames] == [other.tobytes() for other in others]


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    count=st.integers(1, 6),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    colors=st.integers(1, 255),
    clear=st.booleans(),
    times=st.lists(st.integers(1, 400).map(lambda time: 10 * time), min_size=8, max_size=8),
    loop=st.integers(0, 65535),
    repeat=st.booleans(),
)
def test_frames_sizes_durations_and_loop_survive_a_round_trip(
    ending, seed, count, size, colors, clear, times, loop, repeat
):
    frames = film(seed, count, size, colors, clear)
    if repeat:  # equal frames in a row stay two frames
        frames = [frames[0], *frames, frames[-1]]
    times = times[: len(frames)]
    data, held, _ = encode_animation(frames, ending, times, loop)
    back = decode(data)
    assert same(back.frames, frames)
    assert held == tuple(times)
    if len(frames) > 1:
        assert list(back.durations) == times
    assert loop_of(data) == loop


@pytest.mark.parametrize("ending", [".png", ".webp"])
def test_odd_times_many_colours_and_partial_alpha_are_exact(ending):
    rng = np.random.default_rng(1)
    frames = [Image.fromarray(rng.integers(1, 256, (20, 30, 4), dtype=np.uint8)) for _ in range(3)]
    data, held, warnings = encode_animation(frames, ending, [7, 33, 70_000], None)
    back = decode(data)
    assert same(back.frames, frames)
    assert held == back.durations == (7, 33, 70_000)
    assert warnings == ()
    assert loop_of(data) == 1


def test_gif_times_keep_the_whole_length_and_say_what_browsers_do():
    frames = film(2, 6, (4, 4), 3, clear=False)
    data, held, warnings = encode_animation(frames, ".gif", 33)
    assert held == decode(data).durations
    assert abs(sum(held) - 6 * 33) <= 5
    assert any("10 ms" in warning for warning in warnings)
    _, held, warnings = encode_animation(frames, ".gif", 10)
    assert held == (10,) * 6
    assert any("Browsers" in warning for warning in warnings)
    assert encode_animation(frames, ".gif", 1)[1] == (10,) * 6, "a step at least"
    assert encode_animation(frames, ".gif", 0)[1] == (100,) * 6
    assert loop_of(encode_animation(frames, ".gif", 100, None)[0]) is None


def test_a_gif_of_more_colours_than_one_table_gives_each_frame_its_own():
    frames = film(3, 3, (30, 30), 200, clear=True)
    assert same(decode(encode_animation(frames, ".gif", 50)[0]).frames, frames)


def test_what_a_gif_cannot_hold_is_refused():
    many = [Image.fromarray(np.random.default_rng(4).integers(0, 256, (40, 40, 3), dtype=np.uint8))]
    with pytest.raises(InvalidRequest, match="a GIF frame holds 256"):
        encode_animation(many, ".gif", 50)
    with pytest.raises(InvalidRequest, match="half-transparent"):
        encode_animation([Image.new("RGBA", (3, 3), (1, 2, 3, 90))], ".gif", 50)


def test_nothing_shines_through_transparency():
    """A dot that moves over nothing: any leftover of an earlier frame would be seen."""
    frames = []
    for at in range(5):
        frame = Image.new("RGBA", (5, 3))
        frame.putpixel((at, 1), (250, 10, 20, 255))
        frames.append(frame)
    for ending in ENDINGS:
        assert same(decode(encode_animation(frames, ending, 40)[0]).frames, frames)


def test_bad_wishes_are_refused(tmp_path):
    frames = film(5, 2, (3, 3), 2, clear=False)
    with pytest.raises(InvalidRequest, match="no moving picture"):
        save_animation(frames, tmp_path / "walk.bmp", 50)
    with pytest.raises(InvalidRequest, match="one size"):
        encode_animation([frames[0], Image.new("RGBA", (4, 3))], ".gif", 50)
    with pytest.raises(InvalidRequest, match="one size"):
        encode_animation([], ".gif", 50)
    with pytest.raises(InvalidRequest, match="3 durations"):
        encode_animation(frames, ".gif", [1, 2, 3])
    with pytest.raises(InvalidRequest, match="loop"):
        encode_animation(frames, ".gif", 50, -1)


def test_a_file_is_written_whole_and_a_still_is_an_animation_of_one_frame(tmp_path):
    frames = film(6, 1, (9, 7), 4, clear=True)
    for ending in ENDINGS:
        written = save_animation(frames, tmp_path / "new" / f"one{ending}", 50)
        assert same(decode(written.path).frames, frames)
        with Image.open(written.path) as image:
            assert getattr(image, "n_frames", 1) == 1
    assert sorted(p.suffix for p in (tmp_path / "new").iterdir()) == sorted(ENDINGS)


def test_the_chunks_of_an_apng_are_numbered_and_checked():
    data, _, _ = encode_animation(film(7, 3, (6, 6), 5, clear=True), ".png", 50)
    at, numbers = 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] in (b"fcTL", b"fdAT"):
            numbers += struct.unpack(">I", data[at + 8 : at + 12])
        at += length + 12
    assert numbers == list(range(5))


# -- finishing --------------------------------------------------------------------------------------------------------


def scene(at: int) -> np.ndarray:
    """A background of 24 by 24 cells with a sprite of 4 by 4 that walks over it."""
    cells = COLORS[np.random.default_rng(8).integers(0, 3, (24, 24))]
    cells[10:14, at : at + 4] = COLORS[3]
    return cells


def noisy(cells: np.ndarray, seed: int, sigma: float, scale: int = 8) -> Image.Image:
    big = np.kron(cells, np.ones((scale, scale, 1)))
    big = big + np.random.default_rng(seed).normal(0, sigma, big.shape)
    return Image.fromarray(np.clip(np.rint(big), 0, 255).astype(np.uint8))


def moving(sigma: float, count: int = 6) -> bytes:
    frames = [noisy(scene(2 + 3 * at), at, sigma) for at in range(count)]
    return encode_animation(frames, ".png", [80 + 10 * at for at in range(count)])[0]


def test_a_background_stands_still_under_a_sprite_and_noise():
    done = finish_animation(moving(2.0), FinishSpec(size=(24, 24), colors=32, merge=0.0))
    stack = np.stack([np.asarray(frame)[..., :3] for frame in done.frames])
    background = np.ones((24, 24), dtype=bool)
    background[10:14] = False
    still = (stack == stack[0]).all(axis=(0, 3))
    assert still[background].mean() > 0.995
    uncovered = stack[4:, 10:14, 2:6]  # where the sprite was at first, and no longer is
    assert (uncovered == uncovered[0]).all(axis=(0, 3)).mean() > 0.95
    for at, frame in enumerate(stack):
        sprite = frame[10:14, 2 + 3 * at : 6 + 3 * at].astype(int)
        assert np.abs(sprite - COLORS[3]).max() <= 12, "and the sprite moves"
    assert done.durations == (80, 90, 100, 110, 120, 130)
    assert done.report.size == (24, 24)


def test_steady_takes_nothing_for_noise_in_a_clean_animation():
    frames = [np.dstack([scene(at), np.full((24, 24), 255, dtype=np.uint8)]) for at in range(5)]
    frames[3][0, 0, 0] += 1
    assert all(np.array_equal(one, other) for one, other in zip(steady(frames), frames, strict=True))


def test_steady_leaves_a_fade_a_fade():
    noise = np.random.default_rng(9).normal(0, 1.0, (40, 20, 20, 4))
    fade = np.zeros((40, 20, 20, 4))
    fade[..., :3] = 100
    fade[:, 5:9, 5:9, :3] += np.arange(40)[:, None, None, None] * 3
    stack = np.clip(np.rint(fade + noise), 0, 255).astype(np.uint8)
    stack[..., 3] = 255
    out = np.stack(steady(list(stack))).astype(int)
    assert np.abs(out - stack).max() <= 10
    assert out[39, 6, 6, 0] - out[0, 6, 6, 0] > 100
    assert (out[:, 12:] == out[0, 12:]).all(axis=(0, 3)).mean() > 0.99


def test_steady_keeps_transparent_and_black_apart():
    stack = np.zeros((4, 6, 6, 4), dtype=np.uint8)
    stack[..., :3] = np.random.default_rng(10).integers(0, 3, (4, 6, 6, 3))
    stack[..., 3] = 255
    stack[::2, 2] = 0
    out = np.stack(steady(list(stack)))
    assert np.array_equal(out[..., 3], stack[..., 3])
    assert not out[::2, 2].any()


def test_the_grid_is_that_of_the_frame_where_it_is_surest():
    frames = [Image.new("RGB", (192, 192), (30, 40, 60)), *(noisy(scene(at), at, 0) for at in (2, 8))]
    data = encode_animation(frames, ".png", 100)[0]
    done = finish(data, FinishSpec())
    assert done.report.method == "snap"
    assert [frame.size for frame in done.frames] == [(24, 24)] * 3
    assert np.array_equal(np.asarray(done.frames[1])[..., :3], scene(2))


def test_a_still_is_finished_as_ever_and_pauses_get_a_time():
    still = finish_animation(noisy(scene(2), 0, 0), FinishSpec(size=(24, 24)))
    assert len(still.frames) == 1
    file = io.BytesIO()
    frames = [Image.fromarray(scene(at)) for at in (2, 5)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    done = finish_animation(file.getvalue(), FinishSpec(size=(24, 24)))
    assert done.durations == (100, 100)
    assert done.report.method == "native"


def test_a_picture_for_those_who_show_no_animations_is_no_frame():
    shown = [Image.new("RGBA", (4, 4), color) for color in ("#ff0000", "#00ff00")]
    file = io.BytesIO()
    Image.new("RGBA", (4, 4), "#0000ff").save(
        file, "PNG", save_all=True, default_image=True, append_images=shown, duration=[70, 90], blend=0
    )
    done = decode(file.getvalue())
    assert done.durations == (70, 90)
    assert [frame.tobytes() for frame in done.frames] == [frame.tobytes() for frame in shown]


def test_what_is_too_much_beside_transparency_is_said():
    frame = np.zeros((16, 17, 4), dtype=np.uint8)
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frame[:, :16] = np.stack([values, values.T, values, np.full_like(values, 255)], axis=2)
    with pytest.raises(InvalidRequest, match="255 beside transparency"):
        encode_animation([Image.fromarray(frame)] * 2, ".gif", 100)
