"""The tiny models, built once a run. Only the slow tests ask for them; without torch those are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models sdxl, flux, kontext and klein, and an adapter (``lora/NAME.safetensors``) for each."""
    torch = pytest.importorskip("torch")
    from tests.backends.diffusers import tiny

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("models")
    tiny.sdxl(root / "sdxl")
    tiny.flux(root / "flux")
    tiny.flux(root / "kontext", kontext=True)
    tiny.klein(root / "klein")
    (root / "lora").mkdir()
    tiny.kohya_lora(root / "sdxl", root / "lora" / "kohya.safetensors")
    for name in ("sdxl", "flux", "kontext", "klein"):
        part = "unet" if name == "sdxl" else "transformer"
        tiny.peft_lora(root / name, part, root / "lora" / f"{name}.safetensors")
    return root
