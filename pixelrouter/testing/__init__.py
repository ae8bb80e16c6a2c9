"""For people who use pixelrouter: simulators of the vendors, to test against without keys or money."""

from pixelrouter.testing.simulator import Charge, Faults, RetroDiffusionSimulator

__all__ = ["Charge", "Faults", "RetroDiffusionSimulator"]
