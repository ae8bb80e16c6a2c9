"""A simulated Replicate that runs the four `retro-diffusion/*` models, over real sockets."""

from pixelrouter.testing.simulator.replicate.simulator import ReplicateSimulator

__all__ = ["ReplicateSimulator"]
