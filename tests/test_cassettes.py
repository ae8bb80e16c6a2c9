"""Every cassette of every vendor, bought through the router: without a credential, and with sockets that refuse.

What each scenario is asked and how it ends is written in the ``CALLS`` of the vendor's ``make.py``, which builds the
cassettes from the same lines.
"""

from __future__ import annotations

import inspect
import runpy
import socket
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from pixelrouter import PixelRouter, backends, errors
from pixelrouter.types import Money
from pixelrouter.wire.cassette import Cassette, CassetteFile
from pixelrouter.wire.lint import lint

FOLDER = Path(__file__).parents[1] / "cassettes"
MANUAL = FOLDER.parent / "docs" / "recording.md"
MAKERS = {path.parent.name: runpy.run_path(str(path)) for path in sorted(FOLDER.glob("*/make.py"))}
SCENARIOS = [(vendor, name) for vendor, maker in MAKERS.items() for name in maker["CALLS"]]
#: What every backend has, for each of its tasks, and the errors it may end in.
REQUIRED = {
    "validation_error": {"RequestRejected", "JobFailed"},
    "no_balance": {"OutOfCredit"},
    "rate_limited": {"RateLimited"},
    "failed_task": {"JobFailed"},
    "content_refused": {"ContentRefused", "ContentBlocked"},
}


class Blocked(Exception):
    """Something wanted to use the network."""


@pytest.fixture
def network(monkeypatch):
    """Every attempt to use the network, each of which is refused."""
    attempts = []

    def refuse(*arguments, **_):
        attempts.append(arguments)
        raise Blocked(arguments)

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return attempts


@pytest.fixture
def no_waiting(monkeypatch):
    """Pauses between two looks at a job, and before a free call is tried again, take no time."""
    monkeypatch.setattr("pixelrouter.routing.interrupts.time.sleep", lambda seconds: None)
    monkeypatch.setattr("pixelrouter.wire.retry.FIRST_WAIT_S", 0.0)


@pytest.fixture
def asked(monkeypatch):
    """How often each method and path was asked of a cassette."""
    seen, find = Counter(), Cassette.find

    def spy(self, method, url, body):
        seen[method, urlsplit(url).path] += 1
        return find(self, method, url, body)

    monkeypatch.setattr(Cassette, "find", spy)
    return seen


def generate(router, ask):
    """What came of an ask: the art or the error, and all that the ledger counts for it."""
    arguments = dict(ask)
    before = {attempt.id for attempt in router.attempts()}
    try:
        outcome = router.generate(arguments.pop("prompt"), **arguments)
    except errors.PixelRouterError as error:
        outcome = error
    return outcome, [attempt for attempt in router.attempts() if attempt.id not in before]


def kind(outcome):
    return type(outcome).__name__ if isinstance(outcome, errors.PixelRouterError) else "delivered"


def said(outcome):
    return str(outcome) if isinstance(outcome, errors.PixelRouterError) else " ".join(outcome.warnings)


def check_art(art, ask, call):
    assert {image.size for image in art.images} == {(ask["size"], ask["size"])}
    assert len(art.images) == call.get("count", len(call.get("names", "1")))
    assert set(call.get("names", ())) <= set(art.names)


def check_money(attempts, paid, bill=None):
    if bill is not None:
        assert [attempt.cost.source for attempt in attempts] == [bill]
    if paid == "hold":
        [attempt] = attempts
        assert attempt.cost.money == attempt.held > Money(0, attempt.held.unit)
        return
    amount, _, unit = paid.partition(" ")
    wanted = Money.of(amount, unit or "usd")
    assert sum((attempt.cost.money for attempt in attempts), Money(0, wanted.unit)) == wanted


@pytest.mark.parametrize(("vendor", "scenario"), SCENARIOS)
def test_it_ends_as_it_says(vendor, scenario, tmp_path, monkeypatch, network, no_waiting, asked):
    monkeypatch.chdir(tmp_path)
    call = MAKERS[vendor]["CALLS"][scenario]
    folder = FOLDER / vendor / scenario
    settings = {vendor: {"poll_s": 0, **call.get("settings", {})}}
    for ask in call["asks"]:
        options = {"state": tmp_path / ask.get("task", "image"), "backend": vendor, "backends": settings}
        with PixelRouter(cassette=folder, cassette_mode="replay", **options) as router:
            outcome, attempts = generate(router, ask)
            assert kind(outcome) == call["outcome"], f"{ask.get('task', 'image')}: {outcome}"
            assert call.get("says", "") in said(outcome)
            assert "unsaid" not in call or call["unsaid"] not in said(outcome)
            if "again" in call:
                assert router.jobs() == attempts
                outcome, more = generate(router, ask)
                assert (kind(outcome), more) == (call["again"], [])
                attempts = router.attempts()
            check_money(attempts, call["paid"], call.get("bill"))
            if kind(outcome) == "delivered":
                check_art(outcome, ask, call)
    assert network == []
    recorded = Counter((each.request.method, each.request.path) for each in Cassette(folder).exchanges)
    assert recorded <= asked, "some of its answers are never asked for"


