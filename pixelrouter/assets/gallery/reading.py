"""The gallery of a manifest on the disk: read with its lock, drawn from the store, and told when either has changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.gallery.model import Counted, Gallery, gather
from pixelrouter.assets.gallery.page import page
from pixelrouter.assets.lock import Candidate, Lock, read_lock
from pixelrouter.assets.manifest import load_manifest
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest, PixelRouterError
from pixelrouter.files import write_whole

Drawn = tuple[Sprite, tuple[str, ...]]


class Reader:
    """Reads the manifest as often as it is asked to. What was drawn once is kept while nothing about it changes."""

    def __init__(self, manifest: str | os.PathLike[str] | None = None) -> None:
        self.path = load_manifest(manifest, inputs=False).path
        self._drawn: dict[tuple[str, int], tuple[Asset, Candidate, Drawn]] = {}
        self._one = threading.Lock()  # a server's threads draw one after the other

    def gallery(self, counted: Counted | None = None) -> Gallery:
        """What the page tells now. Free, offline. Raises ConfigError for a manifest or lock that cannot be read."""
        from pixelrouter.assets.deliver import out_folder, png_path
        from pixelrouter.assets.hands import by_hand
        from pixelrouter.assets.render import render
        from pixelrouter.assets.shelf import shelf_of

        manifest = load_manifest(self.path, inputs=False)
        lock = read_lock(manifest.lock_path)
        shelf = shelf_of(manifest)
        out = out_folder(manifest.project, manifest.folder)

        def draw(asset: Asset, candidate: Candidate) -> Drawn:
            known = self._drawn.get((asset.name, candidate.number))
            if known is not None and known[:2] == (asset, candidate):
                return known[2]
            done = render(asset, candidate, shelf)
            warnings = tuple(dict.fromkeys(text for report in done.reports for text in report.warnings))
            entry, file = lock.assets[asset.name], png_path(asset, out)
            if file in entry.hand and candidate.number == entry.pick.number:
                return by_hand(done.sprite, manifest.folder / file), warnings
            drawn = done.sprite, warnings
            if counted is None:  # asked again and again; a page that is written once needs no memory
                self._drawn[asset.name, candidate.number] = (asset, candidate, drawn)
            return drawn

        with self._one:
            return gather(manifest, lock, draw, changed=changes(manifest, lock), counted=counted)

    def version(self) -> str:
        """Another text as soon as the manifest or the lock is another file, or was written to."""
        return " ".join(_stamp(path) for path in (self.path, self.path.with_suffix(".lock")))


def write_gallery(
    manifest: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] = "gallery.html",
    *,
    counted: Counted | None = None,
) -> Path:
    """Write the gallery of a manifest as one HTML file, which needs nothing else. Free, offline.

    ``manifest`` as for builds: a file, a folder, or None to look upwards. ``counted(done, of)`` is called as candidates
    are drawn. Raises ConfigError for the manifest or the lock, InvalidRequest where the page cannot be written.
    """
    return write_page(Reader(manifest).gallery(counted or (lambda done, of: None)), Path(output))


def write_page(gallery: Gallery, path: Path) -> Path:
    """Write it as one HTML file. Raises InvalidRequest."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise InvalidRequest(f"{path.name!r} is no name for a page.", hint="Name a file: -o gallery.html.")
    try:
        write_whole(path, page(gallery).encode())
    except OSError as error:
        raise InvalidRequest(f"The page {path} cannot be written: {error}.", hint="Choose another -o.") from None
    return path


def changes(manifest: Manifest, lock: Lock) -> Mapping[str, str]:
    """Why a build would do an asset of the lock anew, by name."""
    from pixelrouter.assets.planning import look

    try:
        plan = look(manifest, lock)
    except PixelRouterError:  # assets that start from each other: the build tells; what is drawn can be looked at
        return {}
    told = (step for step in plan.steps if step.locked is not None and step.state in ("buy", "finish", "failed"))
    return {step.asset.name: ", ".join(step.reasons) for step in told}


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "none"
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
