"""Atlases of a build: which have to be packed again, and packing them from the sprites of their assets."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import fields
from pathlib import PurePosixPath

from pixelrouter.assets.asset import Atlas, Manifest
from pixelrouter.assets.deliver import differs, out_folder, png_path, save, unchanged
from pixelrouter.assets.keys import digest
from pixelrouter.assets.lock import Lock, LockedAtlas
from pixelrouter.assets.shelf import RawSource
from pixelrouter.errors import InvalidRequest, LockMismatch

_FREE = ("assets", "line", "name")


def stale(manifest: Manifest, lock: Lock, changed: AbstractSet[str]) -> Iterator[str]:
    """The names of the atlases to pack: their settings, an asset of theirs, or a file of theirs is not what it was."""
    for name, atlas in manifest.atlases.items():
        old = lock.atlases.get(name)
        same = old is not None and not changed & set(atlas.assets) and old.key == atlas_key(manifest, lock, atlas)
        if old is None or not same or not _there(manifest, old):
            yield name


def _there(manifest: Manifest, old: LockedAtlas) -> bool:
    return all(unchanged(manifest.folder / path, output) for path, output in old.outputs.items())


def atlas_key(manifest: Manifest, lock: Lock, atlas: Atlas) -> str:
    """What is packed, and how: the settings, and the pixels of every asset."""
    settings = {one.name: getattr(atlas, one.name) for one in fields(Atlas) if one.name not in _FREE}
    out = out_folder(manifest.project, manifest.folder)
    return digest("a1", {"settings": settings, "assets": [_pixels(manifest, lock, one, out) for one in atlas.assets]})


def _pixels(manifest: Manifest, lock: Lock, name: str, out: str) -> list[object]:
    entry = lock.assets.get(name)
    if entry is None:
        return [name, None]
    output = entry.outputs.get(png_path(manifest.assets[name], out))
    return [name, output and output.pixels, entry.exporting]


def pack_atlas(
    manifest: Manifest,
    lock: Lock,
    name: str,
    raws: RawSource,
    *,
    compare: LockedAtlas | None = None,
    force: bool = False,
) -> tuple[LockedAtlas, tuple[str, ...]]:
    """Pack one atlas and write its files; its entry in the lock, and what was written.

    ``compare``: nothing else may come out than this. Raises InvalidRequest where an asset of it was never built.
    """
    from pixelrouter.assets.export.atlas import export_atlas
    from pixelrouter.assets.work import Job, sprite_for

    atlas = manifest.atlases[name]
    sprites = []
    for one in atlas.assets:
        if one not in lock.assets:
            raise InvalidRequest(f"The atlas {name} wants {one}, which was never built.")
        job = Job(manifest.assets[one], lock.assets[one], manifest.project, manifest.folder, ())
        sprites.append(sprite_for(job, raws))
    place = PurePosixPath(atlas.out)
    folder = "" if str(place.parent) == "." else str(place.parent)
    made = export_atlas(atlas, sprites, place.name, folder)
    files = {str(PurePosixPath(folder, path)): data for path, data in made.items()}
    files = {path: files[path] for path in sorted(files, key=lambda path: (path != f"{atlas.out}.png", path))}
    pixels = _hash_of(files[f"{atlas.out}.png"])
    out = out_folder(manifest.project, manifest.folder)
    if compare is not None:
        for path, output in compare.outputs.items():
            data = files.get(path.removeprefix(f"{out}/"))
            if data is None or differs(path, data, output):
                raise LockMismatch(f"{path} comes out otherwise than the lock says.")
    before = lock.atlases[name].outputs if name in lock.atlases else {}
    delivered = save(files, pixels, manifest.folder, out, before, force=force)
    return LockedAtlas(atlas_key(manifest, lock, atlas), dict(delivered.outputs)), delivered.written


def _hash_of(png: bytes) -> str:
    from pixelrouter.assets.deliver import pixels_of

    found = pixels_of(png)
    assert found is not None  # noqa: S101  (we wrote it)
    return found
