"""Real pipelines, real drawing, on the CPU: tiny random models of every family (noise, but every line runs)."""

from __future__ import annotations

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixelrouter import PixelRouter
from pixelrouter.backends.diffusers import Backend, DiffusersSettings, pipelines
from pixelrouter.backends.diffusers.presets import Preset
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import FREE, VIEW_NAMES, Delivery, Inline, Progress
from tests.backends.diffusers.wishes import png, request

pytest.importorskip("torch")
pytest.importorskip("diffusers")
# The libraries warn of themselves (deprecations, missing torchvision); what is ours is tested without them as well.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def nothing_loaded() -> Iterator[None]:
    pipelines.forget()
    yield
    pipelines.forget()


def presets(models: Path) -> dict[str, dict[str, Any]]:
    def lora(name: str, scale: float = 1.0) -> dict[str, Any]:
        return {"path": str(models / "lora" / f"{name}.safetensors"), "scale": scale}

    def of(name: str, **rest: Any) -> dict[str, Any]:
        return {"base": str(models / name), "native": 64, "steps": 2, **rest}

    loras = [lora("kohya"), lora("sdxl", 1.2)]
    return {
        "sdxl": of("sdxl", scheduler="lcm", steps=4, guidance=1.5, loras=loras, max_n=4),
        "sdxl-plain": of("sdxl", steps=4),
        "flux": of("flux", steps=4, loras=[lora("flux")]),
        "kontext": of("kontext", loras=[lora("kontext")]),
        "klein": of("klein", loras=[lora("klein")]),
        "sheet": of(
            "klein", native=128, tasks=["views"], views="2x2", prompt="2x2 sprite sheet", loras=[lora("klein")]
        ),
    }


@pytest.fixture
def backend(models: Path) -> Backend:
    table = {name: Preset.model_validate(preset) for name, preset in presets(models).items()}
    return Backend(DiffusersSettings(device="cpu", presets=table, keep_loaded=2), None)


def draw(backend: Backend, model: str, **wish: Any) -> list[bytes]:
    return pngs(backend.generate(request(model=model, **wish), lambda _: None))


def pngs(delivery: Delivery) -> list[bytes]:
    return [item.data for item in delivery.items if isinstance(item, Inline)]


def size_of(data: bytes) -> tuple[int, int]:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("PNG", "RGB")
    return image.size


@pytest.mark.parametrize("model", ["sdxl", "sdxl-plain", "flux", "klein"])
def test_text_becomes_the_same_picture_for_the_same_seed(backend: Backend, model: str) -> None:
    first = draw(backend, model)
    assert [size_of(data) for data in first] == [(64, 64)]
    pipelines.forget()  # also when the model was loaded anew
    assert draw(backend, model) == first
    assert draw(backend, model, seed=8) != first
    assert draw(backend, model, prompt="a blue sword") != first


