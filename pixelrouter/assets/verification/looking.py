"""One file looked at: read once, hashed, decoded once, and held against every rule. A pure function of its job, so that
many files can be looked at by several processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.deliver import pixel_hash
from pixelrouter.assets.lock import Output
from pixelrouter.assets.verification.exported import check_export
from pixelrouter.assets.verification.picture import Limits, check_picture
from pixelrouter.assets.verification.report import Issue, issue, softened
from pixelrouter.errors import UnreadableImage
from pixelrouter.files import read_bounded
from pixelrouter.formats.png import INDEXED, header, read_chunks
from pixelrouter.pixels.decode import decode

MAX_BYTES = 1 << 28
_STAND = frozenset({"missing", "changed", "unreadable", "size", "blank"})  # rules that hold for a person's work as well


@dataclass(frozen=True, slots=True)
class Job:
    """One file to look at. ``file`` is its path relative to the manifest's folder; ``asset`` is given for the asset's
    own picture, ``names`` are those of its frames; ``adopted``: a person changed it, and the lock knows.
    """

    path: Path
    file: str
    owner: str
    expected: Output
    adopted: bool = False
    asset: Asset | None = None
    names: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


def look_at(job: Job) -> list[Issue]:
    """All that is wrong with a file."""
    found = [replace(one, asset=job.owner, file=job.file) for one in _found(job)]
    return [softened(one) if job.adopted and one.rule not in _STAND else one for one in found]


def _found(job: Job) -> Iterator[Issue]:
    try:
        data = read_bounded(job.path, MAX_BYTES)
    except FileNotFoundError:
        yield issue("missing", "The file is not there.", "Run `pixelrouter build`: it is built again for nothing.")
        return
    except OSError as error:
        yield issue("unreadable", f"The file cannot be read: {error.strerror or error}.", "Look at its permissions.")
        return
    same = hashlib.sha256(data).hexdigest() == job.expected.sha256
    if job.path.suffix.lower() != ".png":
        if not same:
            yield _changed(job)
        yield from check_export(job.path, data)
        return
    try:
        chunks = read_chunks(data, job.path.name)
        color_type = header(chunks, job.path.name).color_type
        image = decode(data).image
    except UnreadableImage as error:
        yield issue("unreadable", error.message, "Restore it from git, or `pixelrouter build`.")
        return
    if not same and (job.expected.pixels is None or pixel_hash(image) != job.expected.pixels):
        yield _changed(job)
    if color_type != INDEXED:
        yield issue("indexed", "It is no indexed PNG, as art of few colours should be.", "Run `pixelrouter build`.")
    if job.asset is not None:
        yield from check_picture(np.asarray(image), job.asset, job.names, job.limits)


def _changed(job: Job) -> Issue:
    again = "once more " if job.adopted else ""
    return issue(
        "changed",
        f"The file was changed {again}after it was built.",
        f"Keep it with `pixelrouter adopt {job.owner}`, or delete it and `pixelrouter build`.",
    )
