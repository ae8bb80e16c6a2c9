"""Draws sprites on this machine: free, offline, the same for the same prompt and seed. A placeholder worth keeping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import SecretStr

from pixelrouter.backends.protocol import BackendDefaults, BackendSettings, reject_unknown_options
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import (
    FREE,
    Capabilities,
    Delivery,
    GenerationRequest,
    Inline,
    Licence,
    ModelInfo,
    Progress,
)

__all__ = ["Backend"]

MIN_SIDE, MAX_SIDE, MAX_N = 8, 256, 64
MODEL = ModelInfo(
    id="sprites",
    family="procedural",
    min_width=MIN_SIDE,
    max_width=MAX_SIDE,
    min_height=MIN_SIDE,
    max_height=MAX_SIDE,
    max_n=MAX_N,
    description="Items, creatures, people, buildings and tiles, drawn by rules from the words of the prompt.",
)
LICENCE = Licence(
    name="CC0-1.0",
    commercial=True,
    url="https://creativecommons.org/publicdomain/zero/1.0/",
    note="Drawn on your machine by rules, no model and no training data: use the images as you like.",
)
_CAPABILITIES = Capabilities(
    backend="procedural",
    models=(MODEL,),
    default_model=MODEL.id,
    native=True,
    alpha=True,
    seeds=True,
    idempotent=True,
    unit="usd",
    licence=LICENCE,
    summary="Free, offline, deterministic sprites from the words of the prompt.",
)


class Backend(BackendDefaults):
    """The ``procedural`` backend. It knows one option: ``subject``, which overrides what the prompt's words mean."""

    name: ClassVar[str] = "procedural"
    kind: ClassVar[Literal["local"]] = "local"
    settings_type: ClassVar[type[BackendSettings]] = BackendSettings
    credentials: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        self.settings = settings

    def capabilities(self) -> Capabilities:
        """One model, any size from 8 to 256 a side."""
        return _CAPABILITIES

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model that will draw the request. Raises InvalidRequest, naming the limit, if it cannot."""
        name = request.model or self.settings.model or MODEL.id
        if name != MODEL.id:
            raise InvalidRequest(f"procedural has no model {name!r}.", hint=f"It has one: {MODEL.id!r}.")
        if why := MODEL.why_not(request):
            raise InvalidRequest(f"{why}.", hint="Nothing was drawn; change the request, or use another backend.")
        _subject_option(request.options)
        return MODEL

    def generate(self, request: GenerationRequest, progress: Callable[[Progress], None]) -> Delivery:
        """``request.n`` different PNGs; image i is the one that seed + i would draw first.

        Raises InvalidRequest for what :meth:`resolve` refuses. A seed of None counts as 0.
        """
        # Imported late: listing or describing backends must not cost numpy's import.
        from pixelrouter.backends.procedural.draw import draw
        from pixelrouter.backends.procedural.png import encode

        model, subject = self.resolve(request), _subject_option(request.options)
        images: list[bytes] = []
        for index in range(request.n):
            progress(Progress(status="drawing", fraction=index / request.n))
            seed = (request.seed or 0) + index
            data = b""
            while not data or data in images:  # at 8 pixels two seeds can agree: take the next one that does not
                sprite = draw(request.prompt, seed, request.width, request.height, request.transparent, subject)
                data = encode(sprite.pixels, sprite.palette, transparent=sprite.transparent)
                seed += MAX_N
            images.append(data)
        progress(Progress(status="drawing", fraction=1.0))
        return Delivery(items=tuple(Inline(data) for data in images), cost=FREE, model=model.id)


def _subject_option(options: Any) -> str | None:
    """The checked ``subject`` option. Raises InvalidRequest for an unknown option or subject."""
    reject_unknown_options("procedural", options, ("subject",))
    subject = options.get("subject")
    if subject is None:
        return None
    from pixelrouter.backends.procedural.subjects import NOUNS, SUBJECTS

    found = subject if subject in SUBJECTS else NOUNS.get(str(subject).lower())
    if found is None:
        raise InvalidRequest(
            f"procedural cannot draw subject {subject!r}.", hint=f"It draws: {', '.join(sorted(SUBJECTS))}."
        )
    return found
