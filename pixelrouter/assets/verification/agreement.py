"""Whether manifest, lock and out folder agree: what can be said of an asset without opening one of its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.deliver import out_folder
from pixelrouter.assets.keys import exporting_key, finishing_key, wish_key
from pixelrouter.assets.lock import Lock, Locked
from pixelrouter.assets.packing import atlas_key
from pixelrouter.assets.planning import Contents, serves
from pixelrouter.assets.verification.report import Issue, issue
from pixelrouter.pixels.grid import THRESHOLD

_PLAN = "Run `pixelrouter plan` for what it would cost, then build."
_FREE = "Run `pixelrouter build`: that costs nothing."
#: Files of these kinds come out of builds; another kind in the out folder is somebody else's.
_OURS = frozenset({".png", ".json", ".aseprite", ".tres", ".tsx", ".gif", ".apng"})
_ONCE = {"unity": ".png.meta"}  # exports that are an engine's own from then on, and so are not in the lock


def disagreements(asset: Asset, locked: Locked | None, manifest: Manifest, contents: Contents) -> Iterator[Issue]:
    """What manifest and lock say differently of an asset, and what is known to be wrong with its picture.

    ``contents`` knows the images that assets start from.
    """
    place = {"asset": asset.name, "file": manifest.path.name, "line": asset.line}
    if locked is None:
        yield issue("unbuilt", "It is not built yet.", _PLAN, **place)
        return
    yield from _bought(asset, locked, contents, place)
    out = out_folder(manifest.project, manifest.folder)
    fresh = finishing_key(asset, locked.picked), exporting_key(asset, manifest.project, out)
    for what, key, was in zip(("finishing", "exports"), fresh, (locked.finishing, locked.exporting), strict=True):
        if key != was:
            verb = "have" if what == "exports" else "has"
            yield issue("stale", f"Its {what} {verb} changed since it was built.", _FREE, **place)
    for export, ending in _ONCE.items():
        path = manifest.project.out / f"{asset.out}{ending}"
        if export in asset.exports and not path.is_file():
            yield issue("missing", f"{path.name} is not there.", _FREE, asset=asset.name)
    yield from _choice(asset, locked, place)


def _bought(asset: Asset, locked: Locked, contents: Contents, place: Mapping[str, Any]) -> Iterator[Issue]:
    """Whether what the lock has is what the manifest asks a vendor for."""
    try:
        wish = wish_key(asset, contents)
    except KeyError:  # an asset that it starts from is not built, which is told of that one
        return
    kept = [one for one in locked.candidates if serves(one, asset)]
    if wish != locked.wish:
        yield issue("wish", "The manifest asks for another picture than was bought.", _PLAN, **place)
    elif not kept:
        names = ", ".join(dict.fromkeys(one.backend for one in locked.candidates))
        yield issue("wish", f"It was drawn by {names}, which is no longer among its backends.", _PLAN, **place)
    elif len(kept) < asset.n:
        yield issue("wish", f"{len(kept)} of {asset.n} candidates are there.", _PLAN, **place)


def packed(manifest: Manifest, lock: Lock, name: str) -> Iterator[Issue]:
    """Whether an atlas was packed as the manifest says, of the pictures that the lock has now."""
    atlas, locked = manifest.atlases[name], lock.atlases.get(name)
    place = {"asset": name, "file": manifest.path.name, "line": atlas.line}
    if locked is None:
        yield issue("unbuilt", "The atlas is not packed yet.", _FREE, **place)
    elif locked.key != atlas_key(manifest, lock, atlas):
        yield issue("stale", "The atlas, or a picture in it, has changed since it was packed.", _FREE, **place)


def _choice(asset: Asset, locked: Locked, place: Mapping[str, Any]) -> Iterator[Issue]:
    """The pick, its licence, and what was known of it when it came."""
    picked = locked.picked
    if len(locked.candidates) > 1 and not locked.pick.by:
        count = len(locked.candidates)
        advice = f"Look at them (`pixelrouter gallery`), then `pixelrouter pick {asset.name} NUMBER`."
        yield issue("unpicked", f"Nobody has picked one of its {count} candidates.", advice, **place)
    if asset.commercial and (picked.licence is None or picked.licence.commercial is not True):
        yield _licence(asset, locked, place)
    wishes = asset.finishing
    unsure = not picked.native and wishes.get("mode") != "convert" and not wishes.get("pixel_size")
    if unsure and picked.confidence < THRESHOLD:
        yield issue(
            "confidence",
            f"It lay on a pixel grid with a confidence of {picked.confidence:.2f} only ({THRESHOLD:g} is sure).",
            f"Look at it; say its pixel_size in the manifest, or `pixelrouter reroll {asset.name}`.",
            **place,
        )
    for warning in picked.warnings:
        yield issue("vendor", warning, "Look at the picture.", **place)


def _licence(asset: Asset, locked: Locked, place: Mapping[str, Any]) -> Issue:
    licence, backend = locked.picked.licence, locked.picked.backend
    if licence is None:
        told, severity = f"No licence is known of pictures by {backend}", "warning"
    elif licence.commercial is None:
        told, severity = f"{licence.name} ({backend}) has to be read before it is sold", "warning"
    else:
        told, severity = f"{licence.name} ({backend}) allows no commercial use", "error"
    where = f" ({licence.url})" if licence and licence.url else ""
    advice = (
        f"Read the terms{where}" if severity == "warning" else f"`pixelrouter reroll {asset.name}` with another model"
    )
    return issue("licence", f"{told}.", f"{advice}.", severity=severity, **place)


def leftovers(manifest: Manifest, lock: Lock) -> Iterator[Issue]:
    """Assets of the lock that the manifest no longer has, and files of the out folder that the lock does not know."""
    known: Iterable[tuple[str, str]] = [
        *((name, "asset") for name in lock.assets if name not in manifest.assets),
        *((name, "atlas") for name in lock.atlases if name not in manifest.atlases),
    ]
    for name, kind in known:
        told = f"The lock has the {kind} {name!r}, which the manifest no longer has."
        yield issue("removed", told, f"{_FREE} It tidies up.", asset=name)
    outputs = {path for locked in lock.assets.values() for path in locked.outputs}
    outputs |= {path for atlas in lock.atlases.values() for path in atlas.outputs}
    for path in _files(manifest.project.out, manifest.folder):
        name = path.relative_to(manifest.folder).as_posix()
        if name not in outputs:
            yield issue(
                "unknown-file",
                "The lock knows nothing of this file.",
                "Delete it if no asset is left that made it; keep hand-made art outside of the out folder.",
                file=name,
            )


def _files(out: Path, folder: Path) -> list[Path]:
    """The files of our kinds below the out folder, unless that is the whole project or lies elsewhere."""
    if out == folder or not out.is_relative_to(folder) or not out.is_dir():
        return []
    found = (path for path in out.rglob("*") if path.suffix.lower() in _OURS and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(out).parts))
