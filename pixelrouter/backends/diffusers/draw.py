"""From a plan to pictures: the one place where a pipeline is called.

Every argument goes by keyword, because the first positional one is the prompt in some pipelines and the image in
others; and an argument that the pipeline does not declare is an error here, because some drop it without a word.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pixelrouter.backends.diffusers import device as devices
from pixelrouter.backends.diffusers import files, pipelines
from pixelrouter.backends.diffusers.failures import explain, failed, missing_extra
from pixelrouter.backends.diffusers.pictures import at_least, encoded, fitted, is_black, opened
from pixelrouter.backends.diffusers.pipelines import Key, Loaded
from pixelrouter.backends.diffusers.plan import Plan
from pixelrouter.backends.diffusers.settings import DiffusersSettings
from pixelrouter.errors import ConfigError
from pixelrouter.types import FREE, Delivery, Inline, Progress

if TYPE_CHECKING:
    from PIL.Image import Image

Tell = Callable[[Progress], None]


def draw(plan: Plan, settings: DiffusersSettings, tell: Tell) -> Delivery:
    """Draw the plan's pictures. For views: the sheet, and behind it the picture of the subject if one was drawn.

    Raises ConfigError (something has to be installed, fetched or set right), InvalidRequest (a picture that cannot be
    read, a full-size model on the CPU), JobFailed (memory, a flat black picture); and whatever ``tell`` raises, which
    is how a drawing is cancelled.
    """
    torch = _libraries()
    pictures = [opened(data, f"images[{number}]") for number, data in enumerate(plan.images)]
    device = devices.choose(torch, settings.device)
    if device == "cpu":
        devices.allow_cpu(plan, settings)
    tell(Progress(f"loading {plan.name} on {device}"))
    with contextlib.nullcontext() if settings.download else pipelines.quiet():  # gigabytes may well show their progress
        loras = [(files.lora_file(one, download=settings.download), one.scale, one.path) for one in plan.loras]
        folder = files.model_folder(plan.preset.base, plan.preset.variant, download=settings.download)
    key = Key(
        folder=str(folder),
        base=plan.preset.base,
        variant=plan.preset.variant,
        family=plan.family.name,
        device=device,
        dtype=devices.dtype(settings.dtype, plan.family, device),
        offload=settings.offload,
        tiling=settings.vae_tiling,
    )
    with pipelines.borrow(key, plan.family, settings.keep_loaded) as loaded, pipelines.quiet():
        easel = _Easel(plan, loaded, torch, tell)
        drawn: list[Image] = []
        if plan.reference is not None:
            easel.share = 0.5
            loaded.adapters.activate(loaded.any_pipe, [])
            drawn = easel.paint(plan.reference_prompt or "", [], plan.reference, 1)
            pictures, easel.begun = list(drawn), 0.5
        easel.notes += loaded.adapters.activate(loaded.any_pipe, loras)
        images = easel.paint(plan.prompt, pictures, plan.raw, plan.n)
    return _delivery(plan, key, [*images, *drawn], easel.notes)


@dataclass
class _Easel:
    """One drawing under way: its plan, its model, and how far it is."""

    plan: Plan
    loaded: Loaded
    torch: Any
    tell: Tell
    begun: float = 0.0
    share: float = 1.0
    notes: list[str] = field(default_factory=list)
    stopped: BaseException | None = None

    def paint(self, prompt: str, pictures: list[Image], size: tuple[int, int], n: int) -> list[Image]:
        """``n`` images of ``size``, in one batch."""
        plan = self.plan
        pipe = self.loaded.pipe(plan.family.edits if pictures else plan.family.draws)
        self.loaded.schedule(pipe, plan.preset.scheduler)
        self._note_cut_prompt(pipe, prompt)
        arguments = self._arguments(prompt, pictures, size, n)
        _declared(pipe, arguments)
        try:
            images: list[Image] = pipe(**arguments).images
        except Exception as error:
            if error is self.stopped:
                raise
            raise explain(error, f"drawing {n} at {size[0]}x{size[1]} with", plan.name) from error
        for image in images:
            if image.size != size:
                self.notes.append(f"{size[0]}x{size[1]} was asked of the model, it drew {image.width}x{image.height}.")
            if is_black(image):
                raise failed(
                    f"{plan.name} drew a black picture: its numbers ran out of range in {self.loaded.key.dtype}.",
                    code="black_picture",
                    hint="Set [backends.diffusers] dtype = 'bfloat16' or 'float32'.",
                )
        return images

    def _arguments(self, prompt: str, pictures: list[Image], size: tuple[int, int], n: int) -> dict[str, Any]:
        plan, family = self.plan, self.plan.family
        arguments: dict[str, Any] = {
            "prompt": prompt,
            "num_inference_steps": plan.steps,
            "guidance_scale": plan.guidance,
            "num_images_per_prompt": n,
            # On the CPU, so that the noise is the same for every device; a new one each, so that a call repeats.
            "generator": [self.torch.Generator("cpu").manual_seed(plan.seed + i) for i in range(n)],
            "output_type": "pil",
            "callback_on_step_end": self._step,
        }
        if plan.negative is not None:
            arguments["negative_prompt"] = plan.negative
        if family.negative == "true_cfg":
            arguments["true_cfg_scale"] = plan.true_cfg
        if not (family.name == "sdxl" and pictures):  # SDXL's image to image takes the picture's own size
            arguments |= {"width": size[0], "height": size[1]}
        if not pictures:
            return arguments
        if family.name == "klein":
            # As large as what is drawn; further references as they are, from the smallest size it takes.
            first, *rest = pictures
            arguments["image"] = [fitted(first, size), *(at_least(one, family.min_image) for one in rest)]
            return arguments
        arguments["image"] = fitted(pictures[0], size)
        if family.name == "flux":  # it would encode one picture with the first image's noise only
            arguments["image"] = [arguments["image"]] * n
        if family.name == "kontext":  # else it draws, and reads, one of seventeen sizes of about a megapixel
            arguments |= {"max_area": size[0] * size[1], "_auto_resize": False}
        else:
            arguments["strength"] = plan.strength
        return arguments

    def _step(self, pipe: Any, step: int, _: Any, values: dict[str, Any]) -> dict[str, Any]:
        done = (step + 1) / max(1, pipe.num_timesteps)
        try:
            self.tell(Progress("drawing", self.begun + self.share * min(1.0, done)))
        except BaseException as error:
            self.stopped = error
            raise
        return values  # the pipelines need it back

    def _note_cut_prompt(self, pipe: Any, prompt: str) -> None:
        if self.plan.family.name != "sdxl":
            return
        tokens, most = len(pipe.tokenizer(prompt).input_ids), int(pipe.tokenizer.model_max_length)
        if tokens > most:
            self.notes.append(f"The prompt has {tokens} tokens, and the model reads the first {most}.")


def _libraries() -> Any:
    """torch, once everything that drawing needs could be imported. Raises ConfigError."""
    try:
        import accelerate  # noqa: F401  (diffusers needs it, and says so only half way through)
        import diffusers  # noqa: F401  (asked for here, used elsewhere)
        import peft  # noqa: F401  (for the adapters)
        import torch
        import transformers  # noqa: F401  (the text encoders)
    except ImportError as error:
        raise missing_extra(error) from error
    return torch


def _declared(pipe: Any, arguments: Mapping[str, Any]) -> None:
    known = inspect.signature(type(pipe).__call__).parameters
    if strange := [name for name in arguments if name not in known]:
        import diffusers

        raise ConfigError(
            f"diffusers {diffusers.__version__} does not know {', '.join(strange)} at {type(pipe).__name__}.",
            hint="Install the version that pixelrouter was made for: pip install 'pixelrouter[local]'.",
        )


def _delivery(plan: Plan, key: Key, images: list[Image], notes: list[str]) -> Delivery:
    width, height = plan.raw
    licence = plan.preset.licence_with(plan.loras)
    notes = [
        f"Drawn on {key.device} in {key.dtype} at {width}x{height}, {plan.steps_done} steps.",
        f"Licence: {licence.name}; commercial use: {licence.use}.",
        *notes,
    ]
    if plan.preset.cell and plan.reference is None:
        notes.append(f"The model paints cells of about {plan.preset.cell} pixels: pixel_size overrides detection.")
    return Delivery(
        items=tuple(Inline(encoded(image)) for image in images),
        cost=FREE,
        model=plan.name,
        notes=tuple(dict.fromkeys(notes)),
        names=("", "reference") if plan.reference is not None else (),  # the sheet's views have names of their own
    )
