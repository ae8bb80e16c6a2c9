"""The free part of a build: from locked candidates to files, on every core. No network, no ledger.

Workers are plain processes that are handed one job after the other over their standard streams. They do not run the
caller's script again, as Python's own pools do where it has no ``if __name__ == "__main__"``, and open no socket.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixelrouter.assets.asset import Asset, Project
from pixelrouter.assets.deliver import Delivered, differs, files_of, out_folder, png_path, save, unchanged
from pixelrouter.assets.hands import by_hand
from pixelrouter.assets.keys import exporting_key, finishing_key
from pixelrouter.assets.lock import Locked
from pixelrouter.assets.planning import chosen
from pixelrouter.assets.render import render
from pixelrouter.assets.shelf import RawSource, Shelf
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import LockMismatch, PixelRouterError, WorkerDied

FEWEST = 12  # jobs for which starting processes is worth the while


@dataclass(frozen=True, slots=True)
class Job:
    """One asset to finish and write. ``compare``: nothing but what the lock says may come out."""

    asset: Asset
    locked: Locked
    project: Project
    folder: Path  # the manifest's
    shelf: tuple[Path, ...]
    compare: bool = False
    force: bool = False  # what was changed by hand is written over


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job."""

    locked: Locked
    delivered: Delivered


def work(job: Job) -> Done:
    """Finish, export and write one asset. Raises StoreError, LockMismatch, or what finishing and exporting raise."""
    sprite = sprite_for(job)
    out = out_folder(job.project, job.folder)
    files, pixels = files_of(sprite, job.asset, job.locked, job.project)
    hand = {} if job.force else job.locked.hand
    if job.compare:
        _compare(job, files, out)
    delivered = save(
        files, pixels, job.folder, out, job.locked.outputs, name=job.asset.name, hand=hand, force=job.force
    )
    if job.compare:
        return Done(job.locked, delivered)
    return Done(relocked(job, sprite, delivered, out), delivered)


def sprite_for(job: Job, raws: RawSource | None = None) -> Sprite:
    """The asset as it is: rendered from its picked candidate, with the pixels that a person has drawn over it."""
    picked = chosen(job.locked.candidates, job.locked)
    assert picked is not None  # noqa: S101  (a locked asset has candidates)
    raws = raws or Shelf(*job.shelf)
    sprite = render(job.asset, picked, raws, pixels_per_unit=job.project.pixels_per_unit).sprite
    path = png_path(job.asset, out_folder(job.project, job.folder))
    if path in job.locked.hand and not job.force:
        return by_hand(sprite, job.folder / path)
    return sprite


def relocked(job: Job, sprite: Sprite, delivered: Delivered, out: str) -> Locked:
    """The lock's entry after the files were written."""
    from pixelrouter.pixels.spec import ALGORITHM

    picked = chosen(job.locked.candidates, job.locked)
    assert picked is not None  # noqa: S101  (a locked asset has candidates)
    return replace(
        job.locked,
        pick=job.locked.pick
        if job.locked.pick.number == picked.number
        else replace(job.locked.pick, number=picked.number, by="", at=""),
        finishing=finishing_key(job.asset, picked),
        exporting=exporting_key(job.asset, job.project, out),
        algorithm=ALGORITHM,
        style=job.asset.style,
        size=sprite.size,
        palette=sprite.palette,
        outputs=dict(delivered.outputs),
        hand={} if job.force else {path: note for path, note in job.locked.hand.items() if path in delivered.outputs},
    )


def _compare(job: Job, files: dict[str, bytes], out: str) -> None:
    """Raise LockMismatch where the files are not those of the lock, or those on the disk are somebody's work."""
    from pixelrouter.pixels.spec import ALGORITHM

    made = {f"{out}/{name}": data for name, data in files.items()}
    locked = job.locked.outputs
    for path, output in locked.items():
        if path in job.locked.hand:
            if not unchanged(job.folder / path, output):
                raise LockMismatch(
                    f"{path} was made by hand, and is gone or not what the lock says.", hint="Restore it from git."
                )
            continue
        if path not in made:
            raise LockMismatch(
                f"{path} is in the lock, and the manifest no longer asks for it.",
                hint="Build where spending is allowed, or pick again, and commit the lock.",
            )
        if differs(path, made[path], output):
            raise LockMismatch(_difference(path, job.locked.algorithm, ALGORITHM))
        if unchanged(job.folder / path, output) is False and not job.force:
            raise LockMismatch(
                f"{path} was changed: `pixelrouter adopt {job.asset.name}` keeps it, --force writes over it."
            )


