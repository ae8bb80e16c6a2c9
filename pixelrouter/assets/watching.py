"""Building again and again while somebody works on prompts and palettes: whenever a file that a build reads changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pixelrouter.assets.keys import ASSET
from pixelrouter.errors import ConfigError, PixelRouterError

PAUSE_S = 0.3  # between two looks; half a dozen stat calls cost nothing
_CONFIG = ("pixelrouter.toml", "pyproject.toml")


def watching(
    path: Path | None,
    once: Callable[[], int],
    failed: Callable[[PixelRouterError], None],
    say: Callable[[str], None],
    *,
    pause_s: float = PAUSE_S,
) -> int:
    """Build now, and after every change of the manifest, a picture that it names, or a config file, until Ctrl-C.

    What an error says is passed to ``failed``, and the next change is waited for. Returns 0.
    """
    try:
        while True:
            files = read_by(path)
            before = {file: _stamp(file) for file in files}
            try:
                once()
            except PixelRouterError as error:
                failed(error)
            say("Watching. Ctrl-C ends it.")
            while {file: _stamp(file) for file in files} == before:
                time.sleep(pause_s)
            time.sleep(pause_s)  # an editor may write several files, or one in two steps
            say("")
    except KeyboardInterrupt:
        return 0


def read_by(path: Path | None) -> list[Path]:
    """The files that a build reads: the manifest, the pictures that it names, and the config files there may be."""
    from pixelrouter.assets.manifest import FILE_NAME, load_manifest

    try:
        manifest = load_manifest(path)
    except ConfigError:
        start = Path.cwd() if path is None else Path(path)
        return [start / FILE_NAME if start.is_dir() else start]
    assets = manifest.assets.values()
    images = {image for asset in assets for image in (*asset.images, *((asset.mask,) if asset.mask else ()))}
    pictures = sorted(manifest.folder / image for image in images if not image.startswith(ASSET))
    return [manifest.path, *pictures, *(manifest.folder / name for name in _CONFIG)]


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
