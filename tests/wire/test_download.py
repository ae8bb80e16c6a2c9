"""Downloads: never a credential, every hop checked, nothing short or too large accepted."""

import pytest
from pydantic import SecretStr

from pixelrouter.errors import ForbiddenHost, WireError
from pixelrouter.types import HttpRequest
from pixelrouter.wire.guard import HostRules

SECRETS = {"Authorization": SecretStr("Bearer 0123456789abcdef0123")}


@pytest.fixture
def wire(driver, clock):
    return driver.wire(sleeps=clock, clock=clock)


@pytest.fixture
def cdn(make_server):
    return make_server()


def image(server, path="/i.png", **rest):
    return HttpRequest("GET", f"{server.url}{path}", secrets=SECRETS, **rest)


def test_no_credential_is_ever_sent(driver, wire, server, cdn, rules):
    for host in (server, cdn):  # not even to the API's own host
        host.on("/i.png", (200, {}, b"PNG"))
        answer = driver.free(wire, image(host), rules, download=True)
        assert answer.content == b"PNG"
        assert "Authorization" not in host.seen[0][2]


def test_redirects_are_followed_across_hosts(driver, wire, server, cdn, rules):
    server.on("/i.png", (302, {"Location": f"{cdn.url}/a"}, b""))
    cdn.on("/a", (307, {"Location": "b?sig=1"}, b""))
    cdn.on("/b", (301, {"Location": "/c"}, b""))
    cdn.on("/c", (200, {}, b"PNG"))
    answer = driver.free(wire, image(server), rules, download=True)
    assert (answer.content, answer.url) == (b"PNG", f"{cdn.url}/c")
    assert cdn.paths() == ["/a", "/b?sig=1", "/c"]
    assert all("Authorization" not in seen[2] for seen in cdn.seen)


def test_four_redirects_are_too_many(driver, wire, cdn, rules):
    cdn.on("/i.png", (302, {"Location": "/i.png"}, b""))
    with pytest.raises(WireError, match="more than 3 times"):
        driver.free(wire, image(cdn), rules, download=True)
    assert len(cdn.seen) == 4


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "https://evil.example/x", "file:///etc/passwd"])
def test_each_hop_is_checked(driver, wire, cdn, rules, target):
    cdn.on("/i.png", (302, {"Location": target}, b""))
    with pytest.raises(ForbiddenHost):
        driver.free(wire, image(cdn), rules, download=True)
    assert len(cdn.seen) == 1


def test_a_real_vendor_cannot_send_us_to_this_machine(driver, wire, cdn):
    with pytest.raises(ForbiddenHost):
        driver.free(wire, image(cdn), HostRules(("https://api.vendor.com",), ("*",)), download=True)
    assert cdn.accepts == 0


def test_a_short_file_is_fetched_again(driver, wire, cdn, rules):
    cdn.on("/i.png", cdn.short, (200, {}, b"ten bytes!"))
    assert driver.free(wire, image(cdn), rules, download=True).content == b"ten bytes!"


def test_the_size_cap_holds_after_redirects(driver, wire, server, cdn, rules):
    server.on("/i.png", (302, {"Location": f"{cdn.url}/big"}, b""))
    cdn.on("/big", (200, {}, b"x" * 2000))
    with pytest.raises(WireError, match="1,999 bytes"):
        driver.free(wire, image(server, max_bytes=1999), rules, download=True)


def test_an_expired_address_is_an_answer_for_the_reader(driver, wire, cdn, rules):
    cdn.on("/i.png", 403)
    assert driver.free(wire, image(cdn), rules, download=True).status == 403
    assert len(cdn.seen) == 1
