"""A simulated Retro Diffusion: v1 and v2, over real sockets."""

from pixelrouter.testing.simulator.retrodiffusion.simulator import RetroDiffusionSimulator

__all__ = ["RetroDiffusionSimulator"]
