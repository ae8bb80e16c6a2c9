"""``assets.lock``: what was bought, what was picked and what came out, so that anybody can build the same again.

JSON with sorted keys and one value a line, so that branches that add assets merge. Everything that finishing needs is
in it beside the raw images' hashes: a frozen build asks neither a vendor nor the ledger. Nothing in it depends on the
machine or on the version of pixelrouter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from pixelrouter.errors import ConfigError
from pixelrouter.files import read_bounded, writing_whole
from pixelrouter.types import CostSource, Unit

VERSION: Literal[1] = 1
MAX_BYTES = 1 << 29
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})", re.MULTILINE)


class _Strict:
    """A word that is not known is an error: writing the file again would lose it."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Price(_Strict):
    """What one purchase cost: a decimal number, its unit, and who says so."""

    amount: str
    unit: Unit = "usd"
    source: CostSource = "unknown"


@dataclass(frozen=True, slots=True)
class Terms(_Strict):
    """The licence of what came, as it was known when it was bought. ``checked``: the day the terms were last read."""

    name: str
    commercial: bool | None = None
    url: str | None = None
    checked: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate(_Strict):
    """One purchase: what the vendor drew, to choose from. ``number`` counts from 1 and is never given twice.

    ``key`` is the router's generation key. ``raws`` are content hashes in the store, ``raw_names`` the vendor's names
    of them, ``layout`` how they are cut (only what differs from the default), ``native`` whether they are 1x.
    """

    number: int
    key: str
    backend: str
    model: str | None
    seed: int | None
    raws: tuple[str, ...]
    cost: Price
    attempt: str = ""  # in the ledger
    job: str | None = None  # the vendor's own id of the job
    request: str | None = None  # the vendor's own id of the request, to complain with
    raw_names: tuple[str, ...] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    native: bool = False
    licence: Terms | None = None
    bought: str = ""  # UTC, ISO 8601
    confidence: float = 0.0  # how surely its images lay on a pixel grid, 0..1: the least of them
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick(_Strict):
    """Which candidate is the asset. ``by`` is whoever chose it; "" means that nobody did, and it is the first."""

    number: int
    by: str = ""
    at: str = ""  # UTC, ISO 8601


@dataclass(frozen=True, slots=True)
class Output(_Strict):
    """One file that came out. ``pixels`` is the hash of its decoded pixels, where it is a PNG."""

    sha256: str
    pixels: str | None = None


@dataclass(frozen=True, slots=True)
class Hand(_Strict):
    """A file that a person has changed, and builds leave alone."""

    by: str
    at: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Locked(_Strict):
    """One asset as it was built.

    ``wish`` is the key of what is bought (it costs money when it changes), ``finishing`` and ``exporting`` those of
    what is free. ``algorithm`` is the post-processor's that made the outputs; it is kept until a person asks for a
    newer one. ``outputs`` by their paths relative to the manifest's folder, with "/"; the first by name that ends in
    the asset's own name and ".png" is its picture.
    """

    wish: str
    candidates: tuple[Candidate, ...]
    pick: Pick
    finishing: str
    exporting: str
    algorithm: str
    style: str = ""
    size: tuple[int, int] = (0, 0)
    palette: tuple[str, ...] = ()  # the colours that are used
    outputs: Mapping[str, Output] = field(default_factory=dict)
    hand: Mapping[str, Hand] = field(default_factory=dict)  # by path

    @property
    def picked(self) -> Candidate:
        """The candidate that was picked."""
        return next((one for one in self.candidates if one.number == self.pick.number), self.candidates[0])


@dataclass(frozen=True, slots=True)
class LockedAtlas(_Strict):
    """One atlas as it was packed. ``key`` covers its settings and the pixels of its assets."""

    key: str
    outputs: Mapping[str, Output] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock(_Strict):
    """The whole file."""

    assets: Mapping[str, Locked] = field(default_factory=dict)
    atlases: Mapping[str, LockedAtlas] = field(default_factory=dict)
    version: Literal[1] = VERSION

    def with_(self, **changes: Any) -> Lock:
        """A copy with fields replaced."""
        return replace(self, **changes)


@cache
def _reader() -> TypeAdapter[Lock]:
    return TypeAdapter(Lock)


def read_lock(path: Path) -> Lock:
    """The lock, an empty one where there is no file. Raises ConfigError with the line of what is wrong."""
    try:
        data = read_bounded(path, MAX_BYTES)
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    text = data.decode("utf-8", errors="replace")
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise ConfigError(
            f"{path.name}:{line}: a merge conflict is not resolved.",
            hint="Keep both sides' assets (or either side where they are the same asset), then build: what either "
            "side bought is in the store, and nothing is bought again.",
        )
    try:
        return _reader().validate_json(data)
    except ValidationError as error:
        raise _problem(path, text, error) from None


def _problem(path: Path, text: str, error: ValidationError) -> ConfigError:
    """What is wrong with a lock, in words."""
    try:
        version = json.loads(text).get("version")
    except (ValueError, AttributeError, RecursionError) as broken:
        line = getattr(broken, "lineno", 1)
        return ConfigError(f"{path.name}:{line}: it is no lock file: {broken}.", hint="Restore it from git.")
    if version != VERSION:
        words = f"{path.name} is of version {version!r}, and this pixelrouter reads version {VERSION}."
        return ConfigError(words, hint="Update pixelrouter.")
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return ConfigError(f"{path.name}: {where}: {first['msg']}.", hint="Restore it from git.")


def dump_lock(lock: Lock) -> bytes:
    """The lock as the file has it."""
    return "".join(_lines(lock)).encode()


def write_lock(path: Path, lock: Lock) -> None:
    """Write it whole, and only if it says something else. Raises ConfigError.

    One asset at a time: of ten thousand, all at once would take five times the lock's own memory.
    """
    try:
        with writing_whole(path) as file:
            for part in _lines(lock):
                file.write(part.encode())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}.") from None


def _lines(lock: Lock) -> Iterator[str]:
    """The file in pieces, as ``json.dumps(…, indent=1, sort_keys=True)`` would write it."""
    yield "{"
    for name, section in (("assets", lock.assets), ("atlases", lock.atlases)):
        if section:
            yield f'\n "{name}": {{'
            for number, key in enumerate(sorted(section)):
                text = json.dumps(_plain(section[key]), indent=1, sort_keys=True, ensure_ascii=False)
                indented = text.replace("\n", "\n  ")
                yield f"{',' if number else ''}\n  {json.dumps(key, ensure_ascii=False)}: {indented}"
            yield "\n },"
    yield f'\n "version": {lock.version}\n}}\n'


def _plain(value: Any) -> Any:
    """JSON-ready, without the fields that have their default value, which only lengthen the file."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((one, getattr(value, one.name)) for one in fields(value))
        return {one.name: _plain(item) for one, item in pairs if not _is_default(one, item)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _is_default(one: Any, value: Any) -> bool:
    return value == one.default or (value in ({}, ()) and callable(one.default_factory))
