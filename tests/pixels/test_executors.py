"""Executors: the same results in this process, in others and on Ray; what happens when a worker dies."""

import multiprocessing
import os
import signal
import time

import pytest

from pixelrouter.errors import ConfigError, InvalidRequest, WorkerDied
from pixelrouter.pixels.batch.executors import InProcess, Processes, RayCluster, executor


def work(item):
    """What an item says."""
    kind, value = item
    if kind == "raise":
        raise InvalidRequest(value, hint="try another")
    if kind == "bug":
        return 1 // value
    if kind == "exit":
        os._exit(value)
    if kind == "kill":
        os.kill(os.getpid(), value)
    if kind == "unpicklable":
        return lambda: value
    if kind == "environment":
        return os.environ.get(value)
    if kind == "sleep":
        time.sleep(value)
    return value


def results(hands, items):
    found = dict(hands.map(work, items))
    assert sorted(found) == list(range(len(items)))
    return [found[at] for at in range(len(items))]


@pytest.mark.parametrize("hands", [InProcess(), Processes(2)])
def test_results_come_with_their_index_and_errors_in_their_place(hands):
    large = os.urandom(3_000_000)  # far more than a pipe holds
    items = [("give", 1), ("raise", "no"), ("give", large), ("bug", 0), *(("give", n) for n in range(5))]
    one, refused, back, bug, *rest = results(hands, items)
    assert (one, back, rest) == (1, large, list(range(5)))
    assert isinstance(refused, InvalidRequest)
    assert (refused.message, refused.hint) == ("no", "try another")
    assert isinstance(bug, ZeroDivisionError)
    assert "in work" in bug.__notes__[0]


def test_a_worker_that_dies_is_an_error_of_its_item_and_the_others_go_on(capfd):
    deaths = [("exit", 3), ("kill", signal.SIGKILL), ("kill", signal.SIGSEGV), ("unpicklable", 1)]
    items = [("give", "a"), *deaths, ("give", "b"), ("give", "c"), ("environment", "OMP_NUM_THREADS")]
    before = dict(os.environ)
    a, left, killed, crashed, closure, b, c, threads = results(Processes(2), items)
    assert (a, b, c, threads) == ("a", "b", "c", "1")
    assert [type(e) for e in (left, killed, crashed)] == [WorkerDied] * 3
    assert "exit code 3" in str(left)
    assert "SIGKILL" in str(killed)
    assert "SIGSEGV" in str(crashed)
    assert isinstance(closure, RuntimeError)
    assert dict(os.environ) == before
    assert multiprocessing.active_children() == []
    assert capfd.readouterr().err == ""


def test_items_are_read_only_as_far_as_there_are_hands():
    read = []

    def items():
        for number in range(100):
            read.append(number)
            yield ("give", number)

    works = Processes(2).map(work, items())
    next(works)
    assert len(read) <= 3
    works.close()
    assert multiprocessing.active_children() == []


def test_closing_ends_work_at_once():
    works = Processes(2).map(work, [("give", 1), ("sleep", 600)])
    assert next(works) == (0, 1)
    works.close()
    assert multiprocessing.active_children() == []


def test_executors_by_name():
    assert isinstance(executor("local", jobs=1), InProcess)
    assert executor("local", jobs=3).jobs == 3
    assert executor("local").jobs >= 1


def test_a_missing_ray_is_told(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="Ray is not installed"):
        executor("ray")


@pytest.fixture(scope="module")
def ray():
    return pytest.importorskip("ray", reason="the extra ray is not installed")


# Ray leaves sockets and log files to the garbage collector, and warns of settings of its own.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_ray_cluster_gives_the_same(ray):
    items = [("give", 1), ("raise", "no"), ("bug", 0), ("exit", 3), ("give", b"x" * 300_000), ("give", 2)]
    one, refused, bug, died, large, two = results(RayCluster(jobs=2), items)
    assert (one, large, two) == (1, b"x" * 300_000, 2)
    assert isinstance(refused, InvalidRequest)
    assert (refused.message, refused.hint) == ("no", "try another")
    assert isinstance(bug, ZeroDivisionError)
    assert isinstance(died, WorkerDied)
    assert not ray.is_initialized()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_ray_cluster_that_is_not_there_is_told(ray):
    with pytest.raises(ConfigError, match="No connection"):
        next(RayCluster("127.0.0.1:1").map(work, [("give", 1)]))
