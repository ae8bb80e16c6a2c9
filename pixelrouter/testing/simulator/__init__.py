"""Simulators of the vendors: real HTTP servers that count what they charge and misbehave when told to.

``SIMULATORS`` names each vendor's; a simulator is imported when it is asked for.
"""

from __future__ import annotations

import functools
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from pixelrouter.testing.simulator.charges import Charge
from pixelrouter.testing.simulator.faults import Faults, FaultSpec
from pixelrouter.testing.simulator.server import Received, Reply, Simulator

if TYPE_CHECKING:
    from pixelrouter.testing.simulator.fal import FalSimulator
    from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
    from pixelrouter.testing.simulator.replicate import ReplicateSimulator
    from pixelrouter.testing.simulator.retrodiffusion import RetroDiffusionSimulator

__all__ = [
    "SIMULATORS",
    "Charge",
    "FalSimulator",
    "FaultSpec",
    "Faults",
    "PixelLabSimulator",
    "Received",
    "ReplicateSimulator",
    "Reply",
    "RetroDiffusionSimulator",
    "Simulator",
    "simulator_of",
    "vendors",
]

#: Vendor -> the class's name, in the module of the vendor's name.
SIMULATORS = {
    "retrodiffusion": "RetroDiffusionSimulator",
    "replicate": "ReplicateSimulator",
    "fal": "FalSimulator",
    "pixellab": "PixelLabSimulator",
}
ENTRY_POINTS = "pixelrouter.simulators"


@functools.cache
def _plugins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def vendors() -> tuple[str, ...]:
    """Every vendor with a simulator: ours, and installed packages' (entry points ``pixelrouter.simulators``)."""
    return (*SIMULATORS, *(name for name in _plugins() if name not in SIMULATORS))


def simulator_of(vendor: str) -> type[Simulator]:
    """The simulator class of a vendor. Raises KeyError for a vendor that has none."""
    found: type[Simulator]
    if vendor in SIMULATORS:
        found = getattr(import_module(f"{__name__}.{vendor}"), SIMULATORS[vendor])
    else:
        found = _plugins()[vendor].load()
    return found


def __getattr__(name: str) -> Any:
    for vendor, class_name in SIMULATORS.items():
        if class_name == name:
            return simulator_of(vendor)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
