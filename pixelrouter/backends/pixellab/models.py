"""Which endpoint draws a request: the one it names, the configured one, or the automatic choice."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

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


def resolve(endpoints: Sequence[Endpoint], request: GenerationRequest, default: str | None) -> Endpoint:
    """The endpoint that draws ``request``. Raises InvalidRequest that names the limit."""
    name = request.model or default
    if name is not None:
        return _named(endpoints, request, name)
    reasons: list[str] = []
    for each in candidates(endpoints, request):
        reason = each.why_not(request)
        if reason is None:
            return each
        reasons.append(reason)
    if reasons:
        raise InvalidRequest(f"PixelLab cannot draw it: {'; '.join(reasons)}.")
    raise InvalidRequest(f"This PixelLab API has no model for task {request.task!r}.", hint=_elsewhere(request))


def _named(endpoints: Sequence[Endpoint], request: GenerationRequest, name: str) -> Endpoint:
    found = next((each for each in endpoints if each.id == name), None)
    if found is None:
        if any(each.id == name for each in ENDPOINTS):
            raise InvalidRequest(f"PixelLab's v1 has no {name!r}.", hint='Set api_version = "v2".')
        known = [each.id for each in endpoints]
        close = difflib.get_close_matches(name, known, 3, 0.5) or known
        raise InvalidRequest(f"PixelLab has no model {name!r}.", hint=f"Did you mean one of: {', '.join(close)}?")
    if reason := found.why_not(request):
        raise InvalidRequest(f"PixelLab's {reason}.", hint=_alternative(endpoints, request, found))
    return found


def _alternative(endpoints: Sequence[Endpoint], request: GenerationRequest, refused: Endpoint) -> str | None:
    if request.task not in refused.info.tasks:
        return f"It does: {', '.join(refused.info.tasks)}."
    other = next((each for each in candidates(endpoints, request) if each.why_not(request) is None), None)
    return f"{other.id} can do it." if other else None


def _elsewhere(request: GenerationRequest) -> str | None:
    there = any(request.task in each.info.tasks for each in ENDPOINTS)
    return 'Set api_version = "v2".' if there else None
