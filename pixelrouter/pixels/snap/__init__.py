"""Snapping: what each cell of a grid shows. cells ← sampling, mesh (local warp), unmix (blur taken apart)."""

from pixelrouter.pixels.snap.cells import snap, snap_image

__all__ = ["snap", "snap_image"]
