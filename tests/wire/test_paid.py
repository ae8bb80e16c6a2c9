"""What the paid path must never do: send twice, follow, reuse a connection, hand the key to another host, leak it."""

import json
import logging
import traceback

import httpx
import pytest
from pydantic import SecretStr

from pixelrouter.errors import ConfigError, ForbiddenHost, UnexpectedAnswer, redact
from pixelrouter.types import HttpRequest
from pixelrouter.wire.guard import HostRules

KEY = "rdpk-0123456789ab"


def paid_request(server, **rest):
    return HttpRequest(
        "POST", f"{server.url}/buy", json={"prompt": "a potion"}, secrets={"X-RD-Token": SecretStr(KEY)}, **rest
    )


def test_the_request_arrives_as_written(driver, server, rules):
    server.on("/buy", (202, {"Retry-After": "3", "X-Thing": "a"}, b'{"id":1}'))
    request = paid_request(server, headers={"Idempotency-Key": "one"})
    answer = driver.paid(driver.wire(user_agent="pixelrouter/9.9"), request, rules)
    [(method, path, headers, body)] = server.seen
    assert (method, path, body) == ("POST", "/buy", request.body)
    assert json.loads(body) == {"prompt": "a potion"}
    assert headers["X-RD-Token"] == KEY
    assert headers["Idempotency-Key"] == "one"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "pixelrouter/9.9"
    assert headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in headers
    assert (answer.status, answer.content, answer.headers["retry-after"]) == (202, b'{"id":1}', "3")
    assert answer.url == f"{server.url}/buy"


