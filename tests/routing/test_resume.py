"""Resumed in another process, which has not the pictures that were handed in: finished as if nothing had happened."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw

from pixelrouter.errors import OutcomeUnknown, PixelRouterError
from pixelrouter.testing.shop import Shop

Open = Callable[..., Shop]


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def sprite(side: int) -> bytes:
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((4, 4, side - 5, side - 5), fill="#aa3344")
    return png(image)


def mask(side: int) -> bytes:
    image = Image.new("L", (side, side), 0)
    ImageDraw.Draw(image).rectangle((8, 8, side // 2, side // 2), fill=255)
    return png(image)


#: vendor -> calls by task, with the pictures that a resume will not have.
CALLS: dict[str, dict[str, dict[str, Any]]] = {
    "retrodiffusion": {
        "edit": {"prompt": "with a hat", "task": "edit", "images": [sprite(64)]},
        "inpaint": {"prompt": "a hat", "task": "inpaint", "images": [sprite(64)], "mask": mask(64)},
        "animation": {"prompt": "a knight", "task": "animation", "action": "walk", "size": 64},
        "tileset": {"prompt": "grass", "task": "tileset", "tiles": "wang", "upper": "stone", "size": 32},
        "remove_background": {"prompt": "", "task": "remove_background", "images": [sprite(64)], "transparent": True},
    },
    "replicate": {
        "edit": {"prompt": "with a hat", "task": "edit", "images": [sprite(64)], "strength": 0.5},
        "animation": {"prompt": "a knight", "task": "animation", "action": "walk", "size": 48, "images": [sprite(48)]},
        "tileset": {"prompt": "grass", "task": "tileset", "tiles": "wang", "upper": "stone", "size": 32},
    },
    "fal": {
        "edit": {"prompt": "with a hat", "task": "edit", "images": [sprite(64)]},
        "views": {"prompt": "a cart", "task": "views", "views": "2x2", "size": 32, "images": [sprite(64)]},
    },
    "pixellab": {
        "edit": {"prompt": "with a hat", "task": "edit", "images": [sprite(64)]},
        "inpaint": {"prompt": "a hat", "task": "inpaint", "images": [sprite(64)], "mask": mask(64)},
        "views-4": {"prompt": "a baker", "task": "views", "views": "4", "size": 32},
        "views-8": {"prompt": "a baker", "task": "views", "views": "8", "size": 64, "images": [sprite(64)]},
        "animation": {"prompt": "a cat", "task": "animation", "action": "walk", "size": 64, "images": [sprite(64)]},
        "tileset": {"prompt": "grass", "task": "tileset", "tiles": "wang", "upper": "stone", "size": 32},
        "remove_background": {"prompt": "", "task": "remove_background", "images": [sprite(64)], "transparent": True},
    },
}
CASES = [(vendor, task) for vendor, calls in CALLS.items() for task in calls]


def looks(art: Any) -> tuple[Any, ...]:
    return (art.size, len(art.indexed), art.names, art.durations, [image.tobytes() for image in art.images])


@pytest.mark.parametrize(("vendor", "task"), CASES)
def test_an_accepted_job_is_finished_without_its_pictures(
    shops: Open, vendor: str, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, call = shops(vendor), CALLS[vendor][task]
    router = shop.router(timeout_s=20)
    with monkeypatch.context() as patch:

        def stop(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(router._open().ledger, "settle", stop)
        with pytest.raises(KeyboardInterrupt):
            router.generate(**call)
    assert [attempt.state for attempt in router.jobs()] == ["accepted"]

    (resumed,) = shop.router().resume()
    assert not isinstance(resumed, PixelRouterError), resumed
    again = shop.router().generate(**call)
    assert again.reused
    assert looks(resumed) == looks(again)
    assert resumed.size == ((call["size"],) * 2 if "size" in call else (64, 64))
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1
    assert not shop.router().attempts()[0].error

    fresh = shop.router(timeout_s=20).generate(**call, fresh=True)  # as it comes when nothing goes wrong
    assert looks(fresh)[:4] == looks(resumed)[:4]
    shop.check_money(router)


@pytest.mark.parametrize(("vendor", "task"), [case for case in CASES if case[0] in ("replicate", "fal")])
def test_a_lost_job_is_found_without_its_pictures(shops: Open, vendor: str, task: str) -> None:
    shop, call = shops(vendor), CALLS[vendor][task]
    shop.simulator.fault("lose_reply")
    shop.simulator.fault("garbage_json", on="list")
    with pytest.raises(OutcomeUnknown):
        shop.router().generate(**call)
    (resumed,) = shop.router(timeout_s=20).resume()
    assert not isinstance(resumed, PixelRouterError), resumed
    assert looks(resumed) == looks(shop.router().generate(**call))
    assert shop.simulator.paid_posts == len(shop.simulator.charges) == 1


def test_an_idempotent_vendor_needs_the_same_bytes(shops: Open) -> None:
    """The pictures are in the body, so only the call that has them can ask under the same key."""
    shop = shops("retrodiffusion")
    call = CALLS["retrodiffusion"]["edit"]
    shop.simulator.fault("lose_reply", 2)
    with pytest.raises(OutcomeUnknown):
        shop.router().generate(**call)
    (outcome,) = shop.router().resume()
    assert isinstance(outcome, OutcomeUnknown)
    assert shop.simulator.paid_posts == 2  # the call's own two, under one key
    assert not shop.router(timeout_s=20).generate(**call).reused
    assert len(shop.simulator.charges) == 1
    shop.check_money(shop.router())


def test_how_it_was_to_be_finished_is_remembered(shops: Open) -> None:
    shop = shops("pixellab")
    shop.simulator.fault("job_stuck")
    wish = {"task": "views", "views": "4", "size": 32, "layout": "sheet", "policy": "resample", "colors": 4}
    with pytest.raises(PixelRouterError):
        shop.router(timeout_s=0.4).generate("a baker", **wish)
    row = shop.router().jobs()[0]
    kept = shop.router()._open().ledger.wish(row.id)
    assert (kept["layout"], kept["policy"], kept["colors"]) == ("sheet", "resample", 4)
    ask = shop.router()._open().ask_of(row, None, None)
    assert ask.sheet
    assert (ask.spec.policy, ask.spec.colors) == ("resample", 4)
