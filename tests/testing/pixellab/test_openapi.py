"""The simulator against PixelLab's published OpenAPI documents: what it takes, what it refuses, what it answers.

Every other test in this folder checks its good requests and answers as well, through its client.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest

from pixelrouter.testing.simulator.pixellab.endpoints import CHARACTER_ANIMATIONS, ENDPOINTS
from pixelrouter.testing.simulator.pixellab.orders import read
from pixelrouter.testing.simulator.pixellab.problems import Refused
from pixelrouter.testing.simulator.pixellab.worlds import CharacterAnimation
from tests.testing.pixellab import published
from tests.testing.pixellab.bodies import BODIES, EVERY, JOBS, UNKNOWN, buy, poll
from tests.testing.pixellab.conftest import Start

pytestmark = published.needed
GONE = object()
# The document lets estimate-skeleton do without its only field; the simulator does not.
STRICTER = [(("image",), "gone", True)]
STRANGE = (GONE, None, -1e9, 1e9, "no such word", [], {}, 1.5)
# Fields that this copy of the document resolved to another schema, or where the vendor's text is stricter than it.
UNSURE = {"inpainting_images", "mask_images", "skeleton_keypoints", "style_options"}
ANIMATION = {"character_id": UNKNOWN, "action_description": "walk", "directions": ["south"]}


@pytest.mark.parametrize(("version", "path"), EVERY)
def test_every_endpoint_is_sold_as_published(client: httpx.Client, version: str, path: str) -> None:
    published.check_request(version, "POST", path, BODIES[version][path])
    answer = buy(client, path, version)
    assert answer.status_code == (JOBS.get(path, 200) if version == "v2" else 200), answer.text
    published.check_answer(version, "POST", path, answer.status_code, answer.json())


def test_nothing_is_sold_that_is_not_published() -> None:
    for version, path in (*ENDPOINTS, *(("v2", path) for path in CHARACTER_ANIMATIONS)):
        assert published.operation(version, "POST", path), path
    assert set(EVERY) == set(ENDPOINTS)


def test_what_is_kept_is_shown_as_published(client: httpx.Client) -> None:
    shelves = {
        "/create-character-with-8-directions": "characters",
        "/create-character-v3": "characters",
        "/create-tileset": "tilesets",
        "/create-tileset-sidescroller": "tilesets-sidescroller",
        "/create-isometric-tile": "isometric-tiles",
        "/map-objects": "map-objects",
    }
    for path, shelf in shelves.items():
        taken = buy(client, path).json()
        poll(client, taken)
        [item] = [taken[name] for name in ("character_id", "tileset_id", "tile_id", "object_id") if name in taken]
        if shelf == "characters":
            order = ANIMATION | {"character_id": item}
            assert client.post("/v2/characters/animations", json=order).status_code == 200
        paths = [f"/{shelf}/{item}"] + ([f"/{shelf}"] if shelf != "map-objects" else [])
        for each in paths:
            answer = client.get(f"/v2{each}")
            published.check_answer("v2", "GET", each, answer.status_code, answer.json())
            assert answer.status_code == 200, answer.text
        if shelf != "map-objects":
            gone = client.delete(f"/v2/{shelf}/{item}")
            published.check_answer("v2", "DELETE", f"/{shelf}/{item}", gone.status_code, gone.json())


def test_every_stage_of_a_job_is_as_published(start: Start) -> None:
    sim, client = start(polls=2, lag_polls=1)
    sim.fault("job_failed")
    for taken in (buy(client, "/create-character-with-4-directions").json() for _ in range(2)):
        for _ in range(4):
            published.check_answer(
                "v2", "GET", f"/background-jobs/{taken['background_job_id']}", 200, poll(client, taken)
            )


@pytest.mark.parametrize("account", ["usd", "subscription", "free"])
def test_balances_are_as_published(start: Start, account: str) -> None:
    _, client = start(account=account, generations="3" if account == "subscription" else "0")
    for version in ("v1", "v2"):
        published.check_answer(version, "GET", "/balance", 200, client.get(f"/{version}/balance").json())


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every field of a body, pictures and points left whole."""
    if not isinstance(value, dict) or "base64" in value:
        return [path]
    return [path] * bool(path) + [place for name, each in value.items() for place in _places(each, (*path, name))]


def _changed(body: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(body)
    where: Any = whole
    for step in place[:-1]:
        where = where[step]
    if value is GONE:
        where.pop(place[-1], None)
    else:
        where[place[-1]] = value
    return whole


def _taken(body: dict[str, Any], model: Any, version: str) -> bool:
    try:
        read(json.dumps(body).encode(), model, version)
    except Refused as refused:
        return refused.status != 422
    return True


MODELS = {key: endpoint.body for key, endpoint in ENDPOINTS.items()} | {
    ("v2", path): CharacterAnimation for path in CHARACTER_ANIMATIONS
}


@pytest.mark.parametrize(("version", "path"), list(MODELS))
def test_the_same_bodies_are_refused_as_by_the_document(version: str, path: str) -> None:
    """Every field of every body, missing and with strange values: taken exactly where the published schema takes it."""
    model: Any = MODELS[version, path]
    good = BODIES[version].get(path, ANIMATION)
    known = published.operation(version, "POST", path)
    assert known is not None
    reference = published.schema_of(known["requestBody"])
    assert reference is not None
    fields = set(published.document(version)["components"]["schemas"][reference.rpartition("/")[2]]["properties"])
    assert fields == set(model.model_fields)
    schema = published.validator(version, reference)
    places = {*_places(good), *((name,) for name in fields)}
    differ = []
    for place in sorted(places - {(name,) for name in UNSURE}, key=str):
        for value in STRANGE:
            body = _changed(good, place, value)
            if _taken(body, model, version) != schema.is_valid(body):
                differ.append((place, "gone" if value is GONE else value, schema.is_valid(body)))
    assert differ == (STRICTER if path == "/estimate-skeleton" else [])
