"""Draws sprites on this machine: free, offline, the same for the same prompt and seed. A placeholder worth keeping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import SecretStr

from pixelrouter.backends.procedural.models import CAPABILITIES, CUTOUT, MAX_N, MODELS, MOTION
from pixelrouter.backends.protocol import BackendDefaults, BackendSettings, reject_unknown_options
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import (
    FREE,
    Capabilities,
    Delivery,
    GenerationRequest,
    Inline,
    Layout,
    ModelInfo,
    Progress,
)

__all__ = ["Backend"]


class Backend(BackendDefaults):
    """The ``procedural`` backend.

    Options: ``subject`` overrides what the prompt's words mean; ``tolerance`` (remove_background, 0 to 1) is how far a
    pixel's colour may be from the ground's.
    """

    name: ClassVar[str] = "procedural"
    kind: ClassVar[Literal["local"]] = "local"
    settings_type: ClassVar[type[BackendSettings]] = BackendSettings
    credentials: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        self.settings = settings

    def capabilities(self) -> Capabilities:
        """A model for each kind of work: sprites, motion, grounds, cutout."""
        return CAPABILITIES

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The model that will do the request. Raises InvalidRequest, naming the limit, if none can."""
        model = self._named(request) or next((m for m in MODELS if request.task in m.tasks), None)
        if model is None:
            raise InvalidRequest(
                f"procedural cannot do task {request.task!r}.",
                hint=f"It does: {', '.join(CAPABILITIES.tasks)}. Nothing was drawn; use another backend.",
            )
        why = model.why_not(request) or _why_not(model, request)
        if why:
            raise InvalidRequest(f"{why}.", hint="Nothing was drawn; change the request, or use another backend.")
        _check_options(model, request)
        return model

    def _named(self, request: GenerationRequest) -> ModelInfo | None:
        """The model that the call names, or the config where it does the task."""
        name = request.model or self.settings.model
        if name is None:
            return None
        model = CAPABILITIES.model(name)
        if model is None:
            known = ", ".join(repr(each.id) for each in MODELS)
            raise InvalidRequest(f"procedural has no model {name!r}.", hint=f"It has: {known}.")
        return model if request.model or request.task in model.tasks else None

    def layout(self, request: GenerationRequest) -> Layout:
        """A film is cut into its frames; tiles come as files of their own; everything else is an image a file."""
        if request.task == "animation":
            return Layout(raws=1, frames=True, raw_size=request.size)
        if request.task == "tileset":
            return Layout(raws=None, raw_size=request.size, together=True)
        return Layout(raws=request.n)

    def generate(self, request: GenerationRequest, progress: Callable[[Progress], None]) -> Delivery:
        """PNGs: ``request.n`` sprites (image i is the one that seed + i would draw first), a film, tiles, a cut-out.

        Raises InvalidRequest for what :meth:`resolve` refuses. A seed of None counts as 0.
        """
        model = self.resolve(request)
        progress(Progress(status="drawing", fraction=0.0))
        names: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        match request.task:
            case "animation":
                images = [_film(request)]
            case "tileset":
                images, names = _tiles(request)
            case "remove_background":
                images, notes = _cut_out(request)
            case _:
                images = _sprites(request, progress)
        progress(Progress(status="drawing", fraction=1.0))
        items = tuple(Inline(data) for data in images)
        return Delivery(items=items, cost=FREE, model=model.id, names=names, notes=notes)


# Each imports its drawing late: listing or describing backends must not cost numpy's import.


def _sprites(request: GenerationRequest, progress: Callable[[Progress], None]) -> list[bytes]:
    from pixelrouter.backends.procedural.draw import draw
    from pixelrouter.backends.procedural.png import encode

    subject = _subject(request.options)
    images: list[bytes] = []
    for index in range(request.n):
        if index:
            progress(Progress(status="drawing", fraction=index / request.n))
        seed = (request.seed or 0) + index
        data = b""
        while not data or data in images:  # at 8 pixels two seeds can agree: take the next one that does not
            sprite = draw(request.prompt, seed, request.width, request.height, request.transparent, subject)
            data = encode(sprite.pixels, sprite.palette, transparent=sprite.transparent)
            seed += MAX_N
        images.append(data)
    return images


def _film(request: GenerationRequest) -> bytes:
    from pixelrouter.backends.procedural.films import film

    return film(request, request.seed or 0, _subject(request.options))


def _tiles(request: GenerationRequest) -> tuple[list[bytes], tuple[str, ...]]:
    from pixelrouter.backends.procedural import grounds
    from pixelrouter.backends.procedural.png import encode

    subject, seed = _subject(request.options), request.seed or 0
    if request.tiles != "wang":
        tile = grounds.seamless(request.prompt, seed, request.width, request.height, subject)
        return [encode(tile.pixels, tile.palette, transparent=tile.transparent)], ()
    upper = grounds.upper_of(request.prompt, request.upper, subject)
    tiles = grounds.wang(request.prompt, upper, seed, request.width, request.height, subject)
    images = [encode(tile.pixels, tile.palette, transparent=tile.transparent) for tile in tiles.values()]
    return images, tuple(f"wang-{code}" for code in tiles)


def _cut_out(request: GenerationRequest) -> tuple[list[bytes], tuple[str, ...]]:
    from pixelrouter.backends.procedural import cutout, pictures
    from pixelrouter.backends.procedural.png import encode

    rgba = pictures.decode(request.images[0], "The image")
    done, note = cutout.cut_out(rgba, float(request.options.get("tolerance", cutout.TOLERANCE)))
    return [encode(done, None, transparent=True)], (f"The image is as it was: {note}.",) if note else ()


def _why_not(model: ModelInfo, request: GenerationRequest) -> str | None:
    """What a task's own rules forbid, as a sentence, or None."""
    if request.task == "animation" and not (request.prompt.strip() or request.images):
        return f"{model.id} needs a prompt or an image"
    if request.task == "tileset" and request.transparent:
        return f"{model.id} draws tiles that fill their canvas, without a transparent ground"
    if request.upper is not None and request.tiles != "wang":
        return f"{model.id} draws an upper ground for tiles='wang' only"
    return None


def _check_options(model: ModelInfo, request: GenerationRequest) -> None:
    """Raise InvalidRequest for an option that the model does not know, or a value that it cannot have."""
    reject_unknown_options("procedural", request.options, ("tolerance",) if model is CUTOUT else ("subject",))
    _subject(request.options)
    value = request.options.get("tolerance", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidRequest(f"tolerance={value!r} is outside 0..1.")
    if model is MOTION:
        from pixelrouter.backends.procedural.films import motion_of

        motion_of(request)


def _subject(options: Mapping[str, Any]) -> str | None:
    """The checked ``subject`` option. Raises InvalidRequest for an unknown one."""
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
