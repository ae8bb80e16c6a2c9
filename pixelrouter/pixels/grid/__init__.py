"""Finding the pixel grid of an image: edges → period → cut lines → confidence."""

from pixelrouter.pixels.grid.find import THRESHOLD, detect_grid, find_lattice
from pixelrouter.pixels.grid.lattice import Lattice

__all__ = ["THRESHOLD", "Lattice", "detect_grid", "find_lattice"]
