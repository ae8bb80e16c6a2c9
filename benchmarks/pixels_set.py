"""The images that are measured: a folder with a manifest, or a set drawn here, the same on every machine."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from pixels_fake import FAMILIES, Case, fake

from pixelrouter import GenerationRequest
from pixelrouter.backends.procedural import Backend
from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.types import Inline

NATIVE = "n_native"
PROMPTS = (
    ("a red potion in a round bottle", 16, None),
    ("a knight with a red plume", 32, None),
    ("an icy sword", 24, None),
    ("a green slime", 32, False),
    ("a wooden house", 64, None),
    ("a treasure chest full of coins", 48, False),
    ("a red dragon", 80, None),
    ("an old oak tree", 96, None),
    ("grass tile", 32, None),
    ("a grey castle", 112, False),
)


def from_folder(folder: Path, limit: int | None, families: tuple[str, ...]) -> Iterator[Case]:
    """``folder`` holds manifest.json (id, family, opt, source of each), NNNN.png and its truth NNNN_t.png."""
    seen: dict[str, int] = {}
    for entry in json.loads((folder / "manifest.json").read_text()):
        family = entry["family"]
        seen[family] = seen.get(family, 0) + 1
        if family not in families or (limit and seen[family] > limit):
            continue
        encoded = (folder / f"{entry['id']:04d}.png").read_bytes()
        image, truth = Image.open(io.BytesIO(encoded)), Image.open(folder / f"{entry['id']:04d}_t.png")
        image.load()
        truth.load()
        left, right, top, bottom = entry["opt"]
        yield Case(entry["source"], family, image, truth, (left, right, top, bottom), encoded)


def drawn(limit: int | None, families: tuple[str, ...], side: int | None = None, seed: int = 5) -> Iterator[Case]:
    """Every family of every sprite, ``side`` pixels wide or of several sizes."""
    for index, (name, art) in enumerate(list(sprites())[:limit]):
        for family in families:
            if family == NATIVE:
                yield Case(name, NATIVE, art, art)
                continue
            rng = np.random.default_rng([seed, index, FAMILIES.index(family)])
            yield fake(art, family, rng, side or int(rng.choice((512, 768, 1024))), name)


def sprites() -> Iterator[tuple[str, Image.Image]]:
    """1x art in RGBA: the procedural backend's sprites, a sheet, a scene, 1-bit art and an ordered dither."""
    drawn = []
    for seed, (prompt, side, transparent) in enumerate(PROMPTS):
        request = GenerationRequest(prompt=prompt, width=side, height=side, seed=seed, transparent=transparent)
        (item, *_) = Backend(BackendSettings(), None).generate(request, lambda step: None).items
        assert isinstance(item, Inline)
        drawn.append(Image.open(io.BytesIO(item.data)).convert("RGBA"))
        yield prompt, drawn[-1]
    sheet = Image.new("RGBA", (96, 64))
    for slot in range(6):
        sheet.paste(drawn[1 if slot % 2 else 2], (slot % 3 * 32, slot // 3 * 32))
    yield "sheet", sheet
    scene = _sky(160, 120, 5)
    for slot, sprite in enumerate(drawn[:8]):
        scene.alpha_composite(sprite, (4 + slot * 37 % (157 - sprite.width), 116 - sprite.height - slot % 3 * 4))
    yield "scene", scene
    gray = np.asarray(scene.convert("L"))
    yield "1-bit", Image.fromarray(np.where(gray > np.median(gray), 255, 0).astype(np.uint8)).convert("RGBA")
    yield "dithered sky", _sky(96, 128, 8)


def _sky(width: int, height: int, steps: int) -> Image.Image:
    """A gradient in ``steps`` colours, dithered with the 4x4 matrix of Bayer (1973)."""
    base = np.array([[0, 2], [3, 1]])
    matrix = np.block([[4 * base, 4 * base + 2], [4 * base + 3, 4 * base + 1]]) / 16
    level = (
        np.linspace(0, steps - 1, height)[:, None] + np.tile(matrix, (height // 4 + 1, width // 4 + 1))[:height, :width]
    )
    index = np.floor(level).clip(0, steps - 1)[..., None] / (steps - 1)
    color = (1 - index) * (38, 43, 100) + index * (255, 170, 94)
    return Image.fromarray(color.round().astype(np.uint8)).convert("RGBA")
