"""How many units a request will be billed, by the unit that fal names: an estimate that errs on the dear side."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

from pixelrouter.backends.fal.body import raw_size
from pixelrouter.backends.fal.models import KLEIN, TEXT
from pixelrouter.types import GenerationRequest

MEGAPIXEL = 1 << 20  # fal's own example counts 1024x1024 as one
HELD_SECONDS = 60  # of computing, where that is the unit: image2pixel takes a few
HELD_FACTOR = 10  # times the megapixels, where the unit is one that nobody knows
_SINGLES = ("image", "generation", "request", "call")


def units_of(request: GenerationRequest, model: str, unit: str, canvas: int) -> tuple[Decimal, str | None]:
    """The number of units to hold the price of, and a note where it is a guess.

    Each picture counts as whole megapixels and each input image as one (fal resizes inputs to one megapixel); how
    fractions are rounded is not documented. Source: the pricing text of
    fal.ai/models/fal-ai/flux-2/klein/4b/base/edit/lora/llms.txt, 2026.
    """
    width, height = raw_size(request, canvas) if model in KLEIN else (1024, 1024)
    # A picture that is only to be bought first goes in as well.
    inputs = len(request.images) if model == TEXT else max(1, len(request.images))
    megapixels = Decimal(ceil(width * height / MEGAPIXEL) * request.n + inputs)
    name = unit.lower()
    if "megapixel" in name:
        return megapixels, None
    if any(name in (single, f"{single}s") for single in _SINGLES):
        return Decimal(request.n), None
    if "second" in name:
        note = f"fal bills {unit}, which nobody knows beforehand: {HELD_SECONDS} are held, what was used is charged."
        return Decimal(HELD_SECONDS), note
    held = HELD_FACTOR * megapixels
    return held, f"fal bills {unit or 'a unit without a name'}: {held} are held to be safe, what was used is charged."