FAULTS = {
    "drop": httpx.ReadError,
    "silent": httpx.ReadTimeout,
    "short": httpx.RemoteProtocolError,
    408: 408,
    429: 429,
    500: 500,
    502: 502,
    503: 503,
    504: 504,
    301: 301,
    307: 307,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_it_is_sent_once(driver, server, rules, fault):
    expected = FAULTS[fault]
    step = (
        (fault, {"Location": "/again", "Retry-After": "0"}, b"") if isinstance(fault, int) else getattr(server, fault)
    )
    server.on("/buy", step)
    server.on("/again", 200)
    wire = driver.wire()
    timeout_s = 0.2 if fault == "silent" else 5.0
    if isinstance(expected, int):
        assert driver.paid(wire, paid_request(server), rules, timeout_s=timeout_s).status == expected
    else:
        with pytest.raises(expected):
            driver.paid(wire, paid_request(server), rules, timeout_s=timeout_s)
    assert server.paths() == ["/buy"]
    assert server.accepts == 1


def test_every_paid_call_has_a_connection_of_its_own(driver, server, rules):
    server.on("/buy", 200)
    wire = driver.wire()
    for _ in range(3):
        driver.paid(wire, paid_request(server), rules)
    assert server.accepts == 3


def test_nobody_there_means_not_sent(driver, make_server):
    server = make_server()
    request, rules = paid_request(server), HostRules((server.url,))
    server.close()
    with pytest.raises(httpx.ConnectError) as caught:
        driver.paid(driver.wire(), request, rules)
    assert "X-RD-Token" not in caught.value.request.headers


def test_the_key_goes_to_no_other_host(driver, server, make_server):
    other = make_server()
    with pytest.raises(ForbiddenHost):
        driver.paid(driver.wire(), paid_request(other), HostRules((server.url,), ("*",)))
    assert (other.accepts, server.accepts) == (0, 0)


def test_exceptions_carry_neither_key_nor_prompt(driver, server, rules):
    server.on("/buy", server.drop)
    request = HttpRequest(
        "POST", f"{server.url}/buy?token=hush-hush", json={"p": "secret idea"}, secrets={"X-RD-Token": SecretStr(KEY)}
    )
    with pytest.raises(httpx.ReadError) as caught:
        driver.paid(driver.wire(), request, rules)
    error = caught.value
    assert str(error.request.url) == f"{server.url}/buy"
    assert error.request.method == "POST"
    shown = "".join(traceback.format_exception(error)) + repr(error.__dict__) + repr(error.request.headers)
    assert KEY not in shown
    assert "hush-hush" not in shown
    assert error.request.read() == b""


@pytest.mark.parametrize("key", ["", "abc\ndef-ghi-jkl", " abcdefgh", "cl\u00e9-secrete", "abc\x00defgh"])
def test_a_malformed_key_is_refused_before_sending_and_not_quoted(driver, server, rules, key):
    request = HttpRequest("POST", f"{server.url}/buy", json={}, secrets={"X-RD-Token": SecretStr(key)})
    with pytest.raises(ConfigError) as caught:
        driver.paid(driver.wire(), request, rules)
    assert not key or key.strip() not in "".join(traceback.format_exception(caught.value))
    assert server.accepts == 0


def test_an_answer_past_the_cap_means_unknown(driver, server, rules):
    def pour(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"x" * 5000)
        handler.close_connection = True

    server.on("/buy", pour)
    with pytest.raises(UnexpectedAnswer, match="1,000 bytes") as caught:
        driver.paid(driver.wire(), paid_request(server, max_bytes=1000), rules)
    assert caught.value.money == "held"
    assert len(server.seen) == 1


def test_an_answer_that_only_declares_too_much_is_not_waited_for(driver, server, rules):
    def declare(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        server.silent(handler)

    server.on("/buy", declare)
    with pytest.raises(UnexpectedAnswer, match="1,000 bytes"):
        driver.paid(driver.wire(), paid_request(server, max_bytes=1000), rules, timeout_s=2)


@pytest.mark.parametrize(("status", "error"), [(200, httpx.RemoteProtocolError), (204, None), (304, None)])
def test_another_transports_short_answer_is_noticed(driver, server, rules, status, error):
    answer = httpx.Response(status, headers={"Content-Length": "10"}, content=b"four" if error else b"")
    wire = driver.wire(transport=httpx.MockTransport(lambda request: answer))
    if error:
        with pytest.raises(error, match="10 bytes were declared and 4 came"):
            driver.paid(wire, paid_request(server), rules)
    else:
        assert driver.paid(wire, paid_request(server), rules).status == status


def test_a_key_that_was_sent_is_redacted_everywhere_from_then_on(driver, server, rules):
    server.on("/buy", 200)
    secrets = {"X-RD-Token": SecretStr("of-no-known-shape")}
    driver.paid(driver.wire(), HttpRequest("GET", f"{server.url}/buy", secrets=secrets), rules)
    assert redact("it was of-no-known-shape.") == "it was [redacted]."


def test_an_answer_that_cannot_be_unpacked_means_unknown(driver, server, rules):
    server.on("/buy", (200, {"Content-Encoding": "gzip"}, b"this is no gzip"))
    with pytest.raises(httpx.DecodingError):
        driver.paid(driver.wire(), paid_request(server), rules)
    assert len(server.seen) == 1


def test_a_trickle_of_bytes_ends_at_the_time_limit(driver, server, rules, clock):
    def trickle(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"a")
        handler.wfile.flush()
        handler.close_connection = True

    server.on("/buy", trickle)
    ticks = iter([0.0, 100.0, 200.0])  # headers at 0 s, the first bytes 100 s later
    with pytest.raises(httpx.ReadTimeout):
        driver.paid(driver.wire(clock=lambda: next(ticks)), paid_request(server), rules, timeout_s=60)


def test_the_environments_proxy_is_used(driver, make_server, monkeypatch):
    proxy = make_server()
    proxy.on("http://api.vendor.test/buy", (200, {}, b"through the proxy"))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    request = HttpRequest("POST", "http://api.vendor.test/buy", json={})
    answer = driver.paid(driver.wire(), request, HostRules(("http://api.vendor.test",)))
    assert answer.content == b"through the proxy"
    assert proxy.paths() == ["http://api.vendor.test/buy"]


def test_a_proxy_that_opens_no_tunnel_never_sees_the_key(driver, make_server, monkeypatch):
    proxy = make_server()
    proxy.on("api.vendor.test:443", 502)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    request = HttpRequest("POST", "https://api.vendor.test/buy", json={}, secrets={"X-RD-Token": SecretStr(KEY)})
    with pytest.raises(httpx.ProxyError):
        driver.paid(driver.wire(), request, HostRules(("https://api.vendor.test",)))
    [(method, target, headers, _)] = proxy.seen
    assert (method, target) == ("CONNECT", "api.vendor.test:443")
    assert KEY not in str(headers)


@pytest.mark.parametrize(("name", "value"), [("ALL_PROXY", "socks9://x:1"), ("SSL_CERT_FILE", "/nowhere/ca.pem")])
def test_a_useless_environment_is_named(driver, server, rules, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        driver.paid(driver.wire(), paid_request(server), rules)
    assert server.accepts == 0


def test_logs_show_no_signature(driver, server, rules, caplog):
    server.on("/buy", 200)
    caplog.set_level(logging.DEBUG)
    request = HttpRequest("GET", f"{server.url}/buy?X-Amz-Signature=abcdef0123", secrets={"X-RD-Token": SecretStr(KEY)})
    driver.paid(driver.wire(), request, rules)
    assert "HTTP Request: GET" in caplog.text  # httpx did log; otherwise this test shows nothing
    assert "abcdef0123" not in caplog.text
    assert KEY not in caplog.text


def test_a_closed_wire_opens_new_connections(driver, server, rules):
    server.on("/buy", 200)
    wire = driver.wire()
    driver.paid(wire, paid_request(server), rules)
    if driver.kind == "sync":
        wire.close()
    else:
        driver.run(wire.aclose())
    assert driver.paid(wire, paid_request(server), rules).status == 200
