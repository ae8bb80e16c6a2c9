"""What the simulated models draw: something for a post-processor to find."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from pixelrouter.testing.simulator.fal import FalSimulator
from tests.testing.fal.asking import HEADERS, KLEIN, SHEET, data_uri, opened, result, submit, text


def client_of(sim: FalSimulator) -> httpx.Client:
    return httpx.Client(base_url=sim.url, headers=HEADERS, timeout=10, verify=False)


def drawn(client: httpx.Client, endpoint: str = SHEET, **changes: Any) -> np.ndarray[Any, Any]:
    return np.asarray(opened(result(client, submit(client, endpoint, **changes))["images"][0])).astype(int)


def red(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.abs(pixels - (255, 0, 0)).max(axis=2) <= 2


def test_a_sheet_of_four_different_views_on_red(client: httpx.Client) -> None:
    pixels = drawn(client)
    assert pixels.shape == (512, 512, 3)
    cells = [pixels[y : y + 256, x : x + 256] for y in (0, 256) for x in (0, 256)]
    for cell in cells:
        assert red(cell)[[0, -1]].all()  # the object keeps clear of the border
        assert red(cell)[:, [0, -1]].all()
        assert 0.1 < (~red(cell)).mean() < 0.8
    masks = [~red(cell) for cell in cells]
    assert (masks[2].sum(axis=1).max()) < 0.8 * masks[0].sum(axis=1).max()  # the side view is narrower
    for first in range(4):
        for second in range(first):
            assert np.abs(cells[first] - cells[second]).max() > 40


def test_the_art_pixels_are_blocks(sim: FalSimulator, client: httpx.Client) -> None:
    pixels = drawn(client)  # 64 art pixels in 256: blocks of 4, with a little noise
    blocks = pixels.reshape(128, 4, 128, 4, 3)
    assert np.ptp(blocks, axis=(1, 3)).max() <= 4
    assert np.ptp(blocks, axis=(1, 3)).max() > 0
    with FalSimulator(noise=0, native=32) as plain, client_of(plain) as other:
        blocks = drawn(other).reshape(64, 8, 64, 8, 3)
        assert np.ptp(blocks, axis=(1, 3)).max() == 0


def test_jpeg_blocks_are_a_knob() -> None:
    with FalSimulator(noise=0, jpeg_like=True) as sim, client_of(sim) as client:
        [link] = result(client, submit(client))["images"]
        assert link["content_type"] == "image/png"
        assert len(opened(link).convert("RGB").getcolors(1 << 20) or []) > 50


@pytest.mark.parametrize("changes", [{"loras": []}, {"prompt": "make it blue"}])
def test_without_the_lora_or_its_trigger_there_is_no_sheet(client: httpx.Client, changes: dict[str, Any]) -> None:
    assert not red(drawn(client, **changes))[0].any()


def test_seeds_references_and_prompts_make_the_picture(client: httpx.Client) -> None:
    same = [drawn(client) for _ in range(2)]
    assert (same[0] == same[1]).all()
    others = [
        drawn(client, seed=8),
        drawn(client, image_urls=[data_uri(Image.new("RGB", (64, 48)))]),
        drawn(client, prompt="2x2 sprite sheet, again"),
    ]
    assert all((same[0] != other).any() for other in others)
    free = [result(client, text(client, seed=None))["seed"] for _ in range(2)]
    assert free[0] != free[1]


def test_no_object_is_as_red_as_the_ground(client: httpx.Client) -> None:
    for seed in range(8):
        pixels = drawn(client, seed=seed)
        red_part, _, blue_part = pixels[~red(pixels)].mean(axis=0)
        assert red_part <= blue_part + 2


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_formats_sizes_and_counts(client: httpx.Client, form: str) -> None:
    size = {"width": 520, "height": 777}  # no whole factor
    found = result(client, text(client, output_format=form, num_images=3, image_size=size))
    assert [opened(link).size for link in found["images"]] == [(520, 777)] * 3
    assert {opened(link).format for link in found["images"]} == {form.upper()}
    assert len(found["has_nsfw_concepts"]) == 3


@pytest.mark.parametrize("suffix", ["", "/base", "/edit", "/base/edit", "/lora", "/base/lora", "/edit/lora"])
def test_every_klein_endpoint_serves(client: httpx.Client, suffix: str) -> None:
    assert result(client, submit(client, KLEIN + suffix))["images"]


def test_image2pixel(client: httpx.Client) -> None:
    source = result(client, text(client, image_size="square"))["images"][0]["url"]
    found = result(client, submit(client, "fal-ai/image2pixel", image_url=source, max_colors=6))
    small, large = (np.asarray(opened(link).convert("RGBA")) for link in found["images"])
    assert (found["pixel_scale"], small.shape, large.shape) == (8, (64, 64, 4), (512, 512, 4))
    assert (small.repeat(8, 0).repeat(8, 1) == large).all()
    colours = {"#" + bytes(each[:3]).hex() for each in small.reshape(-1, 4).tolist()}
    assert set(found["palette"]) == colours
    assert found["num_colors"] == len(colours) <= 6


def test_image2pixel_with_its_own_palette_scale_and_ground(client: httpx.Client) -> None:
    source = result(client, text(client, image_size="square"))["images"][0]["url"]
    options = {"fixed_palette": ["#000000", "FFFFFF"], "scale": 16, "transparent_background": True}
    found = result(client, submit(client, "fal-ai/image2pixel", image_url=source, **options))
    small = np.asarray(opened(found["images"][0]).convert("RGBA"))
    assert (small.shape, found["pixel_scale"]) == ((32, 32, 4), 16)
    assert set(found["palette"]) <= {"#000000", "#ffffff"}
    assert small[0, 0, 3] == 0
    assert small[16, 16, 3] == 255
    bad = submit(client, "fal-ai/image2pixel", image_url=source, fixed_palette=["red"])
    assert client.get(bad["response_url"]).status_code == 422


@pytest.mark.parametrize("options", [{"max_colors": None}, {"scale": 100}])
def test_image2pixel_without_limits_that_fal_does_not_have(client: httpx.Client, options: dict[str, Any]) -> None:
    source = data_uri(Image.new("RGB", (64, 64), "red"))
    found = result(client, submit(client, "fal-ai/image2pixel", image_url=source, **options))
    assert found["palette"] == ["#ff0000"]


def test_image2pixel_cuts_alpha_at_a_threshold(client: httpx.Client) -> None:
    source = Image.new("RGBA", (64, 64), (10, 20, 30, 100))
    source.paste((200, 100, 50, 200), (0, 0, 64, 32))
    found = result(client, submit(client, "fal-ai/image2pixel", image_url=data_uri(source), alpha_threshold=150))
    alpha = np.asarray(opened(found["images"][0]).convert("RGBA"))[..., 3]
    assert set(alpha[:32].flat) == {255}
    assert set(alpha[32:].flat) == {0}


@pytest.mark.parametrize("endpoint", ["fal-ai/birefnet/v2", "fal-ai/bria/background/remove"])
def test_background_removal(client: httpx.Client, endpoint: str) -> None:
    source = result(client, text(client, image_size="square"))["images"][0]["url"]
    found = result(client, submit(client, endpoint, image_url=source, output_mask=True))
    cut = np.asarray(opened(found["image"]))
    assert cut.shape == (512, 512, 4)
    assert (cut[0, 0, 3], cut[256, 256, 3]) == (0, 255)
    if endpoint == "fal-ai/birefnet/v2":
        assert (np.asarray(opened(found["mask_image"])) == cut[..., 3]).all()
    else:
        assert set(found) == {"image"}
