"""The whole router against a vendor that breaks every rule: one paid POST, and a ledger that says what is true."""

from __future__ import annotations

import pytest

from pixelrouter import PixelRouter, errors
from tests.hostile.conftest import KEY
from tests.hostile.raw import OK, RawServer, bomb, drip, flood, packed, say

DEEP = b'{"id":"x","status":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def answer(body, status=b"200 OK"):
    return say(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


#: Answers to the paid request that leave open what became of it.
UNCLEAR = {
    "hung up": say(b""),
    "no HTTP": say(bytes(range(256))),
    "headers for ever": flood(OK, b"X: 1\r\n" * 1000),
    "a body that trickles": drip(OK + b"Content-Length: 9999\r\n\r\n", b" "),
    "a body without end": flood(OK + b"Content-Length: 1073741824\r\n\r\n", b" " * 65536),
    "a bomb": packed("gzip, gzip", bomb(2, megabytes=100)),
    "JSON, 100,000 deep": answer(DEEP),
    "garbage": answer(b'{"id": 17}'),
    "no id": answer(b'{"status":"starting"}', b"201 Created"),
    "an id that is a path": answer(b'{"id":"../account","status":"starting"}', b"201 Created"),
    "two ids": answer(b'{"id":"one","status":"starting","id":"two"}', b"201 Created"),
    "a list": answer(b'[{"id":"one"}]', b"201 Created"),
    "nothing at all": answer(b"", b"204 No Content"),
    "a redirect": say(b"HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:1/x?sig=hush\r\nContent-Length: 0\r\n\r\n"),
    "an upgrade": say(b"HTTP/1.1 101 Up\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
    "a gateway's page": answer(b"<html>502</html>" * 10_000, b"502 Bad Gateway"),
    "the key, said back": answer(f'{{"detail":"{KEY} {KEY}"}}'.encode(), b"500 Oops"),
    "control characters": answer(b'{"detail":"\\u001b[2J\\u0000\\ud800 x"}', b"500 Oops"),
    "a megabyte of words": answer(b'{"detail":"' + b"word " * 200_000 + b'"}', b"503 Busy"),
}
#: By default some; all of them in the gate.
SOME = ("hung up", "a body that trickles", "a bomb", "JSON, 100,000 deep", "two ids", "control characters")


def vendor(act):
    """A Replicate that answers paid requests with ``act``, and lets nobody see its list of predictions."""

    def serve(connection):
        hidden = answer(b'{"title":"Forbidden","detail":"not for you"}', b"403 Forbidden")
        (act if server.requests[-1].startswith(b"POST") else hidden)(connection)

    server = RawServer(serve)
    return server


def router(server, state):
    section = {"base_url": server.url, "poll_s": 0.01, "timeout_s": 0.5, "price_usd": 0.5, "prefer_wait_s": 0}
    return PixelRouter(
        state=state, backend="replicate", keys={"replicate": KEY}, backends={"replicate": section}, timeout_s=2
    )


def paid(server):
    return [head for head in server.requests if head.startswith(b"POST")]


def check_secrets(state, *texts):
    for text in texts:
        assert KEY not in text
        assert "hush" not in text
        assert len(text) < 5000
    for file in state.rglob("*"):
        assert not file.is_file() or (KEY.encode() not in file.read_bytes() and b"sig=hush" not in file.read_bytes())


@pytest.mark.parametrize("name", [n if n in SOME else pytest.param(n, marks=pytest.mark.slow) for n in UNCLEAR])
def test_an_unclear_answer_holds_the_money_and_is_never_repeated(tmp_path, name, caplog):
    state = tmp_path / "state"
    with vendor(UNCLEAR[name]) as server, caplog.at_level("DEBUG"):
        with router(server, state) as here, pytest.raises(errors.OutcomeUnknown) as caught:
            here.generate("a red potion", size=64)
        check_held(server, state)
        with router(server, state) as here, pytest.raises(errors.OutcomeUnknown):
            here.generate("a red potion", size=64)
        check_held(server, state)
    check_secrets(state, str(caught.value), str(caught.value.as_dict()))
    assert KEY not in caplog.text
    assert "hush" not in caplog.text
    assert max(map(len, caplog.text.splitlines())) < 5000


def check_held(server, state):
    with router(server, state) as here:
        (attempt,) = here.attempts()
    assert len(paid(server)) == 1
    assert attempt.state == "unknown"
    assert attempt.cost.money == attempt.held
    assert attempt.held.micros == 500_000


def test_a_refusal_is_told_in_a_few_printable_words(tmp_path):
    body = b'{"title":"\\u001b[31mNo","detail":"' + b"\\u0000 because " * 20_000 + b'https://x.test/?Signature=hush"}'
    with vendor(answer(body, b"422 No")) as server, router(server, tmp_path / "state") as here:
        with pytest.raises(errors.RequestRejected) as caught:
            here.generate("a red potion", size=64)
        (attempt,) = here.attempts()
        assert attempt.state == "released"
        assert not attempt.cost.money
    assert str(caught.value).isprintable()
    check_secrets(tmp_path / "state", str(caught.value), str(caught.value.as_dict()))


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"", id="hung up", marks=pytest.mark.slow),
        pytest.param(
            b'{"id":"another","status":"succeeded","output":["https://x.replicate.delivery/a"]}', id="another"
        ),
        pytest.param(b'{"id":"job","status":"succeeded","output":[17]}', id="no address"),
        pytest.param(DEEP, id="deep"),
    ],
)
def test_a_job_whose_state_cannot_be_read_is_kept(tmp_path, reply):
    """The job was accepted, and every look at it is answered with nonsense: it stays to be collected."""
    accepted = answer(b'{"id":"job","status":"starting"}', b"201 Created")

    def serve(connection):
        if server.requests[-1].startswith(b"POST"):
            accepted(connection)
        elif reply:
            answer(reply)(connection)

    with RawServer(serve) as server, router(server, tmp_path / "state") as here:
        with pytest.raises(errors.StillRunning) as caught:
            here.generate("a red potion", size=64)
        (attempt,) = here.attempts()
        assert attempt.state == "accepted"
        assert attempt.cost.money == attempt.held
    assert len(paid(server)) == 1
    check_secrets(tmp_path / "state", str(caught.value))


def test_an_image_at_a_private_address_is_not_fetched(tmp_path):
    """The vendor's answer names the metadata service of a cloud as the place of the image."""
    done = b'{"id":"job","status":"succeeded","output":["https://169.254.169.254/latest/meta-data?sig=hush"]}'
    with RawServer(answer(done)) as server, router(server, tmp_path / "state") as here:
        with pytest.raises(errors.StillRunning, match=r"169\.254\.169\.254") as caught:
            here.generate("a red potion", size=64)
        (attempt,) = here.attempts()
        assert attempt.state == "accepted"
    check_secrets(tmp_path / "state-none", str(caught.value))
