"""The contract that every backend keeps, as tests: ``pytest --pyargs pixelrouter.testing.contract``.

It runs against every backend that is installed, ours or a plugin's, over real sockets: a remote one against its
vendor's simulator (entry point ``pixelrouter.simulators``), whose count of charges is the judge. A backend without a
simulator is only looked at, never bought from. ``-k NAME`` picks one backend.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pixelrouter import backends
from pixelrouter.backends.protocol import Call
from pixelrouter.errors import (
    AuthFailed,
    InvalidRequest,
    JobFailed,
    OutcomeUnknown,
    PixelRouterError,
    StillRunning,
)
from pixelrouter.money.ledger import Ledger
from pixelrouter.routing import verdict
from pixelrouter.routing.router import AsyncPixelRouter, PixelRouter
from pixelrouter.routing.verdict import Verdict
from pixelrouter.testing.outcomes import FAULTS, PARAMETERS
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import simulator_of, vendors
from pixelrouter.types import Delivery, GenerationRequest, HttpResponse, Layout, Mark, Money, Progress, Ticket

PROMPT = "a red potion in a round bottle"
SIZE = 64
WISH = GenerationRequest(prompt=PROMPT, width=SIZE, height=SIZE, seed=7)


def remote_names() -> list[str]:
    """The backends that sell, sorted."""
    return [name for name in backends.names() if backends.load(name).kind == "remote"]


def sold_names() -> list[str]:
    """The remote backends that have a simulator to be judged by."""
    return [name for name in remote_names() if name in vendors()]


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """The shop of the backend that the test is parametrised with."""
    with simulator_of(request.param)(port=0) as simulator:
        made = Shop(request.param, simulator, tmp_path / "state")
        yield made
        made.close()


@pytest.fixture
def local_state(tmp_path: Path) -> Path:
    """A state folder of one's own."""
    return tmp_path / "state"


sold = pytest.mark.parametrize("shop", sold_names(), indirect=True)


# --- what a backend says about itself ---


@pytest.mark.parametrize("name", backends.names())
def test_a_backend_describes_itself(name: str) -> None:
    """Models, limits and licence make sense, without a key and without a network."""
    cls = backends.load(name)
    can = cls(cls.settings_type(), None).capabilities()
    assert cls.name == can.backend == name
    assert can.models
    assert can.summary
    assert can.licence.name
    ids = [model.id for model in can.models]
    assert len(ids) == len(set(ids))
    assert can.default_model is None or can.default_model in ids
    for model in can.models:
        assert 1 <= model.min_width <= model.max_width
        assert 1 <= model.min_height <= model.max_height
        assert model.max_n >= 1
        assert model.tasks
        assert bool(model.views) <= ("views" in model.tasks), f"{model.id} lists views without the task"
        assert bool(model.tiles) <= ("tileset" in model.tasks), f"{model.id} lists tiles without the task"


@pytest.mark.parametrize("name", backends.names())
def test_an_unknown_model_is_refused_with_a_way_out(name: str) -> None:
    """A model that does not exist is an InvalidRequest with a hint."""
    cls = backends.load(name)
    backend = cls(cls.settings_type(), None)
    with pytest.raises(InvalidRequest) as caught:
        backend.resolve(WISH.model_copy(update={"model": "no-such-model-here"}))
    assert caught.value.hint or "no-such-model-here" in str(caught.value)


@pytest.mark.parametrize("name", remote_names())
def test_a_request_is_the_same_twice(name: str) -> None:
    """The same wish and mark make the same bytes: a resend and a replay hang on it."""
    one, two = (_submit(name).request for _ in range(2))
    assert (one.method, one.url, one.body, one.all_headers) == (two.method, two.url, two.body, two.all_headers)
    assert one.method == "POST"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"detail":"x"}', b"<html>nginx</html>", b"\xff\xfe{"])
@pytest.mark.parametrize("name", remote_names())
def test_no_refusal_is_taken_for_an_image(name: str, status: int, body: bytes) -> None:
    """Whatever comes with an error status is an error of ours, and never counts as accepted or as not sent."""
    problem: PixelRouterError | None = None
    with pytest.raises(PixelRouterError) as caught:
        _submit(name).read(HttpResponse(status, {"content-type": "application/json"}, body, "http://x.invalid/"))
    problem = caught.value
    allowed = {Verdict.REFUSED, Verdict.UNKNOWN} | ({Verdict.FAILED} if isinstance(problem, JobFailed) else set())
    assert verdict.of_answer(status, problem) in allowed
    if status in (500, 502, 503, 504) and body in (b"", b"<html>nginx</html>"):
        assert verdict.of_answer(status, problem) is Verdict.UNKNOWN  # a gateway says nothing about the job behind it


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"17", b'"x"', b"<html></html>", b'{"images": 3}'])
@pytest.mark.parametrize("name", remote_names())
def test_an_answer_without_sense_is_unknown(name: str, body: bytes) -> None:
    """A 200 that says nothing keeps the money held: it never becomes a ticket without a job or a free refusal."""
    with pytest.raises(PixelRouterError) as caught:
        _submit(name).read(HttpResponse(200, {"content-type": "application/json"}, body, "http://x.invalid/"))
    assert verdict.of_answer(200, caught.value) is Verdict.UNKNOWN


