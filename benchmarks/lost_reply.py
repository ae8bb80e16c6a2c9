"""How often a client sends the same paid request when the answer is lost: pixelrouter beside other clients.

One server program takes a POST, counts it, and then drops the connection (``drop``), answers 502 as a gateway does
(``502``), or keeps silent for longer than the client waits (``late``). Every client runs in its default settings, in an
environment of its own that this script makes; only in ``late`` its own timeout option is set to a second, where it has
one, as nobody wants to wait for ten minutes. pixelrouter buys at this project's simulators, told to do the same.

A POST counts once more as a *charge* unless it bears an idempotency key that came before.

    python benchmarks/lost_reply.py                     # all, some minutes; installs packages
    python benchmarks/lost_reply.py --only fal-client pixelrouter/fal
    python benchmarks/lost_reply.py --json lost.json --venvs FOLDER
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lost_reply_clients import CLIENTS, LEFT_OUT

from pixelrouter import __version__
from pixelrouter.errors import PixelRouterError
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of

MODES = ("drop", "502", "late")
FAULTS = {"drop": "lose_reply", "502": "bad_gateway_html", "late": "late"}
IMPATIENCE_S = 1.0  # the client's timeout in ``late``
SILENCE_S = 5.0  # what a simulator keeps a request of pixelrouter's waiting
SIZES = {"retrodiffusion": 64, "retrodiffusion v1": 64, "replicate": 64, "fal": 32, "pixellab": 64}
WORKER = Path(__file__).with_name("lost_reply_clients.py")


@dataclass
class Outcome:
    """What one client did in one mode. ``told``: what its caller was told."""

    posts: int
    charges: int
    told: str
    seconds: float = 0.0


@dataclass
class Row:
    """One client: its version, and its outcomes by mode; or why there are none."""

    client: str
    version: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    note: str = ""


class Counter(ThreadingHTTPServer):
    """The server. Keeps every POST's idempotency key, None for one without."""

    daemon_threads = True

    def __init__(self, mode: str) -> None:
        self.mode, self.keys, self.over = mode, list[str | None](), threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def charges(self) -> int:
        """POSTs without a key, and keys."""
        return self.keys.count(None) + len({key for key in self.keys if key is not None})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what this is about."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counter

    def do_POST(self) -> None:
        """Take it, count it, and lose the answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        marks = [value for name, value in self.headers.items() if "idempotency" in name.lower()]
        self.server.keys.append(marks[0] if marks else None)
        self.close_connection = True
        if self.server.mode == "late":
            self.server.over.wait()
        elif self.server.mode == "502":
            body = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            head = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n"
            self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def do_GET(self) -> None:
        """Nothing is there."""
        self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def counting(mode: str) -> Iterator[Counter]:
    """The server, running."""
    server = Counter(mode)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def environment(folder: Path, package: str) -> tuple[Path | None, str]:
    """A Python with the package, and its version; or None, and why not."""
    home = folder / package.replace("==", "-")
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(home, with_pip=True)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package]
    made = subprocess.run(install, capture_output=True, text=True)
    if made.returncode:
        return None, f"cannot be installed: {made.stderr.strip().splitlines()[-1][:120]}"
    ask = f"import importlib.metadata as m; print(m.version({package.partition('==')[0]!r}))"
    return python, subprocess.run([str(python), "-c", ask], capture_output=True, text=True).stdout.strip()


def peer(name: str, folder: Path, limit: float) -> Row:
    """Another client's row."""
    client = CLIENTS[name]
    python, version = environment(folder, client.package)
    if python is None:
        return Row(name, note=version)
    row = Row(name, version)
    for mode in MODES:
        with counting(mode) as server:
            base = f"http://127.0.0.1:{server.server_address[1]}"
            timeout = str(IMPATIENCE_S) if mode == "late" and client.has_timeout else "-"
            command = [str(python), str(WORKER), name, base, timeout]
            try:
                run = subprocess.run(command, capture_output=True, text=True, timeout=limit)
            except subprocess.TimeoutExpired:
                told, seconds = f"nothing, for {limit:g} s and longer", limit
            else:
                if run.returncode:
                    return Row(name, version, note=f"cannot be run: {run.stderr.strip().splitlines()[-1][:120]}")
                answer = json.loads(run.stdout.strip().splitlines()[-1])
                told, seconds = answer["told"], answer["seconds"]
            row.outcomes[mode] = Outcome(len(server.keys), server.charges, told, seconds)
    return row


def ours(vendor: str) -> Row:
    """pixelrouter's row at one vendor: the router as it is, with the time it waits for an answer set to a second."""
    row = Row(f"pixelrouter/{vendor}", __version__)
    name, _, version = vendor.partition(" ")
    for mode in MODES:
        with simulator_of(name)() as simulator, tempfile.TemporaryDirectory() as state:
            shop = Shop(name, simulator, Path(state))
            parameters = {"seconds": SILENCE_S} if mode == "late" else {}
            simulator.fault(FAULTS[mode], times=1000, on="submit", **parameters)
            options = shop.options()
            options["backends"][name] |= {"timeout_s": IMPATIENCE_S, **({"api_version": version} if version else {})}
            router = shop.router(**options)
            try:
                router.generate("a red potion", size=SIZES[vendor])
                told = "nothing: the image came"
            except PixelRouterError as error:
                told = type(error).__name__
            row.outcomes[mode] = Outcome(simulator.paid_posts, len(simulator.charges), told)
            shop.check_money(router)
            shop.close()
    return row


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        f"| client | version | {' | '.join(f'{mode}: POSTs (charges)' for mode in MODES)} | told on `drop` |",
        f"|---|---|{'---|' * len(MODES)}---|",
    ]
    for row in rows:
        if row.note:
            lines.append(f"| {row.client} | {row.version} |{' |' * len(MODES)} {row.note} |")
            continue
        cells = [f"{row.outcomes[mode].posts} ({row.outcomes[mode].charges})" for mode in MODES]
        lines.append(f"| {row.client} | {row.version} | {' | '.join(cells)} | {row.outcomes['drop'].told} |")
    return "\n".join(lines)


def main() -> None:
    """Run the clients and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    known = [*(f"pixelrouter/{vendor}" for vendor in SIZES), *CLIENTS]
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=known, help="these rows only")
    parser.add_argument("--venvs", type=Path, help="where to make the environments (default: a temporary folder)")
    parser.add_argument("--limit", type=float, default=150.0, help="seconds to let one client try (default: 150)")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    options = parser.parse_args()
    wanted = options.only or known
    rows = [ours(vendor) for vendor in SIZES if f"pixelrouter/{vendor}" in wanted]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.venvs or Path(scratch)
        with ThreadPoolExecutor(4) as pool:
            names = [name for name in CLIENTS if name in wanted]
            rows += pool.map(lambda name: peer(name, folder, options.limit), names)
    for row in rows:
        if row.outcomes and not any(outcome.posts for outcome in row.outcomes.values()):
            row.note = f"sent nothing: {row.outcomes['drop'].told}"
    if not options.only:
        rows += [Row(name, note=f"left out: it speaks {speech}") for name, speech in LEFT_OUT.items()]
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {sys.version.split()[0]}\n\n{table(rows)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2), "utf-8")


if __name__ == "__main__":
    main()