def test_the_network_is_shut(network):
    with pytest.raises(Blocked):
        httpx.get("http://localhost:1/")
    with pytest.raises(Blocked):
        httpx.get("http://127.0.0.1:1/")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        with pytest.raises(Blocked):
            plain.connect_ex(("127.0.0.1", 1))
        with pytest.raises(Blocked):
            plain.sendto(b"x", ("127.0.0.1", 1))
    assert len(network) == 4


def test_another_wish_is_not_answered(tmp_path, network):
    options = {"state": tmp_path, "backend": "replicate", "backends": {"replicate": {"poll_s": 0}}}
    with PixelRouter(cassette=FOLDER / "replicate" / "success", **options) as router:
        with pytest.raises(errors.CassetteMiss, match="asked 'a blue potion'"):
            router.generate("a blue potion", size=32, seed=7, model="rd-fast/low_res")
        [attempt] = router.attempts()
        assert attempt.state == "released"
    assert network == []


# --- what has to be there ---------------------------------------------------------------------------------------------


def ours():
    """The remote backends of this project; plugins that happen to be installed bring cassettes of their own."""
    classes = {name: backends.load(name) for name in backends.names()}
    return {n: c for n, c in classes.items() if c.kind == "remote" and c.__module__.startswith("pixelrouter.")}


def tasks_of(call):
    return {ask.get("task", "image") for ask in call["asks"]}


def test_every_remote_backend_has_cassettes():
    assert set(MAKERS) == set(ours())


@pytest.mark.parametrize("vendor", MAKERS)
def test_every_task_is_delivered_by_one_scenario(vendor):
    calls = MAKERS[vendor]["CALLS"]
    backend = ours()[vendor]
    able = set(backend(backend.settings_type(), None).capabilities().tasks)
    assert calls["success"]["outcome"] == "delivered"
    assert set().union(*(tasks_of(call) for call in calls.values() if call["outcome"] == "delivered")) == able


@pytest.mark.parametrize("vendor", MAKERS)
def test_every_task_has_every_failure_that_its_vendor_documents(vendor):
    calls, missing = MAKERS[vendor]["CALLS"], MAKERS[vendor].get("MISSING", {})
    backend = ours()[vendor]
    gaps = set()
    for scenario, outcomes in REQUIRED.items():
        if scenario not in calls:
            gaps.add(scenario)
            continue
        assert calls[scenario]["outcome"] in outcomes
        able = backend(backend.settings_type(), None).capabilities().tasks
        gaps |= {f"{scenario}/{task}" for task in able if task not in tasks_of(calls[scenario])}
    assert gaps == set(missing), "MISSING gives the reason for each gap, and for nothing else"


def test_every_outcome_is_an_error_or_a_delivery():
    known = {name for name, value in vars(errors).items() if inspect.isclass(value)} | {"delivered"}
    assert {call["outcome"] for maker in MAKERS.values() for call in maker["CALLS"].values()} <= known


@pytest.mark.parametrize("vendor", MAKERS)
def test_every_folder_is_a_documented_cassette_with_source_and_date(vendor):
    folders = {path.name for path in (FOLDER / vendor).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(MAKERS[vendor]["CALLS"])
    for folder in folders:
        file = CassetteFile.model_validate_json((FOLDER / vendor / folder / "cassette.json").read_bytes())
        assert (file.origin, file.date) == ("documented", MAKERS[vendor]["DAY"])
        assert ".com/" in file.source or ".ai/" in file.source


def test_all_are_clean():
    assert lint(FOLDER) == []


@pytest.mark.parametrize("vendor", MAKERS)
def test_the_script_builds_exactly_these(vendor, tmp_path):
    """It fails when the backend changes what it sends: run make.py again."""
    MAKERS[vendor]["build"](tmp_path)
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    ours = FOLDER / vendor
    assert built == sorted(path.relative_to(ours) for path in ours.rglob("*/*.*") if path.suffix != ".pyc")
    for name in built:
        made, kept = tmp_path / name, ours / name
        if name.suffix == ".json":
            assert made.read_bytes() == kept.read_bytes(), name
        else:  # compressed bytes differ between versions of zlib, pixels do not
            with Image.open(made) as one, Image.open(kept) as other:
                assert one.tobytes() == other.tobytes(), name


def table(vendor):
    """The scenarios of a vendor as the manual lists them."""
    calls = MAKERS[vendor]["CALLS"]
    rows = [f"| `{name}` | {call['about']} | {_end(call)} |" for name, call in calls.items()]
    return "\n".join(["| folder | what happens | ends in |", "| --- | --- | --- |", *rows])


def _end(call):
    ends = [call["outcome"], *([call["again"]] if "again" in call else [])]
    return ", then ".join(end if end == "delivered" else f"`{end}`" for end in ends)


@pytest.mark.parametrize("vendor", MAKERS)
def test_the_manual_lists_them(vendor):
    manual = MANUAL.read_text()
    assert table(vendor) in manual, f"docs/recording.md lacks this:\n\n{table(vendor)}\n"
    for reason in MAKERS[vendor].get("MISSING", {}).values():
        assert reason in manual
