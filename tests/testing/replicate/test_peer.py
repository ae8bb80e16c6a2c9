"""The vendor's own SDK, `replicate` 1.0.7, makes its ordinary calls against the simulator.

What goes well proves the simulator's shapes. What goes wrong is known of the SDK, and that it goes wrong here in the
same way proves them too; it is also why pixelrouter does not buy through it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from PIL import Image

from pixelrouter.testing.simulator.replicate import ReplicateSimulator
from pixelrouter.types import Money
from tests.testing.replicate.asking import KEY, encoded, order

if sys.version_info >= (3, 14):
    pytest.skip("the SDK is built on pydantic.v1, which does not work from Python 3.14 on", allow_module_level=True)
replicate = pytest.importorskip("replicate")
FileOutput = replicate.helpers.FileOutput
ModelError, ReplicateError = replicate.exceptions.ModelError, replicate.exceptions.ReplicateError
ValidationError = replicate.resource.pydantic.ValidationError

MODEL = "retro-diffusion/rd-fast"


@pytest.fixture
def peer(sim: ReplicateSimulator) -> Iterator[Any]:
    with sdk(sim) as client:
        yield client


@contextmanager
def sdk(sim: ReplicateSimulator, token: str = KEY) -> Iterator[Any]:
    """The SDK's client, pointed at the simulator as its users would."""
    client = replicate.Client(api_token=token, base_url=sim.url)
    client.poll_interval = 0.01
    try:
        yield client
    finally:
        client._client.close()  # the SDK has no close of its own


def _still(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file))


def test_create_and_wait_by_polling(peer: Any, sim: ReplicateSimulator) -> None:
    prediction = peer.models.predictions.create((MODEL.split("/")[0], MODEL.split("/")[1]), input=order())
    assert (prediction.status, prediction.version, prediction.output) == ("starting", "hidden", None)
    prediction.wait()
    assert (prediction.status, prediction.metrics["image_output_count"]) == ("succeeded", 1)
    assert peer.predictions.get(prediction.id) == prediction
    assert sim.charged_total == Money.of("0.017")
    assert "prefer" not in sim.requests[0].headers


def test_create_with_wait(peer: Any, sim: ReplicateSimulator) -> None:
    prediction = peer.models.predictions.create(MODEL, input=order(), wait=10)
    assert (prediction.status, sim.requests[0].headers["prefer"]) == ("succeeded", "wait=10")
    assert len(sim.requests) == 1


def test_the_generic_create_drops_wait(peer: Any, sim: ReplicateSimulator) -> None:
    prediction = peer.predictions.create(model=MODEL, input=order(), wait=10)
    assert prediction.status == "starting"
    assert "prefer" not in sim.requests[0].headers


def test_create_by_version(peer: Any, sim: ReplicateSimulator) -> None:
    version = peer.models.get(MODEL).latest_version
    assert peer.models.get(MODEL).versions.list().results[0] == version
    prediction = peer.predictions.create(version=version, input=order(), wait=5)
    assert (prediction.status, prediction.model) == ("succeeded", MODEL)


def test_run(peer: Any, sim: ReplicateSimulator) -> None:
    [url] = peer.run(MODEL, input=order())
    assert _still(httpx.get(url).content).size == (64, 64)  # http: stays text for the SDK; https: would be a file
    assert sim.requests[0].headers["prefer"] == "wait"


def test_run_by_version_asks_for_it(peer: Any, sim: ReplicateSimulator) -> None:
    version = peer.models.get(MODEL).latest_version.id
    assert len(peer.run(f"{MODEL}:{version}", input=order())) == 1
    assert [request.path.split("/")[-2] for request in sim.requests[1:]] == ["v1", "versions"]


def test_run_in_the_shape_of_2024() -> None:
    with ReplicateSimulator(sync_shape="2024") as sim, sdk(sim) as peer:
        [output] = peer.run(MODEL, input=order())
        assert isinstance(output, FileOutput)
        assert _still(output.read()).size == (64, 64)
        assert len(sim.requests) == 1


def test_run_polls_what_is_still_starting() -> None:
    with ReplicateSimulator(queue_seconds=90) as sim, sdk(sim) as peer:
        prediction = peer.models.predictions.create(MODEL, input=order(), wait=1)
        assert prediction.status == "starting"
        sim.advance(91)
        prediction.wait()
        assert prediction.status == "succeeded"


def test_run_gives_nothing_for_what_it_paid() -> None:
    """A known fault of the SDK: ``processing`` counts as finished."""
    with ReplicateSimulator(job_seconds=90) as sim, sdk(sim) as peer:
        assert peer.run(MODEL, input=order()) is None
        sim.advance(91)
        assert sim.charged_total == Money.of("0.017")


def test_paging_and_list(peer: Any, sim: ReplicateSimulator) -> None:
    for seed in range(101):
        peer.models.predictions.create(MODEL, input=order(seed=seed))
    pages = list(replicate.pagination.paginate(peer.predictions.list))
    assert [[each.input["seed"] for each in page.results] for page in pages] == [list(range(100, 0, -1)), [0]]
    assert pages[1].previous.startswith(sim.url)


def test_cancel() -> None:
    with ReplicateSimulator(job_seconds=60) as sim, sdk(sim) as peer:
        prediction = peer.models.predictions.create(MODEL, input=order())
        prediction.cancel()
        assert (prediction.status, prediction.output, prediction.logs) == ("canceled", None, None)
        assert len(sim.charges) == 1


