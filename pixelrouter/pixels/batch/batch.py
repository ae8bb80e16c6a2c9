"""Whole folders through the post-processor: on all cores, resumable, and no bad file stops the others.

The parent reads and writes files; a worker gets the bytes of one image and gives back the bytes of its results. So it
does not matter where the worker runs, and nothing half done is ever left behind.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pixelrouter.errors import InvalidRequest, PixelRouterError, UnreadableImage
from pixelrouter.pixels.batch.executors import Executor, InProcess, Processes
from pixelrouter.pixels.batch.job import Job, Made, common_palette, count_colors, make, versions
from pixelrouter.pixels.batch.journal import Journal, digest, write
from pixelrouter.pixels.colors.indexed import ENTRIES
from pixelrouter.pixels.decode import read_file
from pixelrouter.pixels.explain.page import Card
from pixelrouter.pixels.explain.page import index as index_page
from pixelrouter.pixels.spec import FinishSpec
from pixelrouter.types import Grid, Report

ENDINGS = (".png", ".apng", ".gif", ".webp", ".jpg", ".jpeg")  # of the files that a folder is searched for


@dataclass(frozen=True)
class Item:
    """One file of a batch: where it is read, where the result goes, and where a page that explains it goes, if any.

    A ``target`` without a ``fixed`` ending gets that of the format: .png for stills, that of the source for what moves.
    """

    source: Path
    target: Path
    page: Path | None = None
    fixed: bool = False


@dataclass(frozen=True)
class FileResult:
    """What became of one file: ``files`` written and the ``report``, or an ``error``.

    ``skipped``: an earlier run had done it; nothing was written.
    """

    source: Path
    files: tuple[Path, ...] = ()
    palette: tuple[str, ...] = ()
    report: Report | None = None
    error: Exception | None = None
    skipped: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON-ready data."""
        if isinstance(self.error, PixelRouterError):
            return {"source": str(self.source), "error": self.error.as_dict()}
        if self.error is not None:
            return {
                "source": str(self.source),
                "error": {"type": type(self.error).__name__, "message": str(self.error)},
            }
        return {
            "source": str(self.source),
            "files": [str(file) for file in self.files],
            "palette": list(self.palette),
            "skipped": self.skipped,
            **(self.report.as_dict() if self.report else {}),
        }


