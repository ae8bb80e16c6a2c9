"""How Retro Diffusion's files are cut, checked against what its simulator draws."""

from __future__ import annotations

import io
import itertools

import httpx
import numpy as np
import pytest
from PIL import Image

from pixelrouter.backends.retrodiffusion import layouts
from pixelrouter.testing import RetroDiffusionSimulator
from pixelrouter.types import VIEW_NAMES, Delivery, HttpResponse, Inline, Mark, Ticket
from tests.backends.retrodiffusion_answers import backend, picture, wish

KEY = "rdpk-sim-1"
_COUNT = itertools.count()


@pytest.fixture(scope="module")
def sim():
    with RetroDiffusionSimulator() as simulator:
        yield simulator


def bought(sim, request):
    """The request with its model set, its layout, and the files that came."""
    api = backend(base_url=sim.url, key=KEY)
    request = request.model_copy(update={"model": api.resolve(request).id})

    def send(call):
        parts = call.request
        headers = {**parts.headers, **{name: value.get_secret_value() for name, value in parts.secrets.items()}}
        got = httpx.request(parts.method, parts.url, headers=headers, json=parts.json)
        return call.read(HttpResponse(got.status_code, dict(got.headers), got.content))

    found = send(api.submit(request, Mark(f"attempt-{next(_COUNT)}", 77)))
    while isinstance(found, Ticket):
        found = send(api.poll(found))
    assert isinstance(found, Delivery)
    fetched = iter([send(call) for call in api.fetch(found)])
    files = [item.data if isinstance(item, Inline) else next(fetched) for item in found.items]
    return api.layout(request), [Image.open(io.BytesIO(data)) for data in files]


def cells(layout, image):
    """Name -> cell, as whoever finishes the file would cut it."""
    assert image.size == layout.raw_size
    width, height = image.width // layout.columns, image.height // layout.rows
    places = [(column, row) for row in range(layout.rows) for column in range(layout.columns)]
    return {
        name: np.array(image.convert("RGBA").crop((x * width, y * height, (x + 1) * width, (y + 1) * height)))
        for name, (x, y) in zip(layout.names, places, strict=True)
        if name
    }


@pytest.mark.parametrize("views", ["8", "4"])
@pytest.mark.parametrize("given", [True, False])
def test_each_view_looks_where_its_name_says(sim, views, given):
    ask = wish(80, task="views", views=views, images=(picture((80, 80)),) if given else ())
    layout, [sheet] = bought(sim, ask)
    found = cells(layout, sheet)
    assert set(found) == set(VIEW_NAMES[views])
    for name, cell in found.items():
        white = (cell == 255).all(axis=2)
        rows = "north" in name and white[0].any(), "south" in name and white[-1].any()
        columns = "west" in name and white[:, 0].any(), "east" in name and white[:, -1].any()
        assert any(rows) == ("north" in name or "south" in name), name
        assert any(columns) == ("east" in name or "west" in name), name


@pytest.mark.parametrize("upper", [None, "stones"])
def test_each_tile_has_the_corners_of_its_name(sim, upper):
    layout, [sheet] = bought(sim, wish(16, task="tileset", tiles="wang", upper=upper))
    found = cells(layout, sheet)
    ground = tuple(found["wang-0000"][0, 0])
    for name, tile in found.items():
        corners = [tile[0, 0], tile[0, -1], tile[-1, 0], tile[-1, -1]]
        assert "".join("0" if tuple(corner) == ground else "1" for corner in corners) == name[5:9], name
    assert {f"wang-{number:04b}" for number in range(16)} <= set(found)
    assert len(found) == 20


@pytest.mark.parametrize(
    ("side", "style", "columns"),
    [
        (48, "rd_animation__four_angle_walking", 4),
        (48, "rd_animation__four_angle_walking_idle", 4),
        (32, "rd_animation__small_sprites", 5),
    ],
)
def test_sheets_of_directions_are_cut_into_numbered_rows(sim, side, style, columns):
    layout, [sheet] = bought(sim, wish(side, task="animation", model=style))
    found = cells(layout, sheet)
    assert list(found)[: columns + 1] == [*(f"row-0/{n}" for n in range(columns)), "row-1/0"]
    assert len(found) == columns * 4
    assert all(cell.shape == (side, side, 4) for cell in found.values())


@pytest.mark.parametrize(
    ("more", "frames"),
    [
        ({"action": "walk", "frames": 6, "images": (picture((64, 64)),)}, 6),
        ({"action": "dances"}, 8),
        ({"model": "rd_animation__battle_sprites"}, 56),
    ],
)
def test_films_tell_their_own_frames(sim, more, frames):
    layout, [gif] = bought(sim, wish(64, task="animation", **more))
    assert (gif.format, gif.n_frames, gif.size) == ("GIF", frames, layout.raw_size)
    assert layout.frames
    assert (layout.columns, layout.rows, layout.cell, layout.names) == (1, 1, None, ())


def test_a_sheet_without_a_known_grid_is_cut_by_the_frames_size():
    ask = wish(
        64,
        task="animation",
        model="rd_advanced_animation__walking",
        images=(b"x",),
        options={"return_spritesheet": True},
    )
    layout = backend().layout(ask)
    assert (layout.cell, layout.frames, layout.raw_size) == ((64, 64), False, None)


def test_stills_leave_the_extras_out_and_know_their_size(sim):
    ask = wish(32, n=2, options={"return_pre_palette": True})
    layout, files = bought(sim, ask)
    assert (layout.raws, len(files), layout.raw_size) == (2, 3, (32, 32))
    assert (layout.columns, layout.rows, layout.names) == (1, 1, ())
    assert backend().layout(wish(64, task="tileset", tiles="seamless", model="rd_fast__texture", n=2)).raws == 2


def test_an_edit_keeps_the_size_of_its_image(sim):
    image, mask = picture((16, 16), (255, 0, 0, 255)), picture((16, 16), 255, "L")
    layout, [file] = bought(sim, wish(16, task="inpaint", images=(image,), mask=mask))
    assert file.size == layout.raw_size == (16, 16)
    layout, [file] = bought(sim, wish(8, task="remove_background", images=(image,)))
    assert (file.size, layout.raw_size, layout.raws) == ((16, 16), None, 1)


def test_a_layout_never_fails():
    for model in ("user__mine_1", "gone__style", None):
        assert backend().layout(wish(32, model=model, n=2)).raws == 2
    assert backend().layout(wish(32, model="user__mine_1")).raw_size is None
    assert backend("v1").layout(wish(32, model="edit__inpainting", task="inpaint")).raw_size == (32, 32)


def test_a_rotation_asked_for_as_a_film_stays_one(sim):
    ask = wish(64, task="animation", model="rd_advanced_animation__rotate", images=(picture((64, 64)),))
    layout, [gif] = bought(sim, ask)
    assert (gif.format, layout.frames, layout.names) == ("GIF", True, ())


def test_the_tables_are_whole():
    assert set(layouts.VIEWS_IN_SHEET) - {""} == set(VIEW_NAMES["8"])
    assert len(layouts.VIEWS_IN_SHEET) == 9
    assert len(set(layouts.WANG_IN_SHEET)) == 20
