"""The verdict table over every httpx exception class and every status."""

from __future__ import annotations

import inspect

import httpx
import pytest

from pixelrouter.errors import JobFailed, Overloaded, RequestRejected, UnexpectedAnswer
from pixelrouter.routing.verdict import EXCEPTIONS, Verdict, of_answer, of_exception

HTTPX = sorted(
    {c for _, c in inspect.getmembers(httpx, inspect.isclass) if issubclass(c, Exception)}, key=lambda c: c.__name__
)
NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
REFUSED = {400, 401, 402, 403, 404, 413, 422, 429}


@pytest.mark.parametrize("cls", HTTPX)
def test_every_httpx_exception_is_classified(cls: type[Exception]) -> None:
    assert cls in EXCEPTIONS, f"httpx has a new exception {cls.__name__}: was a byte sent when it is raised?"
    assert (EXCEPTIONS[cls] is Verdict.NOT_SENT) == (cls.__name__ in NOT_SENT)
    assert EXCEPTIONS[cls] in (Verdict.NOT_SENT, Verdict.UNKNOWN)


def test_the_table_names_no_other_class() -> None:
    assert set(EXCEPTIONS) == set(HTTPX)


def test_an_unlisted_exception_holds_the_money() -> None:
    class Newcomer(httpx.TransportError):
        pass

    assert of_exception(Newcomer("?")) is Verdict.UNKNOWN
    assert of_exception(RuntimeError("?")) is Verdict.UNKNOWN


def test_a_subclass_is_judged_like_its_base() -> None:
    class Refined(httpx.ConnectError):
        pass

    assert of_exception(Refined("?")) is Verdict.NOT_SENT


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status(status: int) -> None:
    read = of_answer(status)
    unread = of_answer(status, UnexpectedAnswer("?", status=status))
    if status in REFUSED:
        assert read is unread is Verdict.REFUSED
    elif 200 <= status < 300:
        assert read is Verdict.ACCEPTED
        assert unread is Verdict.UNKNOWN
    else:
        assert read is unread is Verdict.UNKNOWN


@pytest.mark.parametrize("status", [200, 409, 500, 502, 503])
def test_what_the_vendor_documents_stands_at_any_status(status: int) -> None:
    assert of_answer(status, Overloaded("busy")) is Verdict.REFUSED
    assert of_answer(status, RequestRejected("no")) is Verdict.REFUSED
    assert of_answer(status, JobFailed("failed")) is Verdict.FAILED
