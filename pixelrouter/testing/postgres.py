"""A PostgreSQL server of one's own for tests: started in a temporary folder, stopped and deleted afterwards.

It is the real server with its own defaults, so what is written is flushed to the disk as in earnest.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

#: Where distributions put the server's programs when they are not on PATH (Debian, Fedora, Homebrew), newest first.
_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_NOBODY = ("postgres", "nobody")  # the server refuses to run as root: who stands in then


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; None where PostgreSQL's server is not installed."""
    found = [Path(path).parent for name in ("initdb",) if (path := shutil.which(name))]
    for pattern in _FOLDERS:
        found += sorted(Path("/").glob(pattern[1:]), key=_version, reverse=True)
    for folder in found:
        folder = (folder / "initdb").resolve().parent  # a link on PATH leads to the real folder
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _version(folder: Path) -> int:
    digits = "".join(c for c in str(folder) if c.isdigit())
    return int(digits or 0)


def missing() -> str:
    """Why no server can be started here; empty where one can."""
    if os.name == "nt":
        return "the test server runs on Unix sockets"
    if programs() is None:
        return "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and _stand_in() is None:
        return "PostgreSQL's server does not run as root, and there is no other user here"
    return ""


def _stand_in() -> str | None:
    """Who runs the server in root's place."""
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _NOBODY if name in known), None)


class PostgresServer:
    """A server with an empty database, reached over a Unix socket. Use it as a context manager.

    ``settings`` are lines of postgresql.conf. Raises RuntimeError where the server cannot be started.
    """

    def __init__(self, **settings: object) -> None:
        if why := missing():
            raise RuntimeError(why)
        self._bin = programs() or Path()
        # Not where TMPDIR leads: a socket's path may have about 100 characters only, and others must be able to enter.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._data = self.folder / "data"
        self._settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "port": 5432, **settings}
        self._numbers = itertools.count(1)
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            if self._user is not None:
                shutil.chown(self.folder, self._user)
            self._run("initdb", "-D", self._data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The address of the server's own database."""
        return f"postgresql://tester@/postgres?host={quote(str(self.folder), safe='')}"

    def new(self) -> str:
        """The address of a new, empty schema: a ledger of one's own."""
        import psycopg

        name = f"ledger_{next(self._numbers)}_{os.getpid()}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url}&options={quote(f'-csearch_path={name}', safe='')}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-t", "60", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it, by default as a power cut would: without a word to its clients."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def reload(self) -> None:
        """Make it read its configuration files again."""
        self._run("pg_ctl", "-D", self._data, "reload")

    @property
    def _user(self) -> str | None:
        """Who runs the server: us, unless we are root."""
        return _stand_in() if os.geteuid() == 0 else None

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(  # noqa: S603  (the server's own programs, with arguments of ours)
            [str(self._bin / program), *map(str, arguments)],
            user=self._user,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            told = (done.stdout or b"").decode(errors="replace") + (log.read_text() if log.exists() else "")
            raise RuntimeError(f"{program} failed with status {done.returncode}: {told[-2000:]}")
