"""Routes, validation, business rules, and what the pictures are."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from pixelrouter.testing.simulator.pixellab.endpoints import ENDPOINTS
from pixelrouter.testing.simulator.pixellab.jobs import resolved_seed
from tests.testing.pixellab.bodies import (
    EVERY,
    STILL,
    SYNCHRONOUS,
    UNKNOWN,
    body,
    buy,
    drawn,
    encoded,
    finished,
    opened,
    picture,
    pictures,
    pixels,
    size,
    sized,
)
from tests.testing.pixellab.conftest import Start

FLUX = STILL[1]


def detail(answer: httpx.Response) -> Any:
    assert set(answer.json()) == {"detail"}
    return answer.json()["detail"]


@pytest.mark.parametrize(("version", "path"), EVERY)
def test_the_token_is_looked_at_first(sim: PixelLabSimulator, version: str, path: str) -> None:
    wrong = httpx.post(f"{sim.url}/{version}{path}", json={}, headers={"Authorization": "Bearer nobody"})
    assert (wrong.status_code, detail(wrong)) == (401, "Invalid API token")
    assert sim.charges == []


@pytest.mark.parametrize("status", [401, 403])
def test_no_token_at_all(start: Start, status: int) -> None:
    sim, _ = start(missing_key_status=status)
    assert httpx.get(f"{sim.url}/v2/balance").status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/create-image-pixflux", 405),
        ("POST", "/v2/balance", 405),
        ("POST", "/v2/background-jobs/x", 405),
        ("DELETE", "/v2/map-objects/x", 405),
        ("POST", "/v2/characters", 405),
        ("GET", "/v2/openapi.json", 404),
        ("GET", "/v2/llms.txt", 404),
        ("GET", "/v1/background-jobs/x", 404),
        ("POST", "/v1/create-image-pixflux", 404),
        ("POST", "/v3/create-image-pixflux", 404),
        ("GET", f"/v2/background-jobs/{UNKNOWN}", 404),
        ("GET", f"/v2/characters/{UNKNOWN}", 404),
        ("GET", f"/v2/tilesets/{UNKNOWN}", 404),
        ("DELETE", f"/v2/isometric-tiles/{UNKNOWN}", 404),
        ("GET", "/_assets/sim-user/nothing.png", 404),
    ],
)
def test_what_is_not_there(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_v2_lists_every_problem_at_once(client: httpx.Client) -> None:
    answer = buy(client, FLUX, image_size=size(8, 64), coverage_percentage=40)
    assert answer.status_code == 422
    assert detail(answer) == [
        {
            "type": "greater_than_equal",
            "loc": ["body", "image_size", "width"],
            "msg": "Input should be greater than or equal to 16",
            "input": 8,
            "ctx": {"ge": 16},
        },
        {
            "type": "extra_forbidden",
            "loc": ["body", "coverage_percentage"],
            "msg": "Extra inputs are not permitted",
            "input": 40,
        },
    ]


@pytest.mark.parametrize(("version", "path"), [each for each in EVERY if each[0] == "v2"])
def test_v2_refuses_what_it_does_not_know(
    sim: PixelLabSimulator, client: httpx.Client, version: str, path: str
) -> None:
    answer = buy(client, path, sprockets=1)
    assert [(each["type"], each["loc"]) for each in detail(answer)] == [("extra_forbidden", ["body", "sprockets"])]
    assert sim.charges == []


def test_v1_ignores_what_it_does_not_know(client: httpx.Client) -> None:
    deep = size(64) | {"depth": 3}
    known = buy(client, "/generate-image-pixflux", "v1")
    answer = buy(client, "/generate-image-pixflux", "v1", image_size=deep, background_removal_task=5)
    assert (known.status_code, answer.status_code) == (200, 200)
    assert buy(client, "/generate-image-pixflux", "v1", image_size=deep, view="above").status_code == 422


@pytest.mark.parametrize(
    ("content", "kind"), [(b"", "missing"), (b"{", "json_invalid"), (b"[]", "model_attributes_type")]
)
def test_a_body_that_is_none(client: httpx.Client, content: bytes, kind: str) -> None:
    answer = client.post(f"/v2{FLUX}", content=content)
    assert (answer.status_code, detail(answer)[0]["type"], detail(answer)[0]["loc"][0]) == (422, kind, "body")


V3 = "/animate-with-text-v3"


@pytest.mark.parametrize(
    ("path", "changes", "status", "text"),
    [
        (FLUX, {"image_size": size(16)}, 422, "Canvas must be size 32x32 area or larger"),
        ("/create-image-pixen", {"image_size": size(768, 512)}, 422, "512x512"),
        ("/create-image-pixen", {"image_size": size(16, 64)}, 422, "square"),
        ("/create-image-pixen", {"image_size": size(66)}, 422, None),
        ("/generate-image-v2", {"image_size": size(760, 400)}, 400, "16x16 and 688x384 for this aspect ratio"),
        ("/generate-image-v2", {"image_size": size(520)}, 400, "16x16 and 512x512"),
        (V3, {"first_frame": picture(64), "frame_count": 5}, 422, "frame_count must be even"),
        (V3, {"first_frame": picture(256), "frame_count": 16}, 422, "frame_count 16 too high for 256x256 image. Max"),
        (V3, {"first_frame": picture(300)}, 422, "256x256"),
        ("/generate-8-rotations-v3", {"first_frame": picture(300)}, 422, "256x256"),
        ("/create-character-v3", {"reference_image": picture(300)}, 422, "256x256"),
        ("/animate-with-skeleton", {"skeleton_keypoints": [[]] * 4}, 422, "exactly 3"),
        ("/generate-8-rotations-v2", {"method": "create_with_style"}, 422, "description"),
        ("/create-tileset", {"tile_size": size(64)}, 422, "mode pro"),
        ("/resize", {"reference_image_size": size(63)}, 400, "Invalid image size constraints"),
        ("/image-to-pixelart", {"image_size": size(63)}, 400, "Invalid image size constraints"),
        ("/map-objects", {"color_image": {"base64": "bm90aGluZw=="}}, 500, "cannot identify image file"),
        ("/map-objects", {"color_image": {"base64": "!"}}, 500, "cannot identify image file"),
    ],
)
def test_rules_beyond_one_field(
    sim: PixelLabSimulator, client: httpx.Client, path: str, changes: dict[str, Any], status: int, text: str | None
) -> None:
    answer = buy(client, path, **changes)
    assert answer.status_code == status
    assert isinstance(detail(answer), str if text else list)
    assert text is None or text in detail(answer)
    assert sim.charges == []


@pytest.mark.parametrize(
    ("path", "changes"), [("/generate-image-v2", {"image_size": size(688, 384)}), (FLUX, {"image_size": size(32)})]
)
def test_the_largest_and_the_smallest_are_taken(client: httpx.Client, path: str, changes: dict[str, Any]) -> None:
    assert buy(client, path, **changes).is_success


@pytest.mark.parametrize(("version", "path"), SYNCHRONOUS)
def test_synchronous_answers_hold_real_pictures(client: httpx.Client, version: str, path: str) -> None:
    answer = buy(client, path, version).json()
    wanted = {"/image-to-pixelart": (32, 32), "/resize": (48, 32)}.get(path, (64, 64))
    found = [opened(image) for image in pictures(answer)]
    assert {(image.format, image.mode, image.size) for image in found} == (
        set() if path == "/estimate-skeleton" else {("PNG", "RGBA", wanted)}
    )
    if path == "/estimate-skeleton":
        assert {0 <= point["x"] <= 1 and 0 <= point["y"] <= 1 for point in answer["keypoints"]} == {True}
    else:
        assert len(found) == {"/animate-with-skeleton": 3, "/animate-with-text": 4}.get(path, 1)


@pytest.mark.parametrize("path", ["/create-image-pixen", "/create-image-pixflux"])
def test_the_same_seed_the_same_picture(client: httpx.Client, path: str) -> None:
    def image(**changes: Any) -> bytes:
        return pixels(buy(client, path, **changes).json()["image"]).tobytes()

    assert image() == image()
    assert image(seed=4) != image()
    assert image(description="a blue potion") != image()
    assert image(seed=None) != image(seed=None)


def test_seed_0_is_no_seed_for_animate_with_text() -> None:
    def seed(endpoint: str, **changes: Any) -> int:
        model = ENDPOINTS["v2", endpoint].body
        return resolved_seed(model.model_validate(body("v2", endpoint, **changes)))

    assert {seed("/animate-with-text", seed=0) for _ in range(3)} != {0}
    assert {seed("/animate-with-text", seed=5), seed("/animate-with-text-v3", seed=5)} == {5}
    assert seed("/animate-with-text-v3", seed=0) == 0


def test_no_background_makes_it_clear(client: httpx.Client) -> None:
    def alphas(**changes: Any) -> set[int]:
        return set(np.unique(pixels(buy(client, FLUX, **changes).json()["image"])[..., 3]).tolist())

    assert alphas() == {255}
    assert alphas(no_background=True) == {0, 255}


def test_a_colour_picture_is_obeyed(client: httpx.Client) -> None:
    image = pixels(buy(client, FLUX, color_image=picture()).json()["image"])
    assert {tuple(colour) for colour in image[..., :3].reshape(-1, 3)} <= {(255, 255, 255), (200, 20, 30)}


def test_given_pictures_are_used(client: httpx.Client) -> None:
    cut = pixels(buy(client, "/remove-background").json()["image"])
    assert (cut[0, 0, 3], cut[20, 20].tolist()) == (0, [200, 20, 30, 255])
    resized = pixels(buy(client, "/resize").json()["image"])
    assert resized[10, 16].tolist() == [200, 20, 30, 255]
    half = drawn()
    half.paste((0, 0, 0, 255), (0, 0, 32, 64))
    half.paste((255, 255, 255, 255), (32, 0, 64, 64))
    mask = {"base64": encoded(half)}
    kept = pixels(buy(client, "/inpaint", mask_image=mask).json()["image"])
    given = np.asarray(drawn())
    assert (kept[:, :32] == given[:, :32]).all()
    assert (kept[:, 32:] != given[:, 32:]).any()
    v3 = finished(client, "/inpaint-v3", mask_image={"image": mask, "size": size(64)}, inpainting_image=sized())
    assert (pixels(v3["image"])[:, :32] == given[:, :32]).all()


def test_a_data_uri_is_taken(client: httpx.Client) -> None:
    image = {"type": "base64", "base64": f"data:image/png;base64,{encoded(drawn())}"}
    assert buy(client, "/rotate", from_image=image).status_code == 200


def test_lists_have_pages(client: httpx.Client) -> None:
    made = [buy(client, "/create-tileset", seed=seed).json()["tileset_id"] for seed in range(3)]
    page = client.get("/v2/tilesets", params={"limit": 1, "offset": 1}).json()
    assert (page["total"], [each["id"] for each in page["tilesets"]]) == (3, [made[1]])
    for query in ({"limit": 101}, {"limit": 0}, {"offset": -1}, {"limit": "many"}):
        answer = client.get("/v2/tilesets", params=query)
        assert (answer.status_code, detail(answer)[0]["loc"]) == (422, ["query", *query])
    assert client.get("/v2/tilesets-sidescroller", params={"limit": 51}).status_code == 422


def test_what_is_deleted_is_gone(client: httpx.Client) -> None:
    taken = buy(client, "/create-character-with-4-directions").json()
    shown = client.get(f"/v2/characters/{taken['character_id']}").json()
    done = client.delete(f"/v2/characters/{taken['character_id']}").json()
    assert (done["success"], done["files_deleted"]) == (True, 4)
    assert client.get(f"/v2/characters/{taken['character_id']}").status_code == 404
    assert client.get(shown["rotation_urls"]["south"]).status_code == 404


def test_an_enhanced_prompt_has_a_bill_of_its_own(sim: PixelLabSimulator, client: httpx.Client) -> None:
    answer = buy(client, "/create-image-pixen", enhance_prompt=True).json()
    assert answer["enhanced_prompt"].startswith("a red potion")
    paid = [answer["usage"]["usd"], answer["enhance_usage"]["usd"]]
    assert sorted(float(charge.money) for charge in sim.charges) == sorted(paid)
    assert buy(client, "/create-image-pixen").json()["enhance_usage"] is None


def test_the_body_of_a_charge_is_what_was_sent(sim: PixelLabSimulator, client: httpx.Client) -> None:
    buy(client, FLUX)
    assert sim.charges[0].body == body(*STILL)
