"""Free calls: what is retried, how long it waits, and when it stops. The clock is fake, the sockets are real."""

from email.utils import formatdate

import httpx
import pytest
from pydantic import SecretStr

from pixelrouter.errors import DeadlineExceeded, ForbiddenHost, WireError
from pixelrouter.types import HttpRequest, HttpResponse
from pixelrouter.wire.client import RetryBudget
from pixelrouter.wire.guard import HostRules
from pixelrouter.wire.retry import retry_after

NOW = 1_700_000_000.0


@pytest.fixture
def wire(driver, clock):
    """Jitter at its most: the waits are the exponential ceiling itself."""
    return driver.wire(sleeps=clock, clock=clock, wall=lambda: NOW, jitter=lambda high: high)


def job(server, **rest):
    return HttpRequest("GET", f"{server.url}/job", **rest)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_statuses_are_tried_again(driver, wire, clock, server, rules, status):
    server.on("/job", status, status, (200, {}, b"done"))
    assert driver.free(wire, job(server), rules).content == b"done"
    assert len(server.seen) == 3
    assert clock.sleeps == [0.25, 0.5]


@pytest.mark.parametrize("status", [200, 204, 301, 307, 400, 401, 402, 403, 404, 409, 410, 422, 501])
def test_other_statuses_are_answers(driver, wire, clock, server, rules, status):
    server.on("/job", (status, {"Location": "/elsewhere"}, b""))
    assert driver.free(wire, job(server), rules).status == status
    assert (len(server.seen), clock.sleeps) == (1, [])


@pytest.mark.parametrize("fault", ["drop", "short"])
def test_transport_faults_are_tried_again(driver, wire, server, rules, fault):
    server.on("/job", getattr(server, fault), (200, {}, b"done"))
    assert driver.free(wire, job(server), rules).content == b"done"
    assert len(server.seen) == 2


def test_the_last_answer_is_returned_when_the_tries_are_used_up(driver, wire, clock, server, rules):
    server.on("/job", (503, {}, b"busy"))
    answer = driver.free(wire, job(server), rules)
    assert (answer.status, answer.content, len(server.seen)) == (503, b"busy", 5)
    assert clock.sleeps == [0.25, 0.5, 1.0, 2.0]


def test_waits_stop_growing_at_eight_seconds(driver, wire, clock, server, rules):
    server.on("/job", 503)
    driver.free(wire, job(server), rules, attempts=9)
    assert clock.sleeps[-3:] == [8.0, 8.0, 8.0]


def test_the_last_fault_becomes_an_error_that_names_it(driver, wire, server, rules):
    server.on("/job", server.drop)
    secrets = {"X-RD-Token": SecretStr("rdpk-0123456789")}
    with pytest.raises(WireError, match="ask for the job after 2 tries: ReadError") as caught:
        driver.free(wire, job(server, secrets=secrets), rules, attempts=2)
    assert caught.value.money == "no"
    assert isinstance(caught.value.__cause__, httpx.ReadError)
    assert "X-RD-Token" not in caught.value.__cause__.request.headers


def test_the_wait_is_random_between_zero_and_the_ceiling(driver, clock, server, rules):
    server.on("/job", 503)
    wire = driver.wire(sleeps=clock, clock=clock)
    driver.free(wire, job(server), rules, attempts=8)
    assert all(0 <= slept <= min(8.0, 0.25 * 2**n) for n, slept in enumerate(clock.sleeps))
    assert len(set(clock.sleeps)) == len(clock.sleeps) == 7


def test_retry_after_wins_over_the_jitter(driver, wire, clock, server, rules):
    later = formatdate(NOW + 40, usegmt=True)
    sent = formatdate(NOW, usegmt=True)
    server.on("/job", (429, {"Retry-After": "7"}, b""), (503, {"Retry-After": later}, b""), 200)

    def dated(handler):  # the server's clock, not ours, is what the date form is relative to
        handler.date_time_string = lambda timestamp=None: sent
        handler.reply(503, {"Retry-After": later}, b"")

    server.on("/job", (429, {"Retry-After": "7"}, b""), dated, 200)
    assert driver.free(wire, job(server), rules).status == 200
    assert clock.sleeps == [7.0, 40.0]


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("0", None, 0),
        ("120", None, 120),
        ("1.5", None, 1.5),
        (formatdate(NOW + 30, usegmt=True), None, 30),
        (formatdate(NOW - 30, usegmt=True), None, 0),
        (formatdate(NOW + 30, usegmt=True), formatdate(NOW + 20, usegmt=True), 10),
        (formatdate(NOW + 30, usegmt=True), "nonsense", 30),
        ("", None, None),
        ("soon", None, None),
        ("-5", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1e9", None, None),
        ("99999999999999999999", None, None),
        ("\u0663", None, None),  # a digit to str.isdigit, not to HTTP
        ("Mon, 99 Foo 2026 99:99:99 GMT", None, None),
    ],
)
def test_retry_after_in_all_its_forms(text, date, seconds):
    headers = {"retry-after": text} | ({} if date is None else {"date": date})
    assert retry_after(HttpResponse(503, headers), NOW) == seconds


