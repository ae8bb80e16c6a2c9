"""The official SDK, pixellab 1.0.5 (v1 only), as a peer: what works against the vendor works against the simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from pixelrouter.testing.simulator.pixellab import PixelLabSimulator
from pixelrouter.types import Money
from tests.testing.pixellab import published
from tests.testing.pixellab.bodies import KEY, POSE, drawn, size
from tests.testing.pixellab.conftest import Start

pixellab: Any = pytest.importorskip("pixellab", reason="the official SDK is not installed")

STILL = {"description": "a potion", "image_size": size(64)}
CALLS: dict[str, Callable[[Any], Any]] = {
    "/generate-image-pixflux": lambda sdk: sdk.generate_image_pixflux(**STILL),
    "/generate-image-bitforge": lambda sdk: sdk.generate_image_bitforge(**STILL),
    "/animate-with-skeleton": lambda sdk: sdk.animate_with_skeleton(
        image_size=size(64),
        skeleton_keypoints=[[dict(point) for point in POSE]] * 3,
        view="side",
        direction="east",
        reference_image=drawn(),
        inpainting_images=[drawn(), None, None],
        mask_images=[drawn(), None, None],
    ),
    "/animate-with-text": lambda sdk: sdk.animate_with_text(
        image_size=size(64), description="a knight", action="walk", reference_image=drawn()
    ),
    "/rotate": lambda sdk: sdk.rotate(
        image_size=size(64), from_image=drawn(), from_direction="south", to_direction="east"
    ),
    "/inpaint": lambda sdk: sdk.inpaint(
        description="a hat", image_size=size(64), inpainting_image=drawn(), mask_image=drawn()
    ),
    "/estimate-skeleton": lambda sdk: sdk.estimate_skeleton(image=drawn()),
}


def sdk_of(sim: PixelLabSimulator, secret: str = KEY) -> Any:
    return pixellab.Client(secret=secret, base_url=f"{sim.url}/v1")


@pytest.mark.parametrize("path", list(CALLS))
def test_every_method_works_on_a_dollar_account(sim: PixelLabSimulator, path: str) -> None:
    result = CALLS[path](sdk_of(sim))
    [charge] = sim.charges
    [request] = sim.requests
    assert request.path == f"/v1{path}"
    assert Money.of(result.usage.usd) == charge.money == sim.charged_total
    if path == "/estimate-skeleton":
        assert len(result.keypoints) == 18
        return
    images = result.images if path.startswith("/animate") else [result.image]
    assert [image.pil_image().size for image in images] == [(64, 64)] * {"/animate-with-skeleton": 3}.get(
        path, 4 if path == "/animate-with-text" else 1
    )


@published.needed
@pytest.mark.parametrize("path", [path for path in CALLS if path != "/animate-with-skeleton"])
def test_its_bodies_are_valid_by_the_document(sim: PixelLabSimulator, path: str) -> None:
    CALLS[path](sdk_of(sim))
    [request] = sim.requests
    published.check_request("v1", "POST", path, request.json)


def test_its_balance(sim: PixelLabSimulator) -> None:
    sdk = sdk_of(sim)
    CALLS["/rotate"](sdk)
    answer = sdk.get_balance()
    assert (answer.type, Money.of(answer.usd)) == ("usd", sim.balance)


@pytest.mark.parametrize("path", list(CALLS))
def test_a_subscription_is_charged_and_the_result_lost(start: Start, path: str) -> None:
    """The SDK knows dollars only: with usage in generations it throws the paid result away."""
    sim, _ = start(account="subscription", generations="5")
    with pytest.raises(ValidationError, match=r"usage\.type"):
        CALLS[path](sdk_of(sim))
    assert sim.charged_generations == Money.of(1, "generations")
    assert sim.charged_total == Money(0)


def test_its_errors(sim: PixelLabSimulator) -> None:
    with pytest.raises(ValueError, match="Invalid API token"):
        # A size too small, as in the SDK's own test: the token is looked at first.
        sdk_of(sim, "wrong").generate_image_pixflux(description="x", image_size=size(16))
    with pytest.raises(ValueError, match="32x32"):
        sdk_of(sim).generate_image_pixflux(description="x", image_size=size(16))
    assert sim.charges == []


def test_skeleton_defaults_are_refused(sim: PixelLabSimulator) -> None:
    """The SDK sends null where v1 wants lists."""
    with pytest.raises(ValueError, match="inpainting_images"):
        sdk_of(sim).animate_with_skeleton(
            image_size=size(64),
            skeleton_keypoints=[POSE] * 3,
            view="side",
            direction="east",
            reference_image=drawn(),
        )


def test_a_data_uri_breaks_its_decoder(start: Start) -> None:
    sim, _ = start(data_uri=True)
    image = CALLS["/rotate"](sdk_of(sim)).image
    with pytest.raises(ValueError, match=r"padding|base64"):
        image.pil_image()
