"""Finds backends: the modules of this folder, plus entry points in the group ``pixelrouter.backends``.

Nothing is listed by hand and nothing is imported until it is used, so an unused vendor costs no import time and a
plugin needs no edit here.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import pkgutil

from pixelrouter.backends.protocol import Backend
from pixelrouter.errors import ConfigError

ENTRY_POINTS = "pixelrouter.backends"


@functools.cache
def _plugins() -> dict[str, importlib.metadata.EntryPoint]:
    # What is installed does not change while a process runs, and reading it takes milliseconds.
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)}


@functools.cache
def names() -> tuple[str, ...]:
    """Every backend that can be loaded, sorted."""
    ours = {m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_") and m.name != "protocol"}
    return tuple(sorted(ours | set(_plugins())))


def load(name: str) -> type[Backend]:
    """The backend class called ``name``. Raises ConfigError, with the nearest name, if there is none."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"There is no backend {name!r}.", hint=f"{hint} Known: {', '.join(names())}.".strip())
    if name in _plugins():
        backend: type[Backend] = _plugins()[name].load()
        return backend
    loaded: type[Backend] = importlib.import_module(f"{__name__}.{name}").Backend
    return loaded