def test_an_hour_is_no_wait_but_an_answer(driver, wire, clock, server, rules):
    server.on("/job", (429, {"Retry-After": "3600"}, b""))
    answer = driver.free(wire, job(server), rules)
    assert (answer.status, answer.headers["retry-after"], clock.sleeps) == (429, "3600", [])


def test_a_sleep_that_would_pass_the_deadline_is_not_begun(driver, wire, clock, server, rules):
    server.on("/job", (503, {"Retry-After": "10"}, b""))
    start = clock.now
    with pytest.raises(DeadlineExceeded, match="the vendor answered 503") as caught:
        driver.free(wire, job(server), rules, deadline=start + 25)
    assert clock.sleeps == [10.0, 10.0]  # a third would have ended at 30
    assert clock.now < start + 25
    assert caught.value.money == "no"


def test_a_deadline_in_the_past_sends_nothing(driver, wire, clock, server, rules):
    with pytest.raises(DeadlineExceeded):
        driver.free(wire, job(server), rules, deadline=clock.now)
    assert server.accepts == 0


def test_the_deadline_bounds_the_exchange_itself(driver, server, rules, clock):
    """The server is silent: without the bound this would hang for the full hour of ``timeout_s``."""
    server.on("/job", server.silent)
    wire = driver.wire(sleeps=clock, clock=clock, jitter=lambda high: high)
    with pytest.raises(DeadlineExceeded) as caught:
        driver.free(wire, job(server), rules, deadline=clock.now + 0.2, timeout_s=3600)
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)


def test_an_empty_budget_fails_fast(driver, wire, clock, server, rules):
    server.on("/job", 503)
    budget = RetryBudget()
    driver.free(wire, job(server), rules, budget=budget, attempts=11)
    assert (budget.tokens, len(clock.sleeps)) == (0, 10)
    assert driver.free(wire, job(server), rules, budget=budget).status == 503  # for its reader to judge
    assert len(clock.sleeps) == 10
    assert len(server.seen) == 12


def test_successes_fill_the_budget_up_to_its_capacity(driver, wire, server, rules):
    budget = RetryBudget(capacity=6)
    server.on("/job", 503, 200)
    driver.free(wire, job(server), rules, budget=budget)
    assert budget.tokens == 2
    for _ in range(9):
        driver.free(wire, job(server), rules, budget=budget)
    assert budget.tokens == 6


def test_connections_are_kept(driver, wire, server, rules):
    server.on("/job", 200)
    for _ in range(3):
        driver.free(wire, job(server), rules)
    assert server.accepts == 1


def test_credentials_go_to_the_api_only(driver, wire, server, make_server, rules):
    server.on("/job", 200)
    secrets = {"X-RD-Token": SecretStr("rdpk-0123456789")}
    driver.free(wire, job(server, secrets=secrets), rules)
    assert server.seen[0][2]["X-RD-Token"] == "rdpk-0123456789"
    other = make_server()
    with pytest.raises(ForbiddenHost):
        driver.free(wire, job(other, secrets=secrets), rules)
    assert other.accepts == 0


def test_an_answer_past_the_cap_is_an_error_at_once(driver, wire, server, rules):
    server.on("/job", (200, {}, b"x" * 1001))
    with pytest.raises(WireError, match="1,000 bytes"):
        driver.free(wire, job(server, max_bytes=1000), rules)
    assert len(server.seen) == 1


def test_cookies_are_neither_kept_nor_sent(driver, wire, server, rules):
    server.on("/job", (200, {"Set-Cookie": "session=abc"}, b""))
    driver.free(wire, job(server), rules)
    driver.free(wire, job(server), rules)
    assert "Cookie" not in server.seen[1][2]


def test_an_address_the_library_cannot_use_is_a_wire_error(driver, wire):
    rules = HostRules(("http://xn--zzzz--.test",))
    with pytest.raises(WireError):
        driver.free(wire, HttpRequest("GET", "http://xn--zzzz--.test/"), rules, attempts=1)
