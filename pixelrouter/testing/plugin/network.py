"""The socket guard: during a guarded test nothing but this machine itself is connected to, by whatever library.

It listens to Python's audit events (PEP 578), which every socket of the interpreter raises, in threads and event loops
too, however the code came by it. A program that the test starts, and C libraries with sockets of their own, are out of
its sight. What it refuses it remembers, because the code under test may swallow the error.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
from typing import Any


class NetworkBlocked(OSError):
    """A test tried to reach the network."""


class SocketGuard:
    """Up while ``up``; then only loopback (or, with ``strict``, nothing but Unix sockets) may be connected to."""

    def __init__(self) -> None:
        self.up = self.strict = False
        self._listening = False
        self._refused: list[str] = []
        self._lock = threading.Lock()

    def raise_up(self, *, strict: bool) -> None:
        """Guard from here on."""
        if not self._listening:  # an audit hook cannot be taken away again: runs that need none get none
            sys.addaudithook(self._hear)
            self._listening = True
        self.up, self.strict = True, strict

    def take_down(self) -> None:
        """Let everything through again."""
        self.up = False

    def refused(self) -> list[str]:
        """What was refused since the last time this was asked."""
        with self._lock:
            refused, self._refused = self._refused, []
        return refused

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.up or not event.startswith("socket."):
            return
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if isinstance(address, tuple) and address:
                self._judge(str(address[0]), f"{address[0]}:{address[1]}")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname") and arguments[0]:
            host = arguments[0]
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
            if not _is_address(name) and name != socket.gethostname():
                self._judge(name, f"the name {name}")

    def _judge(self, host: str, shown: str) -> None:
        if _is_loopback(host) and not self.strict:
            return
        with self._lock:
            self._refused.append(shown)
        raise NetworkBlocked(f"This test may not use the network, and was about to connect to {shown}.")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() in ("localhost", ""):
        return True
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
