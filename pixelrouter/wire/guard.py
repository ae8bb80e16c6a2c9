"""Pure checks on where bytes may go and how many may come: hosts, redirects, sizes. Nothing here sends.

Two rules keep a key and a machine safe. A credential goes only to an origin (scheme, host, port) that the backend
names itself, never to one that an answer names. And an answer can only send us to public hosts of the backend's
delivery list, so that a hostile or broken answer cannot make us read ``http://169.254.169.254/`` or a router's page.
Names are compared as written here; `wire.network` looks at the address that a name leads to.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import urljoin

from pixelrouter.errors import ForbiddenHost, WireError

# Strict on purpose. Two URL parsers that read a strange authority (user info, backslash, non-ASCII) differently are
# the classic way around a host check, so anything strange is refused before any parser sees it.
_NAME = r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?"
_URL = re.compile(rf"(https?)://({_NAME}|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?(?:[/?#][^\x00-\x1f\x7f]*)?")
_PORTS = {"http": 80, "https": 443}
_LOCAL_SUFFIXES = (".localhost", ".local", ".localdomain", ".internal", ".home.arpa")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # how networks without IPv4 reach the rest

_Origin = tuple[str, str, int]
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class Rules(Protocol):
    """Where a backend may talk; ``backends.protocol.Hosts`` is one, :class:`HostRules` another."""

    @property
    def api(self) -> tuple[str, ...]:
        """Origins, such as ``https://api.example.com``, that get the credential."""

    @property
    def delivery(self) -> tuple[str, ...]:
        """Host patterns (``*.example.com``, ``*`` for any public host) to download from, without a credential."""


@dataclass(frozen=True)
class HostRules:
    """The plain form of :class:`Rules`."""

    api: tuple[str, ...]
    delivery: tuple[str, ...] = ()


def check_api(url: str, rules: Rules) -> None:
    """Pass if ``url`` has exactly the origin (scheme, host, port) of an API host; else raise ForbiddenHost."""
    origin = _origin(url)
    if origin not in _origins(rules):
        raise ForbiddenHost(
            f"{_show(origin)} is not an API address of this backend ({', '.join(rules.api)}); nothing was sent.",
            hint="Set base_url in the backend's section of the config if the API has moved.",
        )


def is_own(url: str, rules: Rules) -> bool:
    """Whether a result at ``url`` lies where the config itself points: at an API origin, or beside a simulator."""
    origin = _origin(url)
    apis = _origins(rules)
    return origin in apis or (_is_loopback(origin[1]) and any(_is_loopback(api[1]) for api in apis))


def is_loopback(url: str) -> bool:
    """Whether the address leads to this machine itself. Raises ForbiddenHost for what is no plain address."""
    return _is_loopback(_origin(url)[1])


def check_delivery(url: str, rules: Rules) -> None:
    """Pass if a result may be downloaded from ``url``; else raise ForbiddenHost.

    Allowed are the API's own origins, and public https hosts that match a delivery pattern. Where an API origin is
    itself on this machine (a simulator), so may be the results, on any port.
    """
    origin = _origin(url)
    scheme, host, _ = origin
    if is_own(url, rules):
        return
    if not any(fnmatchcase(host, pattern.lower().rstrip(".")) for pattern in rules.delivery):
        raise ForbiddenHost(
            f"An answer names {_show(origin)} as the place of a result, which is not a delivery host of this backend.",
            hint="If you trust that host, add it to delivery_hosts in the backend's section of the config.",
        )
    if scheme != "https" or not _is_public(host):
        raise ForbiddenHost(
            f"An answer names {_show(origin)} as the place of a result: only public https hosts are read."
        )


def next_hop(url: str, location: str | None, rules: Rules, hop: int, most: int = 3) -> str:
    """The address that a redirect of a download leads to, checked like the first one.

    ``hop`` counts from 0. Raises WireError for a redirect without an address or one too many, ForbiddenHost.
    """
    if not location:
        raise WireError(f"A download from {_show(_origin(url))} was redirected to nowhere (no Location header).")
    if hop >= most:
        raise WireError(f"A download was redirected more than {most} times, the last time by {_show(_origin(url))}.")
    try:
        target = urljoin(url, location)
    except ValueError:  # brackets that hold no address, for instance
        raise ForbiddenHost("A download was redirected to something that is no address.") from None
    check_delivery(target, rules)
    return target


def check_size(size: int, cap: int) -> None:
    """Raise WireError if an answer of ``size`` bytes is over the ``cap``."""
    if size > cap:
        raise WireError(f"The answer is larger than the cap of {cap:,} bytes; it was dropped while it arrived.")


def _origin(url: str) -> _Origin:
    match = _URL.fullmatch(url)
    if match is None or int(match[3] or 0) > 65535:
        # The address is not shown: it may hold a signature or somebody's user info.
        raise ForbiddenHost("An address is not a plain http or https URL (user info and odd characters are refused).")
    scheme, host = match[1], match[2].lower().strip("[]").rstrip(".")
    return scheme, host, int(match[3] or _PORTS[scheme])


def _origins(rules: Rules) -> list[_Origin]:
    return [_origin(api) for api in rules.api]


def _show(origin: _Origin) -> str:
    scheme, host, port = origin
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port == _PORTS[scheme] else f":{port}")


def _ip(host: str) -> _IP | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _embedded(ip: _IP) -> _IP:
    """The IPv4 address inside a mapped, 6to4 or NAT64 (RFC 6052) address, else the address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or translated or ip


def _is_loopback(host: str) -> bool:
    ip = _ip(host)
    return host == "localhost" if ip is None else _embedded(ip).is_loopback


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; False for what is no address."""
    ip = _ip(address.partition("%")[0])  # a scope, as in fe80::1%eth0
    if ip is None:
        return False
    ip = _embedded(ip)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _is_public(host: str) -> bool:
    if _ip(host):
        return is_public(host)
    # Resolvers read "127.1", "0x7f.1" and "2130706433" as addresses; a public name never ends in a number.
    last = host.rpartition(".")[2]
    return "." in host and not last[:1].isdigit() and not host.endswith(_LOCAL_SUFFIXES)
