"""Where bytes may really go: the address behind a name, the server behind a certificate, the next hop of a download."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import socket
import ssl
import subprocess
import time

import httpcore
import httpx
import pytest
from pydantic import SecretStr

from pixelrouter.errors import ForbiddenHost, WireError
from pixelrouter.routing import verdict
from pixelrouter.routing.verdict import Verdict
from pixelrouter.types import HttpRequest
from pixelrouter.wire import guard, network
from pixelrouter.wire.guard import HostRules
from tests.hostile.conftest import KEY
from tests.hostile.raw import OK, keep, say

VENDOR = HostRules(("https://api.vendor.com",), ("*",))
FILE = say(OK + b"Content-Length: 3\r\n\r\nPNG")
# fmt: off
PRIVATE = [
    "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::", "ff02::1",
]
# fmt: on


class Names(dict):
    def __init__(self):
        self.asked = []


@pytest.fixture
def resolver(monkeypatch):
    """``resolver["files.vendor.test"] = ["10.0.0.1"]``: what names lead to; ``resolver.asked`` are the names."""

    names = Names()
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *rest, **more):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in names:
            return real(host, port, *rest, **more)
        names.asked.append(name)
        found = names[name]
        if isinstance(found, Exception):
            raise found
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port))
            for family, address in zip(families, found, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.mark.parametrize("address", PRIVATE)
def test_a_public_name_may_not_lead_to_a_private_address(driver, raw, resolver, address):
    resolver["files.vendor.test"] = [address]
    server = raw(FILE)
    request = HttpRequest("GET", f"https://files.vendor.test:{server.url.rpartition(':')[2]}/x?sig=hush")
    with pytest.raises(ForbiddenHost, match=r"files\.vendor\.test.*private address") as caught:
        driver.free(driver.wire(), request, VENDOR, download=True)
    assert server.accepts == 0
    assert "hush" not in str(caught.value)


def test_a_redirect_to_such_a_name_is_not_followed(driver, raw, resolver):
    resolver["evil.vendor.test"] = ["127.0.0.1"]
    target = raw(FILE)
    port = target.url.rpartition(":")[2]
    where = f"https://evil.vendor.test:{port}/x".encode()
    server = raw(say(b"HTTP/1.1 302 F\r\nContent-Length: 0\r\nLocation: " + where + b"\r\n\r\n"))
    rules = HostRules((server.url,), ("*",))
    with pytest.raises(ForbiddenHost, match=r"evil\.vendor\.test"):
        driver.free(driver.wire(), HttpRequest("GET", f"{server.url}/x"), rules, download=True)
    assert (server.accepts, target.accepts) == (1, 0)


# fmt: off
LOCATIONS = [
    b"http://[", b"file:///etc/passwd", b"javascript:0", b"http://user:word@127.0.0.1/", b"//169.254.169.254/", b"",
    b"https://a.vendor.test\\@127.0.0.1/", b"https://" + b"a" * 60_000, b"gopher://x/", b"http://0x7f.1/",
]
# fmt: on


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_redirect_to_anything_odd_ends_in_an_error_of_ours(driver, raw, location):
    server = raw(say(b"HTTP/1.1 301 M\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"))
    request = HttpRequest("GET", f"{server.url}/x?sig=hush")
    with pytest.raises(WireError) as caught:
        driver.free(driver.wire(), request, HostRules((server.url,), ("*.vendor.test",)), download=True)
    assert server.accepts == 1
    assert "hush" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_redirect_loop_ends(driver, raw):
    server = raw(say(b"HTTP/1.1 302 F\r\nConnection: close\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n"))
    with pytest.raises(WireError, match="more than 3 times"):
        driver.free(driver.wire(), HttpRequest("GET", f"{server.url}/x"), HostRules((server.url,)), download=True)
    assert server.accepts == 4


def test_the_api_itself_may_be_private(driver, raw, resolver):
    """What the config names is the user's own choice: a gateway in the house, say."""
    resolver["api.house.test"] = ["127.0.0.1"]
    server = raw(FILE)
    origin = f"http://api.house.test:{server.url.rpartition(':')[2]}"
    rules = HostRules((origin,), ("*",))
    wire = driver.wire()
    assert driver.paid(wire, HttpRequest("POST", f"{origin}/buy", json={}), rules).content == b"PNG"
    assert driver.free(wire, HttpRequest("GET", f"{origin}/x.png"), rules, download=True).content == b"PNG"


def test_a_kept_connection_to_a_private_api_is_not_for_downloads(driver, raw, resolver):
    """One backend's API lies in the house; another backend's answer names it as the place of a result."""
    resolver["api.house.test"] = ["127.0.0.1"]
    server = raw(keep(OK + b"Content-Length: 3\r\n\r\nPNG"))
    origin = f"http://api.house.test:{server.url.rpartition(':')[2]}"
    wire = driver.wire()
    assert driver.free(wire, HttpRequest("GET", f"{origin}/x"), HostRules((origin,))).content == b"PNG"
    with pytest.raises(ForbiddenHost):
        driver.free(wire, HttpRequest("GET", f"{origin}/x"), HostRules(("https://x.test",), ("*",)), download=True)
    assert len(server.requests) == 1


