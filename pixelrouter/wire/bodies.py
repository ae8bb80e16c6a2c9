"""Bodies as a cassette stores them: JSON that a person can read, with images and other bytes as files beside it.

An image inside a JSON body (base64, bare or as a data URI) becomes ``{"$base64_file": "0003-image-0.png"}``. A body is
only taken apart where putting it together again gives the same: the same bytes for images, text and binary bodies, and
the same JSON values for JSON (its spacing is not kept).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from pixelrouter.errors import ConfigError
from pixelrouter.files import read_bounded
from pixelrouter.wire.scrub import scrub, scrub_text

_FILE, _PREFIX = "$base64_file", "prefix"
_MARKS = frozenset({"custom_id"})  # Retro Diffusion's edit tools take their idempotency key in the body
MAX_BYTES = 64 * 1024 * 1024  # of a file beside the cassette
_LONG = 128  # characters; anything shorter is no image worth a file
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MAGIC = {b"\x89PNG\r\n\x1a\n": "png", b"GIF8": "gif", b"\xff\xd8\xff": "jpg"}


class Stored(BaseModel):
    """A body in a cassette: at most one of JSON (``body``), text and the name of a file; none is an empty body."""

    model_config = ConfigDict(extra="forbid")

    body: Any = None
    body_text: str | None = None
    body_file: str | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Stored:
        if len(self.model_fields_set & {"body", "body_text", "body_file"}) > 1:
            raise ValueError("a body has one form: body, body_text or body_file")
        for name in self.files():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:80]!r} is not a plain file name")
        if not all(isinstance(ref.get(_PREFIX, ""), str) for ref in _references(self.body)):
            raise ValueError("the prefix of an image is a text")
        return self

    def files(self) -> list[str]:
        """The names of all files that this body refers to."""
        inside = [ref[_FILE] for ref in _references(self.body)]
        return inside + ([self.body_file] if self.body_file is not None else [])

    def content(self, folder: Path) -> bytes:
        """The body's bytes. Raises ConfigError if a file beside the cassette is missing."""
        if self.body_file is not None:
            return _read(folder, self.body_file)
        if self.body_text is not None:
            return self.body_text.encode()
        if "body" not in self.model_fields_set:
            return b""
        return json.dumps(_with_images(self.body, folder), ensure_ascii=False, separators=(",", ":")).encode()


class Save(Protocol):
    """Keeps bytes as a file beside the cassette and returns the file's name."""

    def __call__(self, data: bytes, kind: str, extension: str) -> str: ...


def store(content: bytes, save: Save, *, image: str = "image", whole: str = "body") -> dict[str, Any]:
    """The fields of :class:`Stored` for a body, scrubbed. ``image`` and ``whole`` go into the files' names."""
    if not content:
        return {}
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {"body_file": save(content, whole, extension(content) or "bin")}
    data = parse(content)
    if data is None or _references(data):
        return {"body_text": scrub_text(text)}
    count = iter(range(1_000_000))

    def aside(value: str) -> Any:
        prefix, image_bytes = _image(value)
        if image_bytes is None:
            return scrub_text(value)
        name = save(image_bytes, f"{image}-{next(count)}", extension(image_bytes) or "bin")
        return {_FILE: name} | ({_PREFIX: prefix} if prefix else {})

    return {"body": _map_strings(data, aside)}


def parse(content: bytes) -> Any:
    """The JSON in ``content``; None if it is none, or holds numbers that JSON has no way to write (NaN, infinity)."""
    try:
        data = json.loads(content)
        json.dumps(data, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return data


def canonical(content: bytes) -> str:
    """A body for comparing: order of fields and 1 or 1.0 make no difference, null or absent does. Scrubbed.

    Marks of the attempt are left out, as the headers are that usually hold them: no two attempts share one.
    """
    data = parse(content)
    if data is None:
        return scrub_text(content.decode("utf-8", "surrogateescape"))
    if isinstance(data, dict):
        data = {name: value for name, value in data.items() if name not in _MARKS}
    return json.dumps(_numbers(scrub(data)), sort_keys=True)


def extension(data: bytes) -> str | None:
    """The usual extension of an image by its first bytes, None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)


def _numbers(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _numbers(item) for name, item in value.items()}
        case list():
            return [_numbers(item) for item in value]
    return value


def _image(value: str) -> tuple[str, bytes | None]:
    """A data URI's prefix (or nothing) and the image in a base64 string; None unless it can be restored exactly."""
    match = _DATA_URI.match(value)
    prefix = match[0] if match else ""
    packed = value[len(prefix) :]
    if len(packed) < _LONG:
        return prefix, None
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return prefix, None
    exact = base64.b64encode(data).decode() == packed
    return prefix, data if exact and extension(data) else None


def _map_strings(value: Any, change: Callable[[str], Any]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {scrub_text(name): _map_strings(item, change) for name, item in value.items()}
        case list():
            return [_map_strings(item, change) for item in value]
    return value


def _references(value: Any) -> list[dict[str, str]]:
    match value:
        case {"$base64_file": str()}:
            return [value]
        case dict():
            return [ref for item in value.values() for ref in _references(item)]
        case list():
            return [ref for item in value for ref in _references(item)]
    return []


def _with_images(value: Any, folder: Path) -> Any:
    match value:
        case {"$base64_file": str(name)}:
            prefix: str = value.get(_PREFIX, "")
            return prefix + base64.b64encode(_read(folder, name)).decode()
        case dict():
            return {name: _with_images(item, folder) for name, item in value.items()}
        case list():
            return [_with_images(item, folder) for item in value]
    return value


def _read(folder: Path, name: str) -> bytes:
    try:
        if (folder / name).resolve().parent != folder.resolve():
            raise OSError("it is a link that leads elsewhere")
        return read_bounded(folder / name, MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"The cassette {folder} refers to the file {name}, which cannot be read: {error}.") from None
