"""Retro Diffusion over its REST API (v2 by default, v1 by config): sans-IO, see docs/retrodiffusion.md."""

from pixelrouter.backends.retrodiffusion.backend import Backend, RetroDiffusionSettings

__all__ = ["Backend", "RetroDiffusionSettings"]
