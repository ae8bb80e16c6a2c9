"""What the models take, refuse, and quietly change; and what they deliver."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from tests.testing.replicate.asking import data_uri, encoded, finished, made, order, pictures, poll, problem, submit


@pytest.mark.parametrize(
    ("model", "changes", "kind"),
    [
        ("rd-fast", {"prompt": ...}, "required"),
        ("rd-fast", {"prompt": None}, "invalid_type"),
        ("rd-fast", {"width": 15}, "number_gte"),
        ("rd-fast", {"height": 385}, "number_lte"),
        ("rd-fast", {"width": "64"}, "invalid_type"),
        ("rd-fast", {"width": 64.0}, "invalid_type"),
        ("rd-fast", {"width": True}, "invalid_type"),
        ("rd-fast", {"width": None}, "invalid_type"),
        ("rd-fast", {"num_images": 11}, "number_lte"),
        ("rd-fast", {"num_images": 0}, "number_gte"),
        ("rd-fast", {"strength": 1.1}, "number_lte"),
        ("rd-fast", {"style": "classic"}, "enum"),
        ("rd-fast", {"remove_bg": 1}, "invalid_type"),
        ("rd-fast", {"negative_prompt": "x"}, "additional_property_not_allowed"),
        ("rd-fast", {"prompt_style": "rd_fast__default"}, "additional_property_not_allowed"),
        ("rd-fast", {"input_image": "aGVsbG8="}, "format"),
        ("rd-fast", {"input_palette": "data:image/png;base64," + "A" * 256_000}, "string_lte"),
        ("rd-plus", {"style": "portrait"}, "enum"),
        ("rd-tile", {"style": "tileset", "remove_bg": True}, "additional_property_not_allowed"),
        ("rd-tile", {"style": "tileset", "input_palette": None}, "additional_property_not_allowed"),
        ("rd-animation", {"style": "vfx", "num_images": 1}, "additional_property_not_allowed"),
        ("rd-animation", {"style": "vfx", "width": 97}, "number_lte"),
        ("rd-animation", {"style": "four_angle_walking_idle"}, "enum"),
    ],
)
def test_refused(client: httpx.Client, sim: ReplicateSimulator, model: str, changes: dict[str, Any], kind: str) -> None:
    answer = submit(client, model, **changes)
    assert problem(answer) == (422, "Input validation failed")
    [mistake] = answer.json()["invalid_fields"]
    assert mistake["type"] == kind
    assert answer.json()["detail"] == f"- {mistake['field']}: {mistake['description']}\n"
    assert (sim.charges, sim.paid_posts) == ([], 1)


def test_every_mistake_is_told(client: httpx.Client) -> None:
    fields = [each["field"] for each in submit(client, width=1, height=999, style="x").json()["invalid_fields"]]
    assert sorted(fields) == ["input.height", "input.style", "input.width"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": []},
        {"input": order(), "version": "retro-diffusion/rd-fast"},
        {"input": order(), "wait": 5},
        {"input": order(), "webhook": "https://hook.invalid/"},
    ],
)
def test_bodies(client: httpx.Client, body: dict[str, Any]) -> None:
    assert problem(client.post("/v1/models/retro-diffusion/rd-fast/predictions", json=body))[0] == 422


def test_a_body_that_is_no_object(client: httpx.Client) -> None:
    assert problem(client.post("/v1/predictions", content=b"{"))[0] == 400


def test_nulls_are_defaults(client: httpx.Client) -> None:
    done = finished(client, seed=None, strength=None, input_image=None, input_palette=None)
    assert len(done["output"]) == 1
    [image] = pictures(client, finished(client, width=..., height=..., style=...))
    assert image.size == (256, 256)


@pytest.mark.parametrize(
    ("model", "style", "asked", "delivered"),
    [
        ("rd-fast", "game_asset", (24, 24), (64, 64)),  # measured
        ("rd-fast", "game_asset", (48, 32), (64, 64)),  # measured
        ("rd-plus", "classic", (320, 80), (192, 80)),  # measured
        ("rd-plus", "environment", (320, 180), (320, 180)),  # measured
        ("rd-fast", "low_res", (384, 16), (128, 16)),
        ("rd-fast", "mc_item", (32, 32), (32, 32)),
        ("rd-plus", "topdown_item", (128, 20), (96, 20)),
        ("rd-plus", "skill_icon", (16, 48), (32, 48)),
        ("rd-tile", "single_tile", (384, 16), (64, 16)),
        ("rd-tile", "tileset", (32, 32), (128, 160)),  # measured
        ("rd-tile", "tileset", (16, 16), (64, 80)),
        ("rd-tile", "scene_object", (32, 96), (64, 96)),
    ],
)
def test_sizes_are_corrected_silently(
    client: httpx.Client, model: str, style: str, asked: tuple[int, int], delivered: tuple[int, int]
) -> None:
    [image] = pictures(client, finished(client, model, style=style, width=asked[0], height=asked[1]))
    assert image.size == delivered


@pytest.mark.parametrize(
    ("style", "asked", "size", "frames"),
    [
        ("four_angle_walking", 96, (192, 192), 16),
        ("walking_and_idle", 48, (192, 192), 16),
        ("small_sprites", 64, (160, 128), 20),
        ("vfx", 24, (384, 24), 16),
    ],
)
def test_animations(client: httpx.Client, style: str, asked: int, size: tuple[int, int], frames: int) -> None:
    given = {"style": style, "width": asked, "height": asked}
    done = finished(client, "rd-animation", return_spritesheet=True, **given)
    [sheet] = pictures(client, done)
    assert (sheet.format, sheet.mode, sheet.size) == ("PNG", "RGBA", size)
    moving = finished(client, "rd-animation", **given)
    assert moving["output"][0].endswith("/output_0.gif")
    [film] = pictures(client, moving)
    assert (film.format, film.info["loop"], film.info["duration"]) == ("GIF", 0, 200 if style == "vfx" else 150)
    cell = size[0] * size[1] // frames
    assert film.size[0] * film.size[1] == cell


def test_vfx_is_square(client: httpx.Client) -> None:
    [film] = pictures(client, finished(client, "rd-animation", style="vfx", width=32, height=96))
    assert film.size == (32, 32)


def test_a_tileset_has_alpha_and_no_clear_pixel(client: httpx.Client) -> None:
    [sheet] = pictures(client, finished(client, "rd-tile", style="tileset", width=32, height=32))
    assert sheet.mode == "RGBA"
    assert sheet.getchannel("A").getextrema() == (255, 255)


def test_remove_bg_gives_a_clean_cut(client: httpx.Client) -> None:
    [image] = pictures(client, finished(client, remove_bg=True))
    assert image.mode == "RGBA"
    assert set(np.unique(np.asarray(image)[..., 3])) == {0, 255}


def test_the_seed_decides(client: httpx.Client) -> None:
    def pixels(**changes: Any) -> list[bytes]:
        return [image.tobytes() for image in pictures(client, finished(client, **changes))]

    assert pixels(seed=5) == pixels(seed=5) != pixels(seed=6)
    assert pixels(seed=...) != pixels(seed=...)
    assert len(set(pixels(num_images=3))) == 3


PALETTE = [(82, 10, 10), (251, 200, 180), (20, 82, 251), (0, 0, 0)]


def palette() -> bytes:
    image = Image.new("RGB", (4, 1))
    image.putdata(PALETTE)
    return encoded(image)


@pytest.mark.parametrize("uploaded", [False, True])
def test_a_palette_comes_back_with_some_reds_one_lower(client: httpx.Client, uploaded: bool) -> None:
    if uploaded:
        uri = client.post("/v1/files", files={"content": ("pal.png", palette(), "image/png")}).json()["urls"]["get"]
    else:
        uri = data_uri(palette())
    [image] = pictures(client, finished(client, input_palette=uri))
    found = {tuple(int(part) for part in colour) for colour in np.unique(np.asarray(image).reshape(-1, 3), axis=0)}
    assert len(found) > 1
    assert found <= {(81, 10, 10), (250, 200, 180), (20, 82, 251), (0, 0, 0)}


@pytest.mark.parametrize(
    ("model", "changes", "error"),
    [
        ("rd-fast", {"input_image": data_uri(b"no image")}, "could not load input_image"),
        ("rd-fast", {"input_image": "data:image/png;base64,*"}, "could not load input_image"),
        ("rd-fast", {"input_palette": "https://images.invalid/pal.png"}, "could not load input_palette"),
        ("rd-tile", {"style": "tile_variation"}, "input_image is required for this style"),
    ],
)
def test_images_that_cannot_be_read_fail_the_prediction(
    client: httpx.Client, sim: ReplicateSimulator, model: str, changes: dict[str, Any], error: str
) -> None:
    done = poll(client, made(submit(client, model, **changes)))
    assert (done["status"], done["error"], done["output"]) == ("failed", error, None)
    assert sim.charges == []
