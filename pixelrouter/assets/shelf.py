"""Where the raw images lie: in the project's own folder, to be committed or shared, and in the router's store."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pixelrouter.assets.asset import Manifest
from pixelrouter.errors import StoreError
from pixelrouter.store import Store


class RawSource(Protocol):
    """Whatever has raw images by their hashes."""

    def get(self, digest: str) -> bytes:
        """The bytes with that hash. Raises StoreError."""
        ...


class Shelf:
    """Raw images from several folders, the first that has one counts. New ones go to the first as well."""

    def __init__(self, *folders: Path) -> None:
        self._stores = [Store(folder) for folder in dict.fromkeys(folders)]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders, the project's own before the router's."""
        return tuple(store.folder for store in self._stores)

    def get(self, digest: str) -> bytes:
        """The bytes with that hash. Raises StoreError with the way out."""
        for store in self._stores:
            if digest in store and store.problem(digest) is None:
                return store.get(digest)
        places = " or ".join(str(store.folder) for store in self._stores)
        raise StoreError(
            f"The raw image {digest[:12]} is not in {places}.",
            hint='Put `store = "raw"` under [project] in assets.toml, build where it was bought, and commit that '
            "folder; or copy the store from there.",
        )

    def __contains__(self, digest: str) -> bool:
        return any(digest in store for store in self._stores)

    def keep(self, digest: str, data: bytes) -> None:
        """Have the bytes in the first folder too. Raises StoreError."""
        if digest not in self._stores[0]:
            self._stores[0].put(data)


def shelf_of(manifest: Manifest) -> Shelf:
    """Where the raw images of a manifest lie."""
    from pixelrouter.config import load_settings

    own = load_settings(start=manifest.folder).state_dir / "store"
    return Shelf(*filter(None, (manifest.project.store, own)))
