"""Finds observers by name, for ``observe = ["logging", "otel"]``: ours, and entry points ``pixelrouter.observers``.

An entry point is anything that, called without arguments, gives an observer: a class, usually.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
from collections.abc import Sequence

from pixelrouter.errors import ConfigError
from pixelrouter.watch.observer import SILENT, Observer, Watch

ENTRY_POINTS = "pixelrouter.observers"
_OURS = {"jsonl": "logs:JsonLines", "logging": "logs:Logging", "otel": "otel:OpenTelemetry"}


@functools.cache
def _plugins() -> dict[str, importlib.metadata.EntryPoint]:
    # What is installed does not change while a process runs, and reading it takes milliseconds.
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def names() -> tuple[str, ...]:
    """Every observer that the configuration can name, sorted."""
    return tuple(sorted({*_OURS, *_plugins()}))


def load(name: str) -> Observer:
    """A new observer of that name. Raises ConfigError for an unknown name, and where packages are missing."""
    if name in _OURS:
        module, _, kind = _OURS[name].partition(":")
        made: Observer = getattr(importlib.import_module(f"pixelrouter.watch.{module}"), kind)()
        return made
    if name not in _plugins():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"observe: there is no observer {name!r}.", hint=f"{hint} Known: {', '.join(names())}.".strip()
        )
    try:
        plugin: Observer = _plugins()[name].load()()
    except Exception as error:
        raise ConfigError(
            f"observe: the observer {name!r} cannot be loaded ({type(error).__name__}: {error}).",
            hint=f"It comes from {_plugins()[name].value}; leave it out of observe, or mend that package.",
        ) from error
    return plugin


def watching(wanted: Sequence[Observer | str]) -> Watch:
    """Who tells these observers; a name stands for a new one, each name once. Raises ConfigError for anything else."""
    names_seen: set[str] = set()
    observers: list[Observer] = []
    for one in wanted:
        if isinstance(one, str):
            if one not in names_seen:
                observers.append(load(one))
            names_seen.add(one)
        elif isinstance(one, type) or not callable(getattr(one, "notice", None)):
            raise ConfigError(
                f"observers: {one!r} has no method notice(event) that could be called.",
                hint=f"Give an instance: observers=[{one.__name__}()]." if isinstance(one, type) else None,
            )
        else:
            observers.append(one)
    return Watch(observers) if observers else SILENT
