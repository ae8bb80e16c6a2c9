"""A request made ready to be drawn: every number checked, before torch is imported or a weight is read.

The pipelines check little: some drop an unknown keyword, round a size or take a fraction for a number of steps. So
everything is checked here, and what reaches a pipeline cannot be misread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pixelrouter.backends.diffusers.families import LCM_MAX_STEPS, Family
from pixelrouter.backends.diffusers.presets import Lora, Preset
from pixelrouter.backends.diffusers.sizes import raw_size
from pixelrouter.backends.protocol import reject_unknown_options
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest

OPTIONS = ("steps", "guidance", "negative_prompt", "true_cfg", "raw_size", "loras")
MAX_RAW_AREA = 2048 * 2048
_RAW = re.compile(r"([0-9]{1,5})(?:x([0-9]{1,5}))?")
_LORAS: TypeAdapter[tuple[Lora, ...]] = TypeAdapter(tuple[Lora, ...])


@dataclass(frozen=True)
class Plan:
    """What to draw. ``raw`` (width, height) is what the model draws; ``reference`` the same for the picture of a
    subject that has to be drawn first (views without a picture), and ``reference_prompt`` what that one shows.
    """

    name: str
    preset: Preset
    family: Family
    prompt: str
    negative: str | None
    steps: int
    guidance: float
    true_cfg: float
    strength: float | None
    raw: tuple[int, int]
    n: int
    seed: int
    images: tuple[bytes, ...]
    loras: tuple[Lora, ...]
    reference: tuple[int, int] | None = None
    reference_prompt: str | None = None

    @property
    def editing(self) -> bool:
        """True if the model starts from pictures."""
        return bool(self.images) or self.reference is not None

    @property
    def steps_done(self) -> int:
        """Steps really taken: an edit that keeps more of the picture takes fewer."""
        return self.family.steps_of(self.steps, self.strength)

    @property
    def work(self) -> float:
        """TFLOP of the whole drawing, roughly: denoising only."""
        passes = self.family.passes(self.steps_done, self.guidance, self.true_cfg)
        area = self.raw[0] * self.raw[1] / 2**20
        total = passes * area * self.n * (self.family.edit_work if self.editing else 1)
        if self.reference is not None:
            total += passes * self.reference[0] * self.reference[1] / 2**20
        return total * self.family.tflop


def make(name: str, preset: Preset, request: GenerationRequest) -> Plan:
    """The plan for ``request``. Raises InvalidRequest for whatever the model would refuse or misread."""
    if why := preset.info(name).why_not(request):
        raise InvalidRequest(f"{why}.", hint="Nothing was drawn; change the request, or name another preset.")
    _only_what_fits(name, request)
    family, options = preset.kind, request.options
    reject_unknown_options("diffusers", options, OPTIONS)
    views = request.task == "views"
    steps = _whole(options, "steps", preset.steps or family.steps, 1, family.max_steps)
    guidance = _number(options, "guidance", family.guidance if preset.guidance is None else preset.guidance, 0, 30)
    true_cfg = _number(options, "true_cfg", 1.0, 1, 30)
    if "true_cfg" in options and family.negative != "true_cfg":
        raise InvalidRequest(f"{name} has no true_cfg.", hint="Its option is guidance.")
    loras = _loras(options, preset)
    plan = Plan(
        name=name,
        preset=preset,
        family=family,
        prompt=_prompt(preset, request),
        negative=_negative(name, preset, options, guidance, true_cfg),
        steps=steps,
        guidance=guidance,
        true_cfg=true_cfg,
        strength=_strength(preset, request),
        raw=_raw(preset, options, (2 * request.width, 2 * request.height) if views else request.size),
        n=request.n,
        seed=request.seed or 0,
        images=request.images,
        loras=loras,
    )
    if preset.scheduler == "lcm" and steps > LCM_MAX_STEPS:
        raise InvalidRequest(f"{name} draws with LCM, which takes at most {LCM_MAX_STEPS} steps, not {steps}.")
    if plan.steps_done < 1:
        raise InvalidRequest(
            f"strength={plan.strength} with {steps} steps leaves no step to draw.",
            hint=f"Use a strength of at least {math.ceil(100 / steps) / 100}, or more steps.",
        )
    if views and not request.images:
        return _with_reference(plan, request)
    return plan


def _only_what_fits(name: str, request: GenerationRequest) -> None:
    for field in ("mask", "action", "upper"):
        if getattr(request, field) is not None:
            raise InvalidRequest(f"{name} has no use for {field}=.")
    if request.strength is not None and request.task != "edit":
        raise InvalidRequest("strength= belongs to edits.", hint="Leave it out.")
    if request.task == "views" and request.views is None:
        raise InvalidRequest(f"{name} needs to know which views: views='2x2'.")
    if request.task == "views" and not request.images and not request.prompt.strip():
        raise InvalidRequest(f"{name} needs a picture of the subject, or a prompt to draw one from.")


def _prompt(preset: Preset, request: GenerationRequest) -> str:
    # replace(), not format(): braces in a prompt are text.
    prompt = preset.prompt.replace("{prompt}", request.prompt.strip())
    return prompt + preset.ground if request.transparent and request.task == "image" else prompt


def _with_reference(plan: Plan, request: GenerationRequest) -> Plan:
    text = (plan.preset.reference_prompt or "{prompt}").replace("{prompt}", request.prompt.strip())
    size = raw_size(request.size, plan.preset.native, plan.family.multiple)
    return Plan(**{**plan.__dict__, "reference": size, "reference_prompt": text})


def _negative(name: str, preset: Preset, options: Mapping[str, Any], guidance: float, true_cfg: float) -> str | None:
    """The negative prompt, only where it has an effect: a model that ignores it is not sent one."""
    value = options.get("negative_prompt")
    if value is None:
        if preset.kind.negative == "true_cfg" and true_cfg > 1:
            return preset.negative_prompt or ""  # without one the pipeline leaves true_cfg out
        return preset.negative_prompt if preset.kind.negative == "guidance" and guidance > 1 else None
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidRequest(f"negative_prompt={value!r} is not a text.")
    match preset.kind.negative:
        case "never":
            raise InvalidRequest(f"{name} knows no negative prompt.", hint="Say what you want in the prompt instead.")
        case "guidance" if guidance <= 1:
            raise InvalidRequest("A negative prompt has no effect at guidance 1 or less.", hint="Raise guidance.")
        case "true_cfg" if true_cfg <= 1:
            raise InvalidRequest(
                f"A negative prompt has no effect on {name} without true_cfg.",
                hint='Add "true_cfg": 2 to the options; it doubles the time.',
            )
    return value


def _strength(preset: Preset, request: GenerationRequest) -> float | None:
    if request.task != "edit" or preset.kind.strength is None:
        return None
    return request.strength if request.strength is not None else preset.strength or preset.kind.strength


def _raw(preset: Preset, options: Mapping[str, Any], size: tuple[int, int]) -> tuple[int, int]:
    family = preset.kind
    if "raw_size" not in options:
        return raw_size(size, preset.native, family.multiple)
    match = _RAW.fullmatch(str(options["raw_size"]))
    if match is None:
        raise InvalidRequest(f"raw_size={options['raw_size']!r} is not a size.", hint="Write 1024 or '1024x768'.")
    raw = (int(match[1]), int(match[2] or match[1]))
    low = max(64, family.multiple)
    if any(side % family.multiple or side < low for side in raw) or raw[0] * raw[1] > MAX_RAW_AREA:
        raise InvalidRequest(
            f"raw_size={raw[0]}x{raw[1]} cannot be drawn by a {family.name} model.",
            hint=f"Sides are multiples of {family.multiple}, from {low} up.",
        )
    return raw


def _loras(options: Mapping[str, Any], preset: Preset) -> tuple[Lora, ...]:
    if "loras" not in options:
        return preset.loras
    try:
        return _LORAS.validate_python(options["loras"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidRequest(
            f"loras: {where} {first['msg'].lower()}.".replace("  ", " "),
            hint='Write [{"path": "...", "weight_name": "...", "scale": 1.0}]; an empty list draws without.',
        ) from None


def _whole(options: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = options.get(name, default)
    if type(value) is not int or not low <= value <= high:
        raise InvalidRequest(f"{name}={value!r} is not a whole number from {low} to {high}.")
    return value


def _number(options: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:  # NaN fails too
        raise InvalidRequest(f"{name}={value!r} is not a number from {low} to {high}.")
    return float(value)