class Inner(httpcore.NetworkBackend):
    """A network that connects to nothing and notes what it was asked for."""

    def __init__(self):
        self.asked = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked.append((host, timeout))
        raise httpcore.ConnectError("nobody there")


class AsyncInner(httpcore.AsyncNetworkBackend):
    def __init__(self):
        self.asked = []

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked.append((host, timeout))
        raise httpcore.ConnectError("nobody there")


def connect(kind, host, *, proxy=False):
    """The addresses that a connection to ``host`` would try, and its error."""
    terms = network.Terms(time.monotonic() + 8, 1000, public=True)
    inner = Inner() if kind == "sync" else AsyncInner()

    def go():
        if kind == "sync":
            return network.Network(inner, proxy=proxy).connect_tcp(host, 443, 60.0)
        return asyncio.run(network.AsyncNetwork(inner, proxy=proxy).connect_tcp(host, 443, 60.0))

    with network.under(terms), pytest.raises((httpcore.ConnectError, ForbiddenHost)) as caught:
        go()
    return inner.asked, caught.value


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_only_the_public_addresses_of_a_name_are_tried_and_share_the_time(resolver, kind):
    resolver["files.vendor.test"] = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "64:ff9b::808:808"]
    asked, _ = connect(kind, "files.vendor.test")
    assert [host for host, _ in asked] == ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"]
    assert resolver.asked == ["files.vendor.test"]  # asked once: a second answer could be another one
    first, second, third = (limit for _, limit in asked)
    assert first <= 8 / 3
    assert second <= 4
    assert third <= 8


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_proxy_may_be_anywhere(resolver, kind):
    resolver["proxy.house.test"] = ["10.0.0.1"]
    asked, _ = connect(kind, "proxy.house.test", proxy=True)
    assert [host for host, _ in asked] == ["10.0.0.1"]


@pytest.mark.parametrize("problem", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_name_that_is_none_was_not_sent_to(resolver, kind, problem):
    resolver["nowhere.vendor.test"] = problem
    asked, error = connect(kind, "nowhere.vendor.test")
    assert asked == []
    assert isinstance(error, httpcore.ConnectError)


def test_downloads_go_through_the_proxy_of_the_environment(driver, raw, monkeypatch):
    proxy = raw(say(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    request = HttpRequest("GET", "https://files.vendor.test/x.png")
    with pytest.raises(WireError):
        driver.free(driver.wire(), request, VENDOR, download=True, attempts=1)
    assert proxy.requests[0].startswith(b"CONNECT files.vendor.test:443")


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    """A certificate for files.vendor.test that nobody vouches for, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes a certificate with the command openssl, which is not installed")
    names = [str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")]
    words = shlex.split("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x")
    words += ["-addext", "subjectAltName=DNS:files.vendor.test,IP:127.0.0.1"]
    words += ["-out", names[0], "-keyout", names[1]]
    subprocess.run([openssl, *words], check=True, capture_output=True)
    return names


def wrapper(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    seen = []
    context.sni_callback = lambda connection, name, _: seen.append(name)
    return lambda connection: context.wrap_socket(connection, server_side=True), seen


def test_a_server_that_nobody_vouches_for_gets_nothing(driver, raw, certificate):
    server = raw(FILE, wrap=wrapper(certificate)[0])
    request = HttpRequest("POST", f"{server.url}/buy", json={}, secrets={"X-RD-Token": SecretStr(KEY)})
    with pytest.raises(httpx.ConnectError) as caught:
        driver.paid(driver.wire(), request, HostRules((server.url,)))
    assert verdict.of_exception(caught.value) is Verdict.NOT_SENT
    assert server.requests == []
    assert len(str(caught.value)) < 400


def test_the_name_is_still_the_one_that_tls_checks(driver, raw, resolver, certificate, monkeypatch):
    """The connection goes to a checked address; the certificate has to be that of the name."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    monkeypatch.setattr(guard, "is_public", lambda address: True)  # the only server there is lies on this machine
    resolver["files.vendor.test"] = resolver["other.vendor.test"] = ["127.0.0.1"]
    wrap, seen = wrapper(certificate)
    server = raw(FILE, wrap=wrap)
    port = server.url.rpartition(":")[2]
    wire = driver.wire()
    good = HttpRequest("GET", f"https://files.vendor.test:{port}/x.png")
    assert driver.free(wire, good, VENDOR, download=True).content == b"PNG"
    assert seen == ["files.vendor.test"]
    other = HttpRequest("GET", f"https://other.vendor.test:{port}/x.png")
    with pytest.raises(WireError, match="ConnectError"):
        driver.free(wire, other, VENDOR, download=True, attempts=1)
