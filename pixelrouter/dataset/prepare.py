"""From a folder of images to a training set: finished to 1x, chosen, enlarged into buckets, captioned, reported.

Sources are only read. Workers get bytes and give back bytes; this process alone writes, each file whole. What is done
is in a journal, so a second run does only what changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pixelrouter.dataset import captions, record
from pixelrouter.dataset.job import Job, Native, NoGrid, Plate, to_bucket, to_native
from pixelrouter.dataset.kohya import CONFIG, config
from pixelrouter.dataset.page import PAGE, page
from pixelrouter.dataset.places import ASIDE, NATIVE, SPLITS, File, check_places, find_files
from pixelrouter.dataset.record import Aside, Dataset, Picture
from pixelrouter.dataset.select import Candidate, choose, split_of, together
from pixelrouter.dataset.spec import LAYOUT, DatasetSpec
from pixelrouter.errors import PixelRouterError, UnreadableImage
from pixelrouter.pixels.batch.batch import Progress, Step
from pixelrouter.pixels.batch.executors import Executor, InProcess, Processes, cores
from pixelrouter.pixels.batch.job import versions
from pixelrouter.pixels.batch.journal import Journal, digest, write
from pixelrouter.pixels.decode import read_file

_FEW = 4  # files that no process is started for
_EMPTY = 0.5  # the share of padding from which a picture is told of


def prepare(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    spec: DatasetSpec | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    *,
    files: Mapping[str, str] | None = None,
) -> Dataset:
    """A training set of every image in a folder and its subfolders, written into ``out``.

    ``out`` gets the folders ``train`` (and ``validation``), ``1x``, ``rejected`` (small copies of images without a
    grid), ``dataset.json``, ``dataset.html`` and ``dataset.toml``. An image that cannot be read or has no grid is set
    aside; the others go on. A second run does only what changed, removes files whose image is gone, and keeps captions
    that were edited in ``out``. ``files``: only these of the folder, each by its path in it, "/" between, with its
    caption, "" to look for one. ``executor``: None for processes on all cores. ``progress`` is called after each file.

    Raises InvalidRequest where ``source`` is no folder or ``out`` holds something else, StoreError where nothing can
    be written.
    """
    root, place = Path(source), Path(out)
    check_places(root, place)
    spec = spec or DatasetSpec()
    run = _Run(root, place, spec, progress, files)
    try:
        candidates = run.finish(executor)
        chosen, aside = choose(candidates, spec)
        pictures = run.enlarge(chosen, executor)
    finally:
        run.journal.close()
    return run.write(pictures, [*run.aside, *aside])


class _Run:
    """One run over a folder."""

    def __init__(
        self, root: Path, out: Path, spec: DatasetSpec, progress: Progress | None, files: Mapping[str, str] | None
    ) -> None:
        self.root, self.out, self.spec, self.progress = root, out, spec, progress
        self.finder = captions.Finder(root, names=spec.names, known=files or {})
        self.before = record.load(out) or Dataset()
        self.files, others = find_files(root, out, files)
        kept = (*captions.BESIDE, ".jsonl")
        self.ignored = tuple(name for name in others if Path(name).suffix.lower() not in kept)
        self.journal = Journal(out)
        self.aside: list[Aside] = []
        self.errors: dict[str, Exception] = {}
        self.changed = 0

    # --- to 1x ---

    def finish(self, executor: Executor | None) -> list[Candidate]:
        """Every picture at 1x, in the order of the files."""
        key = digest(json.dumps(self.spec.finishing(), sort_keys=True).encode())
        done: dict[int, dict[str, Any]] = {}
        sent: list[tuple[int, str]] = []
        seen = versions()

        def jobs() -> Iterator[Job]:
            for at, file in enumerate(self.files):
                try:
                    data = read_file(file.path)
                except UnreadableImage as error:
                    self._fail(file, error)
                    continue
                source = digest(data)
                if known := self.journal.find(_entry(file), source=source, key=key):
                    done[at] = known
                    self._tell("finish", len(done), len(self.files), at)
                    continue
                sent.append((at, source))
                yield Job(data, self.spec, seen)

        workers = executor or _workers(len(self.files))
        with closing(workers.map(to_native, jobs())) as works:
            for index, made in works:
                at, source = sent[index]
                file = self.files[at]
                if isinstance(made, Exception):
                    self._fail(file, made)
                    continue
                written, facts = self._stored(file, made)
                self.journal.add(_entry(file), source=source, key=key, files=written, **facts)
                done[at] = facts
                self._tell("finish", len(done), len(self.files), at)
        return [one for at in sorted(done) for one in self._candidates(self.files[at], done[at])]

    def _stored(self, file: File, made: tuple[Native, ...] | NoGrid) -> tuple[dict[Path, bytes], dict[str, Any]]:
        """The files that came of one image, written; and what the journal keeps about them."""
        if isinstance(made, NoGrid):
            place = self.out / ASIDE / f"{file.stem}.png"
            facts: dict[str, Any] = {"rejected": {"message": made.message, "confidence": made.confidence}}
            written = {place: made.preview}
        else:
            written = {self.out / self._native(file, one.part): one.png for one in made}
            facts = {"pictures": [_facts(one) for one in made]}
        for path, data in written.items():
            self._write(path, data)
        return written, facts

    def _native(self, file: File, part: str) -> str:
        return f"{NATIVE}/{file.stem}{f'.{part}' if part else ''}.png"

    def _candidates(self, file: File, facts: Mapping[str, Any]) -> list[Candidate]:
        if rejected := facts.get("rejected"):
            preview = f"{ASIDE}/{file.stem}.png"
            words, confidence = rejected["message"], round(rejected["confidence"], 4)
            self.aside.append(Aside(file.source, "", "no grid", words, confidence, preview=preview))
            return []
        caption = self.finder.find(file.path)
        found = []
        for one in facts["pictures"]:
            plain: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in one.items()
            }
            native = self._native(file, plain["part"])
            found.append(Candidate(source=file.source, native=native, caption=caption, **plain))
        return together(found)

    def _fail(self, file: File, error: Exception) -> None:
        why = "unreadable" if isinstance(error, UnreadableImage) else "failed"
        message = error.message if isinstance(error, PixelRouterError) else str(error)
        self.aside.append(Aside(file.source, "", why, message))
        self.errors[file.source] = error

    # --- into buckets ---

    def enlarge(self, chosen: Sequence[Candidate], executor: Executor | None) -> list[Picture]:
        """The training files, and all there is to say about them."""
        pictures = [self._picture(one) for one in chosen]
        sent: list[tuple[Picture, str, str]] = []

        def plates() -> Iterator[Plate]:
            for at, (one, picture) in enumerate(zip(chosen, pictures, strict=True), 1):
                self._tell("enlarge", at, len(chosen), at - 1)
                placement = self.spec.placement(one.size)
                if placement is None:
                    continue  # chosen pictures have one
                ground, pad = self.spec.ground_color, self.spec.pad
                wish = [LAYOUT, asdict(placement), ground, pad]
                key = digest(json.dumps(wish, sort_keys=True).encode())
                if self.journal.find(picture.file, source=one.pixels, key=key):
                    continue
                sent.append((picture, one.pixels, key))
                yield Plate((self.out / one.native).read_bytes(), placement, ground, pad)

        workers = executor or _workers(len(chosen) // 16)  # enlarging is quick
        with closing(workers.map(to_bucket, plates())) as works:
            for index, made in works:
                if isinstance(made, Exception):
                    raise made
                picture, source, key = sent[index]
                path = self.out / picture.file
                self._write(path, made)
                self.journal.add(picture.file, source=source, key=key, files={path: made})
        return pictures

    def _picture(self, one: Candidate) -> Picture:
        placement = self.spec.placement(one.size)
        assert placement is not None  # noqa: S101  # choose() has set the others aside
        split = split_of(one, self.spec)
        name = Path(one.native).name
        waste = round(placement.waste, 4)
        warnings = list(one.warnings)
        if waste > _EMPTY:
            warnings.append(f"{waste:.0%} of its file is padding.")
        ground = self.spec.ground_color
        shown = one.transparent or (self.spec.pad == "ground" and waste > 0)
        return Picture(
            file="/".join(part for part in (split, self.spec.folder, name) if part),
            native=one.native,
            source=one.source,
            part=one.part,
            split=split,
            size=one.size,
            factor=placement.factor,
            bucket=placement.bucket,
            box=placement.box,
            waste=waste,
            colors=len({*one.palette, *([ground] if ground and shown else [])}),
            palette=one.palette,
            method=one.method,
            confidence=round(one.confidence, 4),
            period=(round(one.period[0], 4), round(one.period[1], 4)),
            source_size=one.source_size,
            pixels=one.pixels,
            caption=captions.compose(one.caption.text, self.spec, _fields(one, self.spec)),
            caption_from=one.caption.source or ("" if "{text}" in self.spec.caption else "template"),
            warnings=tuple(warnings),
        )

    # --- captions and reports ---

    def write(self, pictures: Sequence[Picture], aside: Sequence[Aside]) -> Dataset:
        """Captions, lists and reports; what an earlier run left and nobody needs any more goes."""
        pictures = self._with_edits(pictures)
        order = {file.source: at for at, file in enumerate(self.files)}
        dataset = Dataset(
            pictures=tuple(pictures),
            aside=tuple(sorted(aside, key=lambda one: (order[one.source], one.part))),
            ignored=self.ignored,
            settings=_settings(self.spec),
            most_colors=self.spec.most_colors,
            buckets=self.spec.buckets if self.spec.upscale else (),
            ground=self.spec.ground_color or "",
            warnings=tuple(self._warnings(pictures)),
            errors=self.errors,
        )
        files = self._texts(pictures)
        for name, data in files.items():
            self._write(self.out / name, data)
        self._sweep(dataset, set(files))
        if self.spec.upscale:
            self._write(self.out / CONFIG, config(self.spec).encode())
        else:
            (self.out / CONFIG).unlink(missing_ok=True)  # pictures at 1x have no size that a trainer takes
        self._write(self.out / PAGE, page(dataset, self.out).encode())
        self._write(self.out / record.NAME, record.dump(dataset))
        return replace(dataset, changed=self.changed)

    def _with_edits(self, pictures: Sequence[Picture]) -> list[Picture]:
        """The pictures with the captions that a person has changed in the set since it was written."""
        earlier = {(one.source, one.part): one for one in self.before.pictures}
        edited = []
        for one in pictures:
            old = earlier.get((one.source, one.part))
            text = _edit(self.out, old) if old else None
            edited.append(one if text is None else replace(one, caption=text, caption_from="edited"))
        return edited

    def _texts(self, pictures: Sequence[Picture]) -> dict[str, bytes]:
        """Caption files and lists by their paths in the set."""
        files = {}
        if self.spec.captions in ("both", "txt"):
            files = {_text_file(one.file): f"{one.caption}\n".encode() for one in pictures if one.caption}
        if self.spec.captions in ("both", "jsonl"):
            for split in SPLITS:
                rows = [
                    {"file_name": one.file.removeprefix(f"{split}/"), "text": one.caption}
                    for one in pictures
                    if one.split == split
                ]
                if rows:
                    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
                    files[f"{split}/{captions.LIST}"] = ("\n".join(lines) + "\n").encode()
        return files

    def _warnings(self, pictures: Sequence[Picture]) -> Iterator[str]:
        if not pictures:
            yield "No picture came into the set."
        elif self.spec.validation and not any(one.split == "validation" for one in pictures):
            yield "No picture fell to validation: a larger share or more images would give some."
        elif not any(one.split == "train" for one in pictures):
            yield "Every picture fell to validation."

    def _sweep(self, dataset: Dataset, texts: set[str]) -> None:
        """Remove what earlier runs wrote and this set has not: files of images that are gone or moved."""
        made = _files_of(self.before) | {f"{split}/{captions.LIST}" for split in SPLITS}
        made |= {_text_file(one.file) for one in self.before.pictures}
        kept = texts | _files_of(dataset)
        for name in sorted(made - kept):
            path = self.out / name
            if path.resolve().is_relative_to(self.out.resolve()):  # a record is only a file: it may say anything
                path.unlink(missing_ok=True)
                with suppress(OSError):
                    path.parent.rmdir()  # where it is empty

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file, unless it says that already."""
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return
        write(path, data)
        self.changed += 1

    def _tell(self, stage: str, done: int, total: int, at: int) -> None:
        if self.progress:
            self.progress(Step(stage, done, total, at))


