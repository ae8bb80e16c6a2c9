"""A cassette: the recorded exchanges of one scenario, and which of them answers a request.

A folder ``cassettes/<backend>/<scenario>/`` holds ``cassette.json`` and, beside it, the images and other bytes that its
bodies refer to. A request is matched by method, path, query and body, never by host, so a cassette answers whatever
``base_url`` says; headers (and with them credentials) take no part and are not stored.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pixelrouter.errors import CassetteMiss, ConfigError
from pixelrouter.files import read_bounded
from pixelrouter.types import HttpResponse
from pixelrouter.wire.bodies import Stored, canonical, store
from pixelrouter.wire.difference import describe_miss
from pixelrouter.wire.scrub import scrub_headers, scrub_text

Mode = Literal["replay", "record", "record-missing"]
FILE = "cassette.json"
MAX_BYTES = 64 * 1024 * 1024  # of it, and of each file beside it
MAX_EXCHANGES = 10_000
Query = list[tuple[str, str]]


class RecordedRequest(Stored):
    """What was asked, without host, headers and secrets."""

    method: str
    path: str
    query: Query = Field(default_factory=list)


class RecordedResponse(Stored):
    """What was answered; ``headers`` are those of ``scrub.HEADERS``."""

    status: int = Field(ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict)


class Exchange(BaseModel):
    """One request and its answer."""

    model_config = ConfigDict(extra="forbid")

    request: RecordedRequest
    response: RecordedResponse


class CassetteFile(BaseModel):
    """``cassette.json``. ``origin`` is ``recorded`` from a live vendor or ``documented``: written from its contract."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    origin: Literal["recorded", "documented"]
    source: str | None = None
    date: dt.date | None = None
    exchanges: list[Exchange] = Field(default_factory=list, max_length=MAX_EXCHANGES)

    @model_validator(mode="after")
    def _says_where_it_is_from(self) -> CassetteFile:
        if self.origin == "documented" and not (self.source and self.date):
            raise ValueError("a documented cassette names its source and date")
        return self

    def files(self) -> list[str]:
        """Every file beside the cassette that it refers to."""
        return [name for each in self.exchanges for name in each.request.files() + each.response.files()]


class Cassette:
    """The exchanges of one folder. Thread-safe.

    ``mode`` is "replay" (never touches the network; a request without a match raises CassetteMiss), "record" (every
    request goes out and is appended) or "record-missing" (only those without a match go out). Raises ConfigError for a
    file that is no cassette, and for recording into a documented one, which would then lie about its origin.
    """

    def __init__(
        self, folder: str | os.PathLike[str], mode: Mode = "replay", *, new: CassetteFile | None = None
    ) -> None:
        path = Path(folder)
        self.folder = path.parent if path.name == FILE else path
        self.mode = mode
        self._lock = threading.RLock()
        self._given: Counter[str] = Counter()
        self._file = new or self._load()
        self._keys = [self._key_of(each) for each in self._file.exchanges]
        if mode != "replay" and self._file.origin != "recorded":
            raise ConfigError(
                f"The cassette {self.folder} is documented, not recorded.", hint="Record into a folder of its own."
            )

    @classmethod
    def documented(cls, folder: Path, *, source: str, day: dt.date) -> Cassette:
        """A new, empty cassette to be written by :meth:`append` from a vendor's published contract."""
        return cls(folder, new=CassetteFile(origin="documented", source=source, date=day))

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is recorded so far, in order."""
        return tuple(self._file.exchanges)

    def find(self, method: str, url: str, body: bytes) -> HttpResponse | None:
        """The answer to a request: equal requests get theirs in recorded order, and the last one again and again."""
        wanted = _key(method, url, body)
        with self._lock:
            same = [each for each, key in zip(self._file.exchanges, self._keys, strict=True) if key == wanted]
            if not same:
                return None
            answer = same[min(self._given[wanted], len(same) - 1)].response
            self._given[wanted] += 1
        return HttpResponse(answer.status, dict(answer.headers), answer.content(self.folder), url)

    def miss(self, method: str, url: str, body: bytes) -> CassetteMiss:
        """The error for a request that nothing recorded answers: the closest one, field by field."""
        path, query = _target(url)
        recorded = [
            (each.request.method, each.request.path, each.request.query, each.request.content(self.folder))
            for each in self._file.exchanges
        ]
        return CassetteMiss(
            f"The cassette {self.folder} has no answer to {method} {path}. "
            + describe_miss((method, path, query, body), recorded),
            hint="If the request changed on purpose, record it again or edit the cassette.",
        )

    def append(
        self, method: str, url: str, body: bytes, *, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        """Add an exchange, scrubbed, and write it to disk before returning: the answer may have been paid for."""
        with self._lock:
            number = len(self._file.exchanges) + 1

            def save(data: bytes, kind: str, extension: str) -> str:
                name = f"{number:04}-{kind}.{extension}"
                _write(self.folder / name, data)
                return name

            path, query = _target(url)
            asked = store(body, save, image="request-image", whole="request")
            answered = store(content, save)
            self._file.exchanges.append(
                Exchange(
                    request=RecordedRequest(method=method, path=path, **({"query": query} if query else {}), **asked),
                    response=RecordedResponse(status=status, headers=scrub_headers(headers), **answered),
                )
            )
            if self._file.origin == "recorded":
                self._file.source, self._file.date = urlsplit(url).hostname, dt.datetime.now(dt.UTC).date()
            self._keys.append(_key(method, url, body))
            self._given[self._keys[-1]] += 1
            _write(self.folder / FILE, self._dump())

    def _dump(self) -> bytes:
        file = self._file
        data = {
            "version": file.version,
            "origin": file.origin,
            "source": file.source,
            "date": file.date and file.date.isoformat(),
            "exchanges": [
                {"request": _readable(each.request), "response": _readable(each.response)} for each in file.exchanges
            ],
        }
        return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()

    def _load(self) -> CassetteFile:
        path = self.folder / FILE
        try:
            return CassetteFile.model_validate_json(read_bounded(path, MAX_BYTES))
        except FileNotFoundError:
            if self.mode != "replay":
                return CassetteFile(origin="recorded")
            raise ConfigError(f"There is no cassette at {path}.", hint="Record one, or check the path.") from None
        except (OSError, ValueError, RecursionError) as error:  # a ValidationError is a ValueError
            raise ConfigError(f"{path} is not a usable cassette: {str(error)[:2000]}") from None

    def _key_of(self, each: Exchange) -> str:
        request = each.request
        return _join(request.method, request.path, request.query, request.content(self.folder))


def _readable(stored: Stored) -> dict[str, Any]:
    """The fields as JSON, what is short first and the body last."""
    data = stored.model_dump(mode="json", exclude_unset=True)
    return dict(sorted(data.items(), key=lambda item: item[0].startswith("body")))


def _key(method: str, url: str, body: bytes) -> str:
    return _join(method, *_target(url), body)


def _join(method: str, path: str, query: Query, body: bytes) -> str:
    return json.dumps([method.upper(), path, sorted(query), canonical(body)])


def _target(url: str) -> tuple[str, Query]:
    """Path and sorted query, scrubbed."""
    parts = urlsplit(url)
    query = scrub_text(f"?{parts.query}")[1:]
    return scrub_text(parts.path) or "/", sorted(parse_qsl(query, keep_blank_values=True))


def _write(path: Path, data: bytes) -> None:
    """Atomically: a reader, or a crash, finds the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
