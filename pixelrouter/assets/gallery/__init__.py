"""The gallery: one HTML page on which a person compares candidates, sees them move and tile, and picks.

``reading.py`` reads manifest and lock, ``model.py`` gathers what the page tells, ``page.py`` makes one file of it with
what lies in ``web/``, ``serve.py`` takes clicks.
"""

from pixelrouter.assets.gallery.model import Gallery, gather
from pixelrouter.assets.gallery.page import page
from pixelrouter.assets.gallery.reading import Reader, write_gallery
from pixelrouter.assets.gallery.serve import GalleryServer

__all__ = ["Gallery", "GalleryServer", "Reader", "gather", "page", "write_gallery"]
