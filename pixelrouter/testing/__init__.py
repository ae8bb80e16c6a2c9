"""For people who use pixelrouter: a pytest plugin, and simulators of the vendors, to test without keys or money.

Names are loaded when they are first used: the plugin is imported in every pytest run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelrouter.testing.fake import FakeAsyncPixelRouter, FakeCall, FakePixelRouter
    from pixelrouter.testing.simulator import (
        SIMULATORS,
        Charge,
        FalSimulator,
        Faults,
        PixelLabSimulator,
        ReplicateSimulator,
        RetroDiffusionSimulator,
        Simulator,
        simulator_of,
    )

__all__ = [
    "SIMULATORS",
    "Charge",
    "FakeAsyncPixelRouter",
    "FakeCall",
    "FakePixelRouter",
    "FalSimulator",
    "Faults",
    "PixelLabSimulator",
    "ReplicateSimulator",
    "RetroDiffusionSimulator",
    "Simulator",
    "simulator_of",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = import_module(f"{__name__}.{'fake' if name.startswith('Fake') else 'simulator'}")
        return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
