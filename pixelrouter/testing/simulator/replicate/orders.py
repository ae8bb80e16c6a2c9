"""Reading a request for a prediction as strictly as the published contract and model schemas allow."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.images import Pixels
from pixelrouter.testing.simulator.replicate import problems
from pixelrouter.testing.simulator.replicate.models import Field, Model, Style
from pixelrouter.testing.simulator.replicate.problems import Invalid

_BODY = ("input", "version", "stream", "webhook", "webhook_events_filter")
_JSON_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
Fetch = Callable[[str], bytes | None]  # the content behind a URL; None where this machine has no such thing


@dataclass(frozen=True)
class Order:
    """A request that the vendor takes: the size that will be delivered, the price in USD.

    ``failure`` is why the prediction will fail although the request was taken; None where it will not.
    """

    model: Model
    style_name: str
    style: Style
    width: int
    height: int
    n: int
    usd: float
    input: Mapping[str, Any]
    palette: Pixels | None
    failure: str | None

    def value(self, name: str) -> Any:
        """What was asked for, or the model's default; None for an input that the model does not have."""
        return _value(self.model, self.input, name)

    @property
    def extension(self) -> str:
        return "gif" if self.style.frames and not self.value("return_spritesheet") else "png"


def envelope(body: Any, *, with_version: bool) -> Mapping[str, Any]:
    """The ``input`` of a request, after checking what is around it. Raises Refused for what the contract forbids."""
    if not isinstance(body, dict):
        raise problems.Refused(400, "The request body is not a JSON object.", "Bad request")
    allowed = _BODY if with_version else tuple(name for name in _BODY if name != "version")
    mistakes = [_additional("body", name) for name in body if name not in allowed]
    needed = ("input", "version") if with_version else ("input",)
    mistakes += [Invalid("body", "required", f"{name} is required") for name in needed if name not in body]
    mistakes += [
        Invalid(name, "invalid_type", "Invalid type.")
        for name, kind in (("input", dict), ("version", str), ("stream", bool))
        if name in body and not isinstance(body[name], kind)
    ]
    if "webhook" in body:
        mistakes.append(Invalid("webhook", "not_simulated", "This simulator calls no webhooks."))
    if mistakes:
        raise problems.invalid(mistakes)
    given: Mapping[str, Any] = body["input"]
    return given


def read(model: Model, given: Mapping[str, Any], fetch: Fetch, max_data_uri: int) -> Order:
    """The order in an ``input``. Raises Refused (422) with every mistake in it.

    Images that cannot be read are no mistake of the request: the prediction is made and fails.
    """
    mistakes = [
        Invalid("input", "required", f"{n} is required") for n, f in model.fields.items() if _missing(f, n, given)
    ]
    for name, value in given.items():
        field = model.fields.get(name)
        mistakes += (
            [_additional("input", name)] if field is None else _check(f"input.{name}", field, value, max_data_uri)
        )
    if mistakes:
        raise problems.invalid(mistakes)

    name = _value(model, given, "style")
    style = model.styles[name]
    width, height = style.delivered(_value(model, given, "width"), _value(model, given, "height"))
    n = _value(model, given, "num_images") or 1
    palette, failure = _read_images(model, style, given, fetch)
    return Order(model, name, style, width, height, n, style.usd(width, height, n), given, palette, failure)


def _value(model: Model, given: Mapping[str, Any], name: str) -> Any:
    field = model.fields.get(name)
    value = given.get(name)
    return field.default if value is None and field is not None else value


def _missing(field: Field, name: str, given: Mapping[str, Any]) -> bool:
    return field.required and name not in given


def _additional(where: str, name: str) -> Invalid:
    return Invalid(where, "additional_property_not_allowed", f"Additional property {name} is not allowed")


def _check(where: str, field: Field, value: Any, max_data_uri: int) -> list[Invalid]:
    if value is None and field.nullable:
        return []
    if not _is(field, value):
        kind = "string" if field.kind == "uri" else field.kind
        given = "null" if value is None else _JSON_NAMES.get(type(value), "unknown")
        return [Invalid(where, "invalid_type", f"Invalid type. Expected: {kind}, given: {given}")]
    if field.low is not None and value < field.low:
        return [Invalid(where, "number_gte", f"Must be greater than or equal to {field.low}")]
    if field.high is not None and value > field.high:
        return [Invalid(where, "number_lte", f"Must be less than or equal to {field.high}")]
    if field.choices and value not in field.choices:
        names = ", ".join(f'"{name}"' for name in field.choices)
        return [Invalid(where, "enum", f"{where.removeprefix('input.')} must be one of the following: {names}")]
    if field.kind == "uri" and not value.startswith(("data:", "http://", "https://")):
        return [Invalid(where, "format", "Does not match format 'uri'")]
    if field.kind == "uri" and value.startswith("data:") and len(value) > max_data_uri:
        return [Invalid(where, "string_lte", f"String length must be less than or equal to {max_data_uri}")]
    return []


def _is(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return field.kind == "boolean"
    wanted: dict[str, type | tuple[type, ...]] = {"integer": int, "number": (int, float), "string": str, "uri": str}
    return field.kind in wanted and isinstance(value, wanted[field.kind])


def _read_images(
    model: Model, style: Style, given: Mapping[str, Any], fetch: Fetch
) -> tuple[Pixels | None, str | None]:
    """The palette's colours, and why the prediction will fail."""
    if style.needs_image and not given.get("input_image"):
        return None, "input_image is required for this style"
    palette = None
    for name, field in model.fields.items():
        uri = given.get(name)
        if field.kind != "uri" or not uri:
            continue
        data = _from_data_uri(uri) if uri.startswith("data:") else fetch(uri)
        image = None if data is None else _decoded(data)
        if image is None:
            return None, f"could not load {name}"
        if name == "input_palette":
            palette = images.colours(image)
    return palette, None


def _from_data_uri(uri: str) -> bytes | None:
    head, comma, encoded = uri.partition(",")
    if not comma or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _decoded(data: bytes) -> Image.Image | None:
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (ValueError, OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return image
