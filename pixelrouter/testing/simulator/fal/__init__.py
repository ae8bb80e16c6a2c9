"""A simulated fal.ai: queue, direct runs, storage, media and Platform API on one origin, over real sockets."""

from pixelrouter.testing.simulator.fal.simulator import FalSimulator

__all__ = ["FalSimulator"]