def _difference(path: str, locked: str, here: str) -> str:
    if locked != here:
        return (
            f"{path} was finished by the post-processor {locked}, and this pixelrouter has {here}: install the version "
            "that wrote the lock, or `pixelrouter build --upgrade-post` (free)."
        )
    return (
        f"{path} comes out otherwise than the lock says: how it is finished or exported was changed since. "
        "Build again (free), and commit the lock."
    )


def work_off(jobs: Sequence[Job], cores: int | None = None) -> Iterator[tuple[int, Done | PixelRouterError]]:
    """The jobs' numbers and what came of each, as they are done. Closing the iterator ends all work."""
    from pixelrouter.pixels.batch.executors import cores as there_are

    count = min(cores or there_are(), len(jobs) // (FEWEST // 2))
    if count < 2:
        for number, job in enumerate(jobs):
            yield number, _attempt(job)
        return
    yield from _spread(jobs, count)


def _attempt(job: Job) -> Done | PixelRouterError:
    try:
        return work(job)
    except PixelRouterError as error:
        return error


def _spread(jobs: Sequence[Job], count: int) -> Iterator[tuple[int, Done | PixelRouterError]]:
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(jobs)):
        waiting.put(number)
    done: queue.SimpleQueue[tuple[int, Done | PixelRouterError | BaseException]] = queue.SimpleQueue()
    workers = [_Process() for _ in range(count)]
    threads = [threading.Thread(target=_feed, args=(one, jobs, waiting, done), daemon=True) for one in workers]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            number, result = done.get()
            if isinstance(result, BaseException) and not isinstance(result, PixelRouterError):
                raise result
            yield number, result
    finally:
        for worker in workers:
            worker.stop()


def _feed(worker: _Process, jobs: Sequence[Job], waiting: queue.SimpleQueue[int], done: queue.SimpleQueue[Any]) -> None:
    """One thread a worker: hands over jobs until there are none."""
    while True:
        try:
            number = waiting.get_nowait()
        except queue.Empty:
            return
        done.put((number, worker.do(jobs[number])))


class _Process:
    """One worker process. A job that kills it gets WorkerDied, and another process goes on."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def do(self, job: Job) -> Any:
        """What came of a job: Done, or what was raised."""
        if self._stopped:
            return WorkerDied("The build was broken off.")
        try:
            process = self._process = self._process or self._start()
            assert process.stdin is not None  # noqa: S101  (they are pipes)
            assert process.stdout is not None  # noqa: S101  (the same)
            pickle.dump(job, process.stdin)
            process.stdin.flush()
            return pickle.load(process.stdout)  # noqa: S301  (written by our own process)
        except (OSError, EOFError, pickle.UnpicklingError):
            code = self._process.wait() if self._process else None
            self._process = None
            return WorkerDied(f"{job.asset.name}: the process that finished it ended ({code}).", hint="Build again.")

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        home = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
        # Each works on one core: numpy's libraries would take all of them, each for itself.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return subprocess.Popen(
            [sys.executable, "-m", "pixelrouter.assets.work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **threads, "PYTHONPATH": path},
        )

    def stop(self) -> None:
        self._stopped = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _serve() -> None:
    """A worker's life: jobs come in on stdin, results leave on stdout."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the build decides
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not write into the results
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)  # noqa: S301  (written by the build that started us)
        except EOFError:
            return
        try:
            result: Any = work(job)
        except Exception as error:  # noqa: BLE001  # told to the build, which raises it
            result = error
        pickle.dump(result, results)
        results.flush()


if __name__ == "__main__":
    # The objects' classes are those of the imported module, not of __main__.
    from pixelrouter.assets.work import _serve as serve

    serve()
