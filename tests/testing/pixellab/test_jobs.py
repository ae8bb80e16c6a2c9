"""Jobs: how they are taken, how a poll tells their life, where each family has its pictures, what is kept."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from tests.testing.pixellab.bodies import JOBS, buy, finished, opened, picture, poll, size
from tests.testing.pixellab.conftest import Start

FOUR, EIGHT, V3 = ("/create-character-with-4-directions", "/create-character-with-8-directions", "/create-character-v3")
ORDER = ["south", "south-west", "west", "north-west", "north", "north-east", "east", "south-east"]


@pytest.mark.parametrize(("path", "status"), JOBS.items())
def test_taken_with_the_documented_status(client: httpx.Client, path: str, status: int) -> None:
    answer = buy(client, path)
    assert (answer.status_code, answer.json()["status"]) == (status, "processing")
    assert answer.json()["usage"] == {"type": "usd", "usd": 0.0}
    assert poll(client, answer)["status"] == "completed"


def test_the_life_of_a_job(start: Start) -> None:
    _, client = start(polls=3, lag_polls=1)
    taken = buy(client, FOUR)
    seen = [poll(client, taken) for _ in range(5)]
    assert [each["status"] for each in seen] == ["processing"] * 4 + ["completed"]
    assert seen[0]["last_response"] is None
    inner = [each["last_response"]["type"] for each in seen[1:]]
    assert inner == ["message_progress", "message_progress", "message_done", "message_done"]
    assert {each["last_response"]["status"] for each in seen[1:]} == {"initializing"}
    assert [each["last_response"]["progress"] for each in seen[1:]] == [0.1, 0.15, 1.0, 1.0]
    bill = {"type": "usd", "usd": 0.0105, "generations": None}
    assert [each["usage"] for each in seen] == [{"type": "usd", "usd": 0.0}] * 3 + [bill] * 2


def test_a_job_takes_its_time(start: Start) -> None:
    sim, client = start(job_seconds=60)
    taken = buy(client, FOUR)
    assert poll(client, taken)["status"] == "processing"
    sim.advance(61)
    assert poll(client, taken)["status"] == "completed"


@pytest.mark.parametrize("polls", [0, 2])
def test_a_resource_counts_polls_as_well(start: Start, polls: int) -> None:
    _, client = start(polls=polls)
    made = {path: buy(client, path).json() for path in ("/create-tileset", "/map-objects", FOUR)}
    urls = [
        f"/v2/tilesets/{made['/create-tileset']['tileset_id']}",
        f"/v2/map-objects/{made['/map-objects']['object_id']}",
    ]
    for url in urls:
        answers = [client.get(url) for _ in range(polls + 1)]
        assert [each.status_code for each in answers] == [423] * polls + [200]
        assert all(each.headers["Retry-After"] == "10" for each in answers[:-1])
    character = f"/v2/characters/{made[FOUR]['character_id']}"
    states = [client.get(character).json() for _ in range(polls + 1)]
    assert [each["status"] for each in states] == ["processing"] * polls + ["completed"]
    assert [each["rotation_urls"] is None for each in states] == [True] * polls + [False]


@pytest.mark.parametrize(("path", "count"), [(FOUR, 4), (EIGHT, 8)])
def test_a_character_is_a_map_by_direction(client: httpx.Client, path: str, count: int) -> None:
    last = finished(client, path)
    assert set(last["images"]) == set(last["storage_urls"]) == set(last["quantized_images"])
    assert len(last["images"]) == last["directions_count"] == count
    assert set(last["images"]) <= set(ORDER)
    south = last["images"]["south"]
    assert opened(south).size == (south["width"], south["height"]) == (76, 76)
    assert len({each["base64"] for each in last["images"].values()}) == count


def test_the_canvas_grows_only_where_it_does_for_the_vendor(start: Start) -> None:
    _, client = start(canvas_growth=0)
    assert finished(client, FOUR)["images"]["south"]["width"] == 48
    _, client = start(canvas_growth=20)
    assert finished(client, FOUR)["images"]["south"]["width"] == 68
    assert finished(client, EIGHT, mode="pro")["images"]["south"]["width"] == 48
    for asked, made in ((48, 96), (200, 256)):
        character_id = buy(client, V3, image_size=size(asked)).json()["character_id"]
        assert client.get(f"/v2/characters/{character_id}").json()["size"] == size(made)


def test_a_v3_character_has_only_urls(client: httpx.Client) -> None:
    last = finished(client, V3)
    assert "images" not in last
    shown = client.get(f"/v2/characters/{last['character_id']}").json()
    assert set(shown["rotation_urls"]) == set(ORDER)
    file = httpx.get(shown["rotation_urls"]["north-west"])
    assert file.headers["Content-Type"] == "image/png"
    assert file.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(("side", "count"), [(42, 64), (64, 16), (128, 4), (200, 1)])
def test_pro_images_come_several_at_once(client: httpx.Client, side: int, count: int) -> None:
    images = finished(client, "/generate-image-v2", image_size=size(side))["images"]
    assert len({each["base64"] for each in images}) == count
    assert {(each["width"], each["height"]) for each in images} == {(side, side)}


@pytest.mark.parametrize(
    ("path", "count", "side"),
    [
        ("/generate-8-rotations-v2", 8, 48),
        ("/generate-8-rotations-v3", 8, 64),
        ("/animate-with-text-v2", 16, 48),
        ("/animate-with-text-v3", 4, 64),
    ],
)
def test_lists_of_pictures(client: httpx.Client, path: str, count: int, side: int) -> None:
    images = finished(client, path)["images"]
    assert [opened(each).size for each in images] == [(side, side)] * count


@pytest.mark.parametrize("path", ["/edit-image", "/inpaint-v3", "/create-image-pixflux-background"])
def test_one_picture_object(client: httpx.Client, path: str) -> None:
    last = finished(client, path)
    assert opened(last["image"]).size == ((64, 48) if path == "/edit-image" else (64, 64))
    assert ("quantized_image" in last) == (path != "/create-image-pixflux-background")


def test_a_map_object_is_bare_base64_and_lives_eight_hours(sim: PixelLabSimulator, client: httpx.Client) -> None:
    last = finished(client, "/map-objects")
    assert isinstance(last["image"], str)
    assert opened(last["image"]).size == (64, 64)
    url = f"/v2/map-objects/{last['object_id']}"
    assert httpx.get(client.get(url).json()["download_url"]).status_code == 200
    sim.advance(8 * 3600)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("path", "where", "key"),
    [
        ("/create-tileset", "tilesets", "tileset_id"),
        ("/tilesets", "tilesets", "tileset_id"),
        ("/create-tileset-sidescroller", "tilesets-sidescroller", "tileset_id"),
        ("/create-isometric-tile", "isometric-tiles", "tile_id"),
    ],
)
def test_what_is_kept_is_not_in_the_job(client: httpx.Client, path: str, where: str, key: str) -> None:
    last = finished(client, path)
    assert not {"image", "images"} & set(last)
    answer = client.get(f"/v2/{where}/{last[key]}").json()
    if where == "isometric-tiles":
        assert opened(answer["image"]).size == (32, 32)
    else:
        assert {opened(each["image"]).size for each in answer["tileset"]["tiles"]} == {(16, 16)}


@pytest.mark.parametrize(("transition", "total", "combinations"), [(0, 16, 16), (0.5, 16, 16), (1.0, 25, 21)])
def test_wang_tiles(client: httpx.Client, transition: float, total: int, combinations: int) -> None:
    made = finished(client, "/create-tileset", transition_size=transition)
    tileset = client.get(f"/v2/tilesets/{made['tileset_id']}").json()["tileset"]
    tiles = tileset["tiles"]
    assert len(tiles) == tileset["total_tiles"] == total == len({each["id"] for each in tiles})
    assert len({tuple(each["corners"].values()) for each in tiles}) == combinations
    assert len({str(each["pattern_4x4"]) for each in tiles}) == total
    codes = {"lower": 0, "upper": 1, "transition": 2}
    for each in tiles:
        nw, ne, sw, se = (codes[each["corners"][place]] for place in ("NW", "NE", "SW", "SE"))
        assert each["pattern_4x4"]["row_1"] == [255, nw, ne, 255]
        assert each["pattern_4x4"]["row_2"] == [255, sw, se, 255]
    assert tiles[0]["name"] == "NW+NE+SW+SE"
    assert set(tiles[0]["corners"].values()) == {"lower"}


# Animations of a stored character.


def character(client: httpx.Client, path: str = FOUR, **changes: Any) -> str:
    made: str = finished(client, path, **changes)["character_id"]
    return made


def animate(
    client: httpx.Client, character_id: str, path: str = "/characters/animations", **fields: Any
) -> httpx.Response:
    return client.post(f"/v2{path}", json={"character_id": character_id, **fields})


@pytest.mark.parametrize("path", ["/characters/animations", "/animate-character"])
def test_one_job_for_each_direction(client: httpx.Client, path: str) -> None:
    made = character(client)
    answer = animate(client, made, path, action_description="walk", directions=["south", "north"], frame_count=4).json()
    assert answer["directions"] == ["south", "north"]
    for job, direction in zip(answer["background_job_ids"], answer["directions"], strict=True):
        last = poll(client, {"background_job_id": job})["last_response"]
        assert last["direction"] == direction
        assert len(last["images"]) == last["frame_count"] == len(last["storage_urls"]["frames"]) == 5
        assert {(each["width"], each["height"]) for each in last["images"]} == {(76, 76)}
    shown = client.get(f"/v2/characters/{made}").json()
    assert shown["animation_count"] == 1
    [group] = shown["animations"]
    assert [(each["direction"], each["frame_count"]) for each in group["directions"]] == [("south", 5), ("north", 5)]
    assert httpx.get(group["directions"][0]["frames"][4]).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("fields", "count", "frames"),
    [
        ({"template_animation_id": "walking-8-frames"}, 4, 8),
        ({"template_animation_id": "walking"}, 4, 4),
        ({"action_description": "walk"}, 1, 9),
        ({"action_description": "walk", "keep_first_frame": False}, 1, 8),
        ({"action_description": "walk", "mode": "pro"}, 1, 4),
    ],
)
def test_the_mode_decides_directions_and_frames(
    client: httpx.Client, fields: dict[str, Any], count: int, frames: int
) -> None:
    answer = animate(client, character(client), **fields).json()
    assert len(answer["background_job_ids"]) == count
    job = poll(client, {"background_job_id": answer["background_job_ids"][0]})
    assert len(job["last_response"]["images"]) == frames


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "template"},
        {"action_description": "walk", "frame_count": 5},
        {"mode": "pro", "enhance_prompt": True},
        {"directions": ["south", "north"], "custom_start_frame": picture()},
        {"directions": ["south-west"]},
        {"directions": []},
        {"frame_count": 16, "action_description": "walk"},
    ],
)
def test_animations_that_cannot_be(start: Start, fields: dict[str, Any]) -> None:
    sim, client = start(canvas_growth=128)  # 256x256: sixteen frames are too many
    made = character(client, image_size=size(128))
    before = len(sim.charges)
    answer = animate(client, made, **fields)
    assert (answer.status_code, type(answer.json()["detail"])) == (422, str)
    assert len(sim.charges) == before


def test_no_such_character(client: httpx.Client) -> None:
    assert animate(client, "nobody", action_description="walk").status_code == 404


def test_fewer_free_slots_than_directions(start: Start) -> None:
    _, client = start(slots=3, job_seconds=60)
    made = buy(client, EIGHT).json()["character_id"]
    answer = animate(client, made, template_animation_id="walking").json()
    assert len(answer["background_job_ids"]) == len(answer["directions"]) == 2
    full = animate(client, made, template_animation_id="walking")
    assert (full.status_code, full.json()["detail"]) == (429, "Too many concurrent background jobs")
