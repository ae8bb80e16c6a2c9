"""fal.ai over its queue API: FLUX.2 Klein 4B with LoRAs, image2pixel, background removal. Sans-IO, see docs/fal.md."""

from pixelrouter.backends.fal.backend import Backend
from pixelrouter.backends.fal.settings import FalSettings

__all__ = ["Backend", "FalSettings"]
