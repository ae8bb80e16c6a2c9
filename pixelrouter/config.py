"""Finds and reads the settings: pixelrouter.toml, [tool.pixelrouter], the environment; each value with its origin.

Whoever debugs a build machine asks "where does this value come from?", so every value remembers the file and line, or
the variable, that set it, and every error names that place. Precedence: argument, environment, file, default.
Credentials are read from the environment only, never from a file that ends up in version control.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError, field_validator

from pixelrouter.config_file import FILE_NAME, Keys, at_home, find_file, is_file, line_numbers, short, table_of
from pixelrouter.errors import ConfigError, register_secret
from pixelrouter.types import parse_size, plain_text

PREFIX = "PIXELROUTER_"
BACKENDS_PREFIX = "PIXELROUTER_BACKENDS_"
DEFAULT_BACKEND = "procedural"  # free, offline, deterministic

_SCOPES = ("", "_per_run", "_per_day", "_per_project")
_CAPS = tuple(f"max_{unit}{scope}" for unit in ("usd", "generations") for scope in _SCOPES)
_NUMBERS = ("size", "colors", "min_score", "timeout_s", "lease_s", *_CAPS)
Amount = Annotated[Decimal, Field(ge=0)]
S = TypeVar("S", bound=BaseModel)


class Options(BaseModel):
    """Every global option: a key of the config file and, as ``PIXELROUTER_<KEY>``, an environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str | None = Field(default=None, description="The backend to use.")
    route: tuple[str, ...] | None = Field(default=None, description="Backends to try, in this order.")
    size: str | int | None = Field(default=None, description="Size of the sprite: 32 or 32x48.")
    colors: int | None = Field(default=None, ge=1, le=256, description="Most colours.")
    palette: str | tuple[str, ...] | None = Field(default=None, description="Palette: a name, a file, or colours.")
    transparent: bool | None = Field(default=None, description="Insist on a transparent (or opaque) background.")
    policy: Literal["snap", "resample", "reject", "reroute"] = Field(
        default="snap", description="What to do with an image that has no clear pixel grid."
    )
    min_score: float | None = Field(
        default=None, ge=0, le=100, description="Turn down images whose check scores lower."
    )
    max_usd: Amount | None = Field(default=None, description="Most dollars for one call.")
    max_usd_per_run: Amount | None = Field(default=None, description="Most dollars for one run of a build script.")
    max_usd_per_day: Amount | None = Field(default=None, description="Most dollars a day (UTC).")
    max_usd_per_project: Amount | None = Field(default=None, description="Most dollars for the project, ever.")
    max_generations: Amount | None = Field(default=None, description="Most PixelLab generations for one call.")
    max_generations_per_run: Amount | None = Field(
        default=None, description="Most generations for one run of a script."
    )
    max_generations_per_day: Amount | None = Field(default=None, description="Most generations a day (UTC).")
    max_generations_per_project: Amount | None = Field(
        default=None, description="Most generations for the project, ever."
    )
    timeout_s: float = Field(default=300.0, ge=0, description="Seconds that a call waits for a job to finish.")
    on_unknown: Literal["raise", "spend_again"] = Field(
        default="raise", description="What to do when the answer to a paid request was lost."
    )
    strategy: Literal["in_order", "cheapest", "fastest", "weighted"] = Field(
        default="in_order", description="Which backend of the route is asked first."
    )
    ledger: str | None = Field(
        default=None, repr=False, description="A team's ledger: postgresql://user@host/database."
    )
    lease_s: float = Field(default=20.0, ge=1, description="Seconds until a dead worker's jobs are free for the team.")
    observe: tuple[str, ...] | None = Field(
        default=None, description="Who is told of every step: logging, jsonl, otel."
    )
    state: Path | None = Field(default=None, description="Folder of the ledger and the stored images.")
    project: str | None = Field(default=None, description="Name under which the project's spending is added up.")
    cassette: Path | None = Field(default=None, description="Folder of recorded responses.")
    cassette_mode: Literal["replay", "record", "record-missing"] = Field(
        default="replay", description="What to do with the cassette."
    )
    run: str | None = Field(default=None, description="Name of the run whose spending is added up.")
    stand_in: Path | None = Field(
        default=None, description="A test's folder: every backend is stood in for, nothing is sent or charged."
    )

    @field_validator(*_NUMBERS, mode="before")
    @classmethod
    def _no_booleans(cls, value: object) -> object:
        if isinstance(value, bool):  # pydantic would read true as 1
            raise ValueError("should be a number, not true or false")
        return value

    @field_validator("project", "run")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        return None if value is None else plain_text(value)

    @field_validator("state", "cassette", "ledger", "stand_in")
    @classmethod
    def _is_place(cls, value: Path | str | None) -> Path | str | None:
        if value is not None and "\x00" in str(value):
            raise ValueError("it cannot hold NUL characters")
        return value

    @field_validator("size")
    @classmethod
    def _is_size(cls, value: str | int | None) -> str | int | None:
        if value is not None:
            parse_size(value)
        return value

    @field_validator("route")
    @classmethod
    def _is_route(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or "" in value or len(set(value)) != len(value)):
            raise ValueError("should name at least one backend, and each backend once")
        return value


