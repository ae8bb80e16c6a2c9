"""What each option of the vendor may be: small checks that return the value as it goes on the wire.

A check takes the option's name and value, and raises InvalidRequest in words. Ranges and words are those of the
vendor's OpenAPI documents of v1 and v2 (github.com/go-api-libs/pixellab, 2026-08-15).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelrouter.backends._options import Check, number, one_of, whole
from pixelrouter.backends.pixellab import pictures
from pixelrouter.errors import InvalidRequest

VIEWS = ("side", "low top-down", "high top-down")
DIRECTIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
OUTLINES = ("single color black outline", "single color outline", "selective outline", "lineless")
SHADINGS = ("flat shading", "basic shading", "medium shading", "detailed shading", "highly detailed shading")
DETAILS = ("low detail", "medium detail", "highly detailed")
JOINTS = (
    "NOSE",
    "NECK",
    *(f"{side} {part}" for side in ("RIGHT", "LEFT") for part in ("SHOULDER", "ELBOW", "ARM", "HIP", "KNEE", "LEG")),
    *(f"{side} {part}" for side in ("RIGHT", "LEFT") for part in ("EYE", "EAR")),
)


def picture(name: str, value: object) -> dict[str, str]:
    """An image: bytes, or base64 text."""
    return pictures.from_option(name, value).wire


def sized_picture(name: str, value: object) -> dict[str, Any]:
    """An image that the vendor wants together with its size."""
    found = pictures.from_option(name, value)
    return {"image": found.wire, "size": found.wire_size}


def listed(rule: Check, count: int, *, gaps: bool = False) -> Check:
    """A list of exactly ``count`` values; ``gaps``: None may stand for one."""

    def check(name: str, value: object) -> list[Any]:
        if not isinstance(value, list | tuple) or len(value) != count:
            raise InvalidRequest(f"{name} must be a list of exactly {count}.")
        return [None if gaps and one is None else rule(f"{name}[{i}]", one) for i, one in enumerate(value)]

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others: v2 refuses what it does not know."""
    known = {**required, **(optional or {})}

    def check(name: str, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise InvalidRequest(f"{name} must be an object, not {type(value).__name__}.")
        wrong = [str(key) for key in value if key not in known] + [key for key in required if key not in value]
        if wrong:
            raise InvalidRequest(f"{name}: {', '.join(wrong)} unknown or missing.", hint=f"It has: {', '.join(known)}.")
        return {key: known[key](f"{name}.{key}", one) for key, one in value.items()}

    return check


def by_type(**kinds: Check) -> Check:
    """An object whose ``type`` says which fields it has."""

    def check(name: str, value: object) -> Any:
        kind = value.get("type") if isinstance(value, Mapping) else None
        if kind not in kinds:
            raise InvalidRequest(f"{name} needs a type: {', '.join(kinds)}.")
        return kinds[str(kind)](name, value)

    return check


_ANYWHERE = number(-1e6, 1e6)
_point = record({"x": _ANYWHERE, "y": _ANYWHERE, "label": one_of(*JOINTS)}, {"z_index": whole(-1000, 1000)})


def points(name: str, value: object) -> list[Any]:
    """One pose: a list of ``{x, y, label, z_index}``."""
    if not isinstance(value, list | tuple) or not value:
        raise InvalidRequest(f"{name} must be a list of points, each with x, y and label.")
    return [_point(f"{name}[{i}]", one) for i, one in enumerate(value)]


def views_by_name(*directions: str) -> Check:
    """Pictures by direction: ``{"south": ..., "east": ...}``. South is required, as the vendor documents."""

    def check(name: str, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping) or "south" not in value or any(key not in directions for key in value):
            known = ", ".join(directions)
            raise InvalidRequest(
                f"{name} must map directions to pictures, south among them.", hint=f"There are {known}."
            )
        return {str(key): picture(f"{name}.{key}", one) for key, one in value.items()}

    return check


proportions = by_type(
    preset=record(
        {
            "type": one_of("preset"),
            "name": one_of("default", "chibi", "cartoon", "stylized", "realistic_male", "realistic_female", "heroic"),
        }
    ),
    custom=record(
        {"type": one_of("custom")},
        dict.fromkeys(("head_size", "arms_length", "legs_length", "shoulder_width", "hip_width"), number(0.5, 2)),
    ),
)
_part = {"fraction": number(0.05, 0.95)}
inpainting = by_type(
    mask=record({"type": one_of("mask"), "mask_image": picture}),
    oval=record({"type": one_of("oval")}, _part),
    rectangle=record({"type": one_of("rectangle")}, _part),
)