def _submit(name: str) -> Call[Ticket | Delivery]:
    cls: Any = backends.load(name)
    backend = cls(cls.settings_type(), None)
    request = WISH.model_copy(update={"model": backend.resolve(WISH).id})
    assert isinstance(backend.layout(request), Layout)
    call: Call[Ticket | Delivery] = backend.submit(request, Mark("0123456789abcdef", 7, 0.0))
    return call


# --- buying ---


@sold
def test_a_purchase_is_booked_as_charged_and_reused(shop: Shop) -> None:
    """One paid POST, the bill in the ledger, the exact size; and the second time nothing is sent."""
    router = shop.router()
    art = router.generate(PROMPT, size=SIZE)
    assert art.size == (SIZE, SIZE)
    assert shop.simulator.paid_posts == 1
    assert [attempt.state for attempt in art.attempts] == ["settled"]
    shop.check_money(router)
    if art.cost.source == "reported":
        (charge,) = shop.simulator.charges
        assert art.cost.money == charge.money
    before = len(shop.simulator.requests)
    again = shop.router().generate(PROMPT, size=SIZE)
    assert again.reused
    assert again.raws == art.raws
    assert not again.cost
    assert len(shop.simulator.requests) == before
    shop.check_secrets(repr(art), str(art.as_dict()), repr(router))


@sold
def test_the_awaited_router_buys_the_same_way(shop: Shop) -> None:
    """The asynchronous router makes the same purchase."""

    async def buy() -> tuple[int, int]:
        async with AsyncPixelRouter(**shop.options()) as router:
            art = await router.generate(PROMPT, size=SIZE)
            return art.size

    assert asyncio.run(buy()) == (SIZE, SIZE)
    assert shop.simulator.paid_posts == 1


