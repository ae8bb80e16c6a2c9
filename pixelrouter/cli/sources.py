"""Which files ``finish`` reads and where each result goes: from the arguments to the items of a batch."""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrouter.cli.files import check_folder
from pixelrouter.cli.pictures import is_pattern, matches
from pixelrouter.errors import InvalidRequest

if TYPE_CHECKING:
    from pixelrouter.pixels.batch.batch import Item

PIPE = Path("-")
PICTURES = (".png", ".gif", ".webp", ".apng")  # what results are saved as


@dataclass
class Plan:
    """The items of a batch; ``folder`` is where results are kept, if it is one, ``pages`` where pages explain them.

    ``ignored``: files of a folder that are no images.
    """

    items: list[Item] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)
    folder: Path | None = None
    pages: Path | None = None


def plan(sources: list[Path], output: Path | None, explain: Path | None) -> Plan:
    """Where each result goes. Raises InvalidRequest before any work if a place cannot be written."""
    alone = len(sources) == 1 and not sources[0].is_dir() and not is_pattern(sources[0])
    if alone and output is not None and output.suffix and not output.is_dir():
        check_picture(output)
        plan = Plan([_item(sources[0], output, _page(explain, output), fixed=True)])
    else:
        plan = _several(sources, output, explain, alone=alone)
    read = {item.source.absolute() for item in plan.items}
    written: set[Path] = set()
    for item in plan.items:
        if item.target.absolute() in read:
            raise InvalidRequest(f"{item.target} would overwrite its own source.", hint="Choose another place with -o.")
        for place in filter(None, (item.target, item.page)):
            if place.absolute() in written:
                raise InvalidRequest(f"Two files would be saved as {place}.", hint="Finish them in two calls.")
            written.add(place.absolute())
    return plan


def _several(sources: list[Path], output: Path | None, explain: Path | None, *, alone: bool) -> Plan:
    from pixelrouter.pixels.batch.batch import folder_items, items_below

    if output is not None and output.suffix.lower() in PICTURES and not output.is_dir():
        raise InvalidRequest(f"{output} is one file.", hint="Name a folder for the results: -o OUT.")
    if output is not None:
        check_folder(output)
    one_page = alone and explain is not None and explain.suffix and not explain.is_dir()
    plan = Plan(folder=output, pages=None if one_page else explain)
    if plan.pages:
        if plan.pages.suffix and not plan.pages.is_dir():
            raise InvalidRequest(f"{explain} is one file.", hint="Name a folder for the pages: --explain PAGES.")
        check_folder(plan.pages)
    for source in sources:
        if source.is_dir():
            if output is None:
                raise InvalidRequest(f"{source} is a folder.", hint="Say where the results go: -o OUT.")
            within = Path(source.absolute().name) if len(sources) > 1 else Path()  # several keep their names
            found = folder_items(source, output / within, plan.pages and plan.pages / within)
        elif is_pattern(source):
            if output is None:
                raise InvalidRequest(f"{source} is a pattern.", hint="Say where the results go: -o OUT.")
            root, files = _matches(source)
            found = items_below(root, files, output, plan.pages)
        else:
            target = output / f"{source.stem}.png" if output else source.with_name(f"{source.stem}-finished.png")
            check_picture(target)
            page = _page(explain, target) if one_page else plan.pages and plan.pages / f"{target.name}.html"
            found = [_item(source, target, page)], []
        plan.items += found[0]
        plan.ignored += found[1]
    return plan


def _item(source: Path, target: Path, page: Path | None, *, fixed: bool = False) -> Item:
    from pixelrouter.pixels.batch.batch import Item

    return Item(source, target, page, fixed)


def _page(explain: Path | None, target: Path) -> Path | None:
    """Where one file is explained: the file that was named, or one in the folder."""
    if explain is None:
        return None
    if not explain.suffix or explain.is_dir():
        explain = explain / f"{target.name}.html"
    check_page(explain)
    return explain


def check_picture(path: Path) -> None:
    """Raise InvalidRequest if no result can be written there."""
    if path.suffix.lower() not in PICTURES:
        hint = "Pixel art is saved as .png; what moves also as .gif, .webp or .apng."
        raise InvalidRequest(f"{path.name!r} does not end in .png.", hint=hint)
    if path.is_dir():
        raise InvalidRequest(f"{path} is a folder.", hint="Name a file: -o NAME.png.")
    check_folder(path.parent)


def check_page(path: Path) -> None:
    """Raise InvalidRequest if a page or picture cannot be written there."""
    if path.suffix.lower() not in (".html", ".png"):
        raise InvalidRequest(f"{path.name!r} is neither a page nor a picture.", hint="Name a .html or a .png file.")
    check_folder(path.parent)


def _matches(pattern: Path) -> tuple[Path, list[Path]]:
    """The files that match, and the folder below which they keep their structure. Raises InvalidRequest."""
    parts = pattern.parts
    fixed = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:fixed]), matches(pattern)