def test_files(peer: Any, sim: ReplicateSimulator) -> None:
    palette = encoded(Image.new("RGB", (2, 1), (10, 20, 30)))
    file = peer.files.create(io.BytesIO(palette), filename="pal.png", metadata={"a": 1})
    assert (file.name, file.size, file.content_type, file.metadata) == ("pal.png", len(palette), "image/png", {"a": 1})
    assert peer.files.get(file.id) == file
    assert peer.files.list() == [file]
    [url] = peer.run(MODEL, input=order(input_palette=file.urls["get"]))
    assert _still(httpx.get(url).content).getcolors() == [(64 * 64, (10, 20, 30))]
    assert peer.files.delete(file.id) is True


def test_files_as_inputs_are_uploaded(peer: Any, sim: ReplicateSimulator) -> None:
    palette = encoded(Image.new("RGB", (2, 1), (10, 20, 30)))
    peer.models.predictions.create(MODEL, input=order(input_palette=io.BytesIO(palette)))
    inline = {"file_encoding_strategy": "base64"}
    answer = peer.models.predictions.create(MODEL, input=order(input_palette=io.BytesIO(palette)), **inline)
    answer.reload()
    assert [request.path.split("/")[2] for request in sim.requests[:3]] == ["files", "models", "models"]
    assert answer.status == "succeeded"  # data:application/octet-stream, which the model reads nevertheless


def test_account_and_model(peer: Any) -> None:
    assert peer.accounts.current().username == "sim"
    model = peer.models.get(MODEL)
    assert (model.owner, model.name, model.visibility) == ("retro-diffusion", "rd-fast", "public")


def test_downloads_leak_the_token() -> None:
    """A known fault of the SDK: the host of an output gets the API token."""
    with ReplicateSimulator(output_host="localhost") as sim, sdk(sim) as peer:
        [url] = peer.run(MODEL, input=order())
        # The SDK makes this object itself of an https: URL.
        assert _still(FileOutput(url, peer).read()).size == (64, 64)
        [download] = sim.output_requests
        assert download.headers["host"].startswith("localhost:")
        assert download.headers["authorization"] == f"Bearer {KEY}"


def test_a_lost_output(peer: Any, sim: ReplicateSimulator) -> None:
    [url] = peer.run(MODEL, input=order())
    sim.advance(3601)
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        FileOutput(url, peer).read()
    assert peer.predictions.list().results[0].output is None


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [("rate_limit", 429, None), ("no_balance", 402, "Insufficient credit"), ("server_error", 500, None)],
)
def test_errors(peer: Any, sim: ReplicateSimulator, fault: str, status: int, title: str | None) -> None:
    sim.fault(fault)
    with pytest.raises(ReplicateError) as caught:
        peer.run(MODEL, input=order())
    assert (caught.value.status, caught.value.title) == (status, title)
    assert caught.value.detail
    assert sim.paid_posts == 1


def test_a_wrong_token_and_a_wrong_input(sim: ReplicateSimulator, peer: Any) -> None:
    with sdk(sim, "other") as stranger, pytest.raises(ReplicateError) as caught:
        stranger.accounts.current()
    assert (caught.value.status, caught.value.title) == (401, "Unauthenticated")
    with pytest.raises(ReplicateError) as caught:
        peer.run(MODEL, input=order(width=9999))
    assert (caught.value.status, caught.value.title) == (422, "Input validation failed")
    assert caught.value.detail == "- input.width: Must be less than or equal to 384\n"


def test_an_html_error_says_nothing_more(peer: Any, sim: ReplicateSimulator) -> None:
    sim.fault("bad_gateway_html")
    with pytest.raises(ReplicateError) as caught:
        peer.run(MODEL, input=order())
    assert (caught.value.status, caught.value.detail) == (502, None)
    assert len(sim.charges) == 1  # paid, and the SDK's caller has no way to know


@pytest.mark.parametrize("fault", ["job_failed", "moderated"])
def test_a_failure(peer: Any, sim: ReplicateSimulator, fault: str) -> None:
    sim.fault(fault)
    with pytest.raises(ModelError) as caught:
        peer.run(MODEL, input=order())
    assert caught.value.prediction.error == str(caught.value)
    assert sim.charges == []


@pytest.mark.parametrize("fault", ["aborted", "unknown_status"])
def test_a_status_that_the_sdk_does_not_know(peer: Any, sim: ReplicateSimulator, fault: str) -> None:
    """A known fault of the SDK: ``aborted`` is newer than it is, and ends every parse."""
    sim.fault(fault)
    with pytest.raises(ValidationError):
        peer.run(MODEL, input=order())


def test_partial_output_counts_as_all(peer: Any, sim: ReplicateSimulator) -> None:
    sim.fault("processing_with_output")
    assert len(peer.run(MODEL, input=order(num_images=3))) == 2  # of three that were paid
    assert sim.charged_total == Money.of("0.052")


def test_free_calls_are_repeated_and_paid_ones_are_not(peer: Any, sim: ReplicateSimulator) -> None:
    prediction = peer.models.predictions.create(MODEL, input=order())
    sim.fault("rate_limit", retry_after=None, on="poll", times=2)
    prediction.reload()
    assert (prediction.status, len(sim.requests)) == ("succeeded", 4)
    sim.fault("overloaded")
    with pytest.raises(ReplicateError):
        peer.models.predictions.create(MODEL, input=order())
    assert sim.paid_posts == 2


def test_a_lost_reply(peer: Any, sim: ReplicateSimulator) -> None:
    sim.fault("lose_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        peer.run(MODEL, input=order())
    assert (sim.paid_posts, len(sim.charges)) == (1, 1)