@dataclass(frozen=True)
class BatchReport:
    """The results of a batch, in the order of its files, and the files of its folder that are no images."""

    results: tuple[FileResult, ...]
    ignored: tuple[Path, ...] = ()
    palette: tuple[str, ...] = ()  # the shared one

    @property
    def errors(self) -> dict[Path, Exception]:
        """What went wrong, by source."""
        return {result.source: result.error for result in self.results if result.error is not None}

    @property
    def finished(self) -> int:
        """How many files were written."""
        return sum(result.error is None and not result.skipped for result in self.results)

    @property
    def skipped(self) -> int:
        """How many files an earlier run had done."""
        return sum(result.skipped for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        """The whole as JSON-ready data."""
        return {
            "results": [result.as_dict() for result in self.results],
            "ignored": [str(path) for path in self.ignored],
            "palette": list(self.palette),
        }


@dataclass(frozen=True)
class Step:
    """How far a batch is. ``stage``: "palette" while the colours of all files are counted, then "finish".

    ``index`` and ``result``: which file is done, and what became of it; None while colours are counted.
    """

    stage: str
    done: int
    total: int
    index: int
    result: FileResult | None = None


Progress = Callable[[Step], None]


def finish_folder(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    spec: FinishSpec,
    executor: Executor | None = None,
    progress: Progress | None = None,
    *,
    scale: int = 1,
    shared_palette: bool = False,
    explain: str | os.PathLike[str] | None = None,
) -> BatchReport:
    """Every image in a folder, finished into ``out`` under the same names and subfolders, as indexed PNG.

    A file whose result is there already, made of the same content by the same wishes, is skipped. A file that fails is
    an error in the report; the others go on. ``executor``: None for processes on all cores. ``progress`` is called
    after each file. ``scale`` enlarges the files by a whole factor. ``shared_palette``: one palette over all files.
    ``explain``: a folder for a page about each file, with an index. Raises InvalidRequest where ``source`` is no
    folder, or lies where ``out`` is, and StoreError where nothing can be written.
    """
    pages = None if explain is None else Path(explain)
    items, ignored = folder_items(Path(source), Path(out), pages)
    journal = Journal(Path(out))
    report = finish_files(items, spec, executor, progress, scale=scale, shared_palette=shared_palette, journal=journal)
    if pages:
        write_index(pages, report)
    return replace(report, ignored=tuple(ignored))


def folder_items(source: Path, out: Path, pages: Path | None = None) -> tuple[list[Item], list[Path]]:
    """The images in a folder and its subfolders with their targets in ``out``, sorted; and the files that are none.

    Hidden files and folders are not looked at, nor are ``out`` and ``pages`` where they lie inside. Raises
    InvalidRequest.
    """
    if not source.is_dir():
        raise InvalidRequest(f"{source} is not a folder.", hint="Name a folder with images.")
    if source.resolve() == out.resolve():
        raise InvalidRequest(
            f"{out} holds the sources: a result would overwrite its own source.", hint="Choose another folder."
        )
    ours = {path.resolve() for path in (out, pages) if path is not None}
    files: list[Path] = []
    for folder, below, names in os.walk(source):
        here = Path(folder)
        below[:] = [name for name in below if name[0] != "." and (here / name).resolve() not in ours]
        files += [here / name for name in names if name[0] != "."]
    return items_below(source, files, out, pages)


def items_below(
    root: Path, files: Sequence[Path], out: Path, pages: Path | None = None
) -> tuple[list[Item], list[Path]]:
    """Files below a folder with their targets below ``out``, sorted; and those that are no images by their names."""
    ordered = sorted(files, key=lambda path: path.relative_to(root).as_posix())
    images = [path for path in ordered if path.suffix.lower() in ENDINGS]
    names = target_names([path.relative_to(root) for path in images])
    items = [
        Item(path, out / name, pages and pages / name.with_name(f"{name.name}.html"))
        for path, name in zip(images, names, strict=True)
    ]
    return items, [path for path in ordered if path.suffix.lower() not in ENDINGS]


def target_names(sources: Sequence[Path]) -> list[Path]:
    """The name of each result: ``hero.jpg`` becomes ``hero.png``, or ``hero.jpg.png`` where there are several heroes.

    A source that ends in .png keeps its name. Names that differ in upper and lower case alone count as one, since some
    disks cannot tell them apart.
    """
    stems = Counter(str(path.with_suffix("")).casefold() for path in sources)
    taken: set[str] = set()
    names = []
    for path in sources:
        alone = stems[str(path.with_suffix("")).casefold()] == 1
        name = path.with_suffix(".png") if alone or path.suffix == ".png" else path.with_name(f"{path.name}.png")
        number = 2
        while str(name).casefold() in taken:
            name = path.with_name(f"{path.name}-{number}.png")
            number += 1
        taken.add(str(name).casefold())
        names.append(name)
    return names


def finish_files(
    items: Sequence[Item],
    spec: FinishSpec,
    executor: Executor | None = None,
    progress: Progress | None = None,
    *,
    scale: int = 1,
    shared_palette: bool = False,
    journal: Journal | None = None,
) -> BatchReport:
    """The files of a batch, each to its target; see :func:`finish_folder`. ``journal``: what is done already.

    An interruption (KeyboardInterrupt) ends the workers and is raised again; what is done is in place and noted.
    """
    if executor is None:
        executor = InProcess() if len(items) == 1 else Processes(min(len(items), Processes().jobs) or None)
    batch = _Batch(items, executor, progress, journal)
    try:
        if shared_palette:
            spec = batch.with_shared_palette(spec)
        batch.finish(spec, scale)
    finally:
        if journal is not None:
            journal.close()
    palette = (spec.palette or ()) if shared_palette else ()
    return BatchReport(tuple(batch.results[at] for at in range(len(items))), palette=palette)


def write_index(folder: Path, report: BatchReport) -> Path:
    """``index.html`` over the pages that explain a batch. Raises StoreError."""
    cards = []
    for result in report.results:
        page = next((file for file in result.files if file.suffix == ".html"), None)
        link = None if page is None else Path(os.path.relpath(page, folder)).as_posix()
        image = result.files[0].read_bytes() if result.files else b""
        cards.append(Card(str(result.source), link, image, result.report, str(result.error or "")))
    place = folder / "index.html"
    write(place, index_page(cards).encode())
    return place


class _Batch:
    """One run over the files: what became of each so far, by its place in the list."""

    def __init__(
        self, items: Sequence[Item], executor: Executor, progress: Progress | None, journal: Journal | None
    ) -> None:
        self.items = items
        self.executor = executor
        self.progress = progress
        self.journal = journal
        self.results: dict[int, FileResult] = {}
        self.versions = versions()

    def with_shared_palette(self, spec: FinishSpec) -> FinishSpec:
        """The wishes with one palette for all files as their palette. Colours are counted, file by file, first."""
        if spec.palette is not None or spec.one_bit:
            return replace(spec, pad_palette=spec.palette is not None)  # one palette as it is
        alone = replace(spec, colors=ENTRIES, dither="none", pad_palette=False)
        key = _key(alone, "colors")
        counts: Counter[str] = Counter()
        clear = False
        seen = 0

        def take(at: int, found: tuple[Mapping[str, int], bool]) -> None:
            nonlocal clear, seen
            counts.update(found[0])
            clear |= found[1]
            seen += 1
            self._tell(Step("palette", seen, len(self.items), at))

        def jobs() -> Iterator[Job]:
            for at, (data, source) in self._sources():
                known = self.journal and self.journal.find(f"colors of {source}", source=source, key=key)
                if known:
                    take(at, (known["colors"], known["clear"]))
                else:
                    sent.append((at, source))
                    yield Job(self.items[at].source.name, data, alone, versions=self.versions)

        sent: list[tuple[int, str]] = []
        with closing(self.executor.map(count_colors, jobs())) as measured:
            for index, found in measured:
                at, source = sent[index]
                if isinstance(found, Exception):
                    self._done(at, FileResult(self.items[at].source, error=found))
                    continue
                if self.journal:
                    facts = {"colors": found[0], "clear": found[1]}
                    self.journal.add(f"colors of {source}", source=source, key=key, files={}, **facts)
                take(at, found)
        palette = common_palette(counts, spec, clear=clear)
        return replace(spec, palette=palette, pad_palette=True) if palette else spec

    def finish(self, spec: FinishSpec, scale: int) -> None:
        """Finishes every file that has no result yet."""
        key = _key(spec, f"x{scale}")
        sent: list[tuple[int, str]] = []

        def jobs() -> Iterator[Job]:
            for at, (data, source) in self._sources():
                item = self.items[at]
                if known := self._known(item, source, key):
                    self._done(at, known)
                    continue
                sent.append((at, source))
                page = item.page.suffix.lower() if item.page else ""
                ending = item.target.suffix if item.fixed else ""
                yield Job(item.source.name, data, spec, scale, ending, page, self.versions)

        with closing(self.executor.map(make, jobs())) as works:  # closed by an interruption, too
            for index, made in works:
                at, source = sent[index]
                self._done(at, self._save(self.items[at], made, source, key))

    def _sources(self) -> Iterator[tuple[int, tuple[bytes, str]]]:
        """The place, bytes and content hash of each file without a result, read one by one."""
        for at, item in enumerate(self.items):
            if at in self.results:
                continue
            try:
                data = read_file(item.source)
            except UnreadableImage as error:
                self._done(at, FileResult(item.source, error=error))
                continue
            yield at, (data, digest(data))

    def _known(self, item: Item, source: str, key: str) -> FileResult | None:
        """The result of an earlier run, if it is all there."""
        entry = self.journal and self.journal.find(self._name(item), source=source, key=key)
        if not entry or (item.page and os.path.relpath(item.page, item.target.parent) != entry.get("page")):
            return None
        try:
            report = _report(entry["report"])
            files = _written(item, entry["ending"])
            return FileResult(item.source, files, tuple(entry["palette"]), report, skipped=True)
        except (KeyError, TypeError):  # written by another version
            return None

    def _save(self, item: Item, made: Made | Exception, source: str, key: str) -> FileResult:
        if isinstance(made, Exception):
            return FileResult(item.source, error=made)
        places = _written(item, made.ending)
        files = dict(zip(places, (made.data, made.explanation), strict=False))
        try:
            for path, data in files.items():
                write(path, data)
            if self.journal:
                page = item.page and os.path.relpath(item.page, item.target.parent)
                facts = {"palette": made.palette, "report": asdict(made.report), "page": page, "ending": made.ending}
                self.journal.add(self._name(item), source=source, key=key, files=files, **facts)
        except PixelRouterError as error:
            return FileResult(item.source, error=error)
        return FileResult(item.source, places, made.palette, made.report)

    def _name(self, item: Item) -> str:
        assert self.journal is not None  # noqa: S101  # only asked where there is one
        return Path(os.path.relpath(item.target, self.journal.folder)).as_posix()

    def _done(self, at: int, result: FileResult) -> None:
        self.results[at] = result
        self._tell(Step("finish", len(self.results), len(self.items), at, result))

    def _tell(self, step: Step) -> None:
        if self.progress:
            self.progress(step)


def _written(item: Item, ending: str) -> tuple[Path, ...]:
    target = item.target if item.fixed else item.target.with_suffix(ending)
    return (target, item.page) if item.page else (target,)


def _key(spec: FinishSpec, form: str) -> str:
    """The finishing key: the same for the same wishes by the same algorithm."""
    return digest(json.dumps([spec.key_parts(), form], sort_keys=True).encode())


def _report(data: Mapping[str, Any]) -> Report:
    """A report from its JSON form. Raises KeyError or TypeError where it is another version's."""

    def tuples(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}

    return Report(**{**tuples(data), "grid": Grid(**tuples(data["grid"]))})