class Settings(Options):
    """The settings in force. Frozen; :meth:`origin` says where each value comes from."""

    backends: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    _origins: dict[Keys, str] = PrivateAttr(default_factory=dict)
    _file: Path | None = PrivateAttr(default=None)
    _env: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def config_file(self) -> Path | None:
        """The file that was read, absolute, or None."""
        return self._file

    @property
    def config_dir(self) -> Path | None:
        """The folder of the config file, or None."""
        return self._file.parent if self._file else None

    @property
    def state_dir(self) -> Path:
        """The folder of ledger and store; it need not exist yet."""
        if self.stand_in:  # what was drawn in a vendor's name must never be taken for its work
            return self.stand_in / "state"
        if self.state:
            return self.state
        return self.config_dir / ".pixelrouter" if self.config_dir else user_data_path("pixelrouter", appauthor=False)

    def origin(self, key: str) -> str:
        """Where the value of ``key`` (``max_usd``, ``backends.fal.model``) comes from.

        ``"pixelrouter.toml:3"``, ``"environment PIXELROUTER_MAX_USD"``, ``"argument"`` or ``"default"``.
        """
        return self._origins.get(tuple(key.split(".")), "default")

    def candidates(self) -> tuple[str, ...]:
        """The backends to try, in order: the route, the one backend, or the free ``procedural``."""
        return self.route or ((self.backend,) if self.backend else (DEFAULT_BACKEND,))

    def credential(self, names: Sequence[str]) -> tuple[SecretStr | None, str | None]:
        """:func:`credential` in the environment these settings were read from."""
        return credential(names, self._env)

    def backend_settings(self, name: str, settings_type: type[S]) -> S:
        """``[backends.NAME]`` and ``PIXELROUTER_BACKENDS_<NAME>_<KEY>``, validated. Raises ConfigError."""
        values = dict(self.backends.get(name, {}))
        origins = {key: self.origin(f"backends.{name}.{key}") for key in values}
        prefix = f"{BACKENDS_PREFIX}{_env_name(name)}_"
        for variable, text in self._env.items():
            key = variable.removeprefix(prefix).lower()
            if variable.startswith(prefix) and text.strip() and origins.get(key) != "argument":
                values[key] = _from_text(text, settings_type, key)
                origins[key] = f"environment {variable}"
        try:
            return settings_type.model_validate(values)
        except ValidationError as error:
            known = list(settings_type.model_fields)
            raise _config_error(error, origins.get, known, f"[backends.{name}] ", show=False) from None

    def check_backend_names(self, known: Sequence[str]) -> None:
        """Raise ConfigError if a section or variable is about a backend that does not exist."""
        for name in self.backends:
            if name not in known:
                where = next((o for p, o in self._origins.items() if p[:2] == ("backends", name)), "the config")
                raise ConfigError(f"{where}: [backends.{name}] is about no known backend.", hint=_hint(name, known))
        prefixes = tuple(f"{BACKENDS_PREFIX}{_env_name(name)}_" for name in known)
        for variable in self._env:
            if variable.startswith(BACKENDS_PREFIX) and not variable.startswith(prefixes):
                examples = [f"{prefix}BASE_URL" for prefix in prefixes]
                raise ConfigError(f"{variable} is about no known backend.", hint=_hint(variable, examples))


