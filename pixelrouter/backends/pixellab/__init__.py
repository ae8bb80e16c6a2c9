"""PixelLab over its REST API (v2 by default, v1 by config): sans-IO, see docs/pixellab.md."""

from pixelrouter.backends.pixellab.backend import Backend, PixelLabSettings

__all__ = ["Backend", "PixelLabSettings"]
