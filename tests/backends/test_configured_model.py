"""``model`` in the config serves the tasks that it does; every other task is chosen for as if none were configured."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter import PixelRouter
from pixelrouter.backends import load
from pixelrouter.errors import InvalidRequest
from pixelrouter.routing.ask import candidate
from pixelrouter.types import GenerationRequest

#: A still model of each backend, and a task that it does not do with the model chosen for it.
OTHER_TASKS = {
    "diffusers": ("klein", "views", "klein-spritesheet"),
    "fal": ("klein", "views", "klein-spritesheet"),
    "pixellab": ("pixflux", "views", "character-4"),
    "procedural": ("sprites", "animation", "motion"),
    "replicate": ("rd-plus/default", "animation", "rd-animation/four_angle_walking"),
    "retrodiffusion": ("rd_plus__default", "animation", "rd_animation__any_animation"),
}


def _wish(name: str, task: str) -> GenerationRequest:
    views = {"fal": "2x2", "diffusers": "2x2", "pixellab": "4"}.get(name) if task == "views" else None
    side = 48 if name == "replicate" else 64
    return GenerationRequest.model_validate(
        {"prompt": "a knight", "width": side, "height": side, "task": task, "views": views}
    )


@pytest.mark.parametrize("name", OTHER_TASKS)
def test_a_configured_model_is_left_out_where_it_does_not_do_the_task(name: str) -> None:
    configured, task, chosen = OTHER_TASKS[name]
    kind = load(name)
    backend = kind(kind.settings_type(model=configured), None)
    assert candidate(backend, _wish(name, "image")).request.model == configured
    asked = candidate(backend, _wish(name, task)).request
    assert asked.model is None
    assert backend.resolve(asked).id == chosen


@pytest.mark.parametrize("name", OTHER_TASKS)
def test_a_configured_model_that_nobody_knows_stays_an_error(name: str) -> None:
    kind = load(name)
    backend = kind(kind.settings_type(model="no-such-model"), None)
    asked = candidate(backend, _wish(name, "image")).request
    with pytest.raises(InvalidRequest, match="no-such-model"):
        backend.resolve(asked)


@pytest.fixture
def router(tmp_path: Path) -> Iterator[PixelRouter]:
    section = {"procedural": {"model": "sprites"}}
    with PixelRouter(state=tmp_path, backend="procedural", backends=section) as router:
        yield router


def test_one_line_of_config_serves_every_task(router: PixelRouter) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (16, 16), "white").save(picture, format="PNG")
    assert router.generate("a potion", size=16).model == "sprites"
    assert router.animate("a slime", action="bounce", size=16).model == "motion"
    assert router.tileset("grass", size=16).model == "grounds"


@pytest.mark.parametrize("name", ["pixellab", "retrodiffusion"])
def test_a_task_that_only_the_other_api_version_has_is_refused_with_the_way_to_it(name: str, tmp_path: Path) -> None:
    with (
        PixelRouter(state=tmp_path, backend=name, backends={name: {"api_version": "v1"}}) as router,
        pytest.raises(InvalidRequest, match=r'Set .*api_version = "v2"'),
    ):
        router.remove_background(Image.new("RGB", (64, 64)))
