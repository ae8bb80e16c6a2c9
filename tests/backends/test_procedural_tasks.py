"""What the procedural backend does beside sprites: films, tiles, cut-outs."""

from __future__ import annotations

import hashlib
import io
import random

import numpy as np
import pytest
from PIL import Image

from pixelrouter import PixelRouter
from pixelrouter.backends.procedural import Backend, grounds
from pixelrouter.backends.procedural.motion import ACTIONS, WORDS, action_in, animate
from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.types import FREE, GenerationRequest

BACKEND = Backend(BackendSettings(), None)


def request(prompt="a blue knight", side=32, **more):
    width, height = side if isinstance(side, tuple) else (side, side)
    return GenerationRequest(prompt=prompt, width=width, height=height, **{"seed": 7, **more})


def delivered(ask):
    delivery = BACKEND.generate(ask, lambda _: None)
    assert delivery.cost == FREE
    return delivery


def frames_of(ask):
    """Every frame as an RGBA array, and the milliseconds each lasts."""
    [item] = delivered(ask).items
    with Image.open(io.BytesIO(item.data)) as image:
        found, times = [], []
        for number in range(image.n_frames):
            image.seek(number)
            found.append(np.array(image.convert("RGBA")))
            times.append(image.info["duration"])
    return found, times


def film(action=None, prompt="a blue knight", side=32, **more):
    return frames_of(request(prompt, side, task="animation", action=action, **more))[0]


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


# --- films ------------------------------------------------------------------------------------------------------------

SUBJECTS = ["a blue knight", "a green slime", "gold coin", "a pine tree", "zorblax"]


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("side", [8, 16, 33, (24, 48)])
def test_every_action_stays_inside_the_canvas_and_moves(action, side):
    width, height = side if isinstance(side, tuple) else (side, side)
    for prompt in SUBJECTS:
        found = film(action, prompt, side, frames=8)
        where = f"{prompt}: {action} at {side}"
        assert len(found) == 8, where
        assert {one.shape for one in found} == {(height, width, 4)}, where
        assert set(np.unique(np.stack(found)[..., 3])) == {0, 255}, where
        if min(width, height) > 8:
            assert len({one.tobytes() for one in found}) > 1, where
        counts = [int((one[..., 3] > 0).sum()) for one in found]
        assert min(counts) > 0, where
        if action not in ("spin", "pulse"):  # what left the canvas would be missing
            assert min(counts) > 0.6 * max(counts), where


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - {"spin", "pulse", "jump", "bounce", "idle"}))
def test_no_pixel_of_a_moving_sprite_is_lost(action):
    """Moving and leaning only shifts rows, so each frame has the pixels of the first, but for a squash or a foot."""
    sprite = np.zeros((24, 24), dtype=np.int64)
    sprite[4:22, 4:20] = np.arange(18)[:, None] + 1
    for one in animate(sprite, action, 8):
        assert one[one > 0].size >= sprite[sprite > 0].size - 2 * 16


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - {"spin"}))
@pytest.mark.parametrize("margin", [0, 1, 4])
def test_nothing_comes_round_the_border(action, margin):
    """Rows stay in their order from top to bottom, and columns from left to right."""
    by_row = np.zeros((24, 24), dtype=np.int64)
    inside = slice(margin, 24 - margin)
    by_row[inside, inside] = np.arange(24)[inside, None] + 1
    lines = [line for one in animate(by_row, action, 12) for line in one.T]
    lines += [line for one in animate(by_row.T.copy(), action, 12) for line in one]
    assert all((np.diff(line[line > 0]) >= 0).all() for line in lines)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_films_loop(action):
    """The step from the last frame to the first is no bigger than the biggest inside."""
    found = [one.astype(int) for one in film(action, frames=12)]
    steps = [int(np.abs(a - b).sum()) for a, b in zip(found, found[1:] + found[:1], strict=True)]
    assert steps[-1] <= max(steps[:-1])


@pytest.mark.parametrize("frames", [2, 3, 4, 16])
def test_as_many_frames_as_asked_for(frames):
    found, times = frames_of(request(task="animation", action="walk", frames=frames))
    assert len(found) == frames
    assert times == [round(600 / frames) if frames < 16 else 40] * frames
    assert len({one.tobytes() for one in found}) > 1


def test_four_frames_are_usual():
    assert len(film("walk")) == 4


@pytest.mark.parametrize("frames", [1, 17])
def test_other_numbers_of_frames_are_refused(frames):
    with pytest.raises(InvalidRequest, match="draws 2 to 16 frames"):
        film("walk", frames=frames)


