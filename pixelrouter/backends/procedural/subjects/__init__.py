"""Everything that can be drawn: one small function a subject, grouped by kind. A new module is found by itself."""

from __future__ import annotations

import importlib
import pkgutil

from pixelrouter.backends.procedural.subjects.registry import NOUNS, SUBJECTS, Subject

__all__ = ["FALLBACK", "NOUNS", "SUBJECTS", "Subject"]

FALLBACK = "emblem"

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
