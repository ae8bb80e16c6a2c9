"""pixelrouter: one call from prompt to finished pixel art, paid at most once.

Names are loaded when they are first used, so that ``import pixelrouter`` costs a build script next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelrouter import assets, errors
    from pixelrouter.errors import PixelRouterError
    from pixelrouter.routing.batch import BatchResult
    from pixelrouter.routing.choosing.explanation import Explanation
    from pixelrouter.routing.events import ProgressEvent
    from pixelrouter.routing.recovering.reconcile import Reconciled
    from pixelrouter.routing.router import AsyncPixelRouter, PixelRouter
    from pixelrouter.types import Attempt, Cost, Evidence, GenerationRequest, Money, PixelArt, Quote, Report

__version__ = "0.1.0"

_HOMES = {
    "PixelRouter": "routing.router",
    "AsyncPixelRouter": "routing.router",
    "BatchResult": "routing.batch",
    "ProgressEvent": "routing.events",
    "Explanation": "routing.choosing.explanation",
    "Reconciled": "routing.recovering.reconcile",
    "PixelRouterError": "errors",
    "Attempt": "types",
    "Cost": "types",
    "Evidence": "types",
    "GenerationRequest": "types",
    "Money": "types",
    "PixelArt": "types",
    "Quote": "types",
    "Report": "types",
}

__all__ = [
    "AsyncPixelRouter",
    "Attempt",
    "BatchResult",
    "Cost",
    "Evidence",
    "Explanation",
    "GenerationRequest",
    "Money",
    "PixelArt",
    "PixelRouter",
    "PixelRouterError",
    "ProgressEvent",
    "Quote",
    "Reconciled",
    "Report",
    "__version__",
    "assets",
    "errors",
]


def __getattr__(name: str) -> Any:
    if name in ("assets", "errors"):
        return importlib.import_module(f"pixelrouter.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"pixelrouter.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'pixelrouter' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