def test_the_action_may_be_in_the_prompt_and_is_idle_otherwise():
    assert action_in("a jumping slime") == "jump"
    asked = [film("jump", "a jumping slime"), film(None, "a jumping slime")]
    assert all(np.array_equal(a, b) for a, b in zip(*asked, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(film(None), film("idle"), strict=True))
    assert set(WORDS.values()) == {*ACTIONS, "flow"}


def test_an_unknown_action_names_those_it_knows():
    with pytest.raises(InvalidRequest, match="cannot do 'juggle'") as caught:
        BACKEND.resolve(request(task="animation", action="juggle"))
    assert "walk, run, jump" in str(caught.value)


def test_walking_lifts_one_foot_after_the_other():
    lifted = []
    for one in film("walk", side=48):
        drawn = one[..., 3] > 0
        low = np.flatnonzero(drawn.any(axis=1))[-1]
        columns = np.flatnonzero(drawn[low])
        middle = np.flatnonzero(drawn.any(axis=0)).mean()
        lifted.append("both" if columns[0] < middle < columns[-1] else "left" if columns[0] > middle else "right")
    assert {"left", "right"} <= set(lifted)


def test_a_jump_leaves_the_ground_and_comes_back():
    lows = [int(np.flatnonzero((one[..., 3] > 0).any(axis=1))[-1]) for one in film("jump", frames=8)]
    assert lows[0] == lows[-1] == max(lows)
    assert min(lows) < lows[0] - 3


def test_a_coin_turns_its_back():
    found = film("spin", "gold coin", frames=4)
    wide = [int((one[..., 3] > 0).any(axis=0).sum()) for one in found]
    assert wide[1] == wide[3] < wide[0] / 4
    assert np.array_equal(found[2][..., 3], found[0][:, ::-1][..., 3])


def test_water_flows_round_its_border():
    found = film("flow", "water", frames=4)
    assert (found[0][..., 3] == 255).all()
    assert np.array_equal(np.roll(found[0], 8, axis=1), found[1])
    assert (film("jump", "water tile")[0][..., 3] == 0).any()  # told to jump, it is a block


def test_a_given_image_moves_with_its_own_colours():
    picture = np.zeros((20, 16, 4), np.uint8)
    picture[6:20, 4:12] = np.random.default_rng(1).integers(1, 255, (14, 8, 4))
    picture[6:20, 4:12, 3] = 255
    ask = request("", (16, 20), task="animation", action="jump", images=(png(picture),), frames=6)
    found, _ = frames_of(ask)
    colours = {tuple(pixel) for pixel in picture.reshape(-1, 4).tolist()}
    for one in found:
        assert {tuple(pixel) for pixel in one.reshape(-1, 4).tolist()} <= colours
    assert len({one.tobytes() for one in found}) > 2


def test_an_image_that_fills_its_canvas_cannot_leave_it():
    full = np.full((16, 16, 4), 255, np.uint8)
    for action in ACTIONS:
        found, _ = frames_of(request("", 16, task="animation", action=action, images=(png(full),)))
        assert all((one[..., 3] > 0).any() for one in found)


def test_an_empty_image_stays_empty():
    found, _ = frames_of(request("", 16, task="animation", images=(png(np.zeros((16, 16, 4), np.uint8)),)))
    assert not np.stack(found).any()


def test_a_ground_may_be_asked_for():
    found = film("jump", transparent=False)
    assert (np.stack(found)[..., 3] == 255).all()
    assert len({tuple(one[0, 0]) for one in found}) == 1


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"prompt": ""}, "needs a prompt or an image"),
        ({"images": (b"junk",)}, "not an image"),
        ({"images": (png(np.zeros((8, 8, 4), np.uint8)),)}, "is 8x8, but the request asks for 32x32"),
        ({"n": 2}, "at most 1 images"),
        ({"options": {"tolerance": 0.1}}, "no option 'tolerance'"),
    ],
)
def test_films_that_cannot_be_are_refused(more, named):
    with pytest.raises(InvalidRequest, match=named):
        delivered(request(**{"task": "animation", "action": "walk", **more}))


# --- tiles ------------------------------------------------------------------------------------------------------------

GROUNDS = ["grass", "dirt", "sand", "snow", "water", "lava", "stone floor", "brick wall", "planks"]


def array(item):
    with Image.open(io.BytesIO(item.data)) as image:
        return np.array(image.convert("RGBA"))


