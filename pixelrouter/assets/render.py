"""From a locked candidate to a sprite: raw bytes out of the store, through the post-processor. Always free, no network."""

from __future__ import annotations

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.lock import Candidate
from pixelrouter.assets.sprite import Sprite
from pixelrouter.store import Store
