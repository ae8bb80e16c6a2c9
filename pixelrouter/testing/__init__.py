"""For people who use pixelrouter: simulators of the vendors, to test against without keys or money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pixelrouter.testing.simulator import SIMULATORS, Charge, Faults, Simulator, simulator_of

if TYPE_CHECKING:
    from pixelrouter.testing.simulator import (
        FalSimulator,
        PixelLabSimulator,
        ReplicateSimulator,
        RetroDiffusionSimulator,
    )

__all__ = [
    "SIMULATORS",
    "Charge",
    "FalSimulator",
    "Faults",
    "PixelLabSimulator",
    "ReplicateSimulator",
    "RetroDiffusionSimulator",
    "Simulator",
    "simulator_of",
]


def __getattr__(name: str) -> Any:
    from pixelrouter.testing import simulator

    if name in SIMULATORS.values():
        return getattr(simulator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
