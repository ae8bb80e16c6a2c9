"""What the backend can do: one model a kind of work, and the licence of what comes out."""

from __future__ import annotations

from pixelrouter.types import MAX_SIDE as LARGEST
from pixelrouter.types import Capabilities, Licence, ModelInfo

MIN_SIDE, MAX_SIDE, MAX_N = 8, 256, 64
_SIZES = (MIN_SIDE, MAX_SIDE, MIN_SIDE, MAX_SIDE)
SPRITES = ModelInfo(
    "sprites",
    "procedural",
    *_SIZES,
    max_n=MAX_N,
    description="Items, creatures, people, buildings and tiles, drawn by rules from the words of the prompt.",
)
MOTION = ModelInfo(
    "motion",
    "procedural",
    *_SIZES,
    tasks=("animation",),
    prompt_optional=True,  # an image can take its place
    takes_image=True,
    frames=tuple(range(2, 17)),
    description="Sets a drawn sprite, or an image, in motion: idle, walk, jump, attack and more.",
)
GROUNDS = ModelInfo(
    "grounds",
    "procedural",
    *_SIZES,
    tasks=("tileset",),
    tiles=("seamless", "wang"),
    alpha=False,
    description="Ground that repeats without a seam, and the sixteen corner tiles between two grounds.",
)
CUTOUT = ModelInfo(
    "cutout",
    "procedural",
    1,
    LARGEST,
    1,
    LARGEST,
    tasks=("remove_background",),
    prompt_optional=True,
    needs_image=True,
    seeds=False,
    description="Cuts a subject out of a plain ground.",
)
MODELS = (SPRITES, MOTION, GROUNDS, CUTOUT)
LICENCE = Licence(
    name="CC0-1.0",
    commercial=True,
    url="https://creativecommons.org/publicdomain/zero/1.0/",
    note="Drawn on your machine by rules, no model and no training data: use the images as you like.",
)
CAPABILITIES = Capabilities(
    backend="procedural",
    models=MODELS,
    default_model=SPRITES.id,
    native=True,
    alpha=True,
    seeds=True,
    idempotent=True,
    unit="usd",
    licence=LICENCE,
    summary="Free, offline, deterministic sprites, films and tiles from the words of the prompt.",
)
