"""Where a batch is worked off: in this process, in processes of this machine, or on a Ray cluster.

An executor maps a pure function over items and says with each result which item it belongs to. It decides nothing
else, so the results are the same wherever they were made.
"""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, TypeAlias, TypeVar

from pixelrouter.errors import ConfigError, PixelRouterError, WorkerDied

T = TypeVar("T")
R = TypeVar("R")
Results: TypeAlias = Generator[tuple[int, R | Exception], None, None]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # what numpy's libraries read when loaded
_KNOCK = 10.0  # seconds for a cluster to answer


class Executor(Protocol):
    """Maps a pure function over items, several at a time."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Results[R]:
        """Yield ``(index, result)`` of every item as results come, in any order.

        What the function raised stands in its result's place, and WorkerDied where the process is gone.
        ``items`` is read one by one, only as far as there are hands to work on them, so a long iterator costs no
        memory. Function, items and results can be pickled. Closing the generator ends all work at once.
        """
        ...


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def attempt(function: Callable[[T], R], item: T) -> R | Exception:
    """The function's result or what it raised, with the traceback as a note: tracebacks do not travel."""
    try:
        return function(item)
    except Exception as error:  # noqa: BLE001  # one bad item must not stop the others
        if not isinstance(error, PixelRouterError):
            error.add_note("".join(traceback.format_exception(error)))
        return error


class InProcess:
    """One item after the other, in this process. A crash takes the whole program along."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Results[R]:
        for index, item in enumerate(items):
            yield index, attempt(function, item)


class Processes:
    """Processes of this machine, one item each at a time. ``jobs``: how many, None for one a core.

    They are spawned, not forked, which is safe beside threads and the same on every system. Each has a pipe of its
    own: when one dies, it is known which item it held. That item gets WorkerDied, and a new process takes the
    place of the dead one.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs or cores()

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Results[R]:
        waiting = enumerate(items)
        busy: dict[Any, _Worker] = {}

        def employ(index: int, item: T) -> None:
            worker = _Worker(function, index, item)
            stack.callback(worker.stop)
            busy[worker.pipe] = worker

        with ExitStack() as stack:
            for first in itertools.islice(waiting, self.jobs):
                employ(*first)
            while busy:
                for pipe in connection.wait(list(busy)):
                    worker = busy[pipe]
                    if not worker.started and worker.start():
                        continue
                    result = worker.result()
                    yield worker.index, result
                    following = next(waiting, None)
                    if following is not None and worker.give(*following):
                        continue
                    del busy[pipe]
                    worker.stop()
                    if following is not None:
                        employ(*following)


class _Worker:
    """One spawned process, the pipe to it, and the item it holds."""

    def __init__(self, function: Callable[[Any], Any], index: int, item: Any) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(theirs, function), daemon=True)
        with _starting():
            self.process.start()
        theirs.close()
        self.started = False
        self.index = index
        self.first = item  # kept until the process reads: a large item fills the pipe, and sending would wait

    def start(self) -> bool:
        """Hands over the first item once the process says that it is there. False where it was killed before.

        Raises ConfigError if no process ever will be there.
        """
        self.started = True
        try:
            self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            if (self.process.exitcode or 0) < 0:
                return False
            raise ConfigError(
                "A worker process could not start.",
                hint='A script that starts processes needs `if __name__ == "__main__":`; or use one job.',
            ) from None
        first, self.first = self.first, None
        return self.give(self.index, first)

    def give(self, index: int, item: Any) -> bool:
        """Hands over an item. False where the process is gone, and cannot be blamed on it."""
        self.index = index
        try:
            self.pipe.send(item)
        except OSError:
            return False
        return True

    def result(self) -> Any:
        """What came of the item."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
        code = self.process.exitcode or 0
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"left with exit code {code}"
        return WorkerDied(
            f"The process that worked on it {how}.",
            hint="It crashed or ran out of memory. Try the file alone, or fewer jobs.",
        )

    def stop(self) -> None:
        """Ends the process at once; it holds nothing that is worth waiting for."""
        self.pipe.close()
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


def _work(pipe: Connection, function: Callable[[Any], Any]) -> None:
    """The life of a worker process: items in, results out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    with suppress(EOFError, OSError, KeyboardInterrupt):
        pipe.send(True)
        while True:
            pipe.send_bytes(_pickled(attempt(function, pipe.recv())))


