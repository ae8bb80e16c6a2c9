"""Where to draw, in which number format, and how to fit into its memory. torch is handed in, never imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pixelrouter.backends.diffusers.failures import refused
from pixelrouter.backends.diffusers.families import Family
from pixelrouter.backends.diffusers.files import check_model
from pixelrouter.backends.diffusers.plan import Plan
from pixelrouter.backends.diffusers.presets import cached_folder, folder_of
from pixelrouter.backends.diffusers.settings import DiffusersSettings
from pixelrouter.errors import ConfigError

Device = Literal["cuda", "mps", "cpu"]
Offload = Literal["none", "model", "sequential"]

#: TFLOP one core does in a second: SDXL's U-Net took 57 CPU seconds for 5.98 TFLOP in bfloat16 (AMD EPYC, 2026-08).
CPU_RATE = 5.98 / 57
SMALL_GB = 1.0  # a model below this draws on a CPU in seconds
ACTIVATIONS_GB = 3.0  # beside the weights, for one 1024x1024 image; a rule of thumb, not measured


def choose(torch: Any, wanted: str) -> Device:
    """The device to draw on: the one wanted, else CUDA, Metal, CPU in this order. Raises ConfigError."""
    there: dict[Device, bool] = {
        "cuda": bool(torch.cuda.is_available()),
        "mps": bool(torch.backends.mps.is_available()),
        "cpu": True,
    }
    if wanted == "auto":
        return next(device for device, ok in there.items() if ok)
    for device, ok in there.items():
        if device == wanted and ok:
            return device
    have = ", ".join(device for device, ok in there.items() if ok)
    why = "this torch was built without CUDA" if wanted == "cuda" and torch.version.cuda is None else "torch finds none"
    raise ConfigError(
        f"[backends.diffusers] device = '{wanted}', but {why}. Here are: {have}.",
        hint="Install the torch build for your GPU (pytorch.org), or set device = 'auto'.",
    )


def dtype(wanted: str, family: Family, device: Device) -> str:
    """The number format: the one wanted; else float32 on a CPU, and what the model was made for on a GPU."""
    if wanted != "auto":
        return wanted
    return "float32" if device == "cpu" else family.gpu_dtype


def gigabytes(base: str, family: Family) -> float:
    """Size of the weights: of the files where they are all here, else the family's at 16 bits."""
    folder = folder_of(base) or _whole(base, family)
    if folder is None:
        return family.gigabytes
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors") if file.is_file()) / 1e9


def _whole(base: str, family: Family) -> Path | None:
    """The folder of a repository that was fetched whole: what is still to come might be the larger part."""
    folder = cached_folder(base)
    try:
        if folder is not None:
            check_model(folder, base, family.name)
    except ConfigError:
        return None
    return folder


def offload(torch: Any, wanted: str, device: Device, family: Family, size_gb: float, dtype_name: str) -> Offload:
    """How much of the model stays in main memory. Raises ConfigError where there is no GPU to bring it to."""
    if device != "cuda":
        if wanted in ("model", "sequential") and device == "cpu":
            raise ConfigError(
                f"[backends.diffusers] offload = '{wanted}' needs a GPU, and drawing is on the CPU.",
                hint="Leave offload out.",
            )
        return "none" if wanted == "auto" else wanted  # type: ignore[return-value]  # the settings allow these only
    if wanted != "auto":
        return wanted  # type: ignore[return-value]  # the settings allow these only
    free_gb = torch.cuda.mem_get_info()[0] / 1e9
    width = 2.0 if dtype_name == "float32" else 1.0
    share = family.largest / family.gigabytes
    if size_gb * width + ACTIVATIONS_GB <= free_gb:
        return "none"
    return "model" if size_gb * share * width + ACTIVATIONS_GB <= free_gb else "sequential"


def cpu_minutes(plan: Plan, cores: int | None = None) -> float:
    """Minutes a CPU will take for the denoising, on ``cores`` free cores (default: all)."""
    return plan.work / CPU_RATE / (cores or os.cpu_count() or 1) / 60


def allow_cpu(plan: Plan, settings: DiffusersSettings) -> None:
    """Raise InvalidRequest for a full-size model on the CPU, unless the settings say that this is wanted."""
    if settings.cpu_ok or gigabytes(plan.preset.base, plan.family) < SMALL_GB:
        return
    minutes = cpu_minutes(plan)
    span = f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.0f} hours"
    span = "a minute" if minutes < 1.5 else span
    raise refused(
        f"{plan.name} would draw on the CPU, which takes about {span} for this request on {os.cpu_count()} free cores "
        "(estimated from the model's size). Nothing was started.",
        "Set [backends.diffusers] cpu_ok = true to wait for it, or use a machine with a GPU, or another backend.",
    )