@sold
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_never_buys_twice(shop: Shop, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every fault: one purchase, a state that is true, an error that says where the money is, no secret anywhere.

    An idempotent vendor may be asked once more for a lost answer, under the same key, which it charges once.
    """
    times = _arrange(shop, fault)
    errors, states = FAULTS[fault]
    router = shop.router(**({"timeout_s": 1.0} if fault in ("job_stuck", "evil_url") else {}))
    problem: PixelRouterError | None = None
    with caplog.at_level(logging.DEBUG):
        try:
            art = router.generate(PROMPT, size=SIZE)
        except PixelRouterError as error:
            problem = error
        else:
            assert art.size == (SIZE, SIZE)
    fired = len(shop.simulator.faults) < times
    asked_again = OutcomeUnknown in errors and _idempotent(shop, router)
    assert shop.simulator.paid_posts in ((1, 2) if asked_again else (1,))
    assert len(shop.simulator.charges) <= 1
    shop.check_money(router)
    if fired:
        attempt = router.attempts()[0]
        assert problem is None or isinstance(problem, errors), f"{type(problem).__name__}: {problem}"
        assert attempt.state in states
        assert problem is not None or attempt.state == "settled"
        if problem is not None:
            _check_word(problem, attempt.state)
    else:  # the backend has no such exchange: nothing to break
        assert problem is None
    shop.check_secrets(caplog.text, str(problem), repr(problem), str(problem and problem.as_dict()))
    if problem is not None and router.attempts()[0].state in ("unknown", "accepted"):
        _carry_on(shop)


def _arrange(shop: Shop, fault: str) -> int:
    """Let the fault act on the next requests; how often."""
    times = 40 if fault == "expired_url" else 1  # for good: no later look finds it
    try:
        shop.simulator.fault(fault, times, **PARAMETERS.get(fault, {}))
    except ValueError as error:
        pytest.skip(f"this vendor has no such fault: {error}")
    return times


def _check_word(problem: PixelRouterError, state: str) -> None:
    """What the error says about money agrees with the ledger."""
    if problem.money == "no":
        assert state == "released"
    elif problem.money == "held":
        assert state in ("unknown", "accepted")
    elif problem.money == "yes":
        assert state == "settled"


def _carry_on(shop: Shop) -> None:
    """The same call later never buys a second time by itself; an idempotent resend is charged once by the vendor."""
    charged = sum(not charge.refunded for charge in shop.simulator.charges)
    posts = shop.simulator.paid_posts
    router = shop.router(timeout_s=1.0)
    with contextlib.suppress(PixelRouterError):
        router.generate(PROMPT, size=SIZE)
    assert sum(not charge.refunded for charge in shop.simulator.charges) <= max(1, charged)
    assert shop.simulator.paid_posts <= posts + _idempotent(shop, router)
    shop.check_money(router)


def _idempotent(shop: Shop, router: PixelRouter) -> bool:
    """Whether the vendor takes an idempotency key."""
    return router._open().backend(shop.name)[0].capabilities().idempotent


@sold
def test_a_wrong_key_is_said_so(shop: Shop) -> None:
    """Refused, free, and the hint names the variable to set."""
    router = shop.router(keys={shop.name: "not-the-key-" + "0" * 12})
    with pytest.raises(AuthFailed) as caught:
        router.generate(PROMPT, size=SIZE)
    assert not [charge for charge in shop.simulator.charges if not charge.refunded]
    assert {attempt.state for attempt in router.attempts()} <= {"released"}  # none, where the free quote found out
    assert caught.value.money == "no"


@sold
def test_an_unknown_option_is_refused_before_anything_is_sent(shop: Shop) -> None:
    """A vendor option with a typing error would be a wrong image, paid for."""
    with pytest.raises(InvalidRequest):
        shop.router().generate(PROMPT, size=SIZE, options={"no_such_option_here": 1})
    assert shop.simulator.paid_posts == 0


@sold
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["accepted", "settle"])
def test_a_crash_is_carried_on_from(shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str, when: str) -> None:
    """The process dies around a commit; the next one collects the job, or says that it cannot know."""
    real: Callable[..., Any] = getattr(Ledger, method)

    def deadly(*args: Any, **arguments: Any) -> NoReturn:
        if when == "after":
            real(*args, **arguments)
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, method, deadly)
        for cleanup in ("disown", "unknown"):  # a process that is gone cleans nothing up
            patch.setattr(Ledger, cleanup, lambda *_: None)
        with pytest.raises(SystemExit):
            shop.router().generate(PROMPT, size=SIZE)
    shop.close()
    router = shop.router()
    try:
        art = router.generate(PROMPT, size=SIZE)
    except OutcomeUnknown:
        assert (method, when) == ("accepted", "before")  # the ticket was lost with the process
    else:
        assert art.size == (SIZE, SIZE)
    assert len([charge for charge in shop.simulator.charges if not charge.refunded]) == 1
    shop.check_money(router)


@sold
def test_cancel_stops_or_says_that_it_cannot(shop: Shop) -> None:
    """A job that is cancelled is booked as the vendor says; a vendor without a way says so, and the job goes on."""
    _arrange(shop, "job_stuck")
    router = shop.router(timeout_s=0.5)
    with contextlib.suppress(StillRunning, OutcomeUnknown):
        router.generate(PROMPT, size=SIZE)
    (attempt,) = router.attempts()
    if attempt.state != "accepted":
        pytest.skip("this vendor answers at once: there is no job to stop")
    try:
        stopped = router.cancel(attempt.id)
    except InvalidRequest:
        assert router.attempts()[0].state == "accepted"
    else:
        assert stopped.state in ("released", "settled", "accepted")
    shop.check_money(router)


@sold
def test_the_balance_is_read_or_honestly_unknown(shop: Shop) -> None:
    """Money in the account's own unit, or None; never a guess, and never a cost."""
    left = shop.router().balance(shop.name)
    assert left is None or isinstance(left, Money)
    assert shop.simulator.paid_posts == 0


@sold
def test_a_dry_run_sends_nothing_and_shows_no_key(shop: Shop) -> None:
    """The exact request, the credential left out."""
    rows = shop.router().dry_run(PROMPT, size=SIZE)
    assert rows[0]["url"].startswith(shop.simulator.url)
    assert not shop.simulator.requests
    shop.check_secrets(str(rows))


@sold
def test_a_recording_replays_without_key_and_network(shop: Shop, tmp_path: Path) -> None:
    """What was recorded once is played back bit for bit by a router that knows no key and no vendor."""
    cassette = tmp_path / "cassette"
    recorded = shop.router(cassette=cassette, cassette_mode="record").generate(PROMPT, size=SIZE, seed=7)
    sent = len(shop.simulator.requests)
    options = shop.options(state=tmp_path / "other", cassette=cassette, cassette_mode="replay", keys={})
    with PixelRouter(**options) as router:
        replayed = router.generate(PROMPT, size=SIZE, seed=7)
    assert replayed.raws == recorded.raws
    assert len(shop.simulator.requests) == sent
    for file in cassette.rglob("*"):
        if file.is_file():
            assert shop.key.encode() not in file.read_bytes()


# --- drawing here ---


@pytest.mark.parametrize("name", [name for name in backends.names() if backends.load(name).kind == "local"])
def test_a_local_backend_is_free_and_reproducible(name: str, local_state: Path) -> None:
    """The same seed draws the same picture, progress is told, nothing costs, unknown options are refused."""
    cls: Any = backends.load(name)
    backend = cls(cls.settings_type(), None)
    request = WISH.model_copy(update={"model": backend.resolve(WISH).id})
    with pytest.raises(InvalidRequest):
        backend.resolve(request.model_copy(update={"options": {"no_such_option_here": 1}}))
    told: list[Progress] = []
    try:
        one, two = (backend.generate(request, told.append) for _ in range(2))
    except PixelRouterError as error:
        pytest.skip(f"{name} cannot draw here: {error}")  # no weights, or its extra is not installed
    assert one.items == two.items
    assert told
    assert not one.cost
    with PixelRouter(state=local_state, backend=name) as router:
        assert router.generate(PROMPT, size=SIZE, seed=7).cost.money.micros == 0
