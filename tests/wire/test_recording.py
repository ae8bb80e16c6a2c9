"""Record on a real server, replay without one, and leave no secret behind."""

import base64
import json
from datetime import date

import pytest
from pydantic import SecretStr

from pixelrouter.errors import CassetteMiss, ConfigError, register_secret
from pixelrouter.types import HttpRequest
from pixelrouter.wire.cassette import Cassette
from pixelrouter.wire.guard import HostRules
from pixelrouter.wire.lint import lint
from pixelrouter.wire.recording import RecordingTransport

KEY = "rdpk-0123456789ab"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR42mNk+M+AFTAxYAdDSwIAM9IBD8gS0yoAAAAASUVORK5CYII="
) + bytes(200)
ELSEWHERE = HostRules(("https://api.vendor.com",), ("*.vendor.com",))


def ask(path="/v2/x", origin="https://api.vendor.com", method="POST", **rest):
    if method == "POST" and "content" not in rest:
        rest = {"json": {"prompt": "a potion", "width": 32, "seed": 7}} | rest
    return HttpRequest(method, origin + path, secrets={"X-RD-Token": SecretStr(KEY)}, **rest)


@pytest.fixture
def record(driver, server, rules, tmp_path):
    """Send requests (path, rest) to the server through a recording; returns the cassette's folder."""

    def go(*requests, mode="record"):
        wire = driver.wire(transport=RecordingTransport(Cassette(tmp_path / "c", mode)))
        answers = [driver.paid(wire, ask(path, server.url, **rest), rules) for path, rest in requests]
        return tmp_path / "c", answers

    return go


@pytest.fixture
def replay(driver):
    def go(folder, *requests):
        wire = driver.wire(transport=RecordingTransport(Cassette(folder)))
        return [driver.paid(wire, request, ELSEWHERE) for request in requests]

    return go


def test_what_was_recorded_is_replayed_for_any_host(record, replay, server):
    headers = {"Content-Type": "application/json", "Retry-After": "3", "X-RD-Request-ID": "r1", "X-Account": "me@x.org"}
    server.on("/v2/x", (202, headers, b'{"cost": 0.025, "n": 1, "none": null}'))
    folder, [live] = record(("/v2/x?b=2&a=1", {}))
    server.close()
    [answer] = replay(folder, ask("/v2/x?a=1&b=2"))
    assert (live.status, live.headers["x-account"]) == (202, "me@x.org")
    assert (answer.status, answer.json()) == (202, live.json())
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["x-rd-request-id"] == "r1"
    assert "x-account" not in answer.headers
    data = json.loads((folder / "cassette.json").read_text())
    assert (data["version"], data["origin"], data["source"]) == (1, "recorded", "127.0.0.1")
    assert date.fromisoformat(data["date"])
    assert data["exchanges"][0]["request"] == {
        "method": "POST",
        "path": "/v2/x",
        "query": [["a", "1"], ["b", "2"]],
        "body": {"prompt": "a potion", "width": 32, "seed": 7},
    }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "body_file"),
        (b"\xff\xfe\x00 no text", "body_file"),
        (b"<html>502 Bad Gateway</html>\r\n", "body_text"),
        (b'{"broken": ', "body_text"),
        (b"NaN", "body_text"),
        (b'{"$base64_file": "../../etc/passwd"}', "body_text"),
        (b"null", "body_text"),
        (b'"text"', "body"),
        (b"", None),
    ],
)
def test_bodies_of_every_kind_come_back_exactly(record, replay, server, content, kind):
    server.on("/v2/x", (200, {"Content-Type": "x/y"}, content))
    folder, _ = record(("/v2/x", {}))
    [answer] = replay(folder, ask())
    assert answer.content == content
    stored = json.loads((folder / "cassette.json").read_text())["exchanges"][0]["response"]
    assert {"body", "body_text", "body_file"} & stored.keys() == ({kind} if kind else set())


def test_images_inside_json_lie_beside_it_as_files(record, replay, server):
    packed = base64.b64encode(PNG).decode()
    body = {"base64_images": [packed, f"data:image/png;base64,{packed}"], "short": packed[:40], "text": "A" * 400}
    server.on("/v2/x", (200, {}, json.dumps(body).encode()))
    asked = {"json": {"input_image": packed}}
    folder, _ = record(("/v2/x", asked))
    assert {path.name for path in folder.iterdir()} == {
        "cassette.json",
        "0001-image-0.png",
        "0001-image-1.png",
        "0001-request-image-0.png",
    }
    assert (folder / "0001-image-0.png").read_bytes() == PNG
    assert packed not in (folder / "cassette.json").read_text()
    [answer] = replay(folder, ask(**asked))
    assert answer.json() == body
    with pytest.raises(CassetteMiss):
        replay(folder, ask(json={"input_image": base64.b64encode(PNG + b"x").decode()}))


