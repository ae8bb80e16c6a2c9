"""Processes that begin in milliseconds, and the server of a team's ledger for them.

They are forked from a server that has imported everything and has no threads.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pixelrouter


def forkserver(*modules: str) -> ForkServerContext:
    """The context to start processes from, with these modules of this folder imported beforehand."""
    # The server is a fresh interpreter, and learns where our modules lie from the environment alone.
    ours = (Path(__file__).parent, Path(pixelrouter.__file__).parents[1], os.environ.get("PYTHONPATH", ""))
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(str(part) for part in ours if part))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    return context


@contextmanager
def ledger_at(where: str | None) -> Iterator[str | None]:
    """The address of a ledger: the one given, or for ``postgres`` one on a server that lives as long as this."""
    if where != "postgres":
        yield where
        return
    from pixelrouter.testing.postgres import PostgresServer

    with PostgresServer() as server:
        yield server.new()
