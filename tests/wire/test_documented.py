"""Retro Diffusion's cassettes on both wires, call by call; all of them through the router: tests/test_cassettes.py."""

import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from pixelrouter import errors
from pixelrouter.backends.retrodiffusion.backend import Backend, RetroDiffusionSettings
from pixelrouter.types import Delivery, GenerationRequest, Mark, Money, Progress, Ticket
from pixelrouter.wire.cassette import Cassette
from pixelrouter.wire.recording import RecordingTransport

FOLDER = Path(__file__).parents[2] / "cassettes"
OURS = FOLDER / "retrodiffusion"
REQUEST = GenerationRequest(
    prompt="a red potion in a round bottle", width=32, height=32, model="rd_fast__low_res", seed=7
)


@pytest.fixture
def ask(driver):
    """Send a backend's call through a scenario's cassette and read the answer; no host, no key, no network."""
    wires = {}

    def go(scenario, call, *, paid=False):
        if scenario not in wires:
            wires[scenario] = driver.wire(transport=RecordingTransport(Cassette(OURS / scenario)))
        rules = backend().hosts()
        answer = (driver.paid if paid else driver.free)(wires[scenario], call.request, rules)
        return call.read(answer)

    return go


def backend(**settings):
    return Backend(RetroDiffusionSettings(**settings), SecretStr("rdpk-any-key-will-do"))


def test_success(ask):
    api = backend()
    quote = ask("success", api.quote(REQUEST))
    assert (quote.money, quote.binding) == (Money.of("0.025"), True)
    ticket = ask("success", api.submit(REQUEST, Mark("any", 7)), paid=True)
    assert ask("success", api.poll(ticket)) == Progress("running")
    delivery = ask("success", api.poll(ticket))
    assert isinstance(delivery, Delivery)
    assert delivery.cost.money.amount == Decimal("0.025")
    assert delivery.balance == Money.of("9.975")
    [item] = delivery.items
    with Image.open(io.BytesIO(item.data)) as image:
        assert image.size == (32, 32)
        assert len(image.getcolors()) == 5
    assert ask("success", api.poll(ticket)) == delivery  # a later poll finds it finished still


@pytest.mark.parametrize(
    ("scenario", "error", "facts"),
    [
        ("validation_error", errors.RequestRejected, {"status": 422, "code": "validation_error"}),
        ("content_refused", errors.ContentRefused, {"status": 403, "code": "generation_rejected"}),
        ("no_balance", errors.OutOfCredit, {"status": 402, "code": "not_enough_balance"}),
        ("rate_limited", errors.RateLimited, {"status": 429, "code": "rate_limited", "retry_after": 7.0}),
    ],
)
def test_refusals(ask, scenario, error, facts):
    api = backend()
    assert ask(scenario, api.quote(REQUEST)).usd == 0.025
    with pytest.raises(error) as caught:
        ask(scenario, api.submit(REQUEST, Mark("any", 7)), paid=True)
    assert {name: getattr(caught.value, name) for name in facts} == facts
    assert caught.value.money == "no"


def test_failed_task(ask):
    api = backend()
    ticket = ask("failed_task", api.submit(REQUEST, Mark("any", 7)), paid=True)
    assert isinstance(ask("failed_task", api.poll(ticket)), Progress)
    asked = ask("failed_task", api.poll(ticket))  # it failed: the next question is what became of the money
    assert isinstance(asked, Ticket)
    with pytest.raises(errors.JobFailed) as caught:
        ask("failed_task", api.poll(asked))
    assert (caught.value.charged, caught.value.code) == (Money(0), "inference_failed")


def test_another_prompt_is_no_match(ask):
    other = REQUEST.model_copy(update={"prompt": "a blue potion"})
    with pytest.raises(errors.CassetteMiss, match="prompt: recorded 'a red potion in a round bottle', asked 'a blue p"):
        ask("success", backend().submit(other, Mark("any", 7)), paid=True)


def test_the_manuals_example_runs_without_key_or_network(tmp_path, monkeypatch):
    manual = (FOLDER.parent / "docs" / "recording.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", manual, re.DOTALL)
    for name in (*Backend.credentials, "PIXELROUTER_CONFIG", "PIXELROUTER_STATE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "cassettes").symlink_to(FOLDER)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert names["art"].image.size == (32, 32)
    assert names["art"].cost.money == Money.of("0.025")
    assert (tmp_path / "replayed").is_dir()
