"""Explanations: what is found out about an image, the page and the picture that show it."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from pixelrouter.pixels import THRESHOLD, FinishSpec, explain
from pixelrouter.pixels.explain.page import Card, index

COLORS = np.array([(200, 30, 40), (40, 180, 60), (30, 60, 210), (240, 230, 180)], dtype=np.uint8)


def cells(seed=0, side=16):
    return COLORS[np.random.default_rng(seed).integers(0, len(COLORS), (side, side))]


def enlarged(small, scale=8):
    image = Image.fromarray(small)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def drifting(small, widths):
    """Cells whose columns have these widths, and rows of 8 pixels."""
    return Image.fromarray(np.repeat(np.repeat(small, widths, axis=1), 8, axis=0))


def test_a_clean_enlargement():
    small = cells()
    story = explain(enlarged(small), FinishSpec())
    assert story.believed
    assert story.gridded
    assert [axis.cuts.tolist() for axis in story.axes] == [list(range(0, 129, 8))] * 2
    assert [axis.drift for axis in story.axes] == pytest.approx([0, 0], abs=1e-6)
    assert story.difference.max() == 0
    assert np.asarray(story.finished.image.convert("RGB")).tolist() == small.tolist()
    assert sum(swatch.count for swatch in story.before) == 128 * 128
    assert sum(swatch.count for swatch in story.after) == 16 * 16
    assert {swatch.color: swatch.count * 64 for swatch in story.after} == {s.color: s.count for s in story.before}
    facts = dict(story.changes)
    assert facts["Colours"] == "4 in the input, 4 in the cells, 4 in the result"
    assert facts["Cells"] == "16 x 16: none cropped, none added"
    assert facts["Alpha"] == "no cell changed"


def test_drift_is_measured_from_an_even_grid():
    widths = [9] * 8 + [10] * 8
    story = explain(drifting(cells(), widths), FinishSpec())
    x, y = story.axes
    assert np.abs(x.cuts - np.cumsum([0, *widths])).max() < 1.5
    assert x.drift > 1
    assert y.drift < 0.5
    assert story.difference.mean() < 0.02
    assert f"<td>{x.drift:.2f}</td>" in story.html("x")


def test_the_difference_shows_what_was_lost():
    small = cells()
    image = enlarged(small)
    image.paste((0, 0, 0), (8 * 5 + 6, 8 * 9 + 6, 8 * 5 + 8, 8 * 9 + 8))  # a speck in the corner of one cell
    story = explain(image, FinishSpec(pixel_size=8, origin=(0, 0)))
    lost = np.argwhere(story.difference > 0.1)
    assert lost.min(axis=0).tolist() == [8 * 9 + 6, 8 * 5 + 6]
    assert lost.max(axis=0).tolist() == [8 * 9 + 7, 8 * 5 + 7]
    heat = np.asarray(story.heat)
    assert heat[0, 0].tolist() == [16, 16, 24, 255]
    assert heat[8 * 9 + 6, 8 * 5 + 6, 0] > 200


@pytest.mark.parametrize(
    ("size", "words", "cropped"),
    [
        ((15, 16), "16 x 16 became 15 x 16: 1 columns cropped", 8),
        ((17, 16), "16 x 16 became 17 x 16: 1 columns added", 0),
        ((8, 8), "16 x 16 became 8 x 8: resampled", 0),
    ],
)
def test_the_result_is_laid_back_where_it_came_from(size, words, cropped):
    small = cells()
    small[:, 0] = COLORS[3]  # an empty border line is what is cropped
    story = explain(enlarged(small), FinishSpec(size=size))
    assert dict(story.changes)["Cells"] == words
    assert np.isnan(story.difference).all(axis=0).sum() == cropped
    if "resampled" not in words:
        assert np.nanmax(story.difference) == 0


def test_what_became_transparent_is_counted():
    small = np.full((16, 16, 3), COLORS[3])
    small[4:12, 4:12] = cells(side=8)
    small[4:12, [4, 11]] = small[[4, 11], 4:12] = COLORS[0]
    story = explain(enlarged(small), FinishSpec(transparent=True))
    assert dict(story.changes)["Alpha"] == "192 cells made transparent, 0 made opaque"
    assert story.finished.report.transparent


def test_an_image_at_1x_and_one_without_a_grid():
    story = explain(Image.fromarray(cells(side=32)), FinishSpec())
    assert not story.gridded
    assert story.difference.max() == 0
    assert "at 1x already" in story.html()

    smooth = Image.linear_gradient("L").resize((700, 660))
    story = explain(smooth, FinishSpec(size=(24, 20)))
    assert not story.believed
    assert story.finished.report.confidence < THRESHOLD
    assert "Warning: No pixel grid was found" in story.html()
    assert f"Below {THRESHOLD}" in story.html()
    assert story.picture().width > 500

    story = explain(smooth, FinishSpec(size=(24, 20), mode="convert"))
    assert not story.gridded
    assert "A conversion looks for no grid" in story.html()


def test_the_page_stands_alone_and_escapes_names():
    story = explain(enlarged(cells()), FinishSpec())
    page = story.html('<img src=x onerror="x()">.png')
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=&quot;x()&quot;&gt;.png" in page
    assert "<script" not in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 4  # input, result twice, difference
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    pictures = [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in sources]
    assert [picture.size for picture in pictures] == [(128, 128), (16, 16), (16, 16), (128, 128)]
    assert page.count("M8 0V128") == 2  # a cut line, and that of an even grid
    assert f"threshold {THRESHOLD}" in page
    for color in story.finished.palette:
        assert f"background: {color}" in page


def test_the_picture_shows_the_grid_and_the_result():
    story = explain(enlarged(cells()), FinishSpec())
    picture = np.asarray(story.picture("potion.png"))
    flat = picture.reshape(-1, 3)
    for color in COLORS:
        assert (flat == color).all(axis=1).sum() > 10_000
    pinkish = (np.abs(flat.astype(int) - (224, 17, 157)).sum(axis=1) < 60).sum()
    assert pinkish > 5_000


def test_large_images_are_thinned_out():
    small = cells(side=40)
    story = explain(enlarged(small, 50), FinishSpec())
    assert story.thinning == 2
    assert story.view.shape == (1000, 1000, 4)
    assert story.difference.max() == 0
    assert "shown at 1/2" in story.html()


def test_the_index_links_pages_and_tells_errors():
    story = explain(enlarged(cells()), FinishSpec())
    cards = [
        Card("a b&c.png", "sub/a b&c.png.html", b"\x89PNG", story.finished.report),
        Card("bad<b>.png", None, b"", None, "The image is not a picture."),
    ]
    page = index(cards)
    assert "1 of 2 images finished" in page
    assert 'href="sub/a%20b%26c.png.html"' in page
    assert "bad&lt;b&gt;.png" in page
    assert "The image is not a picture." in page


def test_noise_does_not_fill_the_swatches_with_one_colour():
    ground = np.zeros((128, 128, 3), dtype=np.uint8)
    ground[:, 64:] = (200, 60, 60)
    noise = np.random.default_rng(2).integers(2, 12, ground.shape)
    story = explain(Image.fromarray((ground + noise).astype(np.uint8)), FinishSpec(size=(16, 16)))
    assert story.finished.report.colors_before > 64
    assert len(story.before) <= 16
    assert sum(swatch.count for swatch in story.before) == 128 * 128
