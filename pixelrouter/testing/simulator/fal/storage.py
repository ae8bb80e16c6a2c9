"""The simulated CDN: what jobs put out and clients upload, and the pictures that a request names."""

from __future__ import annotations

import base64
import binascii
import io
import mimetypes
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from PIL import Image, UnidentifiedImageError

from pixelrouter.testing.simulator.fal.problems import Failed, model_failure

FILES = "/files/"


@dataclass(frozen=True)
class File:
    data: bytes
    content_type: str


class Storage:
    """Files by path on the simulator's own origin. Not thread safe by itself: the simulator calls it under its lock."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._files: dict[str, File] = {}
        self._promised: dict[str, str] = {}

    def put(self, data: bytes, content_type: str, name: str | None = None) -> str:
        """Keep a file; its public URL."""
        url = self._new_url(name or f"file{mimetypes.guess_extension(content_type) or '.bin'}")
        self._files[urlsplit(url).path] = File(data, content_type)
        return url

    def promise(self, name: str) -> tuple[str, str]:
        """For an upload in two steps: the id of the place to PUT to, and the URL under which the file will be."""
        ticket, url = secrets.token_hex(8), self._new_url(name)
        self._promised[ticket] = urlsplit(url).path
        return ticket, url

    def keep(self, ticket: str, data: bytes, content_type: str) -> bool:
        """The second step. False for a ticket that was never given out."""
        path = self._promised.get(ticket)
        if path is not None:
            self._files[path] = File(data, content_type)
        return path is not None

    def get(self, path: str) -> File | None:
        return self._files.get(path)

    def drop(self, path: str) -> None:
        self._files.pop(path, None)

    def _new_url(self, name: str) -> str:
        return f"{self._origin}{FILES}b/{secrets.token_hex(4)}/{secrets.token_hex(4)}_{name}"

    def picture(self, text: str, loc: Sequence[str | int]) -> Image.Image:
        """The picture behind a data URI or a URL of this origin.

        Raises Failed as the vendor does: the simulator has no internet, so any other URL cannot be downloaded.
        """
        data = self._bytes(text)
        if data is None:
            raise Failed(model_failure("file_download_error", loc, "Failed to download the file.", text))
        try:
            image = Image.open(io.BytesIO(data))
            image.load()
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
            raise Failed(model_failure("image_load_error", loc, "Failed to load the image.", text)) from None
        return image

    def _bytes(self, text: str) -> bytes | None:
        if text.startswith("data:"):
            head, _, payload = text.partition(",")
            try:
                return (
                    base64.b64decode(payload, validate=True) if head.endswith(";base64") else unquote_to_bytes(payload)
                )
            except (binascii.Error, ValueError):
                return None
        if not text.startswith(self._origin + "/"):
            return None
        file = self._files.get(urlsplit(text).path)
        return file.data if file else None