def _workers(count: int) -> Executor:
    return InProcess() if count < _FEW else Processes(min(count, cores()))


def _entry(file: File) -> str:
    return f"source {file.source}"


def _facts(one: Native) -> dict[str, Any]:
    """What a journal keeps of a picture: the fields of a Candidate, JSON-ready."""
    report = one.report
    return {
        "part": one.part,
        "size": list(one.size),
        "palette": list(one.palette),
        "transparent": one.transparent,
        "pixels": one.pixels,
        "mirrored": one.mirrored,
        "method": report.method,
        "confidence": report.confidence,
        "period": list(report.grid.period),
        "source_size": list(report.source_size),
        "warnings": list(report.warnings),
    }


def _fields(one: Candidate, spec: DatasetSpec) -> dict[str, Any]:
    folder = Path(one.source).parent
    return {
        "name": captions.words(Path(one.source).stem),
        "folder": captions.words(folder.name) if folder.name else "",
        "colors": len(one.palette),
        "width": one.size[0],
        "height": one.size[1],
        "palette": spec.palette_name,
    }


def _settings(spec: DatasetSpec) -> dict[str, Any]:
    """The wishes as data: those that are not at their default."""
    plain, default = asdict(spec), asdict(DatasetSpec())
    finish = {name: value for name, value in plain["finish"].items() if value != default["finish"][name]}
    return {
        **{name: value for name, value in plain.items() if name != "finish" and value != default[name]},
        "resolution": spec.resolution,
        "finish": {**finish, "colors": spec.finish.colors, "policy": spec.finish.policy},
    }


def _files_of(dataset: Dataset) -> set[str]:
    """The images of a set by their paths in it: training files, those at 1x, small copies."""
    names = {name for one in dataset.pictures for name in (one.file, one.native)}
    return names | {name for one in dataset.aside for name in (one.native, one.preview) if name}


def _text_file(picture: str) -> str:
    return f"{picture.removesuffix('.png')}.txt"


def _edit(out: Path, old: Picture) -> str | None:
    """The caption that a person has written over what an earlier run wrote; None where it is as it was."""
    try:
        text = (out / _text_file(old.file)).read_text("utf-8", errors="replace").strip()
    except OSError:
        return None
    text = " ".join(text.split())
    return text if text != old.caption or old.caption_from == "edited" else None
