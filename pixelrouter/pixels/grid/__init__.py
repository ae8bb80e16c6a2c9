"""Where the cells are: exact, native, edges → period → multiples → lines, or smooth; then confidence."""

from pixelrouter.pixels.grid.confidence import THRESHOLD
from pixelrouter.pixels.grid.find import detect_grid, find_lattice
from pixelrouter.pixels.grid.lattice import Lattice

__all__ = ["THRESHOLD", "Lattice", "detect_grid", "find_lattice"]