@pytest.mark.parametrize(
    ("model", "task"), [("sdxl", "image"), ("flux", "image"), ("klein", "image"), ("flux", "edit")]
)
def test_a_batch_holds_different_pictures_and_repeats(backend: Backend, model: str, task: str) -> None:
    images = (png(),) if task == "edit" else ()
    batch = draw(backend, model, n=3, task=task, images=images)
    assert len(set(batch)) == 3
    assert draw(backend, model, n=3, task=task, images=images) == batch
    second = draw(backend, model, task=task, images=images, seed=8)
    # Image i is that of seed + i, up to one step of rounding that a batch changes.
    pairs = zip(Image.open(io.BytesIO(batch[1])).tobytes(), Image.open(io.BytesIO(second[0])).tobytes(), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= 2


@pytest.mark.parametrize("model", ["sdxl", "flux", "kontext", "klein"])
def test_a_transparent_sprite_can_be_edited(backend: Backend, model: str) -> None:
    wish: dict[str, Any] = {"task": "edit", "images": (png(),)}
    first = draw(backend, model, n=2, **wish)
    assert [size_of(data) for data in first] == [(64, 64)] * 2
    assert draw(backend, model, n=2, **wish) == first
    assert draw(backend, model, n=2, task="edit", images=(png(color=(0, 0, 255, 255)),)) != first
    # What hides under transparent pixels is nobody's business.
    hidden = Image.open(io.BytesIO(png()))
    under = Image.new("RGBA", hidden.size, (9, 9, 9, 0))
    under.paste(hidden, mask=hidden.getchannel("A"))
    assert under.getpixel((0, 0)) == (9, 9, 9, 0)
    hidden = under
    buffer = io.BytesIO()
    hidden.save(buffer, format="PNG")
    assert draw(backend, model, n=2, task="edit", images=(buffer.getvalue(),)) == first


@pytest.mark.parametrize("model", ["sdxl", "flux"])
def test_strength_decides_how_many_steps_an_edit_takes(backend: Backend, model: str) -> None:
    steps: list[Progress] = []
    wish = request(model=model, task="edit", images=(png(),), strength=0.5)
    backend.generate(wish, lambda p: steps.append(p) if p.fraction is not None else None)
    assert [p.fraction for p in steps] == [0.5, 1.0]
    images = (png(),)
    weak = draw(backend, model, task="edit", images=images, strength=0.25)
    strong = draw(backend, model, task="edit", images=images, strength=1.0)
    assert weak != strong


def test_a_small_size_stays_small_at_kontext(backend: Backend) -> None:
    # Left alone it would draw, and read, about a megapixel.
    assert size_of(draw(backend, "kontext", task="edit", images=(png((16, 32)),), size=(16, 32))[0]) == (32, 64)


def test_klein_takes_further_references(backend: Backend) -> None:
    one = draw(backend, "klein", task="edit", images=(png(),))
    two = draw(backend, "klein", task="edit", images=(png(), png((8, 8), (0, 255, 0, 255))))
    assert one != two
    assert draw(backend, "klein", images=(png(),)) != draw(backend, "klein")


def test_views_are_a_sheet_and_draw_their_subject_first(backend: Backend) -> None:
    seen: list[float] = []
    wish = request(model="sheet", task="views", views="2x2")
    delivery = backend.generate(wish, lambda p: seen.append(p.fraction) if p.fraction is not None else None)
    sheet, reference = pngs(delivery)
    assert delivery.names == ("", "reference")
    assert seen == [0.25, 0.5, 0.75, 1.0]
    layout = backend.layout(wish)
    assert size_of(sheet) == layout.raw_size == (128, 128)
    # The adapter belongs to the sheet alone: once it is loaded, the subject is drawn without it all the same.
    assert pngs(backend.generate(wish, lambda _: None)) == [sheet, reference]
    # The same sheet comes of that subject given as a picture: nothing is left behind by the first drawing.
    given = request(model="sheet", task="views", views="2x2", images=(reference,), prompt="")
    assert pngs(backend.generate(given, lambda _: None)) == [sheet]


def test_progress_rises_to_one_and_begins_with_loading(backend: Backend) -> None:
    seen: list[Progress] = []
    backend.generate(request(model="sdxl"), seen.append)
    assert seen[0] == Progress("loading sdxl on cpu")
    assert [p.fraction for p in seen[1:]] == [0.25, 0.5, 0.75, 1.0]


def test_raising_from_progress_cancels_and_leaves_the_model_usable(backend: Backend) -> None:
    class Enough(Exception):
        pass

    seen = 0

    def stop(step: Progress) -> None:
        nonlocal seen
        seen += step.fraction is not None
        if seen == 2:
            raise Enough

    expected = draw(backend, "sdxl")
    with pytest.raises(Enough):
        backend.generate(request(model="sdxl"), stop)
    assert seen == 2
    assert draw(backend, "sdxl") == expected


def test_the_scheduler_is_swapped_by_call_and_back(backend: Backend) -> None:
    plain = draw(backend, "sdxl-plain")
    draw(backend, "sdxl")
    (loaded,) = pipelines._loaded.values()
    assert type(loaded.any_pipe.scheduler).__name__ == "LCMScheduler"
    assert draw(backend, "sdxl-plain") == plain
    assert type(loaded.any_pipe.scheduler).__name__ == "EulerDiscreteScheduler"


def test_editing_keeps_the_number_format_of_the_shared_weights(models: Path) -> None:
    table = {"sdxl": Preset.model_validate(presets(models)["sdxl"])}
    backend = Backend(DiffusersSettings(device="cpu", dtype="bfloat16", presets=table), None)
    first = draw(backend, "sdxl")
    draw(backend, "sdxl", task="edit", images=(png(),))
    (loaded,) = pipelines._loaded.values()
    assert str(loaded.any_pipe.unet.dtype) == "torch.bfloat16"
    assert draw(backend, "sdxl") == first


def test_options_change_the_drawing(backend: Backend) -> None:
    base = draw(backend, "sdxl")
    for options in ({"steps": 3}, {"guidance": 3.0}, {"negative_prompt": "blurry"}, {"raw_size": 96}):
        assert draw(backend, "sdxl", options=options) != base
    true_cfg = draw(backend, "flux", options={"true_cfg": 2, "negative_prompt": "blurry"})
    assert true_cfg != draw(backend, "flux")


def test_the_delivery_says_how_it_was_drawn(backend: Backend) -> None:
    delivery = backend.generate(request(model="sdxl", prompt="potion " * 100), lambda _: None)
    assert (delivery.cost, delivery.model) == (FREE, "sdxl")
    said = " ".join(delivery.notes)
    assert "cpu in float32 at 64x64, 4 steps" in said
    assert "commercial use: terms" in said
    assert "reads the first 77" in said


def test_few_models_stay_loaded(backend: Backend) -> None:
    for model in ("sdxl", "flux", "klein", "sheet"):
        draw(backend, model, **({"task": "views", "views": "2x2"} if model == "sheet" else {}))
    assert [key.family for key in pipelines._loaded] == ["flux", "klein"]


def test_threads_share_a_pipeline_one_after_the_other(backend: Backend) -> None:
    models = ["sdxl", "sdxl-plain"] * 3
    expected = {model: draw(backend, model) for model in set(models)}
    drawn: list[tuple[str, list[bytes]]] = []
    threads = [threading.Thread(target=lambda m=m: drawn.append((m, draw(backend, m)))) for m in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == len(models)
    assert all(data == expected[model] for model, data in drawn)


def test_the_libraries_keep_quiet_while_drawing_and_only_then(models: Path) -> None:
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear, libraries = Ear(), [logging.getLogger(name) for name in ("diffusers", "transformers")]
    levels = [library.level for library in libraries]
    for library in libraries:
        library.addHandler(ear)
    table = {name: Preset.model_validate(preset) for name, preset in presets(models).items()}
    backend = Backend(DiffusersSettings(device="cpu", dtype="float16", presets=table), None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            draw(backend, "sdxl", task="edit", images=(png(),), prompt="potion " * 100)
        threads = [threading.Thread(target=draw, args=(backend, "sdxl")) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for library in libraries:
            library.removeHandler(ear)
    assert heard == []
    assert [library.level for library in libraries] == levels


def test_an_unknown_option_is_refused_before_anything_is_loaded(backend: Backend) -> None:
    with pytest.raises(InvalidRequest, match="Did you mean 'steps'"):
        draw(backend, "sdxl", options={"step": 4})
    assert not pipelines._loaded


def test_views_through_the_router_have_their_own_names(models: Path, tmp_path: Path) -> None:
    section = {"device": "cpu", "presets": presets(models), "model": "sheet"}
    with PixelRouter(backend="diffusers", state=tmp_path / "state", backends={"diffusers": section}) as router:
        drawn = router.rotate("a cart", views="2x2", size=16)
        given = router.rotate(image=png(), views="2x2", size=16)
    assert drawn.names == given.names == VIEW_NAMES["2x2"]
    assert set(drawn.views) == set(VIEW_NAMES["2x2"])


def test_end_to_end_through_the_router(models: Path, tmp_path: Path) -> None:
    section = {"device": "cpu", "presets": presets(models), "model": "sdxl"}
    with PixelRouter(backend="diffusers", state=tmp_path / "state", backends={"diffusers": section}) as router:
        art = router.generate("a red potion", size=16, n=2, colors=8, seed=3)
        again = router.generate("a red potion", size=16, n=2, colors=8, seed=3)
    assert [image.size for image in art.images] == [(16, 16)] * 2
    assert (art.backend, art.model, art.cost.usd) == ("diffusers", "sdxl", 0.0)
    assert len(art.palette) <= 16
    assert again.reused
    assert again.raws == art.raws