def load_settings(
    *, start: Path | None = None, env: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings for a program that runs in ``start`` (default: the working folder).

    ``overrides`` are arguments; an override of None is not given. Raises ConfigError, naming the place and the fix.
    """
    env = os.environ if env is None else env
    start = (start or Path.cwd()).absolute()
    layers = [_env_layer(env, start), _Layer(dict(overrides or {}), lambda _: "argument", start)]
    file = find_file(start, env, f"{PREFIX}CONFIG")
    if file:
        layers.insert(0, _file_layer(*file))
    values: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    origins: dict[Keys, str] = {}
    for layer in layers:
        layer.check()
        for name, section in layer.pop_backends().items():
            sections.setdefault(name, {}).update(section)
            origins |= {("backends", name, key): layer.origin(("backends", name, key)) for key in section}
        given = {key: layer.at_home(key, value) for key, value in layer.values.items() if value is not None}
        if given.keys() & {"backend", "route"}:  # a nearer layer's choice replaces the whole choice of a farther one
            values.pop("backend", None)
            values.pop("route", None)
        values |= given
        origins |= {(key,): layer.origin((key,)) for key in given}
    if values.get("stand_in"):  # it has a ledger and answers of its own
        values = {key: value for key, value in values.items() if key not in ("state", "ledger", "cassette")}
    try:
        settings = Settings(**values, backends=sections)
    except ValidationError as error:
        raise _config_error(error, lambda key: origins.get((key,)), list(Options.model_fields), "") from None
    settings._origins = {path: where for path, where in origins.items() if len(path) > 1 or path[0] in values}
    settings._file = file[0] if file else None
    settings._env = env
    return settings


def credential(names: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[SecretStr | None, str | None]:
    """The first of the variables ``names`` that is set, and its name; ``(None, None)`` if none is.

    Blank variables count as unset; surrounding whitespace (a pasted newline) is cut off. The value is registered with
    :func:`pixelrouter.errors.register_secret`. Raises ConfigError for a value no HTTP header can carry.
    """
    env = os.environ if env is None else env
    for name in names:
        value = env.get(name, "").strip()
        if value:
            register_secret(value)
            if not value.isascii() or not value.isprintable() or " " in value:
                hint = "Copy the key again from the vendor's page."
                raise ConfigError(
                    f"{name} holds characters that no key has (spaces, quotes of a word processor).", hint=hint
                )
            return SecretStr(value), name
    return None, None


@dataclass
class _Layer:
    """One source of settings: its values, where each stands, and the folder its relative paths start from."""

    values: dict[str, Any]
    origin: Callable[[Keys], str]
    base: Path

    def check(self) -> None:
        """Raise ConfigError for an unknown key, and for two answers to the same question."""
        known = [*Options.model_fields, "backends"]
        for key in self.values:
            if key not in known:
                raise ConfigError(f"{self.origin((key,))}: there is no option {key!r}.", hint=_hint(key, known))
        if self.values.get("backend") is not None and self.values.get("route") is not None:
            where = f"{self.origin(('backend',))} and {self.origin(('route',))}"
            hint = "Keep one: backend = one name, route = several in order."
            raise ConfigError(f"{where}: backend and route are both set.", hint=hint)

    def pop_backends(self) -> dict[str, dict[str, Any]]:
        """The ``[backends.NAME]`` sections. Raises ConfigError where one is not a table."""
        sections = self.values.pop("backends", None) or {}
        tables = sections.items() if isinstance(sections, Mapping) else [("NAME", sections)]
        for name, section in tables:
            if not isinstance(section, Mapping):
                where = self.origin(("backends", name)) if name != "NAME" else self.origin(("backends",))
                hint = f"Write a section: [backends.{name}] with keys such as model and base_url below it."
                raise ConfigError(f"{where}: backends.{name} should be a table.", hint=hint)
        return {name: dict(section) for name, section in tables}

    def at_home(self, key: str, value: Any) -> Any:
        """Relative paths made absolute; a palette too, if it names a file that exists."""
        if key in ("state", "cassette", "stand_in") and isinstance(value, str | Path):
            return self.base / at_home(value)
        if key == "palette" and isinstance(value, str) and "#" not in value and is_file(self.base / value):
            return str(self.base / value)
        return value


def _file_layer(file: Path, path: Keys) -> _Layer:
    values = table_of(file, path)
    if values is None:
        raise ConfigError(f"{file} has no [{'.'.join(path)}] section.", hint=f"Add one, or name a {FILE_NAME}.")
    numbers = line_numbers(file)

    def origin(key: Keys) -> str:
        number = numbers.get((*path, *key))
        return f"{file.name}:{number}" if number else file.name

    return _Layer(values, origin, file.parent)


def _env_layer(env: Mapping[str, str], start: Path) -> _Layer:
    known = {f"{PREFIX}{key.upper()}": key for key in Options.model_fields}
    values = {}
    for variable, text in env.items():
        if variable in known and text.strip():
            values[known[variable]] = _from_text(text, Options, known[variable])
        elif variable.startswith(PREFIX) and variable not in (*known, f"{PREFIX}CONFIG"):
            _check_variable(variable, list(known))
    return _Layer(values, lambda path: f"environment {PREFIX}{path[0].upper()}", start)


def _check_variable(variable: str, known: Sequence[str]) -> None:
    """Raise ConfigError for a variable that is nearly one of ours: a misspelt spending cap caps nothing."""
    if variable.startswith(BACKENDS_PREFIX):
        return
    if variable.startswith("PIXELROUTER_BACKEND_"):
        meant = variable.replace("BACKEND_", "BACKENDS_", 1)
        raise ConfigError(f"There is no option {variable}.", hint=f"Did you mean {meant}?")
    short = {name.removeprefix(PREFIX).replace("_", ""): name for name in (*known, f"{PREFIX}CONFIG")}
    close = difflib.get_close_matches(variable.removeprefix(PREFIX).replace("_", ""), short, 1, cutoff=0.8)
    if close:
        raise ConfigError(f"There is no option {variable}.", hint=f"Did you mean {short[close[0]]}?")


def _from_text(text: str, model: type[BaseModel], key: str) -> Any:
    """A variable's text as a value: JSON lists and tables, comma lists where the key takes several, else the text."""
    text = text.strip()
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    field = model.model_fields.get(key)
    several = field is not None and any(
        get_origin(kind) is tuple for kind in (field.annotation, *get_args(field.annotation))
    )
    if several and (key != "palette" or text.startswith("#")):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _env_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _hint(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(sorted(known))}."


def _config_error(
    error: ValidationError,
    origin: Callable[[str], str | None],
    known: Sequence[str],
    section: str,
    *,
    show: bool = True,
) -> ConfigError:
    """A pydantic error as one sentence a key. Values of a backend's section are not shown: they may be secrets."""
    parts, hints = [], []
    for key, found in {str(e["loc"][0]): e for e in error.errors() if e["loc"]}.items():
        where = origin(key) or "config"
        if found["type"] == "extra_forbidden":
            parts.append(f"{where}: {section}there is no key {key!r}.")
            secret = re.search(r"key|token|secret|password", key.lower())
            hints.append("Keys are read from the environment, never from a file." if secret else _hint(key, known))
        else:
            message = found["msg"].removeprefix("Value error, ")
            value = f" = {short(repr(found['input']))}" if show else ""
            parts.append(f"{where}: {section}{key}{value}: {message[:1].lower()}{message[1:].rstrip('.')}.")
    return ConfigError(" ".join(parts) or str(error), hint=" ".join(dict.fromkeys(hints)) or None)
