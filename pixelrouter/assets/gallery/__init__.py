"""The gallery: one HTML page on which a person compares candidates, sees them move and tile, and picks.

``model.py`` gathers what it tells, ``page.py`` makes the file out of ``web/``, ``serve.py`` takes clicks.
"""

from pixelrouter.assets.gallery.model import Gallery, gather
from pixelrouter.assets.gallery.page import page

__all__ = ["Gallery", "gather", "page"]
