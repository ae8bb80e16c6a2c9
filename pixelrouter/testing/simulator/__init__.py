"""Simulators of the vendors: real HTTP servers that count what they charge and misbehave when told to."""

from pixelrouter.testing.simulator.faults import Faults
from pixelrouter.testing.simulator.jobs import Charge
from pixelrouter.testing.simulator.retrodiffusion import RetroDiffusionSimulator
from pixelrouter.testing.simulator.server import Received, Reply, Simulator

__all__ = ["Charge", "Faults", "Received", "Reply", "RetroDiffusionSimulator", "Simulator"]
