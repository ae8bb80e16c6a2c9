"""What the backend reads in its cassettes, call by call; bought through the router: tests/test_cassettes.py."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter import errors
from pixelrouter.types import Delivery, GenerationRequest, Mark, Money, Progress, Ticket
from pixelrouter.wire.cassette import Cassette
from tests.backends.fal.answers import backend

FOLDER = Path(__file__).parents[3] / "cassettes" / "fal"
MARK = Mark("any", 7)
REFERENCE = (FOLDER / "success" / "0002-request-image-0.png").read_bytes()
VIEWS = GenerationRequest(prompt="", width=32, height=32, task="views", views="2x2", images=(REFERENCE,))


class Tape:
    """One scenario, asked call by call; no host, no key, no network."""

    def __init__(self, scenario):
        self._cassette = Cassette(FOLDER / scenario)

    def ask(self, call):
        request = call.request
        answer = self._cassette.find(request.method, request.url, request.body)
        assert answer is not None, self._cassette.miss(request.method, request.url, request.body)
        return call.read(answer)

    def collect(self, ticket):
        """Every state on the way to the delivery, and the delivery."""
        seen = []
        for _ in range(10):
            state = self.ask(backend().poll(ticket))
            if isinstance(state, Delivery):
                return seen, state
            if isinstance(state, Ticket):
                ticket = state
            else:
                seen.append(state.status)
        raise AssertionError("it never ends")

    def buy(self, request=VIEWS):
        """Quote, submit, wait, download."""
        api = backend()
        quote = self.ask(api.quote(request))
        seen, delivery = self.collect(self.ask(api.submit(request, MARK)))
        files = [self.ask(call) for call in api.fetch(delivery)]
        return quote, seen, delivery, [Image.open(io.BytesIO(file)) for file in files]


@pytest.mark.parametrize(
    ("scenario", "states"),
    [
        ("success", ["IN_QUEUE", "IN_PROGRESS"]),
        ("status_backwards", ["IN_PROGRESS", "IN_QUEUE (2 before it)", "IN_PROGRESS"]),
    ],
)
def test_a_sheet(scenario, states):
    quote, seen, delivery, [image] = Tape(scenario).buy()
    assert (quote.money, delivery.units, seen) == (Money.of("0.032"), Decimal(2), states)
    assert (image.size, image.getpixel((0, 0))) == ((1024, 1024), (224, 0, 0))


def test_a_picture_from_text():
    request = GenerationRequest(prompt="a green potion in a round bottle", width=32, height=32)
    quote, _, delivery, [image] = Tape("text_to_image").buy(request)
    assert (quote.money, delivery.units, image.size) == (Money.of("0.016"), Decimal(1), (1024, 1024))


def test_two_steps():
    tape, api = Tape("two_step"), backend()
    request = VIEWS.model_copy(update={"prompt": "a green potion in a round bottle", "images": (), "seed": 7})
    first = api.first(request)
    assert tape.ask(api.quote(request)).money == Money.of("0.032")
    _, delivery = tape.collect(tape.ask(api.submit(first, MARK)))
    [file] = [tape.ask(call) for call in api.fetch(delivery)]
    assert tape.ask(api.quote(first)).money == Money.of("0.016")
    second = request.model_copy(update={"images": (file,)})
    _, delivery = tape.collect(tape.ask(api.submit(second, MARK)))
    assert delivery.units == 2


def test_image2pixel():
    more = {"task": "edit", "model": "image2pixel", "options": {"max_colors": 8}}
    request = GenerationRequest(prompt="", width=32, height=32, images=(REFERENCE,), **more)
    quote, _, delivery, images = Tape("image2pixel").buy(request)
    assert [image.size for image in images] == [(32, 32), (64, 64)]
    assert backend().layout(request).raws == 1
    assert (delivery.units, quote.unit_price) == (Decimal("1.5"), Money.of("0.0005"))


@pytest.mark.parametrize(
    ("scenario", "error", "facts"),
    [
        ("no_balance", errors.OutOfCredit, {"status": 403}),
        ("rate_limited", errors.RateLimited, {"status": 429, "code": "concurrent_requests_limit"}),
    ],
)
def test_refusals(scenario, error, facts):
    with pytest.raises(error) as caught:
        Tape(scenario).buy()
    assert {name: getattr(caught.value, name) for name in facts} == facts
    assert caught.value.money == "no"


@pytest.mark.parametrize(
    ("scenario", "error", "code", "charged"),
    [
        ("validation_error", errors.JobFailed, "file_download_error", Money(0)),
        ("failed_task", errors.JobFailed, "runner_disconnected", Money(0)),
        ("content_refused", errors.ContentBlocked, "content_policy_violation", None),
    ],
)
def test_failed_jobs(scenario, error, code, charged):
    with pytest.raises(errors.JobFailed) as caught:
        Tape(scenario).buy()
    assert (type(caught.value), caught.value.code, caught.value.charged) == (error, code, charged)


def test_a_gateways_504_is_no_verdict():
    tape, api = Tape("result_504"), backend()
    ticket = tape.ask(api.submit(VIEWS, MARK))
    assert isinstance(tape.ask(api.poll(ticket)), Progress)
    assert isinstance(tape.ask(api.poll(ticket)), Progress)
    done = tape.ask(api.poll(ticket))
    with pytest.raises(errors.UnexpectedAnswer):
        tape.ask(api.poll(done))
    assert tape.ask(api.poll(done)).units == 2
