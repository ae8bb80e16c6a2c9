"""The functions of the post-processor take an image in whatever form it comes, and refuse what is none in one way."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelrouter import pixels as p
from pixelrouter.errors import UnreadableImage
from pixelrouter.types import Layout

SPEC = p.FinishSpec(size=(16, 16), colors=4)
CELLS = p.Slicing("cells", grid=(2, 2))
TAKERS: dict[str, Callable[[Any], object]] = {
    "annotate": lambda image: p.annotate(image, p.check(image)).tobytes(),
    "check": lambda image: p.check(image).as_dict(),
    "check_wang": lambda image: p.check_wang({"wang-0000": image}).as_dict(),
    "cut": lambda image: [one.tobytes() for one in p.cut(image, Layout(columns=2)).images],
    "decode": lambda image: p.decode(image).image.tobytes(),
    "detect_grid": p.detect_grid,
    "explain": lambda image: p.explain(image, SPEC).changes,
    "finish": lambda image: p.finish(image, SPEC).image.tobytes(),
    "finish_animation": lambda image: p.finish_animation(image, SPEC).image.tobytes(),
    "finish_many": lambda image: p.finish_many([image], SPEC)[0].image.tobytes(),
    "finish_sheet": lambda image: [one.image.tobytes() for one in p.finish_sheet(image, CELLS, p.FinishSpec())],
    "jitter": lambda image: p.jitter([image, image]),
    "make_seamless": lambda image: p.make_seamless(image).tobytes(),
    "pack": lambda image: p.pack([image, image]).image.tobytes(),
    "pad": lambda image: p.pad(image, (200, 200)).tobytes(),
    "preview": lambda image: p.preview(image).tobytes(),
    "register": lambda image: p.register([image], "feet").frames[0].tobytes(),
    "seam_score": lambda image: p.seam_score(image).as_dict(),
    "slice_boxes": lambda image: p.slice_boxes(image, CELLS),
    "slice_sheet": lambda image: [one.tobytes() for one in p.slice_sheet(image, CELLS)],
    "snap_image": lambda image: p.snap_image(image).tobytes(),
    "trim": lambda image: (p.trim(image)[0].tobytes(), p.trim(image)[1]),
    "trim_together": lambda image: p.trim_together([image])[0][0].tobytes(),
}


@pytest.fixture(scope="module")
def fake() -> Image.Image:
    """16 x 16 pixels of eight colours, enlarged by five."""
    chance = np.random.default_rng(4)
    art = chance.integers(0, 256, (8, 3), dtype=np.uint8)[chance.integers(0, 8, (16, 16))]
    return Image.fromarray(art.repeat(5, 0).repeat(5, 1)).convert("RGBA")


@pytest.mark.parametrize("name", TAKERS)
def test_every_form_of_an_image_is_the_same_image(name: str, fake: Image.Image, tmp_path: Path) -> None:
    take = TAKERS[name]
    file = io.BytesIO()
    fake.save(file, "PNG")
    path = tmp_path / "fake.png"
    path.write_bytes(file.getvalue())
    expected = take(fake)
    for form in (np.asarray(fake), file.getvalue(), path, str(path), p.decode(path)):
        assert take(form) == expected, type(form)


@pytest.mark.parametrize("name", TAKERS)
@pytest.mark.parametrize("none", [b"", b"\x89PNG\r\n\x1a\n", "nowhere.png", np.zeros((0, 4, 3), np.uint8), 3, None])
def test_what_is_no_image_is_one_clear_error(name: str, none: object) -> None:
    with pytest.raises(UnreadableImage):
        TAKERS[name](none)
