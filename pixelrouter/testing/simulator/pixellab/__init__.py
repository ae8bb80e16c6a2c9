"""A simulated PixelLab: REST v1 and v2, over real sockets."""

from pixelrouter.testing.simulator.pixellab.simulator import PixelLabSimulator

__all__ = ["PixelLabSimulator"]