@pytest.mark.parametrize("prompt", GROUNDS)
@pytest.mark.parametrize("side", [16, 32, (48, 32)])
def test_a_seamless_tile_fits_itself_on_both_axes(prompt, side):
    """Across the border neighbours differ no more than anywhere inside."""
    [item] = delivered(request(prompt, side, task="tileset", tiles="seamless")).items
    tile = array(item)
    assert (tile[..., 3] == 255).all()
    for axis in (0, 1):
        steps = np.abs(tile[..., :3].astype(int) - np.roll(tile[..., :3].astype(int), 1, axis=axis)).sum(axis=2)
        steps = steps.mean(axis=1 - axis)
        assert steps[0] <= steps[1:].max() * 1.25, axis


def tileset(prompt="grass", upper="dirt", side=16, **more):
    delivery = delivered(request(prompt, side, task="tileset", tiles="wang", upper=upper, **more))
    return dict(zip(delivery.names, map(array, delivery.items), strict=True))


def test_sixteen_tiles_are_named_by_their_corners():
    assert list(tileset()) == [f"wang-{number:04b}" for number in range(16)]


@pytest.mark.parametrize(
    ("prompt", "upper"), [("grass", "dirt"), ("water", "sand"), ("stone", "lava"), ("planks", "snow")]
)
@pytest.mark.parametrize("side", [8, 16, 32, (24, 16)])
def test_the_corners_are_what_the_names_say(prompt, upper, side):
    tiles = tileset(prompt, upper, side)
    low = {tuple(color) for color in tiles["wang-0000"].reshape(-1, 4).tolist()}
    high = {tuple(color) for color in tiles["wang-1111"].reshape(-1, 4).tolist()}
    for name, tile in tiles.items():
        for code, color in zip(name[5:], (tile[0, 0], tile[0, -1], tile[-1, 0], tile[-1, -1]), strict=True):
            assert tuple(color.tolist()) in (high if code == "1" else low), name


@pytest.mark.parametrize("side", [8, 16, 32, (24, 16)])
def test_any_map_of_tiles_is_one_picture(side):
    """A map laid from the tiles equals the field of all corners drawn at once: no border shows anywhere."""
    width, height = side if isinstance(side, tuple) else (side, side)
    painter = grounds.Painter("grass", "dirt", 7, width, height)
    chance = random.Random(5)
    across, down = 6, 5
    corners = np.array([[chance.randint(0, 1) for _ in range(across + 1)] for _ in range(down + 1)])

    # The field at every pixel of the map, worked out from the map's own coordinates.
    y, x = np.mgrid[0 : down * height, 0 : across * width]
    u, v = (x + 0.5) / width, (y + 0.5) / height
    i, j = u.astype(int), v.astype(int)
    fu, fv = u - i, v - j
    field = (corners[j, i] * (1 - fu) + corners[j, i + 1] * fu) * (1 - fv)
    field += (corners[j + 1, i] * (1 - fu) + corners[j + 1, i + 1] * fu) * fv
    for row in range(down):
        for column in range(across):
            four = (
                corners[row, column],
                corners[row, column + 1],
                corners[row + 1, column],
                corners[row + 1, column + 1],
            )
            part = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
            assert np.allclose(painter.field(*map(int, four)), field[part])


@pytest.mark.parametrize("side", [16, 32])
def test_tiles_meet_without_a_step(side):
    """Where the border between the grounds crosses an edge, it crosses the neighbour's edge within two pixels."""
    painter = grounds.Painter("grass", "dirt", 7, side, side)
    shift = len(grounds._ground("grass", 7, side, side).rgb()[1])
    above = {code: painter.tile(*map(int, code)) >= shift for code in grounds.CODES}
    for left, one in above.items():
        for right, other in above.items():
            if left[1] == right[0] and left[3] == right[2]:  # the right tile's west corners are the left one's east
                assert abs(int(one[:, -1].sum()) - int(other[:, 0].sum())) <= 2, (left, right)
            if left[2] == right[0] and left[3] == right[1]:
                assert abs(int(one[-1].sum()) - int(other[0].sum())) <= 2, (left, right)


def test_all_tiles_share_one_palette():
    delivery = delivered(request("grass", 16, task="tileset", tiles="wang", upper="stone"))
    palettes = set()
    for item in delivery.items:
        with Image.open(io.BytesIO(item.data)) as image:
            palettes.add(tuple(image.getpalette()[:45]))
    assert len(palettes) == 1


