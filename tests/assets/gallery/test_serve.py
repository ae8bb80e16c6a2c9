"""The local server, by plain sockets: who may read, who may pick."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelrouter.assets.gallery import GalleryServer, Reader
from pixelrouter.errors import InvalidRequest

MANIFEST = '[project]\nname = "g"\n[asset.potion]\nprompt = "a red potion"\nsize = 16\n'


class Served:
    def __init__(self, folder: Path) -> None:
        self.manifest = folder / "assets.toml"
        self.manifest.write_text(MANIFEST)
        self.picks: list[tuple[str, int]] = []
        self.server = GalleryServer(Reader(self.manifest), self.pick)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def pick(self, name: str, number: int) -> None:
        if number > 1:
            raise InvalidRequest("It has no candidate 2.", hint="It has 1.")
        self.picks.append((name, number))

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        connection.request(method, path.replace("TOKEN", self.server.token), body, named)
        return connection.getresponse()

    def send(self, body: str, **headers: str) -> http.client.HTTPResponse:
        usual = {"Content_Type": "application/json", "Origin": f"http://127.0.0.1:{self.server.server_port}"}
        return self.ask("POST", "/TOKEN/pick", body, **(usual | headers))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path)
    yield one
    one.close()


PICK = json.dumps({"name": "potion", "number": 1})


def test_the_page_its_data_and_its_version(served: Served) -> None:
    answer = served.ask("GET", "/TOKEN/")
    html = answer.read().decode()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "connect-src &#x27;self&#x27;" in html
    assert served.server.token not in html
    told = json.loads(served.ask("GET", "/TOKEN/data.json").read())
    assert [card["name"] for card in told["cards"]] == ["potion"]
    before = served.ask("GET", "/TOKEN/version").read()
    served.manifest.write_text(f"{MANIFEST}\n")
    assert served.ask("GET", "/TOKEN/version").read() != before


@pytest.mark.parametrize(
    "path", ["/", "/pick", "/wrong/", "/wrong/pick", "/TOKENx/", "/TOKEN/../TOKEN/", "/TOKEN/assets.toml"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_without_the_token(served: Served, method: str, path: str) -> None:
    answer = served.ask(method, path, PICK if method == "POST" else None, Content_Type="application/json")
    assert answer.status == 404
    assert not served.picks


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "evil.example:80", "127.0.0.1.evil.example:{port}", "0.0.0.0:{port}"]
)
def test_another_name_for_this_machine_is_refused(served: Served, host: str) -> None:
    name = host.format(port=served.server.server_port)
    assert served.ask("GET", "/TOKEN/", Host=name).status == 403
    assert served.send(PICK, Host=name, Origin=f"http://{name}").status == 403
    assert not served.picks


def test_localhost_is_this_machine(served: Served) -> None:
    assert served.ask("GET", "/TOKEN/version", Host=f"localhost:{served.server.server_port}").status == 200


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_picks_come_from_the_page_itself(served: Served, origin: str) -> None:
    assert served.send(PICK, Origin=origin.format(port=served.server.server_port)).status == 403
    assert not served.picks


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_cannot_pick(served: Served, kind: str) -> None:
    assert served.send(PICK, Content_Type=kind).status == 415
    assert not served.picks


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"name": "potion"}', '{"name": 1, "number": 1}', '{"name": "potion", "number": true}',
             '{"name": "potion", "number": "1"}', "[" * 60_000, '{"x": "' + "a" * 70_000 + '"}']
)  # fmt: skip
def test_nonsense_is_no_pick(served: Served, body: str) -> None:
    assert served.send(body).status == 400
    assert not served.picks


def test_a_pick(served: Served) -> None:
    answer = served.send(PICK)
    assert (answer.status, json.loads(answer.read())) == (200, {"name": "potion", "number": 1})
    assert served.picks == [("potion", 1)]


def test_what_a_pick_cannot_do_is_said(served: Served) -> None:
    answer = served.send('{"name": "potion", "number": 2}')
    assert (answer.status, json.loads(answer.read())) == (409, {"error": "It has no candidate 2. It has 1."})


def test_a_broken_manifest_is_said_and_the_server_stays(served: Served) -> None:
    served.manifest.write_text("[asset.potion\n")
    answer = served.ask("GET", "/TOKEN/data.json")
    assert answer.status == 409
    assert "assets.toml:1" in json.loads(answer.read())["error"]
    served.manifest.write_text(MANIFEST)
    assert served.ask("GET", "/TOKEN/data.json").status == 200


def test_no_answer_opens_to_another_site(served: Served) -> None:
    for answer in (served.ask("GET", "/TOKEN/"), served.send(PICK), served.ask("OPTIONS", "/TOKEN/pick")):
        names = {name.lower() for name in answer.headers}
        assert not any(name.startswith("access-control-") for name in names)
    answer = served.ask("GET", "/TOKEN/")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Python" not in answer.headers["Server"]


def test_only_this_machine_can_connect(served: Served) -> None:
    assert served.server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_said(served: Served) -> None:
    with pytest.raises(InvalidRequest, match="cannot be used"):
        GalleryServer(Reader(served.manifest), served.pick, port=served.server.server_port)
