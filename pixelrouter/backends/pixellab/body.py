"""Builds a body: the endpoint's own parts, then the options the caller passed, each checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelrouter.backends.pixellab.endpoints import Endpoint
from pixelrouter.backends.pixellab.wish import Wish
from pixelrouter.backends.protocol import reject_unknown_options
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest

MAX_SEED = 2**31 - 1  # the vendor documents no largest seed; this one fits everywhere

# Fields that an argument of ours stands for, or that change what is bought in a way no price list knows.
REFUSED: Mapping[str, str] = {
    "description": "Use the prompt argument.",
    "lower_description": "Use the prompt argument.",
    "upper_description": "Use upper=.",
    "text": "Use the prompt argument.",
    "action": "Use action=.",
    "image_size": "Use size=.",
    "output_size": "Use size=.",
    "tile_size": "Use size=.",
    "width": "Use size=.",
    "height": "Use size=.",
    "frame_count": "Use frames=.",
    "seed": "Use seed=.",
    "no_background": "Use transparent=.",
    "image": "Use images=.",
    "first_frame": "Use images=.",
    "from_image": "Use images=.",
    "reference_image": "Use images=.",
    "reference_images": "Use images=.",
    "mode": "Pro mode costs 20 to 40 times as much, and its price is not published; it cannot be bought from here.",
    "async_mode": "Jobs are always queued and polled.",
    "output_type": "Images are always delivered one by one.",
    "extra_guidance_scale": "PixelLab accepts it and ignores it.",
}


def seed_of(endpoint: Endpoint, request: GenerationRequest, seed: int) -> int:
    """The seed to send. Raises InvalidRequest for a caller's seed that PixelLab cannot honour."""
    if request.seed is not None and request.seed > MAX_SEED:
        raise InvalidRequest(f"Seed {request.seed} is outside 0..{MAX_SEED}.", hint="Give a seed of 31 bits.")
    if endpoint.zero_is_random and request.seed == 0:
        raise InvalidRequest(f"To {endpoint.id} seed 0 means a random one.", hint="Give another seed, 1 for instance.")
    cut = seed % (MAX_SEED + 1)
    return cut or 1 if endpoint.zero_is_random else cut


def options_of(endpoint: Endpoint, request: GenerationRequest, version: str) -> dict[str, Any]:
    """The caller's options as they go on the wire. Raises InvalidRequest for an unknown name or a bad value."""
    known = [name for name in endpoint.options if version == "v2" or name not in endpoint.v2_only]
    for name in request.options:
        if name in REFUSED and name not in known:
            raise InvalidRequest(f"{name!r} cannot be given as an option of pixellab.", hint=REFUSED[name])
    reject_unknown_options(f"pixellab's {endpoint.id}", request.options, known)
    return {name: endpoint.options[name](name, value) for name, value in request.options.items()}


def body_of(endpoint: Endpoint, request: GenerationRequest, seed: int, version: str) -> dict[str, Any]:
    """The JSON body. Raises InvalidRequest for a bad option, seed or image."""
    wish = Wish(request, seed_of(endpoint, request, seed))
    options = options_of(endpoint, request, version)
    sent = {name: value for name, part in endpoint.parts.items() if (value := part(wish)) is not None}
    clash = [name for name in options if name in sent and name not in _DEFAULTS]
    if clash:
        raise InvalidRequest(
            f"{', '.join(clash)} is given twice: in options= and by images=, upper= or strength=.",
            hint="Give it once.",
        )
    return {**sent, **options}


#: Parts that only fill in what the caller left open.
_DEFAULTS = frozenset({"style_strength", "method"})
