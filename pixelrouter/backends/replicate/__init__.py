"""Retro Diffusion's models on Replicate, over its HTTP API: sans-IO, see docs/replicate.md."""

from pixelrouter.backends.replicate.backend import Backend, ReplicateSettings

__all__ = ["Backend", "ReplicateSettings"]
