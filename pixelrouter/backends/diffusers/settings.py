"""``[backends.diffusers]``: where and how to draw, and presets of one's own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pixelrouter.backends.diffusers.presets import Preset
from pixelrouter.backends.protocol import BackendSettings


class DiffusersSettings(BackendSettings):
    """``[backends.diffusers]``. ``model`` (of every backend) is the preset to use when the call names none."""

    device: Literal["auto", "cuda", "mps", "cpu"] = Field(default="auto", description="Where to draw.")
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = Field(default="auto", description="Number format.")
    download: bool = Field(default=False, description="Whether missing weights may be downloaded (7 to 34 GB).")
    offload: Literal["auto", "none", "model", "sequential"] = Field(
        default="auto", description="Keep weights in main memory and bring parts of them to the GPU by need."
    )
    vae_tiling: bool | Literal["auto"] = Field(default="auto", description="Decode in tiles: less memory, slower.")
    cpu_ok: bool = Field(default=False, description="Whether a full-size model may draw on the CPU: minutes to hours.")
    keep_loaded: int = Field(default=1, ge=1, le=8, description="Most models kept in memory by one process.")
    presets: dict[str, Preset] = Field(default_factory=dict, description="Presets of one's own, by name.")