def test_without_an_upper_ground_one_that_suits_is_taken():
    assert grounds.upper_of("grass", None) == "dirt"
    assert grounds.upper_of("a lake", " ") == "sand"
    assert grounds.upper_of("grass", "snow") == "snow"
    found = tileset("water", None)
    assert not np.array_equal(found["wang-0000"], found["wang-1111"])


def test_what_is_no_ground_becomes_one_in_its_colours():
    [item] = delivered(request("purple potions", 16, task="tileset", tiles="seamless")).items
    red, green, blue = array(item)[..., :3].reshape(-1, 3).mean(axis=0)
    assert min(red, blue) > green


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"transparent": True}, "fill their canvas"),
        ({"upper": "snow"}, "for tiles='wang' only"),
        ({"n": 2}, "at most 1 images"),
        ({"options": {"subject": "quasar"}}, "cannot draw subject"),
    ],
)
def test_tiles_that_cannot_be_are_refused(more, named):
    with pytest.raises(InvalidRequest, match=named):
        delivered(request("grass", 16, **{"task": "tileset", "tiles": "seamless", **more}))


# --- cut-outs ---------------------------------------------------------------------------------------------------------


def still(prompt="a red potion", side=32, **more):
    [item] = delivered(request(prompt, side, **more)).items
    return array(item)


def on_ground(sprite, color=(120, 160, 90)):
    ground = np.zeros_like(sprite)
    ground[..., :3], ground[..., 3] = color, 255
    return np.where(sprite[..., 3:] > 0, sprite, ground)


def cut(pixels, **more):
    delivery = delivered(request("", 32, task="remove_background", images=(png(pixels),), **more))
    [item] = delivery.items
    return array(item), delivery.notes


@pytest.mark.parametrize(
    "prompt", ["a red potion", "a blue knight", "a green slime", "a ghost", "gold key", "a dragon"]
)
@pytest.mark.parametrize("color", [(255, 255, 255), (255, 0, 255), (120, 160, 90)])
def test_a_sprite_on_a_plain_ground_is_cut_out_whole(prompt, color):
    sprite = still(prompt)
    found, notes = cut(on_ground(sprite, color))
    assert notes == ()
    drawn = sprite[..., 3] > 0
    assert np.array_equal(found[drawn], sprite[drawn])  # nothing of the subject is lost
    gone = found[..., 3] == 0
    assert not found[gone].any()
    outside = ~drawn
    enclosed = outside & ~gone  # holes in the subject keep the ground's colour, and touch no border
    assert not enclosed[[0, -1]].any()
    assert not enclosed[:, [0, -1]].any()
    assert gone.sum() > 0.8 * outside.sum()


def test_noise_and_a_gradient_in_the_ground_are_no_hindrance():
    sprite = still(side=48)
    noise = np.random.default_rng(3).integers(-4, 5, (48, 48, 3))
    whole = on_ground(sprite, (200, 205, 215)).astype(int)
    whole[..., :3] += np.where(sprite[..., 3:] > 0, 0, noise)
    found, _ = cut(np.clip(whole, 0, 255).astype(np.uint8))
    drawn = sprite[..., 3] > 0
    assert np.array_equal(found[drawn], sprite[drawn])
    assert (found[..., 3] == 0).sum() > 0.95 * (~drawn).sum()


def test_a_subject_that_stands_on_the_border_is_not_taken_for_ground():
    picture = np.zeros((24, 24, 4), np.uint8)
    picture[...] = (230, 230, 230, 255)
    picture[8:, 6:18] = (40, 60, 160, 255)
    found, _ = cut(picture)
    assert (found[8:, 6:18] == (40, 60, 160, 255)).all()
    assert (found[..., 3] > 0).sum() == 16 * 12


def test_grounds_colour_inside_the_subject_stays():
    picture = np.full((24, 24, 4), 255, np.uint8)
    picture[4:20, 4:20] = (200, 30, 30, 255)
    picture[10:14, 10:14] = 255
    found, _ = cut(picture)
    assert (found[10:14, 10:14] == 255).all()
    assert (found[0] == 0).all()


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        (np.zeros((9, 7, 4), np.uint8), "clear already"),
        (np.full((9, 7, 4), 255, np.uint8), "all one ground"),
        (
            np.random.default_rng(2).integers(0, 255, (40, 40, 4), np.uint8) | np.array([0, 0, 0, 255], np.uint8),
            "no plain",
        ),
    ],
)
def test_where_nothing_can_be_cut_the_image_stays_and_says_so(picture, note):
    found, notes = cut(picture)
    assert np.array_equal(found, picture)
    assert len(notes) == 1
    assert note in notes[0]


