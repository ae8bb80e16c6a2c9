"""The two identities of an image, kept apart: what was bought, and how it was finished.

The generation key costs money when it changes; the finishing key is free. Both must outlive versions of pixelrouter:
a field that is added later is left out of the key while it has its default value, so no upgrade makes anyone pay again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pixelrouter.types import GenerationRequest

_OPTIONAL = ("model", "seed", "transparent", "strength", "views", "action", "frames", "tiles", "upper")


def _digest(prefix: str, value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)
    return f"{prefix}:{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def generation_key(backend: str, request: GenerationRequest) -> str:
    """What is bought: backend, model as asked for, and every field a vendor sees; images by their hashes.

    The number of colours and the palette are not in it: they belong to finishing.
    """
    fields: dict[str, Any] = {
        "backend": backend,
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
    }
    defaults: dict[str, Any] = {"n": 1, "task": "image", **dict.fromkeys(_OPTIONAL)}
    fields |= {name: value for name, default in defaults.items() if (value := getattr(request, name)) != default}
    if request.mask is not None:
        fields["mask"] = hashlib.sha256(request.mask).hexdigest()
    if request.images:
        fields["images"] = [hashlib.sha256(image).hexdigest() for image in request.images]
    if request.options:
        fields["options"] = dict(request.options)
    return _digest("g1", fields)


def finishing_key(raw: str, algorithm: str, parameters: Any) -> str:
    """How a raw image, named by its hash, was finished."""
    return _digest("f1", {"raw": raw, "algorithm": algorithm, "parameters": parameters})


def derived_seed(key: str, ordinal: int) -> int:
    """The router's choice of seed, 0..2^31-1: the same request draws the same image on every machine.

    ``ordinal`` counts the earlier attempts that may have drawn, so that a deliberate second purchase differs.
    """
    return int.from_bytes(hashlib.sha256(f"{key}/{ordinal}".encode()).digest()[:4], "big") >> 1
