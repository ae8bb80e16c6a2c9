"""The backend without torch: what it says of itself, what it refuses, what it asks to be installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pixelrouter import backends
from pixelrouter.backends.diffusers import Backend, DiffusersSettings, device
from pixelrouter.backends.diffusers.families import FAMILIES
from pixelrouter.backends.diffusers.plan import make
from pixelrouter.backends.diffusers.presets import Preset, bundled
from pixelrouter.backends.protocol import BackendSettings, LocalBackend
from pixelrouter.config import load_settings
from pixelrouter.errors import ConfigError, InvalidRequest
from tests.backends.diffusers.wishes import request


def torch_with(*, cuda: bool = False, mps: bool = False, free_gb: float = 0.0, built: str | None = "12.8") -> Any:
    """As much of torch as choosing a device asks for."""
    gpu = SimpleNamespace(is_available=lambda: cuda, mem_get_info=lambda: (int(free_gb * 1e9), 0))
    metal = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps))
    return SimpleNamespace(cuda=gpu, backends=metal, version=SimpleNamespace(cuda=built))


def test_is_a_local_backend_found_by_name() -> None:
    assert "diffusers" in backends.names()
    assert backends.load("diffusers") is Backend
    assert isinstance(Backend(DiffusersSettings(), None), LocalBackend)
    assert Backend.credentials == ()


def test_capabilities_tell_of_every_task_and_no_native_pixels() -> None:
    told = Backend(BackendSettings(), None).capabilities()
    assert set(told.tasks) == {"image", "edit", "views"}
    assert (told.native, told.alpha, told.seeds, told.unit) == (False, False, True, "usd")


def test_describing_and_checking_import_no_torch() -> None:
    code = (
        "import sys\n"
        "from pixelrouter.backends import load\n"
        "from pixelrouter.types import GenerationRequest\n"
        "cls = load('diffusers'); b = cls(cls.settings_type(), None)\n"
        "r = GenerationRequest(prompt='x', width=32, height=32)\n"
        "b.capabilities(); b.resolve(r); b.layout(r)\n"
        "heavy = ('torch', 'diffusers', 'transformers', 'huggingface_hub', 'numpy', 'PIL')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("library", ["torch", "peft"])
def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    for name in ("accelerate", "diffusers", "peft", "torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=rf"needs {library}.*pip install 'pixelrouter\[local\]'"):
        Backend(DiffusersSettings(), None).generate(request(), lambda _: None)


def test_a_full_size_model_does_not_start_on_the_cpu_by_itself() -> None:
    with pytest.raises(InvalidRequest, match=r"CPU, which takes about (a|\d+) minutes?.*cpu_ok = true"):
        Backend(DiffusersSettings(device="cpu"), None).resolve(request(size=(32, 32)))
    assert Backend(DiffusersSettings(device="cpu", cpu_ok=True), None).resolve(request()).id == "pixel-art-xl"


def test_a_short_wait_is_told_in_words() -> None:
    options = {"steps": 1, "guidance": 1, "raw_size": 64}
    with pytest.raises(InvalidRequest, match="takes about a minute for this request"):
        Backend(DiffusersSettings(device="cpu"), None).resolve(request(options=options))


def test_a_small_model_may(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"\0" * 1000)
    small = Preset(base=str(tmp_path), family="sdxl")
    assert Backend(DiffusersSettings(device="cpu", presets={"small": small}), None).resolve(request(model="small"))


def test_the_minutes_are_those_that_were_measured() -> None:
    # Measured for 8 LCM steps with guidance at 1024x1024: about 15 CPU minutes, 8 on two free cores.
    plan = make("pixel-art-xl", bundled()["pixel-art-xl"], request(size=(32, 32)))
    assert 12 < device.cpu_minutes(plan, cores=1) < 18
    assert device.cpu_minutes(plan, cores=2) == pytest.approx(device.cpu_minutes(plan, cores=1) / 2)


def test_the_best_device_is_chosen_and_a_wanted_one_has_to_be_there() -> None:
    assert device.choose(torch_with(cuda=True, mps=True), "auto") == "cuda"
    assert device.choose(torch_with(mps=True), "auto") == "mps"
    assert device.choose(torch_with(), "auto") == "cpu"
    assert device.choose(torch_with(cuda=True), "cpu") == "cpu"
    with pytest.raises(ConfigError, match=r"built without CUDA. Here are: cpu"):
        device.choose(torch_with(built=None), "cuda")
    with pytest.raises(ConfigError, match="torch finds none"):
        device.choose(torch_with(cuda=True), "mps")


def test_the_number_format_fits_model_and_device() -> None:
    assert device.dtype("auto", FAMILIES["sdxl"], "cuda") == "float16"
    assert device.dtype("auto", FAMILIES["flux"], "cuda") == "bfloat16"
    assert device.dtype("auto", FAMILIES["flux"], "cpu") == "float32"
    assert device.dtype("bfloat16", FAMILIES["sdxl"], "cpu") == "bfloat16"


@pytest.mark.parametrize(("free_gb", "how"), [(80, "none"), (30, "model"), (12, "sequential")])
def test_offloading_follows_the_memory_that_is_free(free_gb: float, how: str) -> None:
    gpu = torch_with(cuda=True, free_gb=free_gb)
    flux = FAMILIES["flux"]
    assert device.offload(gpu, "auto", "cuda", flux, flux.gigabytes, "bfloat16") == how


def test_offloading_needs_a_gpu() -> None:
    with pytest.raises(ConfigError, match="needs a GPU"):
        device.offload(torch_with(), "model", "cpu", FAMILIES["sdxl"], 7.0, "float32")
    assert device.offload(torch_with(), "auto", "cpu", FAMILIES["sdxl"], 7.0, "float32") == "none"
    assert device.offload(torch_with(cuda=True), "model", "cuda", FAMILIES["sdxl"], 7.0, "float16") == "model"


def test_the_config_file_can_hold_a_preset(tmp_path: Path) -> None:
    (tmp_path / "pixelrouter.toml").write_text(
        '[backends.diffusers]\ndevice = "cpu"\n'
        '[backends.diffusers.presets.mine]\nbase = "me/model"\nfamily = "flux"\n'
        'loras = [{ path = "me/lora", scale = 0.8 }]\n'
    )
    settings = load_settings(start=tmp_path, env={}).backend_settings("diffusers", DiffusersSettings)
    assert settings.device == "cpu"
    assert settings.presets["mine"].loras[0].scale == 0.8
    (tmp_path / "pixelrouter.toml").write_text('[backends.diffusers]\nofload = "none"\n')
    with pytest.raises(ConfigError, match="Did you mean 'offload'"):
        load_settings(start=tmp_path, env={}).backend_settings("diffusers", DiffusersSettings)
