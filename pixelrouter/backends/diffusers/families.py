"""The four kinds of model that the presets use, and how diffusers' pipelines for them differ.

Read from diffusers 0.42.1 (github.com/huggingface/diffusers, 2026-08): the same keyword means another thing, or is
dropped without a word, from one pipeline to the next, so what each takes is written down here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pixelrouter.types import Task

FamilyName = Literal["sdxl", "flux", "kontext", "klein"]


@dataclass(frozen=True)
class Family:
    """How one kind of model is called.

    ``draws`` and ``edits`` are diffusers' pipeline classes, the same one where a pipeline does both. ``multiple``: the
    sides of what it draws are multiples of it. ``negative``: what makes a negative prompt count. ``strength``: whether
    an edit takes one, and the default. ``gigabytes`` and ``largest``: the weights at 16 bits, all of them and the
    largest component, counted from the published configs. ``tflop``: work of one denoising pass over a 1024x1024
    image; measured for sdxl, for the others 2 x parameters x tokens. ``edit_work``: how many times that an edit is.
    """

    name: FamilyName
    draws: str
    edits: str
    tasks: tuple[Task, ...]
    multiple: int
    steps: int
    guidance: float
    negative: Literal["guidance", "true_cfg", "never"]
    strength: float | None
    references: int
    gpu_dtype: Literal["float16", "bfloat16"]
    gigabytes: float
    largest: float
    tflop: float
    edit_work: float = 1.0
    min_image: int = 1
    max_steps: int = 150

    def steps_of(self, steps: int, strength: float | None) -> int:
        """Steps an edit of that strength takes: sdxl rounds them down, flux up."""
        if strength is None:
            return steps
        return int(steps * strength) if self.name == "sdxl" else steps - int(steps - steps * strength)

    def passes(self, steps: int, guidance: float, true_cfg: float) -> int:
        """Denoising passes an image takes: guidance without distillation doubles them."""
        doubled = guidance > 1 if self.negative == "guidance" else true_cfg > 1
        return steps * (2 if doubled else 1)


FAMILIES: Mapping[FamilyName, Family] = {
    family.name: family
    for family in (
        Family(
            name="sdxl",
            draws="StableDiffusionXLPipeline",
            edits="StableDiffusionXLImg2ImgPipeline",
            tasks=("image", "edit"),
            multiple=8,
            steps=30,
            guidance=5.0,
            negative="guidance",
            strength=0.6,
            references=0,
            gpu_dtype="float16",
            gigabytes=6.9,
            largest=5.2,
            tflop=6.0,
        ),
        Family(
            name="flux",
            draws="FluxPipeline",
            edits="FluxImg2ImgPipeline",
            tasks=("image", "edit"),
            multiple=16,
            steps=28,
            guidance=3.5,
            negative="true_cfg",
            strength=0.6,
            references=0,
            gpu_dtype="bfloat16",
            gigabytes=33.7,
            largest=23.8,
            tflop=110.0,
        ),
        Family(
            name="kontext",
            draws="FluxKontextPipeline",
            edits="FluxKontextPipeline",
            tasks=("edit",),
            multiple=16,
            steps=28,
            guidance=2.5,
            negative="true_cfg",
            strength=None,
            references=0,
            gpu_dtype="bfloat16",
            gigabytes=33.7,
            largest=23.8,
            tflop=110.0,
            edit_work=1.9,
        ),
        Family(
            name="klein",
            draws="Flux2KleinPipeline",
            edits="Flux2KleinPipeline",
            tasks=("image", "edit"),
            multiple=16,
            steps=4,
            guidance=1.0,
            negative="never",
            strength=None,
            references=3,
            gpu_dtype="bfloat16",
            gigabytes=16.0,
            largest=8.1,
            tflop=36.0,
            edit_work=1.9,
            min_image=64,
        ),
    )
}

#: Pipeline classes as a model folder's model_index.json names them.
BY_CLASS: Mapping[str, FamilyName] = {
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl",
    "FluxPipeline": "flux",
    "FluxImg2ImgPipeline": "flux",
    "FluxKontextPipeline": "kontext",
    "Flux2KleinPipeline": "klein",
}

#: Schedulers that may replace a model's own; only sdxl takes another.
SCHEDULERS: Mapping[str, str] = {
    "lcm": "LCMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
}
LCM_MAX_STEPS = 50  # the schedule the LCM weights were distilled to
