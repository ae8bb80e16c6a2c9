"""Verifying: manifest, lock and files held against each other. Offline, read-only, without a key, ledger or store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.lock import Candidate, Hand, Lock, Locked, LockedAtlas, Output, read_lock
from pixelrouter.assets.verification.report import Issue, VerifyReport, ordered, without
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import VIEW_NAMES

if TYPE_CHECKING:
    from pixelrouter.assets.verification.looking import Job
    from pixelrouter.assets.verification.picture import Limits

MANY = 1200  # files from which several processes pay for their start: of 500 small pictures they took twice as long
_HEAP = 24  # files that a process is given at a time


def verify(
    path: str | Path = "assets.toml",
    names: Sequence[str] | None = None,
    strict: bool = False,
    *,
    ignore: Sequence[str] = (),
    max_jitter: float | None = None,
    max_seam: float | None = None,
    jobs: int | None = 1,
) -> VerifyReport:
    """Whether the files of a build are what its manifest and lock say, and fit for a game.

    ``names`` are assets or atlases, or patterns of them; None: all, and what is left over in lock and out folder.
    ``strict``: warnings fail, too. ``ignore``: rules that are left out, as ``RULE`` or ``RULE:PATTERN`` of an asset or
    file. ``max_jitter`` pixels that feet may stray (default: 4 % of the cell's height, at least 1), ``max_seam`` the
    highest seam score (0.5). ``jobs``: processes for many files, None for one a core; a script that asks for several
    needs ``if __name__ == "__main__":``.

    Raises ConfigError where the manifest or the lock cannot be read, InvalidRequest for a name or rule that is unknown.
    """
    from pixelrouter.assets.manifest import load_manifest

    without((), ignore)  # a wrong word is told before any work
    manifest = load_manifest(path)
    lock = read_lock(manifest.lock_path)
    chosen = _chosen(manifest, names)
    issues = list(_agreement(manifest, lock, chosen))
    if names is None:
        from pixelrouter.assets.verification.agreement import leftovers

        issues += leftovers(manifest, lock)
    work = list(_work(manifest, lock, chosen, _limits(max_jitter, max_seam)))
    for found in _looked_at(work, jobs):
        issues += found
    return VerifyReport(
        manifest=str(path),
        assets=tuple(chosen),
        files=len(work),
        issues=ordered(without(issues, ignore)),
        adopted=tuple(sorted(job.file for job in work if job.adopted)),
        strict=strict,
    )


def _limits(jitter: float | None, seam: float | None) -> Limits:
    from pixelrouter.assets.verification.picture import Limits

    limits = Limits(jitter=jitter)
    return limits if seam is None else replace(limits, seam=seam, joints=seam)


def _chosen(manifest: Manifest, names: Sequence[str] | None) -> list[str]:
    """The names of the assets and atlases that are meant, in the manifest's order. Raises InvalidRequest."""
    known = [*manifest.assets, *manifest.atlases]
    if names is None:
        return known
    for name in names:
        if not any(fnmatchcase(one, name) for one in known):
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known[:20]) or 'none'}."
            raise InvalidRequest(f"The manifest has no asset {name!r}.", hint=hint)
    return [one for one in known if any(fnmatchcase(one, name) for name in names)]


def _agreement(manifest: Manifest, lock: Lock, chosen: Sequence[str]) -> Iterator[Issue]:
    from pixelrouter.assets.planning import Contents, drawn
    from pixelrouter.assets.verification.agreement import disagreements, packed

    contents = Contents(manifest)
    contents.picked.update({name: drawn(locked.picked) for name, locked in lock.assets.items()})
    for name in chosen:
        if name in manifest.assets:
            yield from disagreements(manifest.assets[name], lock.assets.get(name), manifest, contents)
        else:
            yield from packed(manifest, lock, name)


def _work(manifest: Manifest, lock: Lock, chosen: Sequence[str], limits: Limits) -> Iterator[Job]:
    """Every file that the lock has of the chosen ones."""
    from pixelrouter.assets.deliver import out_folder, png_path
    from pixelrouter.assets.verification.looking import Job

    out = out_folder(manifest.project, manifest.folder)
    for name in chosen:
        one: Locked | LockedAtlas | None = lock.assets.get(name) if name in manifest.assets else lock.atlases.get(name)
        if one is None:
            continue
        asset = manifest.assets.get(name)
        picture = png_path(asset, out) if asset else ""
        hand: Mapping[str, Hand] = one.hand if isinstance(one, Locked) else {}
        expected: dict[str, Output] = dict(one.outputs)
        for file, output in sorted(expected.items()):
            job = Job(manifest.folder / file, file, name, output, adopted=file in hand, limits=limits)
            if asset is not None and isinstance(one, Locked) and file == picture:
                job = replace(job, asset=asset, names=frame_names(asset, one.picked))
            yield job


def frame_names(asset: Asset, picked: Candidate) -> tuple[str, ...]:
    """The names of an asset's views or tiles in their order on the sheet, empty where the lock does not tell."""
    if asset.task == "views" and asset.views:
        return VIEW_NAMES[asset.views]
    inner = tuple(name for name in picked.layout.get("names", ()) if name)
    if len(picked.raws) == 1:
        return inner
    named = len(picked.raw_names) == len(picked.raws) and all(picked.raw_names)
    return picked.raw_names if named and not inner and asset.task == "tileset" else ()


def _looked_at(work: Sequence[Job], jobs: int | None) -> Iterator[list[Issue]]:
    """What is wrong with each file, in the order of the files."""
    from pixelrouter.assets.verification.looking import look_at

    if jobs == 1 or len(work) < MANY:
        yield from map(look_at, work)
        return
    from pixelrouter.pixels.batch.executors import Processes

    heaps = [work[at : at + _HEAP] for at in range(0, len(work), _HEAP)]
    done: dict[int, list[Issue]] = {}
    for at, found in Processes(jobs).map(look_at_all, heaps):
        if isinstance(found, Exception):
            raise found
        done[at] = found
    yield from (done[at] for at in sorted(done))


def look_at_all(heap: Sequence[Job]) -> list[Issue]:
    """All that is wrong with several files."""
    from pixelrouter.assets.verification.looking import look_at

    return [one for job in heap for one in look_at(job)]
