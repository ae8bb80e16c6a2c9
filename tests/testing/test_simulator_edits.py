"""The edit tools of the Retro Diffusion simulator, run as tasks: what they take, cost and give back."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.types import Money
from tests.testing.simulator_asking import code, encoded, pictures, result, submit


def picture(size: tuple[int, int] = (16, 12), mode: str = "RGB") -> Image.Image:
    """A red block on a teal ground."""
    image = Image.new(mode, size, "teal")
    image.paste("red", (4, 4, 8, 8))
    return image


def mask(size: tuple[int, int] = (16, 12)) -> Image.Image:
    """The left half may change."""
    image = Image.new("L", size, 12)
    image.paste(13, (0, 0, size[0] // 2, size[1]))
    return image


INPAINT = {"prompt": "a gem", "mask_image": encoded(mask()), "seed": 3}


def edit(client: httpx.Client, tool: str, version: str = "v2", **changes: Any) -> httpx.Response:
    whole = {"input_image": encoded(picture())} | changes
    body = {name: value for name, value in whole.items() if value is not None}
    return client.post(f"/{version}/edit/tools/{tool}/tasks", json=body)


def done(client: httpx.Client, accepted: httpx.Response, version: str = "v2") -> dict[str, Any]:
    assert accepted.status_code == 202, accepted.text
    answer = client.get(f"/{version}/edit/tasks/{accepted.json()['task_id']}")
    whole: dict[str, Any] = answer.json()
    assert answer.status_code == 200
    return whole


def image_of(found: dict[str, Any]) -> Image.Image:
    [url] = found["output_urls"]
    return Image.open(io.BytesIO(httpx.get(url).content)).convert("RGBA")


def test_background_remover_cuts_the_ground_out(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    found = done(client, edit(client, "background_remover"))
    assert found["status"] == "succeeded"
    whole = found["result"]
    assert whole["base64_images"] == []
    assert (whole["tool_id"], whole["balance_cost"], whole["charged"]) == ("background_remover", 0.01, True)
    assert (whole["output_width"], whole["output_height"], whole["remaining_balance"]) == (16, 12, 9.99)
    cut = image_of(whole)
    assert cut.getpixel((0, 0)) == (0, 0, 0, 0)
    assert cut.getpixel((5, 5)) == (255, 0, 0, 255)
    assert sim.charged_total == Money.of("0.01")


@pytest.mark.parametrize("kind", ["L", "RGBA"])
def test_inpainting_changes_only_what_the_mask_marks(client: httpx.Client, kind: str) -> None:
    drawn = mask()
    if kind == "RGBA":
        clear = Image.new("RGBA", drawn.size, (255, 255, 255, 12))
        clear.paste((0, 0, 0, 13), (0, 0, 8, 12))
        drawn = clear
    found = done(client, edit(client, "inpainting", prompt="a gem", mask_image=encoded(drawn)))["result"]
    before, after = np.array(picture().convert("RGBA")), np.array(image_of(found))
    assert np.array_equal(before[:, 8:], after[:, 8:])
    assert not np.array_equal(before[:, :8], after[:, :8])
    assert found["balance_cost"] == 0.18


def test_an_opaque_mask_without_grey_marks_everything(client: httpx.Client) -> None:
    black = encoded(Image.new("RGB", (16, 12), "black"))
    found = done(client, edit(client, "inpainting", prompt="a gem", mask_image=black))["result"]
    assert (np.array(image_of(found)) != np.array(picture().convert("RGBA"))).any(axis=2)[:, 8:].any()


def test_custom_id_buys_once_and_is_no_idempotency_key(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    first = edit(client, "image_edit", prompt="hat", custom_id="job-1").json()
    assert edit(client, "image_edit", prompt="other", custom_id="job-1").json() == first
    assert edit(client, "image_edit", prompt="hat", custom_id="job-2").json() != first
    assert edit(client, "image_edit", prompt="hat").status_code == 202
    assert submit(client, key="job-1").status_code == 200
    assert [charge.idempotency_key for charge in sim.charges] == ["job-1", "job-2", None, "job-1"]
    assert sim.paid_posts == 5


@pytest.mark.parametrize(
    ("tool", "changes", "status", "expected"),
    [
        ("nothing", {}, 404, "tool_not_found"),
        ("image_edit", {}, 400, "missing_prompt"),
        ("image_edit", {"prompt": "x", "input_image": encoded(picture((257, 9)))}, 413, "image_too_large"),
        ("inpainting", {"prompt": "x"}, 400, "missing_input"),
        ("inpainting", {"prompt": "x", "mask_image": encoded(mask((16, 16)))}, 400, "invalid_image_size"),
        ("background_remover", {"input_image": "junk"}, 400, "invalid_image"),
        ("background_remover", {"input_image": None}, 422, "validation_error"),
        ("background_remover", {"width_": 3}, 422, "validation_error"),
        ("background_remover", {"transparency_threshold": "3"}, 422, "validation_error"),
    ],
)
def test_what_a_tool_refuses(
    client: httpx.Client, sim: RetroDiffusionSimulator, tool: str, changes: dict[str, Any], status: int, expected: str
) -> None:
    answer = edit(client, tool, **changes)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert sim.charges == []


def test_an_animation_is_refused(client: httpx.Client) -> None:
    frames = [picture(), Image.new("RGB", (16, 12), "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    answer = edit(client, "background_remover", input_image=base64.b64encode(buffer.getvalue()).decode())
    assert code(answer) == "animated_input_not_supported"


def test_an_estimate_is_free_and_checks(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    body = {"input_image": encoded(picture()), **INPAINT}
    answer = client.post("/v2/edit/tools/inpainting/estimate", json=body).json()
    assert (answer["tool_id"], answer["balance_cost"]) == ("inpainting", 0.18)
    assert client.post("/v2/edit/tools/inpainting/estimate", json={}).status_code == 422
    assert (sim.charges, sim.paid_posts) == ([], 0)


def test_the_list_of_tools_needs_no_token(sim: RetroDiffusionSimulator) -> None:
    listed = {tool["id"]: tool for tool in httpx.get(f"{sim.url}/v2/edit/tools").json()}
    assert listed["image_edit"]["max_input_size"] == 256
    assert {field["id"] for field in listed["inpainting"]["api_fields"]} == {
        "input_image",
        "mask_image",
        "prompt",
        "seed",
        "soft_inpaint",
    }


def test_edits_need_a_token_and_money(sim: RetroDiffusionSimulator) -> None:
    assert httpx.post(f"{sim.url}/v2/edit/tools/image_edit/tasks", json={}).status_code == 401
    with (
        RetroDiffusionSimulator(balance="0.18") as poor,
        httpx.Client(base_url=poor.url, headers={"X-RD-Token": "rdpk-sim-1"}) as client,
    ):
        assert code(edit(client, "image_edit", prompt="hat")) == "not_enough_balance"
        assert poor.charges == []


def test_a_failed_edit_is_refunded(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("job_failed", code="edit_tool_failed", status_code=500)
    found = done(client, edit(client, "image_edit", prompt="hat"))
    assert (found["status"], found["error"]["code"]) == ("failed", "edit_tool_failed")
    assert sim.charged_total == Money(0)


def test_edit_tasks_and_generations_are_polled_apart(client: httpx.Client) -> None:
    edited = edit(client, "image_edit", prompt="hat").json()["task_id"]
    drawn = submit(client).json()["task_id"]
    assert code(client.get(f"/v2/inferences/tasks/{edited}")) == "not_found"
    assert code(client.get(f"/v2/edit/tasks/{drawn}")) == "edit_task_not_found"
    assert [task["task_id"] for task in client.get("/v2/inferences/tasks").json()["tasks"]] == [drawn]


def test_api_activity_signs_edits_anew(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    found = done(client, edit(client, "background_remover"))["result"]
    sim.advance(16 * 60)
    assert httpx.get(found["output_urls"][0]).status_code == 403
    item = client.get(f"/v2/inferences/requests/{found['request_id']}").json()
    assert (item["operation"], item["request"]) == ("edit_tool", {"tool_id": "background_remover"})
    assert httpx.get(item["outputs"][0]["url"]).status_code == 200


def test_faults_reach_edits(client: httpx.Client, sim: RetroDiffusionSimulator) -> None:
    sim.fault("rate_limit")
    assert edit(client, "background_remover").status_code == 429
    sim.fault("lose_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        edit(client, "background_remover", custom_id="a")
    assert edit(client, "background_remover", custom_id="a").status_code == 202
    assert len(sim.charges) == 1
    sim.fault("wrong_size")
    assert image_of(done(client, edit(client, "background_remover"))["result"]).size == (32, 24)
    sim.fault("evil_url")
    assert done(client, edit(client, "background_remover"))["result"]["output_urls"] == [
        "http://evil.invalid/sprite.png"
    ]


def test_v1_has_the_tasks_too(client: httpx.Client) -> None:
    found = done(client, edit(client, "background_remover", "v1"), "v1")
    assert isinstance(found["created_at"], int)


def test_views_look_at_the_middle_and_tiles_show_their_corners(client: httpx.Client) -> None:
    [sheet] = pictures(
        result(client, prompt_style="rd_animation__8_dir_rotation", width=80, height=80, return_spritesheet=True)
    )
    assert sheet.size == (240, 240)
    assert sheet.crop((80, 80, 160, 160)).getextrema()[3] == (0, 0)
    assert sheet.getpixel((120, 75)) == (255, 255, 255, 255)  # the top view: its nose is at its foot
    [tiles] = pictures(result(client, prompt_style="rd_tile__tileset", width=16, height=16))
    assert tiles.size == (64, 80)
    patch = [tiles.getpixel((x, y)) for x, y in ((30, 14), (30, 1), (0, 79), (63, 79))]
    ground, inside = patch[1], patch[0]
    assert ground != inside
    assert patch[2] == inside
