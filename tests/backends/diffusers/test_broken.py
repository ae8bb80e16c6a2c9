"""Models that are not whole, and a Hub that says no: real libraries, a real socket, never the network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.backends.diffusers import Backend, DiffusersSettings, pipelines
from pixelrouter.backends.diffusers.presets import Preset
from pixelrouter.errors import ConfigError, JobFailed
from pixelrouter.types import Money
from tests.backends.diffusers.wishes import request

pytest.importorskip("torch")
pytest.importorskip("diffusers")
# The libraries warn of themselves (deprecations, missing torchvision); what is ours is tested without them as well.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def nothing_loaded() -> Iterator[None]:
    pipelines.forget()
    yield
    pipelines.forget()


@pytest.fixture
def model(models: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    shutil.copytree(models / "sdxl", tmp_path / "sdxl")
    return tmp_path / "sdxl"


def draw(base: Path, **rest: Any) -> None:
    preset = Preset(base=str(base), native=64, steps=1, **rest)
    settings = DiffusersSettings(device="cpu", presets={"mine": preset})
    Backend(settings, None).generate(request(model="mine"), lambda _: None)


@pytest.mark.parametrize("part", ["unet", "tokenizer", "tokenizer_2", "text_encoder", "vae"])
def test_a_part_that_is_missing_is_named(model: Path, part: str) -> None:
    shutil.rmtree(model / part)
    with pytest.raises(ConfigError, match=f"'{part}'"):
        draw(model)
    assert not pipelines._loaded


def test_missing_weights_are_named(model: Path) -> None:
    (model / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"'unet'.*no .safetensors weights"):
        draw(model)


@pytest.mark.parametrize("part", ["unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"])
def test_a_weight_file_that_broke_off_is_an_error(model: Path, part: str) -> None:
    file = model / part
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ConfigError, match="damaged"):
        draw(model)
    assert not pipelines._loaded


def test_a_black_picture_is_a_failed_drawing_and_was_free(model: Path) -> None:
    # What a decoder makes of numbers that ran out of range: nothing but black.
    from safetensors.torch import load_file, save_file

    file = model / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["decoder.conv_out.weight"].zero_()
    weights["decoder.conv_out.bias"].fill_(-10)
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(JobFailed, match=r"black picture.*float32") as caught:
        draw(model)
    assert caught.value.charged == Money(0)


def test_a_model_of_another_family_is_an_error(models: Path) -> None:
    with pytest.raises(ConfigError, match="which is not a klein model"):
        draw(models / "sdxl", family="klein")


def test_a_gpu_that_is_not_there_is_an_error(models: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    settings = DiffusersSettings(device="cuda", presets={"mine": Preset(base=str(models / "sdxl"))})
    with pytest.raises(ConfigError, match="device = 'cuda'"):
        Backend(settings, None).generate(request(model="mine"), lambda _: None)


# --- the Hub: it is asked in a process of its own, because the library reads its address when it is imported ---


class _Hub(BaseHTTPRequestHandler):
    """Answers like huggingface.co, by the owner's name in the path."""

    def _answer(self) -> None:
        answers = {
            "gated": (403, {"X-Error-Code": "GatedRepo"}),
            "locked": (401, {"X-Error-Code": "GatedRepo"}),
            "nobody": (401, {"X-Error-Code": "RepoNotFound"}),
            "busy": (429, {}),
            "ill": (500, {}),
        }
        owner = next((name for name in answers if f"/{name}/" in self.path), "")
        status, headers = answers.get(owner, (404, {"X-Error-Code": "RepoNotFound"}))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815  (http.server's names)

    def log_message(self, *_: Any) -> None:
        """Nothing to the terminal."""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


ASK = """
import json, sys
from pixelrouter.backends.diffusers.files import lora_file, model_folder
from pixelrouter.backends.diffusers.presets import Lora
answers = {}
for base, kinds, download in json.loads(sys.argv[1]):
    for kind in kinds:
        try:
            if kind == "model":
                model_folder(base, None, download=download)
            else:
                lora_file(Lora(path=base, weight_name="x.safetensors"), download=download)
        except Exception as error:
            answers[f"{kind} {base}"] = [type(error).__name__, str(error)]
print(json.dumps(answers))
"""


def ask(hub: str, home: Path, wanted: list[tuple[str, list[str], bool]], **env: str) -> dict[str, list[str]]:
    """What becomes of each (repository, as what it is asked for, download)."""
    answers: dict[str, list[str]] = json.loads(python(hub, home, ASK, json.dumps(wanted), **env))
    return answers


def python(hub: str, home: Path, code: str, *arguments: str, **env: str) -> str:
    """What a fresh Python prints that finds the Hub at ``hub`` and its cache under ``home``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    clean |= {"HF_ENDPOINT": hub, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **env}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=clean, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_hub_that_says_no_is_understood(hub: str, tmp_path: Path) -> None:
    both = ["model", "lora"]
    wanted = [(f"{owner}/model", both, True) for owner in ("gated", "locked", "nobody")]
    answers = ask(hub, tmp_path, [*wanted, ("ill/model", ["model"], True), ("here/not", both, False)])
    for kind in both:
        for owner in ("gated", "locked"):
            name, said = answers[f"{kind} {owner}/model"]
            assert name == "ConfigError"
            assert f"{owner}/model is gated" in said
            assert "hf auth login" in said
        assert "no repository nobody/model" in answers[f"{kind} nobody/model"][1]
        name, said = answers[f"{kind} here/not"]
        assert name == "ConfigError"
        assert "weights of here/not are not on this machine" in said
    assert answers["model ill/model"][0] == "JobFailed"
    assert "busy (500)" in answers["model ill/model"][1]


def test_a_hub_that_is_not_there_is_understood(tmp_path: Path) -> None:
    # As a model only: for a single file the library asks five times, for half a minute.
    answers = ask("http://127.0.0.1:9", tmp_path, [("some/model", ["model"], True)])
    assert answers["model some/model"][0] == "JobFailed"
    assert "cannot be reached" in answers["model some/model"][1]


def test_a_hub_that_is_forbidden_is_understood(tmp_path: Path) -> None:
    answers = ask("http://127.0.0.1:9", tmp_path, [("some/model", ["model", "lora"], True)], HF_HUB_OFFLINE="1")
    assert len(answers) == 2
    assert all(name == "ConfigError" and "HF_HUB_OFFLINE" in said for name, said in answers.values())


@pytest.fixture
def cached(models: Path, tmp_path: Path) -> Path:
    """A Hub's cache that holds some/model, a klein, whole, and an adapter beside it."""
    repo = tmp_path / "hub" / "models--some--model"
    revision = "a" * 40
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(revision)
    shutil.copytree(models / "klein", repo / "snapshots" / revision)
    shutil.copy(models / "lora" / "klein.safetensors", repo / "snapshots" / revision / "x.safetensors")
    return repo / "snapshots" / revision


def test_a_model_in_the_hubs_cache_is_found_by_its_name(cached: Path, tmp_path: Path) -> None:
    assert ask("http://127.0.0.1:9", tmp_path, [("some/model", ["model", "lora"], False)]) == {}


BY_ID = """
import sys
from pixelrouter.backends.diffusers import Backend, DiffusersSettings
from pixelrouter.errors import PixelRouterError
from pixelrouter.types import GenerationRequest
wish = {"prompt": "a potion", "width": 16, "height": 16, "seed": 1, "options": {"raw_size": 64, "steps": 1}}
for model in ("some/model", "some/other"):
    try:
        backend = Backend(DiffusersSettings(device="cpu"), None)
        drawn = backend.generate(GenerationRequest(model=model, **wish), lambda _: None)
        print(drawn.model, backend.resolve(GenerationRequest(model=model, **wish)).licence.name)
    except PixelRouterError as error:
        print(type(error).__name__, error)
"""


def test_a_model_that_was_fetched_needs_no_preset_and_a_small_one_no_gpu(cached: Path, tmp_path: Path) -> None:
    drawn, unknown = python("http://127.0.0.1:9", tmp_path, BY_ID).splitlines()
    assert drawn == "some/model unknown licence"
    assert unknown.startswith("InvalidRequest The diffusers backend has no preset 'some/other'")
    (cached / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    half, _ = python("http://127.0.0.1:9", tmp_path, BY_ID).splitlines()
    assert half.startswith("InvalidRequest some/model would draw on the CPU")  # what is missing may be the larger part
