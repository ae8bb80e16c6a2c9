"""Diffusion models on this machine, through Hugging Face's diffusers: SDXL, FLUX.1, Kontext, FLUX.2 klein.

This package has the library's name on purpose (it is the backend's name in a config file); inside it ``import
diffusers`` is always the library, because Python's imports are absolute. Nothing here imports torch until an image is
drawn. See docs/diffusers.md.
"""

from pixelrouter.backends.diffusers.backend import Backend
from pixelrouter.backends.diffusers.settings import DiffusersSettings

__all__ = ["Backend", "DiffusersSettings"]