def test_base64_that_would_come_back_otherwise_stays_as_it_is(record, replay, server):
    odd = base64.b64encode(PNG[:202]).decode()
    assert odd.endswith("AA==")
    loose = odd[:-3] + "B=="  # decodes to the same bytes, and is other text
    wrapped = "\n".join([odd[:76], odd[76:]])
    server.on("/v2/x", (200, {}, json.dumps([loose, wrapped]).encode()))
    folder, _ = record(("/v2/x", {}))
    assert replay(folder, ask())[0].json() == [loose, wrapped]


def test_equal_requests_replay_in_order_and_the_last_repeats(record, replay, server):
    server.on("/v2/job", (200, {}, b'"pending"'), (200, {}, b'"running"'), (200, {}, b'"done"'))
    folder, _ = record(*[("/v2/job", {"method": "GET"})] * 3)
    answers = replay(folder, *[ask("/v2/job", method="GET")] * 5)
    assert [answer.json() for answer in answers] == ["pending", "running", "done", "done", "done"]


@pytest.mark.parametrize(
    "body",
    [
        {"seed": 7.0, "width": 32.0, "prompt": "a potion"},
        {"width": 32, "seed": 7, "prompt": "a potion"},
        {"width": 32, "seed": 7, "prompt": "a potion", "custom_id": "the mark of this attempt alone"},
    ],
)
def test_spelling_of_json_makes_no_difference(record, replay, server, body):
    server.on("/v2/x", 200)
    folder, _ = record(("/v2/x", {}))
    assert replay(folder, ask(json=body))[0].status == 200


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"json": {"prompt": "b", "width": 32, "seed": 7}}, "prompt: recorded 'a potion', asked 'b'"),
        ({"json": {"prompt": "a potion", "width": 33, "seed": 7}}, "width: recorded 32, asked 33"),
        ({"json": {"prompt": "a potion", "width": 32}}, "seed: recorded 7, not asked"),
        ({"json": {"prompt": "a potion", "width": 32, "seed": 7, "z": None}}, "z: not recorded, asked None"),
        ({"json": {"prompt": "a potion", "width": 32, "seed": True}}, "seed: recorded 7, asked True"),
        ({"json": {"prompt": {"a": [1]}, "width": 32, "seed": 7}}, "prompt.a[0]: not recorded, asked 1"),
        ({"path": "/v2/y"}, "path: recorded '/v2/x', asked '/v2/y'"),
        ({"path": "/v2/x?q=1"}, "query.q: not recorded, asked '1'"),
    ],
)
def test_a_different_request_does_not_match_and_the_error_says_how(record, replay, server, change, line):
    server.on("/v2/x", 200)
    far = {"json": {"prompt": "something else", "width": 64, "seed": 9}}
    folder, _ = record(("/v2/x", far), ("/v2/x", {}))
    with pytest.raises(CassetteMiss) as caught:
        replay(folder, ask(**change))
    assert f"  {line}\n" in str(caught.value)
    assert "something else" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"method": "GET"}, "method: recorded 'POST', asked 'GET'"),
        ({"content": b"no json"}, "body: not recorded, asked 'no json'"),
    ],
)
def test_method_and_kind_of_body_matter_too(record, replay, server, change, line):
    server.on("/v2/x", 200)
    folder, _ = record(("/v2/x", {}))
    with pytest.raises(CassetteMiss, match="width: recorded 32, not asked") as caught:
        replay(folder, ask(**change))
    assert f"  {line}\n" in str(caught.value)


def test_a_true_is_no_one(record, replay, server):
    server.on("/v2/x", 200)
    folder, _ = record(("/v2/x", {"json": {"flag": True}}))
    with pytest.raises(CassetteMiss, match="flag: recorded True, asked 1"):
        replay(folder, ask(json={"flag": 1}))


