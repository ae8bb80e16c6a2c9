"""``assets.toml`` read: tables.py (what may be written), read.py (errors with file, line and fix), expand.py."""

from pixelrouter.assets.manifest.read import FILE_NAME, load_manifest

__all__ = ["FILE_NAME", "load_manifest"]
