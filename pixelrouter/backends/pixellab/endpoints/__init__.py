"""The table: every endpoint of PixelLab that pixelrouter buys from.

Limits, fields and ranges: the vendor's OpenAPI documents of v1 and v2 (github.com/go-api-libs/pixellab, 2026-08-15);
the pixel limits that the documents leave out: github.com/Shilo/pixellab-pip docs, 2026-08-22.
"""

from pixelrouter.backends.pixellab.endpoints.endpoint import Endpoint
from pixelrouter.backends.pixellab.endpoints.motion import MOTION
from pixelrouter.backends.pixellab.endpoints.stills import STILLS
from pixelrouter.backends.pixellab.endpoints.worlds import WORLDS, tiles_of

ENDPOINTS: tuple[Endpoint, ...] = (*STILLS, *MOTION, *WORLDS)

__all__ = ["ENDPOINTS", "Endpoint", "tiles_of"]
