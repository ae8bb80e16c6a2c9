"""What the simulator takes, what it refuses, what it costs and what comes back."""

from __future__ import annotations

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageSequence

from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.testing.simulator.retrodiffusion.styles import STYLES
from tests.testing.simulator_asking import body, code, encoded, pictures, result, submit


def frame(side: int, mode: str = "RGB") -> str:
    return encoded(Image.new(mode, (side, side), "teal"))


def test_the_table_has_every_family() -> None:
    count = {
        family: sum(name.startswith(f"{family}__") for name in STYLES) for family in {n.split("__")[0] for n in STYLES}
    }
    assert count == {
        "rd_pro": 18,
        "rd_plus": 19,
        "rd_fast": 15,
        "rd_mini": 9,
        "rd_advanced_animation": 9,
        "rd_animation": 9,
        "rd_tile": 6,
    }


@pytest.mark.parametrize("field", ["width", "height", "num_images", "prompt"])
def test_missing_fields(client: httpx.Client, field: str) -> None:
    old = client.post("/v1/inferences", json=body(**{field: None}))
    issue = {"loc": ["body", field], "msg": "field required", "type": "value_error.missing"}
    assert (old.status_code, old.json()) == (422, {"detail": [issue]})
    new = submit(client, **{field: None})
    if field == "prompt":
        assert (new.status_code, code(new)) == (400, "missing_prompt")
        return
    assert (new.status_code, code(new)) == (422, "validation_error")
    expected = {"location": ["body", field], "code": "value_error.missing", "message": "field required"}
    assert new.json()["error"]["details"] == {"issues": [expected]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("width", "48"),
        ("width", 48.5),
        ("height", True),
        ("prompt", 7),
        ("seed", "x"),
        ("remove_bg", "yes"),
        ("strength", "high"),
        ("strength", 1.5),
        ("num_images", 0),
        ("num_images", 17),
        ("reference_images", "x"),
        ("model", "RD_NEW"),
        ("frames_duration", 5),
        ("upscale_output_factor", 0),
    ],
)
def test_wrong_types_and_bounds(client: httpx.Client, sim: RetroDiffusionSimulator, field: str, value: Any) -> None:
    answer = submit(client, **{field: value})
    assert (answer.status_code, code(answer)) == (422, "validation_error")
    assert answer.json()["error"]["details"]["issues"][0]["location"] == ["body", field]
    assert sim.charges == []


def test_a_body_that_is_no_object(client: httpx.Client) -> None:
    for content in (b"", b"{", b"[]"):
        assert client.post("/v2/inferences", content=content).status_code == 422


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"prompt_style": "rd_plus__nothing"}, 404, "style_not_found"),
        ({"prompt_style": "animation__vfx"}, 404, "style_not_found"),
        ({"width": 8}, 400, "invalid_dimensions"),
        ({"height": 129}, 400, "invalid_dimensions"),
        ({"prompt_style": "rd_animation__vfx", "width": 48, "height": 32}, 400, "invalid_dimensions"),
        ({"prompt_style": "rd_fast__default", "width": 64, "height": 64, "num_images": 16}, 400, "bad_request"),
        ({"prompt_style": "rd_tile__tileset", "width": 16, "height": 16, "num_images": 2}, 400, "bad_request"),
        ({"reference_images": [frame(8)]}, 400, "bad_request"),
        ({"prompt_style": "rd_pro__edit", "width": 64, "height": 64}, 400, "missing_input"),
        ({"input_image": "data:image/png;base64," + frame(8)}, 400, "invalid_image"),
        ({"input_image": frame(8, "RGBA")}, 400, "invalid_image"),
        ({"input_palette": "not base64"}, 400, "invalid_palette"),
        ({"input_palette": frame(4, "RGBA")}, 400, "invalid_palette"),
    ],
)
def test_what_a_style_refuses(
    client: httpx.Client, sim: RetroDiffusionSimulator, changes: dict[str, Any], status: int, expected: str
) -> None:
    answer = submit(client, **changes)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert client.post("/v1/inferences", json=body(**changes)).status_code == status
    assert sim.charges == []


def test_an_advanced_animation_is_as_large_as_its_frame(client: httpx.Client) -> None:
    wanted: dict[str, Any] = {"prompt_style": "rd_advanced_animation__rotate", "width": 40, "height": 40}
    assert code(submit(client, **wanted, input_image=frame(48))) == "invalid_image_size"
    assert code(submit(client, **(wanted | {"width": 44}), input_image=frame(44))) == "invalid_dimensions"
    [picture] = pictures(result(client, **wanted, prompt=None, input_image=frame(40)))
    assert (picture.format, picture.size, getattr(picture, "n_frames", 1)) == ("GIF", (40, 40), 8)


def test_a_large_body_is_refused() -> None:
    with RetroDiffusionSimulator(max_body=2000) as sim:
        answer = httpx.post(
            f"{sim.url}/v2/inferences", json=body(negative="x" * 2000), headers={"X-RD-Token": "rdpk-sim-1"}
        )
        assert (answer.status_code, code(answer)) == (413, "payload_too_large")