def _pickled(result: Any) -> bytes:
    """A result ready to be sent. An error that cannot be pickled is told in words."""
    try:
        data = pickle.dumps(result)
        if isinstance(result, Exception):
            pickle.loads(data)  # noqa: S301  # our own bytes: some exceptions can be taken apart but not put together
    except Exception as error:  # noqa: BLE001  # pickling runs code of whatever it finds
        if not isinstance(result, Exception):
            result = error
        return pickle.dumps(RuntimeError(f"{type(result).__name__}: {result}"))
    return data


_one_at_a_time = threading.Lock()


@contextmanager
def _starting() -> Iterator[None]:
    """What a process inherits when it is spawned: one thread for numpy's libraries, and deaf to Ctrl-C.

    Both have to be there before its first import. As many threads as cores in as many processes as cores only get
    into each other's way.
    """
    with _one_at_a_time:
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        masks = hasattr(signal, "pthread_sigmask")
        if masks:
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # now: while it starts, it lifts the mask that is to be inherited
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else ()
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            if masks:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


class RayCluster:
    """A Ray cluster, for more work than one machine can do. Needs the extra ``ray``. Raises ConfigError without it.

    ``address``: of a running cluster ("auto", "ray://host:10001"), None for one on this machine that lives as long as
    the work. ``jobs``: items at a time, None for one a core of the cluster. Its machines need the same versions of
    pixelrouter and its dependencies. An item whose process or machine is lost is tried once more.
    """

    def __init__(self, address: str | None = None, jobs: int | None = None) -> None:
        try:
            import ray  # noqa: F401  # heavy; here only to know early whether it is there
        except ImportError as error:
            raise ConfigError("Ray is not installed.", hint="pip install 'pixelrouter[ray]'") from error
        self.address = address
        self.jobs = jobs

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Results[R]:
        import ray

        with self._connected():
            task = ray.remote(max_retries=1)(attempt)
            hands = self.jobs or int(ray.cluster_resources().get("CPU", 1))
            shared = ray.put(function)
            waiting = enumerate(items)
            running: dict[Any, int] = {}
            try:
                while True:
                    while len(running) < hands and (following := next(waiting, None)) is not None:
                        running[task.remote(shared, following[1])] = following[0]
                    if not running:
                        return
                    for reference in ray.wait(list(running))[0]:
                        yield running.pop(reference), self._result(reference)
            finally:
                for reference in running:
                    ray.cancel(reference, force=True)

    def _result(self, reference: Any) -> Any:
        import ray

        try:
            return ray.get(reference)
        except ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[0]
            return WorkerDied(
                f"Ray lost the process that worked on it: {reason}",
                hint="It crashed or ran out of memory. Try the file alone, or fewer jobs.",
            )

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """A connection of our own, or the one the program has already."""
        import ray

        if ray.is_initialized():
            yield
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # finishing tells nobody anything
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address is None:
            options |= {"num_cpus": self.jobs or cores(), "include_dashboard": False}
        try:
            _knock(self.address)
            ray.init(self.address, **options)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise ConfigError(
                f"No connection to the Ray cluster {self.address or 'on this machine'}: {error}",
                hint="`ray start --head` starts one; its address goes to --ray-address.",
            ) from error
        try:
            yield
        finally:
            ray.shutdown()


def _knock(address: str | None) -> None:
    """Raises OSError where nobody listens at ``host:port``: Ray itself would go on trying for minutes."""
    host, _, port = (address or "").rpartition("/")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()


def executor(name: str, *, jobs: int | None = None, address: str | None = None) -> Executor:
    """The executor of that name: "local" or "ray"; one local job is worked off in this process."""
    if name == "ray":
        return RayCluster(address, jobs)
    return InProcess() if jobs == 1 else Processes(jobs)
