"""Which endpoint draws a request: the one it names, the configured one, or the automatic choice."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from pixelrouter.backends.pixellab import pictures
from pixelrouter.backends.pixellab.endpoints import ENDPOINTS, Endpoint
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import GenerationRequest

# Models that do something special are bought by name only: nobody who asks for "a tree" means an isometric block.
BY_NAME_ONLY = frozenset(
    {"generate-image-v2", "isometric-tile", "map-object", "rotate", "image-to-pixelart", "tileset-sidescroller"}
)


def offered(version: str) -> tuple[Endpoint, ...]:
    """The endpoints of an API version."""
    return tuple(each for each in ENDPOINTS if version == "v2" or each.v1)


def candidates(endpoints: Sequence[Endpoint], request: GenerationRequest) -> Iterator[Endpoint]:
    """The endpoints tried for a request without a model, in order: the table's, cheap before dear."""
    able = [each for each in endpoints if request.task in each.info.tasks and each.id not in BY_NAME_ONLY]
    if request.task == "edit" and request.strength is None:
        able.sort(key=lambda each: each.id != "edit-image")  # it follows instructions; the others need a strength
    if request.task == "animation" and "skeleton_keypoints" in request.options:
        able.sort(key=lambda each: each.id != "animate-skeleton")
    return iter(able)


def needs_subject(endpoint: Endpoint, request: GenerationRequest) -> bool:
    """Whether a picture of the prompt's subject has to be drawn before ``endpoint`` can move or turn it."""
    words_only = bool(request.prompt.strip()) and not request.images
    return endpoint.info.needs_image and request.task in ("views", "animation") and words_only


def with_subject(request: GenerationRequest) -> GenerationRequest:
    """The request as it will be once that picture is there, with a blank one in its place."""
    return request.model_copy(update={"images": (pictures.blank(request.size),)})


def subject(endpoints: Sequence[Endpoint], request: GenerationRequest) -> GenerationRequest:
    """The request for that picture: the subject alone, unless an opaque ground is asked for.

    Raises InvalidRequest that names the limit.
    """
    wanted = GenerationRequest(
        prompt=request.prompt,
        width=request.width,
        height=request.height,
        seed=request.seed,
        transparent=request.transparent is not False,
    )
    return wanted.model_copy(update={"model": resolve(endpoints, wanted, None).id})


def resolve(endpoints: Sequence[Endpoint], request: GenerationRequest, default: str | None) -> Endpoint:
    """The endpoint that draws ``request``: the one it names, else ``default`` where that does the task, else the first
    that can. Raises InvalidRequest that names the limit.
    """
    name = request.model or _default(endpoints, request, default)
    if name is not None:
        return _named(endpoints, request, name)
    able = list(candidates(endpoints, request))
    # One purchase before two: what draws from words comes before what needs a picture of the subject first.
    for each in (*(one for one in able if not needs_subject(one, request)), *able):
        if why_not(each, request) is None:
            return each
    if able:
        reasons = "; ".join(reason for each in able if (reason := why_not(each, request)))
        raise InvalidRequest(f"PixelLab cannot draw it: {reasons}.", hint=_by_name(endpoints, request))
    raise InvalidRequest(f"This PixelLab API has no model for task {request.task!r}.", hint=_elsewhere(request))


def why_not(endpoint: Endpoint, request: GenerationRequest) -> str | None:
    """Why ``endpoint`` cannot draw ``request``, or None; a subject that is still to be drawn counts as there."""
    return endpoint.why_not(with_subject(request) if needs_subject(endpoint, request) else request)


def _default(endpoints: Sequence[Endpoint], request: GenerationRequest, default: str | None) -> str | None:
    """The configured model, unless it is known not to do the task: one line of config serves every task."""
    found = next((each for each in endpoints if each.id == default), None)
    return None if found is not None and request.task not in found.info.tasks else default


def _named(endpoints: Sequence[Endpoint], request: GenerationRequest, name: str) -> Endpoint:
    found = next((each for each in endpoints if each.id == name), None)
    if found is None:
        if any(each.id == name for each in ENDPOINTS):
            raise InvalidRequest(f"PixelLab's v1 has no {name!r}.", hint='Set api_version = "v2".')
        known = [each.id for each in endpoints]
        close = difflib.get_close_matches(name, known, 3, 0.5) or known
        raise InvalidRequest(f"PixelLab has no model {name!r}.", hint=f"Did you mean one of: {', '.join(close)}?")
    if reason := why_not(found, request):
        raise InvalidRequest(f"PixelLab's {reason}.", hint=_alternative(endpoints, request, found))
    return found


def _alternative(endpoints: Sequence[Endpoint], request: GenerationRequest, refused: Endpoint) -> str | None:
    if request.task not in refused.info.tasks:
        return f"It does: {', '.join(refused.info.tasks)}."
    other = next((each for each in candidates(endpoints, request) if why_not(each, request) is None), None)
    return f"{other.id} can do it." if other else None


def _by_name(endpoints: Sequence[Endpoint], request: GenerationRequest) -> str | None:
    """The models that are never chosen by themselves and could do it."""
    able = [each.id for each in endpoints if each.id in BY_NAME_ONLY and why_not(each, request) is None]
    return f"By name it can be had: model={' or '.join(map(repr, able))}." if able else None


def _elsewhere(request: GenerationRequest) -> str | None:
    there = any(request.task in each.info.tasks for each in ENDPOINTS)
    return 'Set api_version = "v2".' if there else None
