"""Frames in their place: registered by feet, centre or mass, trimmed, padded, and never a visible pixel lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixelrouter.backends.procedural.draw import draw
from pixelrouter.backends.procedural.motion import animate
from pixelrouter.errors import InvalidRequest
from pixelrouter.pixels import jitter, pack, pad, register, trim, trim_together
from pixelrouter.pixels.sheets.frames import anchor_points

SHIFTS = [(0, 0), (3, -2), (-3, 1), (2, 3), (-1, -3), (1, 2)]


def walk(prompt: str) -> list[Image.Image]:
    """Six frames of a walk cycle, 44 x 44, with room to stray."""
    sprite = draw(prompt, 0, 32, 32, True)
    colors = np.zeros((len(sprite.palette), 4), np.uint8)
    colors[:, :3] = sprite.palette
    colors[1:, 3] = 255
    colors[0] = 0
    frames = animate(np.pad(sprite.pixels, 6).astype(np.int64), "walk", 6)
    return [Image.fromarray(colors[frame]) for frame in frames]


def moved(image: Image.Image, shift: tuple[int, int], ground: tuple[int, ...] = (0, 0, 0, 0)) -> Image.Image:
    out = Image.new("RGBA", image.size, ground)
    out.alpha_composite(image.crop(image.getbbox() or (0, 0, 1, 1)), tuple(np.add(image.getbbox()[:2], shift)))  # type: ignore[index,arg-type]  # a drawn frame is never empty
    return out


@pytest.mark.parametrize("prompt", ["knight", "robot", "slime", "wizard"])
def test_a_walk_cycle_stands_still_on_its_feet(prompt: str) -> None:
    shaken = [moved(frame, shift) for frame, shift in zip(walk(prompt), SHIFTS, strict=True)]
    done = register(shaken)
    assert min(done.jitter_before) > 1.5
    assert done.jitter_after[1] == 0
    assert done.jitter_after[0] < 0.35
    assert done.jitter_after == pytest.approx(jitter(done.frames))
    # The truth is known: what was shaken has been taken back, but for the walk's own sway.
    left = np.array(SHIFTS) + np.array(done.shifts)
    assert np.all(left.std(axis=0) < 0.8)
    assert {frame.size for frame in done.frames} == {(44, 44)}


@pytest.mark.parametrize("anchor", ["feet", "centre", "mass"])
@pytest.mark.parametrize("ground", [(0, 0, 0, 0), (30, 160, 80, 255)])
def test_a_still_figure_is_put_back_exactly(anchor: str, ground: tuple[int, ...]) -> None:
    frame = walk("knight")[0]
    shaken = [moved(frame, shift, ground) for shift in SHIFTS]
    done = register(shaken, anchor)  # type: ignore[arg-type]  # one of the three
    assert done.jitter_after == (0, 0)
    assert done.shifts == tuple((SHIFTS[0][0] - x, SHIFTS[0][1] - y) for x, y in SHIFTS)
    assert len({one.tobytes() for one in done.frames}) == 1


def test_heights_can_be_left_alone() -> None:
    frame = walk("knight")[0]
    jump = [moved(frame, (x, -abs(y))) for x, y in SHIFTS]
    done = register(jump, axes="x")
    assert {y for _, y in done.shifts} == {0}
    assert done.jitter_after[0] == 0
    assert done.jitter_after[1] == done.jitter_before[1] > 0
    assert {x for x, _ in register(jump, axes="y").shifts} == {0}


def test_arms_and_weapons_do_not_move_the_feet() -> None:
    def figure(reach: int) -> Image.Image:
        image = Image.new("RGBA", (60, 40))
        pen = ImageDraw.Draw(image)
        pen.rectangle((25, 5, 34, 39), fill="#204080")
        pen.rectangle((34, 12, 34 + reach, 15), fill="#c0c0c0")
        return image

    feet = anchor_points([figure(0), figure(20)])
    assert feet[0] == feet[1] == (30, 40)
    mass = anchor_points([figure(0), figure(20)], "mass")
    assert mass[0] != mass[1]


def test_the_canvas_is_as_asked_or_grows() -> None:
    left, right = Image.new("RGBA", (20, 10)), Image.new("RGBA", (20, 10))
    left.paste((255, 0, 0, 255), (0, 0, 18, 10))
    right.paste((255, 0, 0, 255), (12, 6, 20, 10))
    assert register([left, right], "feet").frames[0].size == (20, 10)
    assert register([left, right], "feet", size=(32, 16)).frames[1].size == (32, 16)
    with pytest.raises(InvalidRequest, match="do not fit"):
        register([left, right], "feet", size=(10, 10))


def test_an_empty_frame_stays_empty() -> None:
    done = register([walk("slime")[0], Image.new("RGBA", (44, 44))])
    assert done.frames[1].getbbox() is None
    assert register([Image.new("RGBA", (4, 4))]).jitter_before == (0, 0)


@pytest.mark.parametrize("wish", [{"anchor": "nose"}, {"axes": "z"}])
def test_unknown_wishes_are_refused(wish: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="Use one of"):
        register([walk("slime")[0]], **wish)  # type: ignore[arg-type]  # that is what is tested


def test_nothing_to_register_or_pack_is_said_so() -> None:
    with pytest.raises(InvalidRequest):
        register([])
    with pytest.raises(InvalidRequest):
        pack([])


@st.composite
def scattered(draw_from: st.DrawFn) -> list[Image.Image]:
    """Frames of different sizes with a few visible pixels anywhere, of any alpha."""
    seed, count = draw_from(st.integers(0, 10_000)), draw_from(st.integers(1, 5))
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        height, width = rng.integers(1, 16, 2)
        rgba = rng.integers(0, 256, (height, width, 4)).astype(np.uint8)
        rgba[rng.random((height, width)) < 0.8] = 0
        frames.append(Image.fromarray(rgba))
    frames.append(Image.new("RGBA", (5, 5)))  # so that the ground is transparent
    return frames


@settings(max_examples=80, deadline=None)
@given(scattered(), st.sampled_from(["feet", "centre", "mass"]), st.sampled_from(["both", "x", "y"]))
def test_no_visible_pixel_is_lost_and_jitter_never_grows(frames: list[Image.Image], anchor: str, axes: str) -> None:
    done = register(frames, anchor, axes=axes)  # type: ignore[arg-type]  # one of the three
    for before, after in zip(frames, done.frames, strict=True):
        one, other = np.asarray(before), np.asarray(after)
        assert one[one[..., 3] > 0].tolist() == other[other[..., 3] > 0].tolist()
    assert len({frame.size for frame in done.frames}) == 1
    assert all(after <= before + 1e-9 for before, after in zip(done.jitter_before, done.jitter_after, strict=True))


# --- trim, pad, pack ---


def test_trim_and_pad() -> None:
    image = Image.new("RGBA", (20, 16))
    image.paste((255, 0, 0, 255), (5, 4, 9, 10))
    small, box = trim(image)
    assert (small.size, box) == ((4, 6), (5, 4, 9, 10))
    assert pad(small, (8, 8)).getbbox() == (2, 1, 6, 7)
    assert pad(small, (8, 8), "feet").getbbox() == (2, 2, 6, 8)
    assert trim(Image.new("RGBA", (9, 9)))[0].size == (1, 1)
    with pytest.raises(InvalidRequest, match="do not fit"):
        pad(small, (3, 8))


def test_frames_are_trimmed_together() -> None:
    frames = walk("knight")
    small, box = trim_together(frames)
    assert {one.size for one in small} == {(box[2] - box[0], box[3] - box[1])}
    assert jitter(small) == jitter(frames)
    with pytest.raises(InvalidRequest):
        trim_together([frames[0], small[0]])


def test_packing_is_tight_and_the_same_every_time() -> None:
    rng = np.random.default_rng(2)
    images = [Image.new("RGBA", tuple(rng.integers(4, 40, 2)), "red") for _ in range(60)]  # type: ignore[arg-type]  # two sides
    area = sum(image.width * image.height for image in images)
    for method, least in (("maxrects", 0.88), ("shelf", 0.8)):
        packed = pack(images, method)  # type: ignore[arg-type]  # one of the three
        assert area / (packed.image.width * packed.image.height) > least
        assert packed.boxes == pack(images, method).boxes  # type: ignore[arg-type]  # one of the three


def test_extrusion_repeats_the_border() -> None:
    image = Image.new("RGBA", (2, 2), "red")
    image.putpixel((1, 1), (0, 0, 255, 255))
    packed = pack([image], extrude=2)
    assert packed.image.size == (6, 6)
    assert packed.image.getpixel((5, 5)) == (0, 0, 255, 255)
    assert packed.image.getpixel((0, 5)) == (255, 0, 0, 255)


def test_the_json_says_where_everything_lies() -> None:
    image = Image.new("RGBA", (10, 10))
    image.paste((255, 0, 0, 255), (2, 3, 6, 9))
    data = pack([image], trim=True).as_dict("hero.png", ["walk-1"], [80])
    assert data["frames"] == [
        {
            "filename": "walk-1",
            "frame": {"x": 0, "y": 0, "w": 4, "h": 6},
            "rotated": False,
            "trimmed": True,
            "spriteSourceSize": {"x": 2, "y": 3, "w": 4, "h": 6},
            "sourceSize": {"w": 10, "h": 10},
            "duration": 80,
        }
    ]
    assert data["meta"]["image"] == "hero.png"
    assert data["meta"]["size"] == {"w": 4, "h": 6}


@pytest.mark.parametrize("wish", [{"method": "magic"}, {"spacing": -1}, {"columns": 0}])
def test_a_packing_that_makes_no_sense_is_refused(wish: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        pack([Image.new("RGBA", (4, 4))], **wish)  # type: ignore[arg-type]  # that is what is tested


def test_a_sheet_that_no_graphics_card_takes_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="two sheets"):
        pack([Image.new("RGBA", (9000, 1)), Image.new("RGBA", (9000, 1))], "grid", columns=2)
