"""``dataset.json``: every picture of a training set with all there is to say about it, and what was set aside.

It is the report for programs, what ``verify`` compares the files with, and what the next run looks at to see which
files are its own. Paths are relative, with "/", so the same images and wishes make the same file on every machine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pixelrouter.dataset.buckets import Box, Size
from pixelrouter.errors import ConfigError
from pixelrouter.files import read_bounded

NAME = "dataset.json"
VERSION = 1
_MOST = 1 << 29


@dataclass(frozen=True)
class Picture:
    """One picture of the set. ``file`` and ``native`` (the same at 1x) are relative to the set's folder, ``source`` to
    that of the images; ``part`` says which frame or sprite of it, from 1, "" where it is the only one.

    ``box``: where the picture lies in its file, (left, top, right, bottom); the rest is padding, ``waste`` its share.
    ``size``, ``bucket``: pixels at 1x and of the file. ``period``: source pixels a pixel. ``pixels``: hash of the
    pixels at 1x. ``caption_from``: "given", "file", "list", "png", "name", "template", "edited" (by hand, in the
    set), or "" for none.
    """

    file: str
    native: str
    source: str
    part: str
    split: str
    size: Size
    factor: int
    bucket: Size
    box: Box
    waste: float
    colors: int  # of the file, ground included
    palette: tuple[str, ...]  # of the picture at 1x
    method: str
    confidence: float
    period: tuple[float, float]
    source_size: Size
    pixels: str
    caption: str = ""
    caption_from: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aside:
    """What did not come into the set, and why: "unreadable", "no grid", "unsure grid", "blank", "too small", "too
    large", "duplicate" (``of`` another's native file), "failed". ``native``: the picture at 1x, or ``preview``: a small
    copy of the image, relative to the set's folder, where there is one.
    """

    source: str
    part: str
    why: str
    detail: str
    confidence: float | None = None
    of: str = ""
    native: str = ""
    preview: str = ""


@dataclass(frozen=True)
class Dataset:
    """A training set. ``settings`` are the wishes it was made by; ``most_colors`` the most colours of any file.

    ``ignored``: files of the source folder that are no images. ``changed``: how many files this run wrote; ``errors``:
    what went wrong, by source; both are not written down.
    """

    pictures: tuple[Picture, ...] = ()
    aside: tuple[Aside, ...] = ()
    ignored: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    most_colors: int = 256
    buckets: tuple[Size, ...] = ()  # that files may have; none: each has its own size
    ground: str = ""  # "#rrggbb", "" where it stays transparent
    warnings: tuple[str, ...] = ()
    version: int = VERSION
    changed: int = field(default=0, compare=False)
    errors: Mapping[str, Any] = field(default_factory=dict, compare=False)  # exceptions, which no reader of JSON knows

    @property
    def without_caption(self) -> tuple[Picture, ...]:
        """The pictures for which no caption was found."""
        return tuple(one for one in self.pictures if not one.caption_from)

    @property
    def bucket_counts(self) -> dict[Size, int]:
        """How many pictures each bucket has, the fullest first."""
        counts = Counter(one.bucket for one in self.pictures)
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def factor_counts(self) -> dict[int, int]:
        """How many pictures were enlarged by each factor."""
        return dict(sorted(Counter(one.factor for one in self.pictures).items()))

    def summary(self) -> dict[str, Any]:
        """The whole in numbers, JSON-ready."""
        return {
            "pictures": len(self.pictures),
            "train": sum(one.split == "train" for one in self.pictures),
            "validation": sum(one.split == "validation" for one in self.pictures),
            "aside": dict(sorted(Counter(one.why for one in self.aside).items())),
            "without_caption": [one.file for one in self.without_caption],
            "buckets": {f"{wide}x{high}": count for (wide, high), count in self.bucket_counts.items()},
            "factors": {str(factor): count for factor, count in self.factor_counts.items()},
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, as the file has it."""
        data = {name: value for name, value in vars(self).items() if name not in ("changed", "errors")}
        rows = {name: [asdict(row) for row in data[name]] for name in ("pictures", "aside")}
        return {**data, **rows, "summary": self.summary()}


def dump(dataset: Dataset) -> bytes:
    """The file's bytes."""
    return (json.dumps(dataset.as_dict(), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


@cache
def _reader() -> TypeAdapter[Dataset]:
    return TypeAdapter(Dataset)


def load(folder: Path) -> Dataset | None:
    """The record of a folder, None where there is none. Raises ConfigError where it cannot be read."""
    path = folder / NAME
    try:
        data = json.loads(read_bounded(path, _MOST))
        data.pop("summary", None)
        if data.get("version") != VERSION:
            raise ConfigError(
                f"{path} is of version {data.get('version')!r}, and this pixelrouter reads version {VERSION}.",
                hint="Update pixelrouter, or delete the file and prepare the set again.",
            )
        return _reader().validate_python(data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError, ValidationError, RecursionError) as error:
        raise ConfigError(
            f"{path} cannot be read: {str(error).splitlines()[0]}", hint="Delete it and prepare the set again."
        ) from None
