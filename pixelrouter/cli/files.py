"""Where images are saved, and what is asked about that place before anything is paid for."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrouter.errors import InvalidRequest, StoreError

if TYPE_CHECKING:
    from pixelrouter.types import PixelArt


_LONGEST = 200  # bytes of a file name; disks take 255, and numbers and names of views come on top
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")  # no names for files on Windows, whatever ends them


def check_target(path: Path) -> None:
    """Raise InvalidRequest if no PNG can be written there. Called before anything is paid for."""
    if path.suffix.lower() != ".png":
        raise InvalidRequest(
            f"{path.name!r} does not end in .png.", hint="Pixel art is saved as indexed PNG: -o NAME.png."
        )
    if len(os.fsencode(path.name)) > _LONGEST:
        raise InvalidRequest(f"{path.name[:40]!r}... is too long for a file name.", hint="Name a file: -o NAME.png.")
    try:
        if path.is_dir():
            raise InvalidRequest(f"{path} is a folder.", hint="Name a file: -o NAME.png.")
        if path.exists() and not path.is_file():
            raise InvalidRequest(f"{path} is a device or a pipe.", hint="Name a file: -o NAME.png.")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be a file: {error.strerror}.", hint="Name a file: -o NAME.png.") from None
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raise InvalidRequest if files cannot be written into ``folder``, which need not exist yet."""
    try:
        there = next(p for p in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(p))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{folder} cannot be a folder: {error}.", hint="Choose another place with -o.") from None
    if not there.is_dir():
        raise InvalidRequest(f"{there} is a file, not a folder.", hint="Choose another place with -o.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidRequest(f"Nothing can be written into {there}.", hint="Choose another place with -o.")


def slug(prompt: str) -> str:
    """A file name from a prompt: ``a-red-potion``; ASCII letters and digits, at most 48 characters."""
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    name = ""
    for word in words:
        if name and len(name) + len(word) > 47:
            break
        name = f"{name}-{word}" if name else word[:48]
    return f"{name}-sprite" if _DEVICES.fullmatch(name) else name or "sprite"


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The image cannot be saved: {error}.",
            hint="Run the same again with another -o: what was paid for is kept and reused.",
        ) from error


@_disk()
def save(art: PixelArt, path: Path, *, scale: int) -> list[Path]:
    """Write the images. Raises StoreError where the disk refuses; what was paid for is safe in the store."""
    return art.save(path, scale=scale)


@_disk()
def save_named(art: PixelArt, name: str, *, scale: int, folder: Path = Path()) -> list[Path]:
    """Save in ``folder`` under ``name``, or ``name-2`` and so on: a different picture is never overwritten."""
    with tempfile.TemporaryDirectory() as draft:
        drafts = art.save(Path(draft, f"{name}.png"), scale=scale)
        ours = {file.name.removeprefix(name): file.read_bytes() for file in drafts}
    stems = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    stem = next(stem for stem in stems if all(_free(folder / f"{stem}{end}", data) for end, data in ours.items()))
    return art.save(folder / f"{stem}.png", scale=scale)


def _free(file: Path, data: bytes) -> bool:
    return not file.exists() or (file.is_file() and file.read_bytes() == data)
