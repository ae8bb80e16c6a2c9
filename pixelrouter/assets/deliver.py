"""From a sprite to the files of an asset: its PNG, provenance where it is asked for, and every export.

Files are written beside their place and moved there, and only where they say something else than what lies there, so
that a game engine that watches the folder imports nothing twice. What a person has changed is never overwritten.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pixelrouter.assets.asset import Asset, Project
from pixelrouter.assets.lock import Locked, Output
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import InvalidRequest, StoreError
from pixelrouter.files import read_bounded, write_whole

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 1 << 28  # of one output


@dataclass(frozen=True, slots=True)
class Delivered:
    """What an asset came out as. ``written`` are those of ``outputs`` that were not there already, or not the same."""

    outputs: Mapping[str, Output]
    written: tuple[str, ...] = ()


def png_path(asset: Asset, out: str) -> str:
    """The asset's picture, relative to the manifest's folder; ``out`` is the out folder."""
    return str(PurePosixPath(out, f"{asset.out}.png"))


def out_folder(project: Project, folder: Path) -> str:
    """The out folder relative to the manifest's, with "/"."""
    return project.out.relative_to(folder).as_posix() if project.out.is_relative_to(folder) else str(project.out)


def png_bytes(image: Image) -> bytes:
    """An indexed image as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def pixel_hash(image: Image) -> str:
    """The hash of what is seen: size and RGBA pixels, whatever the file's compression or order of colours."""
    rgba = image.convert("RGBA")
    return hashlib.sha256(f"{rgba.width}x{rgba.height}\n".encode() + rgba.tobytes()).hexdigest()


def files_of(sprite: Sprite, asset: Asset, locked: Locked, project: Project) -> tuple[dict[str, bytes], str]:
    """Every file of the asset by its path below the out folder, the PNG first; and the hash of the PNG's pixels.

    Raises InvalidRequest for an export that is unknown or cannot hold the sprite.
    """
    from pixelrouter.assets.export import exporter

    place = PurePosixPath(asset.out)
    folder = "" if str(place.parent) == "." else str(place.parent)
    picture = sprite.sheet
    pixels = pixel_hash(picture)
    png = png_bytes(picture)
    if project.provenance != "none":
        png = marked(png, asset, locked, project, pixels)
    files = {f"{asset.out}.png": png}
    for name in asset.exports:
        if name != "png":
            made = exporter(name)(sprite, place.name, folder)
            files |= {str(PurePosixPath(folder, path)): data for path, data in made.items()}
    return files, pixels


def marked(png: bytes, asset: Asset, locked: Locked, project: Project, pixels: str, *, hand: bool = False) -> bytes:
    """The PNG with the record of where it comes from."""
    from pixelrouter.assets.provenance import embed, facts_of

    facts = facts_of(asset.name, locked, pixels=pixels, hand=hand, edited=asset.task in ("edit", "inpaint"))
    return embed(png, facts, project.provenance)


def written_once(path: str) -> bool:
    """Whether a file is the engine's from then on: it is written where there is none, and never again."""
    return path.endswith((".import", ".meta"))


def save(
    files: Mapping[str, bytes],
    pixels: str,
    folder: Path,
    out: str,
    before: Mapping[str, Output],
    *,
    name: str = "",
    hand: Collection[str] = (),
    force: bool = False,
) -> Delivered:
    """Write the files of an asset below ``folder``. Raises StoreError, and InvalidRequest before anything is written
    where a file lies there that is neither what ``before`` says a build has written nor what is to be written.

    ``name`` is the asset's. The first one is its PNG. Those in ``hand``, by path relative to ``folder``, stay as they
    are. ``force``: whatever lies there is written over.
    """
    outputs: dict[str, Output] = {}
    due: list[tuple[str, Path, bytes]] = []
    strange = []
    for number, (place, data) in enumerate(files.items()):
        path = str(PurePosixPath(out, place))
        target = folder / path
        if written_once(path):
            due += [(path, target, data)] if not target.exists() else []
            continue
        if path in hand:
            outputs[path] = seen(target) or Output("")
            continue
        outputs[path] = Output(hashlib.sha256(data).hexdigest(), pixels if number == 0 else seen_in(path, data))
        if not _same(target, data):
            due.append((path, target, data))
            ours = unchanged(target, outputs[path]) is not False or (
                path in before and unchanged(target, before[path]) is not False
            )
            strange += [path] if not (ours or force) else []
    if strange:
        keeps = f"`pixelrouter adopt {name}` keeps a picture as it is, " if name else ""
        raise InvalidRequest(
            f"{', '.join(strange)} was changed, or made by somebody else.",
            hint=f"{keeps}`pixelrouter build --force` writes over it.",
        )
    for _, target, data in due:
        _write(target, data)
    return Delivered(outputs, tuple(path for path, _, _ in due))


def seen(target: Path) -> Output | None:
    """What lies there; None where there is nothing. Raises StoreError."""
    try:
        data = read_bounded(target, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{target} cannot be read: {error}.") from None
    return Output(hashlib.sha256(data).hexdigest(), seen_in(target.name, data))


def seen_in(path: str, data: bytes) -> str | None:
    """The hash of a file's pixels, where it is a PNG."""
    return pixels_of(data) if path.lower().endswith(".png") else None


def differs(path: str, data: bytes, output: Output) -> bool:
    """Whether bytes are not what the lock says, to the pixel where it is a PNG: compression may be another."""
    if hashlib.sha256(data).hexdigest() == output.sha256:
        return False
    return output.pixels is None or seen_in(path, data) != output.pixels


def pixels_of(png: bytes) -> str | None:
    """The hash of a PNG's pixels; None for what cannot be read."""
    from pixelrouter.errors import UnreadableImage
    from pixelrouter.pixels import decode

    try:
        return pixel_hash(decode(png).image)
    except UnreadableImage:
        return None


def unchanged(target: Path, output: Output) -> bool | None:
    """Whether a file is what the lock says, to the pixel where it is a PNG; None where there is no file."""
    try:
        data = read_bounded(target, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError:
        return False
    return not differs(target.name, data, output)


def remove(paths: Mapping[str, Output], folder: Path) -> list[str]:
    """Delete outputs that are no longer wanted, if they are as they were written; those that were deleted."""
    gone = []
    for path, output in paths.items():
        if unchanged(folder / path, output):
            (folder / path).unlink()
            gone.append(path)
    return gone


def _same(target: Path, data: bytes) -> bool:
    try:
        return target.is_file() and not target.is_symlink() and read_bounded(target, MAX_BYTES) == data
    except OSError:
        return False


def _write(target: Path, data: bytes) -> None:
    try:
        write_whole(target, data)
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written: {error}.", hint="What was paid for is in the store; build again."
        ) from None
