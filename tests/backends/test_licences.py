"""Commercial use is asked of what is really drawn: a call's own adapters count, and so does a picture bought before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelrouter import PixelRouter
from pixelrouter.errors import InvalidRequest, NoBackend
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator.fal import FalSimulator
from pixelrouter.testing.simulator.pixellab import PixelLabSimulator

UNREAD = [{"path": "https://example.com/unread.safetensors"}]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[PixelRouter]:
    with PixelRouter(state=tmp_path, backend="diffusers") as router:
        yield router


def test_an_adapter_nobody_has_read_takes_the_yes_of_its_model_away(local: PixelRouter) -> None:
    assert local.quote("a knight", model="klein", commercial=True).model == "klein"
    for call in (local.quote, local.generate):
        with pytest.raises(InvalidRequest, match=r"klein \(unknown licence\) does not clearly allow"):
            call("a knight", model="klein", commercial=True, options={"loras": UNREAD})


def test_the_same_at_a_vendor_and_on_the_picture_itself(tmp_path: Path) -> None:
    with FalSimulator() as simulator:
        shop = Shop("fal", simulator, tmp_path)
        router = shop.router()
        with pytest.raises(InvalidRequest, match="does not clearly allow commercial use"):
            router.generate("a knight", size=32, commercial=True, options={"loras": UNREAD})
        assert simulator.paid_posts == 0
        plain = router.generate("a knight", size=32)
        mixed = router.generate("a knight", size=32, options={"loras": UNREAD})
        assert (plain.licence and plain.licence.use, mixed.licence and mixed.licence.use) == ("yes", "terms")
        shop.close()


def test_a_picture_bought_before_is_not_given_out_for_a_use_its_licence_does_not_clearly_allow(tmp_path: Path) -> None:
    with PixelLabSimulator() as simulator:
        shop = Shop("pixellab", simulator, tmp_path)
        router = shop.router()
        router.generate("a knight", size=64)
        assert router.generate("a knight", size=64).reused
        for call in (router.quote, router.generate):
            with pytest.raises(InvalidRequest, match="does not clearly allow commercial use"):
                call("a knight", size=64, commercial=True)
        route = ["pixellab", "procedural"]
        assert router.generate("a knight", size=64, commercial=True, route=route).backend == "procedural"
        with pytest.raises(NoBackend):
            router.generate("a knight", size=64, commercial=True, route=["pixellab", "retrodiffusion"])
        assert len(simulator.charges) == 1
        shop.close()