def test_no_secret_is_written(record, replay, server):
    register_secret("hunter2-registered")
    answer = {
        "output_urls": [
            "https://cdn.vendor.com/i.png?X-Amz-Signature=aaaa1111&X-Amz-Expires=900",
            "https://cdn.vendor.com/j.png?Expires=1&Signature=bbbb2222&Key-Pair-Id=cccc3333",
        ],
        "echo": f"your key is {KEY} or hunter2-registered",
        "Bearer 0123456789abcdef0123": 1,
    }
    headers = {"X-Request-ID": "hunter2-registered", "Set-Cookie": "session=dddd4444", "Location": "/x?sig=eeee5555"}
    server.on("/v2/x", (200, headers, json.dumps(answer).encode()))
    server.on("/v2/html", (502, {}, f"<p>{KEY}</p>".encode()))
    folder, _ = record(("/v2/x?token=ffff6666", {"json": {"p": "hunter2-registered"}}), ("/v2/html", {}))
    written = "".join(path.read_text() for path in folder.iterdir())
    for secret in (
        KEY,
        "hunter2",
        "aaaa1111",
        "bbbb2222",
        "cccc3333",
        "dddd4444",
        "eeee5555",
        "ffff6666",
        "0123456789",
    ):
        assert secret not in written
    assert "X-Amz-Expires=900" in written
    assert lint(folder) == []
    # It still answers the request that it was recorded for, and any other token.
    assert replay(folder, ask("/v2/x?token=other", json={"p": "hunter2-registered"}))[0].status == 200


def test_signed_downloads_replay_by_their_scrubbed_address(driver, server, rules, tmp_path):
    server.on("/i.png", (200, {}, PNG))
    wire = driver.wire(transport=RecordingTransport(Cassette(tmp_path, "record")))
    signed = HttpRequest("GET", f"{server.url}/i.png?X-Amz-Signature=aaaa1111&X-Amz-Expires=9")
    assert driver.free(wire, signed, rules, download=True).content == PNG
    replaying = driver.wire(transport=RecordingTransport(Cassette(tmp_path)))
    for url in ("https://cdn.vendor.com/i.png?[redacted]&X-Amz-Expires=9", signed.url.replace("aaaa", "bbbb")):
        both = HostRules(("http://127.0.0.1:1", "https://api.vendor.com"), ELSEWHERE.delivery)
        assert driver.free(replaying, HttpRequest("GET", url), both, download=True).content == PNG


def test_record_missing_sends_only_what_is_missing(record, server):
    server.on("/v2/x", 200)
    server.on("/v2/y", 201)
    record(("/v2/x", {}))
    folder, answers = record(("/v2/x", {}), ("/v2/y", {}), ("/v2/y", {}), mode="record-missing")
    assert [answer.status for answer in answers] == [200, 201, 201]
    assert server.paths() == ["/v2/x", "/v2/y"]
    assert len(Cassette(folder).exchanges) == 2


def test_record_appends(record, server):
    server.on("/v2/x", 200)
    record(("/v2/x", {}))
    folder, _ = record(("/v2/x", {}))
    assert len(server.seen) == len(Cassette(folder).exchanges) == 2
    assert [path.name for path in folder.iterdir()] == ["cassette.json"]  # no temporary file stays


def test_a_documented_cassette_is_not_recorded_into(tmp_path):
    made = Cassette.documented(tmp_path, source="the contract", day=date(2026, 1, 2))
    made.append("POST", "https://h/x", b"{}", status=200, headers={}, content=b"{}")
    assert json.loads((tmp_path / "cassette.json").read_text())["origin"] == "documented"
    assert Cassette(tmp_path / "cassette.json").find("POST", "https://other/x", b"{ }").content == b"{}"
    with pytest.raises(ConfigError, match="documented, not recorded"):
        Cassette(tmp_path, "record")


def test_a_cassette_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no cassette at"):
        Cassette(tmp_path / "nowhere")
    (tmp_path / "cassette.json").write_text('{"version": 2}')
    with pytest.raises(ConfigError, match="not a usable cassette"):
        Cassette(tmp_path)


def test_an_empty_cassette_says_so(tmp_path, driver):
    (tmp_path / "cassette.json").write_text('{"version": 1, "origin": "recorded", "exchanges": []}')
    wire = driver.wire(transport=RecordingTransport(Cassette(tmp_path)))
    with pytest.raises(CassetteMiss, match="Nothing is recorded"):
        driver.paid(wire, ask(), ELSEWHERE)


def test_a_miss_is_not_retried(driver, tmp_path, clock):
    (tmp_path / "cassette.json").write_text('{"version": 1, "origin": "recorded", "exchanges": []}')
    wire = driver.wire(transport=RecordingTransport(Cassette(tmp_path)), sleeps=clock)
    with pytest.raises(CassetteMiss):
        driver.free(wire, ask(), ELSEWHERE)
    assert clock.sleeps == []