def test_the_tolerance_decides_what_is_ground():
    picture = np.full((16, 16, 4), 255, np.uint8)
    picture[4:12, 4:12] = (200, 200, 200, 255)
    assert (cut(picture)[0][4:12, 4:12, 3] == 255).all()
    assert cut(picture, options={"tolerance": 0.5})[1] == (
        "The image is as it was: it is all one ground, so nothing was cut out.",
    )


@pytest.mark.parametrize("value", [-0.1, 1.1, "0.1", True])
def test_a_bad_tolerance_is_refused(value):
    with pytest.raises(InvalidRequest, match="is outside 0"):
        cut(np.zeros((8, 8, 4), np.uint8), options={"tolerance": value})


def test_it_keeps_the_images_own_size():
    assert cut(on_ground(still(side=48)))[0].shape == (48, 48, 4)
    big = np.full((600, 900, 4), 255, np.uint8)
    big[200:400, 300:600] = (10, 20, 30, 255)
    assert (cut(big)[0][..., 3] > 0).sum() == 200 * 300


def test_what_cannot_be_decoded_is_refused():
    with pytest.raises(UnreadableImage):
        delivered(request("", 32, task="remove_background", images=(b"junk",)))
    with pytest.raises(InvalidRequest, match="needs an input image"):
        delivered(request("", 32, task="remove_background"))
    item = delivered(request(task="animation")).items[0]
    with pytest.raises(InvalidRequest, match="is an animation"):
        delivered(request("", 32, task="remove_background", images=(item.data,)))


# --- the same everywhere ----------------------------------------------------------------------------------------------

ASKED = {
    "film": {"task": "animation", "action": "walk", "frames": 6},
    "wang": {"prompt": "grass", "side": 16, "task": "tileset", "tiles": "wang", "upper": "stone"},
    "seamless": {"prompt": "mossy stone floor", "side": 16, "task": "tileset", "tiles": "seamless"},
}


@pytest.mark.parametrize("name", ASKED)
def test_the_seed_decides(name):
    def bytes_for(seed):
        return [item.data for item in delivered(request(**ASKED[name], seed=seed)).items]

    assert bytes_for(1) == bytes_for(1)
    assert bytes_for(1) != bytes_for(2)


# Decoded pixels, as in test_procedural.py: look at the drawing before you change a hash.
GOLDEN = {"film": "a4a7791af746ff6f", "wang": "fbf46d69963ed14b", "seamless": "c9183a4c810bdb94"}


@pytest.mark.parametrize("name", ASKED)
def test_pixels_are_what_they_were(name):
    delivery = delivered(request(**ASKED[name]))
    pixels = b"".join(array(item).tobytes() for item in delivery.items)
    if name == "film":
        pixels = b"".join(one.tobytes() for one in frames_of(request(**ASKED[name]))[0])
    assert hashlib.sha256(pixels).hexdigest()[:16] == GOLDEN[name]


def test_layouts():
    layout = BACKEND.layout(request(task="animation"))
    assert (layout.raws, layout.frames, layout.raw_size) == (1, True, (32, 32))
    layout = BACKEND.layout(request(task="tileset", tiles="wang"))
    assert (layout.raws, layout.together, layout.raw_size) == (None, True, (32, 32))
    assert BACKEND.layout(request(n=3)).raws == 3


def test_a_configured_model_leaves_other_tasks_alone():
    configured = Backend(BackendSettings(model="sprites"), None)
    assert configured.resolve(request(task="animation")).id == "motion"
    assert configured.resolve(request()).id == "sprites"


def test_every_task_works_through_the_router_without_key_or_network(tmp_path):
    with PixelRouter(state=tmp_path, backend="procedural") as router:
        walk = router.generate("a blue knight", size=32, task="animation", action="walk", frames=6, seed=7)
        assert [image.size for image in walk.images] == [(32, 32)] * 6
        assert walk.durations == (100,) * 6
        tiles = router.generate("grass", size=16, task="tileset", tiles="wang", upper="dirt")
        assert tiles.names == tuple(f"wang-{number:04b}" for number in range(16))
        potion = on_ground(still())
        alone = router.generate("", size=32, task="remove_background", images=[png(potion)])
        assert alone.image.getpixel((0, 0))[3] == 0
        assert walk.warnings == tiles.warnings == alone.warnings == ()
        assert all(art.cost.money.micros == 0 for art in (walk, tiles, alone))
