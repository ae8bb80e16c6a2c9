"""The seeds that Retro Diffusion takes."""

from __future__ import annotations

from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest

MAX_SEED = 2**31 - 1  # the vendor documents no range; its clients use this one


def checked_seed(request: GenerationRequest, seed: int | None) -> int | None:
    """The seed to send: the router's choice is cut to 31 bits. Raises InvalidRequest for a caller's beyond them."""
    if request.seed is not None and request.seed > MAX_SEED:
        raise InvalidRequest(
            f"Seed {request.seed} is outside 0..{MAX_SEED}.", hint="Retro Diffusion's seeds have 31 bits."
        )
    return None if seed is None else seed % (MAX_SEED + 1)