@pytest.mark.parametrize(
    ("style", "side", "n", "usd"),
    [
        ("rd_fast__simple", 64, 1, 0.017),
        ("rd_fast__simple", 128, 1, 0.019),
        ("rd_fast__simple", 384, 1, 0.041),
        ("rd_plus__retro", 64, 1, 0.027),
        ("rd_plus__retro", 256, 1, 0.058),
        ("rd_fast__game_asset", 64, 2, 0.035),
        ("rd_plus__low_res", 16, 1, 0.023),
        ("rd_mini__fast_low_res", 128, 1, 0.05),
        ("rd_tile__single_tile", 32, 1, 0.025),
        ("rd_pro__default", 96, 3, 0.54),
        ("rd_animation__vfx", 48, 1, 0.07),
        ("rd_animation__any_animation", 64, 1, 0.25),
        ("rd_tile__tileset", 16, 1, 0.10),
        ("rd_tile__scene_object", 128, 1, 0.033),
    ],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_prices_by_check_cost(
    client: httpx.Client, sim: RetroDiffusionSimulator, version: str, style: str, side: int, n: int, usd: float
) -> None:
    wanted = body(prompt_style=style, width=side, height=side, num_images=n, check_cost=True)
    answer = client.post(f"/{version}/inferences", json=wanted)
    found = answer.json()
    assert (found["balance_cost"], found["model"], found["remaining_balance"]) == (usd, "check_cost", 10.0)
    assert found["base64_images"] == found["output_images"] == found["output_urls"] == []
    assert answer.headers["X-RD-Request-ID"]
    assert (sim.charges, sim.paid_posts) == ([], 0)


def test_stills_come_at_the_exact_size(client: httpx.Client) -> None:
    found = result(client, num_images=3)
    assert [(p.format, p.mode, p.size) for p in pictures(found)] == [("PNG", "RGB", (48, 32))] * 3
    [large] = pictures(result(client, upscale_output_factor=3))
    assert large.size == (144, 96)
    small = np.asarray(large)[::3, ::3]
    assert (small.repeat(3, axis=0).repeat(3, axis=1) == np.asarray(large)).all()


def test_the_seed_makes_the_picture(client: httpx.Client) -> None:
    def drawn(**changes: Any) -> list[str]:
        images: list[str] = result(client, **changes)["base64_images"]
        return images

    assert drawn(seed=7) == drawn(seed=7)
    assert drawn(seed=7) != drawn(seed=8)
    assert drawn(seed=7) != drawn(seed=7, prompt="a lantern")
    assert drawn(seed=None) != drawn(seed=None)
    assert len(set(drawn(num_images=4))) == 4


def test_alpha_extras_and_palette(client: httpx.Client) -> None:
    palette = Image.new("RGB", (2, 1))
    palette.putpixel((1, 0), (250, 240, 200))
    found = result(
        client, remove_bg=True, return_non_bg_removed=True, return_pre_palette=True, input_palette=encoded(palette)
    )
    cut, before, whole = pictures(found)
    assert (cut.mode, before.mode, whole.mode) == ("RGBA", "RGB", "RGB")
    assert set(np.unique(np.asarray(cut)[..., 3])) == {0, 255}
    assert {colour for _, colour in whole.getcolors() or []} <= {(0, 0, 0), (250, 240, 200)}
    assert len(before.getcolors(4096) or []) > 2


@pytest.mark.parametrize(
    ("style", "side", "frames", "sheet"),
    [
        ("four_angle_walking", 48, 16, (192, 192)),
        ("small_sprites", 32, 20, (160, 128)),
        ("8_dir_rotation", 80, 8, (240, 240)),
        ("vfx", 32, 16, (512, 32)),
    ],
)
def test_animations(client: httpx.Client, style: str, side: int, frames: int, sheet: tuple[int, int]) -> None:
    wanted = {"prompt_style": f"rd_animation__{style}", "width": 32, "height": 32}  # fixed styles correct it quietly
    [moving] = pictures(result(client, **wanted))
    assert (moving.format, moving.size, getattr(moving, "n_frames", 1)) == ("GIF", (side, side), frames)
    assert moving.info["loop"] == 0
    assert all(each.convert("RGBA").getchannel("A").getextrema() == (0, 255) for each in ImageSequence.Iterator(moving))
    [flat] = pictures(result(client, **wanted, return_spritesheet=True))
    assert (flat.format, flat.mode, flat.size) == ("PNG", "RGBA", sheet)


def test_frames_duration_and_tilesets(client: httpx.Client) -> None:
    walking = {"prompt_style": "rd_advanced_animation__walking", "width": 32, "height": 32, "input_image": frame(32)}
    [moving] = pictures(result(client, **walking, frames_duration=4))
    assert getattr(moving, "n_frames", 1) == 4
    [tiles] = pictures(result(client, prompt_style="rd_tile__tileset", width=16, height=16))
    assert (tiles.mode, tiles.size) == ("RGBA", (64, 80))


def test_every_style_can_be_drawn(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.reset()
    for style in STYLES.values():
        source = {"input_image": frame(style.low)} if style.needs_image else {}
        wanted = body(prompt_style=style.id, width=style.low, height=style.low, **source)
        if sim.balance.micros < 1_000_000:
            sim.reset()
        found = client.post("/v1/inferences", json=wanted).json()
        [picture] = pictures(found)
        picture.load()
        assert found["model"] in ("rd_fast", "rd_plus", "rd_pro", "rd_tile", "rd_animation", "rd_advanced_animation")


def test_the_bytes_are_whole(client: httpx.Client) -> None:
    [url] = result(client, upload_outputs=True)["output_urls"]
    Image.open(io.BytesIO(httpx.get(url).content)).verify()
