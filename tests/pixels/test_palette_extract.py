"""A shared palette out of art: what is kept, what becomes one, in which order, and what is said about each image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.errors import InvalidRequest, UnknownPalette, UnreadableImage
from pixelrouter.pixels import FinishSpec, built_ins, extract_palette, finish, in_ramps, resolve_palette
from pixelrouter.pixels.color import Bytes, parse_hex
from tests.pixels.sprites import figure


def flat(*parts: tuple[str, int], width: int = 10) -> Bytes:
    """An image whose rows have these colours, so many pixels of each."""
    rgb = np.repeat(parse_hex([color for color, _ in parts]), [count for _, count in parts], axis=0)
    return np.dstack([rgb.reshape(-1, width, 3), np.full((len(rgb) // width, width), 255, np.uint8)])


@pytest.fixture(scope="module")
def art() -> list[Bytes]:
    chance = np.random.default_rng(7)
    return [figure(chance) for _ in range(8)]


def visible(image: Bytes) -> Bytes:
    return image[image[..., 3] >= 128][:, :3]


def test_every_color_of_the_art_is_kept(art: list[Bytes]) -> None:
    made = extract_palette(art)
    own = {tuple(color) for image in art for color in visible(image).tolist()}
    assert {tuple(color) for color in parse_hex(made.colors).tolist()} == own
    assert made.found == len(made.colors) == len(own)
    assert made.exact
    assert [(one.changed, one.mean, one.max) for one in made.coverage] == [(0, 0.0, 0.0)] * len(art)
    assert extract_palette(art, len(own)).colors == made.colors


def test_art_finished_to_its_own_palette_is_unchanged(art: list[Bytes]) -> None:
    colors = extract_palette(art).colors
    for image in art:
        spec = FinishSpec(size=(image.shape[1], image.shape[0]), palette=colors)
        done = np.asarray(finish(image, spec).image)
        assert np.array_equal(done[..., 3], image[..., 3])
        assert np.array_equal(visible(done), visible(image))


@pytest.mark.parametrize("limit", [1, 2, 5, 16, 30])
def test_a_limit_holds_and_no_color_is_made_up(limit: int, art: list[Bytes]) -> None:
    made = extract_palette(art, limit)
    everything = extract_palette(art)
    assert len(made.colors) == limit
    assert set(made.colors) <= set(everything.colors)
    assert made.found == everything.found
    assert sum(one.changed for one in made.coverage) > 0


def test_near_duplicates_go_first_and_the_rare_accent_stays() -> None:
    image = flat(("#305080", 300), ("#315081", 100), ("#a0c040", 300), ("#a0c141", 200), ("#ff0040", 10))
    assert set(extract_palette([image], 3).colors) == {"#305080", "#a0c040", "#ff0040"}


def test_what_a_pair_costs() -> None:
    """The square of the distance times the root of the rarer share."""
    common, like, accent = "#808080", "#909090", "#d04040"
    image = flat((common, 450), (like, 450), (accent, 10))
    assert accent in extract_palette([image], 2).colors  # by the share itself it would be the cheapest to lose
    specks = "#206020", "#307830"
    image = flat((common, 4500), (like, 4500), *((speck, 10) for speck in specks))
    assert {common, like} < set(extract_palette([image], 3).colors)  # by distance alone they would be one first


def test_a_color_has_the_weight_of_those_it_took() -> None:
    image = flat(("#808080", 30), ("#818181", 20), ("#8a8a8a", 40))
    assert extract_palette([image], 1).colors == ("#808080",)


def test_a_large_image_does_not_drown_a_small_one() -> None:
    """Counted by pixels, the green of the small image would be the rarer one of the pair."""
    large = flat(("#40a040", 10_000 - 10), ("#48a848", 10))
    small = flat(("#48a848", 100))
    assert extract_palette([large, small, small], 1).colors == ("#48a848",)
    assert extract_palette([large], 1).colors == ("#40a040",)


def test_what_is_said_about_each_image(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(flat(("#000000", 30), ("#ffffff", 10))).save(file)
    made = extract_palette([file, flat(("#ffffff", 10))], 1)
    first, second = made.coverage
    assert (first.name, first.colors, first.pixels, first.changed) == (str(file), 2, 40, 30)
    assert (first.max, first.mean) == (1.0, 0.75)  # the distance from black to white
    assert (second.name, second.changed) == ("image 2", 0)
    assert made.as_dict()["images"][0]["changed"] == 30
    assert not made.exact


def test_hidden_pixels_and_all_frames() -> None:
    faint = flat(("#ff0000", 10), ("#00ff00", 10))
    faint[1, :, 3] = 127
    assert extract_palette([faint, np.zeros((4, 4, 4), np.uint8)]).colors == ("#ff0000",)


def test_frames_of_a_film_count(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("#ff0000", "#0000ff")]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=50)
    assert set(extract_palette([tmp_path / "a.png"]).colors) == {"#ff0000", "#0000ff"}


def test_ramps_are_greys_then_hues_from_dark_to_light() -> None:
    shuffled = [
        "#ff8080",
        "#0000ff",
        "#800000",
        "#ffffff",
        "#00ff00",
        "#ff0000",
        "#000000",
        "#000080",
        "#808080",
        "#008000",
    ]
    assert in_ramps(shuffled) == (
        *("#000000", "#808080", "#ffffff"),
        *("#800000", "#ff0000", "#ff8080"),
        *("#008000", "#00ff00"),
        *("#000080", "#0000ff"),
    )


def test_ramps_go_by_lightness_and_not_by_digits() -> None:
    assert in_ramps(["#2020ff", "#4040a0"]) == ("#4040a0", "#2020ff")


@given(st.lists(st.integers(0, 0xFFFFFF), max_size=40), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_depends_on_the_colors_alone(values: list[int], chance: object) -> None:
    colors = [f"#{value:06x}" for value in values]
    mixed = list(colors)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # a random.Random
    assert in_ramps(mixed) == in_ramps(colors)
    assert sorted(in_ramps(colors)) == sorted(colors)


def test_the_order_of_images_changes_nothing(art: list[Bytes]) -> None:
    assert extract_palette(art[::-1], 9).colors == extract_palette(art, 9).colors


def test_thousands_of_colors_still_give_a_palette() -> None:
    photo = np.random.default_rng(2).integers(0, 256, (80, 80, 4), dtype=np.uint8)
    photo[..., 3] = 255
    made = extract_palette([photo])
    assert (len(made.colors), made.found) == (256, len(np.unique(photo[..., :3].reshape(-1, 3), axis=0)))
    assert set(made.colors) <= {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in photo[..., :3].reshape(-1, 3).tolist()}
    assert max(one.mean for one in made.coverage) < 0.05


def test_a_known_palette_is_found_in_its_art() -> None:
    colors = built_ins()["resurrect-64"].colors
    image = flat(*((color, 10) for color in colors))
    assert set(extract_palette([image]).colors) == set(resolve_palette("resurrect-64"))


@pytest.mark.parametrize("colors", [0, 257, -1, 2.5, True, "4"])
def test_a_limit_that_cannot_be(colors: object) -> None:
    with pytest.raises(InvalidRequest, match="1 to 256"):
        extract_palette([flat(("#ff0000", 10))], colors)  # type: ignore[arg-type]  # what is tested


def test_no_art() -> None:
    for nothing in ([], [np.zeros((4, 4, 4), np.uint8)]):
        with pytest.raises(UnknownPalette, match="visible"):
            extract_palette(nothing)
    with pytest.raises(UnreadableImage):
        extract_palette(["nowhere.png"])
