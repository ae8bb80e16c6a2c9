"""Files of moving pictures, put together from single frames that Pillow compresses.

Pillow's own writers drop a frame that equals the one before it and encode differences. Here every frame is written
whole and replaces the one before (nothing shines through where it is transparent), so what is read back is what was
given: each pixel, each frame, each duration.
"""

from pixelrouter.formats.moving import ENDINGS, PAUSE, Moving, encode, save

__all__ = ["ENDINGS", "PAUSE", "Moving", "encode", "save"]
