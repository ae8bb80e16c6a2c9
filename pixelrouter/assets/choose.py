"""What people decide: which candidate it is, whether another one is worth its money, and what they have drawn over."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.building import Built, Confirm, build
from pixelrouter.assets.deliver import out_folder, png_bytes, png_path
from pixelrouter.assets.hands import by_hand, with_frames
from pixelrouter.assets.keeper import change
from pixelrouter.assets.lock import Hand, Lock, Locked, Pick, read_lock
from pixelrouter.assets.planning import matching
from pixelrouter.assets.run import Progress
from pixelrouter.assets.shelf import shelf_of
from pixelrouter.assets.sprite import Sprite
from pixelrouter.assets.work import Job, sprite_for, work
from pixelrouter.errors import InvalidRequest, StoreError
from pixelrouter.files import read_bounded, write_whole

if TYPE_CHECKING:
    from pixelrouter.routing.router import PixelRouter

USER = "PIXELROUTER_USER"


def pick(path: str | os.PathLike[str] | None, name: str, number: int, *, by: str | None = None) -> Locked:
    """Choose a candidate of an asset, by its number from 1, and write its files. Free; the entry as it is then.

    ``by`` is who chose, by default PIXELROUTER_USER, git's user.name, or the login name. Raises InvalidRequest for an
    asset or number that is not there, StoreError where the candidate's raw image is not.
    """
    manifest, asset, entry = _asset(path, name)
    numbers = sorted(one.number for one in entry.candidates)
    if number not in numbers:
        raise InvalidRequest(
            f"{asset.name} has no candidate {number}.",
            hint=f"It has {', '.join(map(str, numbers))}; `pixelrouter reroll {asset.name}` draws another one.",
        )
    if entry.hand and number != entry.pick.number:
        raise InvalidRequest(
            f"{', '.join(entry.hand)} was changed by hand, from candidate {entry.pick.number}.",
            hint=f"`pixelrouter adopt {asset.name} --release` gives it up.",
        )
    chosen = replace(entry, pick=Pick(number, by or person(), now()))
    return _rewritten(manifest, asset, chosen)


def reroll(
    path: str | os.PathLike[str] | None,
    names: str | Collection[str],
    *,
    count: int = 1,
    max_usd: Any = None,
    max_generations: Any = None,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
    router: PixelRouter | None = None,
    keys: Mapping[str, str] | None = None,
) -> Built:
    """Draw ``count`` more candidates of those assets (names or patterns). It costs what a candidate costs, and has to
    be allowed as in :func:`build`. A reroll that was cut off is the same purchase when it is asked for again.
    """
    from pixelrouter.assets.manifest import load_manifest

    if count < 1:
        raise InvalidRequest(f"count={count} is no number of candidates.")
    manifest = load_manifest(path)
    lock = read_lock(manifest.lock_path)
    wanted = [names] if isinstance(names, str) else list(names)
    chosen = [name for pattern in wanted for name in matching(manifest.assets, pattern)]
    more = {name: _wanted(lock, name) + count for name in chosen}
    return build(
        manifest.path,
        chosen,
        max_usd=max_usd,
        max_generations=max_generations,
        confirm=confirm,
        progress=progress,
        router=router,
        keys=keys,
        wanted=more,
    )


def _wanted(lock: Lock, name: str) -> int:
    """How many candidates an asset has: as many as its highest number."""
    entry = lock.assets.get(name)
    return max((one.number for one in entry.candidates), default=0) if entry else 0


def adopt(
    path: str | os.PathLike[str] | None,
    name: str,
    file: str | os.PathLike[str] | None = None,
    *,
    by: str | None = None,
    note: str = "",
) -> Locked:
    """Take what a person has drawn: builds leave the picture alone from now on, and export it as it is.

    ``file`` is a PNG of the picture's size, or an .aseprite file with its frames; None for the picture in its own
    place. Raises InvalidRequest where it does not fit, UnreadableImage.
    """
    manifest, asset, entry = _asset(path, name)
    target = manifest.folder / png_path(asset, out_folder(manifest.project, manifest.folder))
    if file is not None:
        _put(manifest, asset, entry, Path(file), target)
    elif not target.is_file():
        raise InvalidRequest(
            f"{target} is not there.", hint=f"`pixelrouter adopt {name} FILE` takes one from elsewhere."
        )
    relative = target.relative_to(manifest.folder).as_posix() if target.is_relative_to(manifest.folder) else str(target)
    by_hand(_sprite(manifest, asset, entry), target)  # raises where it does not fit
    adopted = replace(entry, hand={**entry.hand, relative: Hand(by or person(), now(), note)})
    return _rewritten(manifest, asset, adopted)


def release(path: str | os.PathLike[str] | None, name: str) -> Locked:
    """Give up what was drawn by hand: the asset is written as it was bought."""
    manifest, asset, entry = _asset(path, name)
    if not entry.hand:
        raise InvalidRequest(f"Nothing of {name} was adopted.")
    return _rewritten(manifest, asset, replace(entry, hand={}), force=True)


def _put(manifest: Manifest, asset: Asset, entry: Locked, file: Path, target: Path) -> None:
    """Have a person's file in the picture's place. Raises InvalidRequest before anything is overwritten."""
    sprite = _sprite(manifest, asset, entry)
    try:
        data = read_bounded(file, 1 << 28)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error}.") from None
    if file.suffix.lower() in (".aseprite", ".ase"):
        data = png_bytes(_drawn_over(sprite, data, file.name).sheet)
    else:
        by_hand(sprite, file)
    try:
        write_whole(target, data)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error}.") from None


def _drawn_over(sprite: Sprite, data: bytes, name: str) -> Sprite:
    """The sprite with the frames of an .aseprite file: one each, or all on one canvas as tiles are exported."""
    import numpy as np
    from PIL import Image

    from pixelrouter.formats.aseprite_reading import read_aseprite

    images = [Image.fromarray(np.asarray(frame)) for frame in read_aseprite(data, name).frames]
    if len(images) == 1 and images[0].size == sprite.sheet.size:
        images = [images[0].crop(box) for box in sprite.boxes]
    if len(images) != len(sprite.frames) or images[0].size != sprite.size:
        raise InvalidRequest(
            f"{name} has {len(images)} frames of {images[0].width}x{images[0].height}, and {sprite.name} "
            f"{len(sprite.frames)} of {sprite.size[0]}x{sprite.size[1]}.",
            hint="Draw in the file that was exported, and keep its frames and canvas.",
        )
    return with_frames(sprite, images, name)


def _asset(path: str | os.PathLike[str] | None, name: str) -> tuple[Manifest, Asset, Locked]:
    from pixelrouter.assets.manifest import load_manifest

    manifest = load_manifest(path, inputs=False)
    found = matching(manifest.assets, name)
    if len(found) > 1:
        raise InvalidRequest(f"{name!r} stands for {len(found)} assets: {', '.join(found[:10])}.", hint="Name one.")
    entry = read_lock(manifest.lock_path).assets.get(found[0])
    if entry is None or not entry.candidates:
        raise InvalidRequest(f"{found[0]} was never built.", hint=f"`pixelrouter build {found[0]}` draws it.")
    return manifest, manifest.assets[found[0]], entry


def _job(manifest: Manifest, asset: Asset, entry: Locked, *, force: bool = False) -> Job:
    return Job(asset, entry, manifest.project, manifest.folder, shelf_of(manifest).folders, force=force)


def _sprite(manifest: Manifest, asset: Asset, entry: Locked) -> Sprite:
    return sprite_for(_job(manifest, asset, replace(entry, hand={})))


def _rewritten(manifest: Manifest, asset: Asset, entry: Locked, *, force: bool = False) -> Locked:
    """Write the files of an entry, and the entry."""
    done = work(_job(manifest, asset, entry, force=force))

    def enter(lock: Lock) -> Lock:
        there = lock.assets.get(asset.name)
        mine = done.locked
        if there is not None and there.wish == mine.wish:  # a build may have drawn more candidates meanwhile
            numbers = {one.number for one in mine.candidates}
            more = tuple(one for one in there.candidates if one.number not in numbers)
            mine = replace(mine, candidates=tuple(sorted((*mine.candidates, *more), key=lambda one: one.number)))
        return lock.with_(assets={**lock.assets, asset.name: mine})

    return change(manifest.lock_path, enter).assets[asset.name]


def now() -> str:
    """The time, UTC, ISO 8601, to the microsecond: picks are told apart by it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def person() -> str:
    """Who is at work, for the lock."""
    if named := os.environ.get(USER, "").strip():
        return named
    if git := shutil.which("git"):
        try:
            words = [git, "config", "user.name"]
            done = subprocess.run(words, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603  # fixed words, no shell
        except (OSError, subprocess.SubprocessError):
            done = None
        if done is not None and done.stdout.strip():
            return done.stdout.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "somebody"
