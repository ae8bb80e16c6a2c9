"""Films: a drawn sprite, or an image that was given, in motion."""

from __future__ import annotations

import numpy as np

from pixelrouter.backends.procedural import lexicon, pictures
from pixelrouter.backends.procedural.colors import RGB
from pixelrouter.backends.procedural.draw import Sprite, draw
from pixelrouter.backends.procedural.motion import ACTIONS, FLOW, action_in, animate
from pixelrouter.backends.procedural.png import encode_film
from pixelrouter.backends.procedural.rng import Ints
from pixelrouter.backends.procedural.subjects import FALLBACK, NOUNS, SUBJECTS
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest

DEFAULT_FRAMES = 4
SMALLEST = 8  # pixels a side that a sprite needs to be one


def motion_of(request: GenerationRequest) -> str:
    """The motion that the action names, else one that the prompt names, else "idle". Raises InvalidRequest."""
    said = (request.action or "").strip()
    found = action_in(said) if said else action_in(request.prompt) or "idle"
    if found is None:
        raise InvalidRequest(
            f"procedural cannot do {said!r}.", hint=f"It can: {', '.join([*ACTIONS, FLOW])}; other words are not read."
        )
    return found


def film(request: GenerationRequest, seed: int, subject: str | None) -> bytes:
    """An animated PNG, its frames exactly the size asked for."""
    name, frames = motion_of(request), request.frames or DEFAULT_FRAMES
    if request.images:
        rgba = pictures.decode(request.images[0], "The image", request.size)
        numbers, table = pictures.numbered(rgba)
        pixels = [table[one] for one in animate(numbers, "idle" if name == FLOW else name, frames)]
        return encode_film(pixels, None, _milliseconds(name, frames), transparent=True)
    sprite, name = _cast(request, seed, subject, name)
    numbers = sprite.pixels.astype(np.int64) + (0 if sprite.transparent else 1)
    played = [one - (0 if sprite.transparent else 1) for one in animate(numbers, name, frames)]
    palette, transparent = sprite.palette, sprite.transparent
    if request.transparent is False and transparent:
        palette, transparent = [_ground(request, seed, subject), *palette[1:]], False
    return encode_film(
        [one.astype(np.uint8) for one in played], palette, _milliseconds(name, frames), transparent=transparent
    )


def _milliseconds(name: str, frames: int) -> int:
    whole = ACTIONS[name].ms if name in ACTIONS else 900
    return max(40, round(whole / frames))


def _cast(request: GenerationRequest, seed: int, subject: str | None, name: str) -> tuple[Sprite, str]:
    """The sprite, with room for its motion, and the motion that suits it: ground flows unless it is told to do more."""
    width, height = request.size
    what = SUBJECTS[subject or lexicon.read(request.prompt, NOUNS).subject or FALLBACK]
    if what.tile and request.transparent is not True and name in (FLOW, "idle"):
        return draw(request.prompt, seed, width, height, None, subject), FLOW
    name = "sway" if name == FLOW else name
    above, aside = ACTIONS[name].room
    inner_width = max(min(SMALLEST, width), width - 2 * round(width * aside))
    inner_height = max(min(SMALLEST, height), height - round(height * above))
    sprite = draw(request.prompt, seed, inner_width, inner_height, True, subject)
    canvas: Ints = np.zeros((height, width), dtype=np.int64)
    left = (width - inner_width) // 2
    canvas[height - inner_height :, left : left + inner_width] = sprite.pixels
    return Sprite(canvas.astype(np.uint8), sprite.palette, sprite.transparent), name


def _ground(request: GenerationRequest, seed: int, subject: str | None) -> RGB:
    """The colour that a still of the same request would stand on."""
    still = draw(request.prompt, seed, *request.size, False, subject)
    return still.palette[int(still.pixels[0, 0])]
