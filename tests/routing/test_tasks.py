"""The router's methods by task: what they ask for, what comes back, and who is refused before anything is sent."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelrouter import AsyncPixelRouter, PixelRouter
from pixelrouter.errors import InvalidRequest, NoBackend
from pixelrouter.pixels import decode
from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.types import VIEW_NAMES

Make = Callable[..., PixelRouter]


def picture(width: int = 40, height: int = 30) -> Image.Image:
    image = Image.new("RGB", (width, height), "#88c0e8")
    image.paste("#a04020", (10, 8, 28, 24))
    return image


def encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def free(tmp_path: Path) -> PixelRouter:
    return PixelRouter(state=tmp_path / "state")


def test_a_backend_that_cannot_do_the_task_is_said_so_by_name(free: PixelRouter) -> None:
    with free, pytest.raises(NoBackend) as caught:
        free.inpaint("a hat", image=picture(), mask=picture())
    assert set(caught.value.reasons) == {"procedural"}
    assert "inpaint" in caught.value.reasons["procedural"]
    assert caught.value.money == "no"


def test_every_backend_of_a_route_says_why_not(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router(route=["retrodiffusion", "procedural"])
    with pytest.raises(NoBackend) as caught:
        router.rotate("a knight", views="2x2")
    assert set(caught.value.reasons) == {"retrodiffusion", "procedural"}
    assert not sim.requests or sim.paid_posts == 0
    with pytest.raises(NoBackend) as quoted:
        router.quote("a knight", task="views", views="2x2")
    assert set(quoted.value.reasons) == {"retrodiffusion", "procedural"}


def test_the_next_backend_serves_what_the_first_cannot(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    art = make_router(route=["procedural", "retrodiffusion"]).inpaint(
        "a hat", image=picture(64, 64), mask=picture(64, 64)
    )
    assert art.backend == "retrodiffusion"
    assert sim.paid_posts == 1


def test_commercial_use_refuses_what_is_not_clearly_allowed(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    with pytest.raises(InvalidRequest, match="commercial"):
        make_router().generate("a potion", commercial=True)
    assert sim.paid_posts == 0
    art = make_router(route=["retrodiffusion", "procedural"]).generate("a potion", commercial=True)
    assert art.backend == "procedural"
    assert art.licence is not None
    assert art.licence.use == "yes"


def test_a_picture_keeps_its_size(free: PixelRouter, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    picture().save(path)
    with free:
        for image in (picture(), path, str(path), encoded(picture())):
            art = free.remove_background(image)
            assert art.size == (40, 30)
            assert art.image.getpixel((0, 0))[3] == 0
            assert art.image.getpixel((15, 15))[3] == 255
        assert free.remove_background(picture(), size=20).size == (20, 20)


def test_a_thing_that_is_no_picture_is_refused(free: PixelRouter) -> None:
    with free:
        with pytest.raises(InvalidRequest):
            free.remove_background(17)  # type: ignore[arg-type]  # the point of the test
        with pytest.raises(InvalidRequest):
            free.remove_background("no/such/file.png")
        with pytest.raises(InvalidRequest):
            free.rotate()
        with pytest.raises(InvalidRequest):
            free.animate("  ", action="walk")


def test_views_come_in_one_order_with_names_and_files(make_router: Make, tmp_path: Path) -> None:
    art = make_router().rotate("a knight", views=8, size=80)
    assert art.names == VIEW_NAMES["8"]
    assert list(art.views) == list(VIEW_NAMES["8"])
    assert art["south"].size == (80, 80)
    with pytest.raises(KeyError, match="south"):
        art["down"]
    files = art.save(tmp_path / "knight.png")
    assert [file.name for file in files][:2] == ["knight-south.png", "knight-south-east.png"]
    assert art.sheet().size == (240, 240)
    assert art.sheet(8).size == (640, 80)


def test_frames_or_one_sheet(free: PixelRouter, tmp_path: Path) -> None:
    with free:
        frames = free.animate("a green slime", action="bounce", frames=6, size=32)
        assert len(frames.indexed) == 6
        sheet = free.animate("a green slime", action="bounce", frames=6, size=32, layout="sheet")
    assert sheet.reused
    assert [image.size for image in sheet.indexed] == [(192, 32)]
    for at, frame in enumerate(frames.images):
        assert sheet.image.crop((32 * at, 0, 32 * at + 32, 32)).tobytes() == frame.tobytes()
    palette = {color for image in frames.images for _, color in image.getcolors() or []}
    assert len(palette) <= len(frames.palette) + 1  # one palette for all frames


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_a_moving_picture_keeps_every_pixel(free: PixelRouter, tmp_path: Path, ending: str) -> None:
    with free:
        art = free.animate("a green slime", action="bounce", frames=4, size=32)
    film = Image.open(io.BytesIO(art.save_animation(tmp_path / f"slime.{ending}", scale=2).read_bytes()))
    assert getattr(film, "n_frames", 1) == 4
    for at, frame in enumerate(art.images):
        film.seek(at)
        shown = film.convert("RGBA").resize((32, 32), 0)
        ours, theirs = np.asarray(frame), np.asarray(shown)
        assert (ours[..., 3] == theirs[..., 3]).all()
        assert (ours == theirs)[ours[..., 3] > 0].all()
    with pytest.raises(InvalidRequest):
        art.save_animation(tmp_path / "slime.bmp")
    with pytest.raises(InvalidRequest):
        art.save_animation(tmp_path / f"slime.{ending}", scale=0)


@pytest.mark.parametrize("ending", ["gif", "png", "apng", "webp"])
def test_frames_that_are_equal_stay_as_many(free: PixelRouter, tmp_path: Path, ending: str) -> None:
    with free:
        art = free.animate("a green slime", action="bounce", frames=4, size=32)
    first, second = art.indexed[0], art.indexed[2]
    still = art.with_(indexed=(first, first, second, second, first), durations=(30, 0, 70, 80, 90))
    film = decode(still.save_animation(tmp_path / f"slime.{ending}", milliseconds=120))
    assert film.durations == (30, 120, 70, 80, 90)
    assert [frame.tobytes() for frame in film.frames] == [frame.tobytes() for frame in still.images]


def test_wang_tiles_are_named_by_their_corners(free: PixelRouter) -> None:
    with free:
        art = free.tileset("water", tiles="wang", upper="sand", size=16)
    assert set(art.names) == {f"wang-{corners:04b}" for corners in range(16)}


def test_the_awaited_router_has_the_same_methods(tmp_path: Path) -> None:
    async def run() -> int:
        async with AsyncPixelRouter(state=tmp_path) as router:
            art = await router.animate("a slime", action="bounce", size=32)
            assert await router.balance("procedural") is None
            return len(art.indexed)

    assert asyncio.run(run()) == 4


def test_each_task_is_a_purchase_of_its_own(make_router: Make, sim: RetroDiffusionSimulator) -> None:
    router = make_router()
    image = picture(64, 64)
    router.edit("a blue cape", image=image, strength=0.3)
    router.edit("a blue cape", image=image, strength=0.6)
    router.edit("a blue cape", image=image, strength=0.3)  # bought before
    router.inpaint("a blue cape", image=image, mask=picture(64, 64))
    assert sim.paid_posts == 3
    assert len({attempt.key for attempt in router.attempts()}) == 3
    sent = [
        request.json
        for request in sim.requests
        if request.method == "POST" and "check_cost" not in (request.json or {})
    ]
    assert [body.get("strength") for body in sent if "prompt_style" in body] == [0.3, 0.6]
