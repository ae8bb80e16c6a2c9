"""The guarantee of finishing as properties: any picture, any wish, and the other functions on the same pictures."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelrouter.errors import InvalidRequest, QualityRejected
from pixelrouter.pixels import FinishSpec, annotate, check, detect_grid, finish, finish_many, snap_image
from pixelrouter.pixels.convert import convert
from tests.pixels.anything import FILES, KINDS, MODES, drawn, in_file, in_mode

SIDES = st.one_of(st.integers(1, 24), st.integers(1, 120), st.integers(1, 600))
BITS = st.integers(0, 1)


@st.composite
def sources(draw):
    """A picture of any mode and size, or the bytes of a file of it."""
    mode, kind, seed = draw(st.sampled_from(MODES)), draw(st.sampled_from(KINDS)), draw(st.integers(0, 2**20))
    rgba = drawn(kind, draw(SIDES), draw(SIDES), seed)
    file = draw(st.sampled_from((None, None, *FILES)))
    return in_mode(rgba, mode, seed) if file is None else in_file(rgba, mode, file, seed)


@st.composite
def palettes(draw):
    """1 to 256 colours, some of them alike."""
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    count = draw(st.sampled_from((1, 2, 3, 16, 255, 256)))
    rgb = rng.integers(0, 256, (count, 3)) >> draw(st.sampled_from((0, 0, 4)))
    return tuple(dict.fromkeys(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rgb))


SPECS = st.builds(
    FinishSpec,
    # A conversion needs a size, so there is none without one; images without a grid are refused without one.
    size=st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.none()),
    colors=st.one_of(st.none(), st.integers(1, 256)),
    palette=st.one_of(st.none(), st.none(), palettes()),
    transparent=st.sampled_from((None, True, False)),
    policy=st.sampled_from(("snap", "snap", "resample", "reject", "reroute")),
    pixel_size=st.one_of(
        st.none(), st.none(), st.floats(1, 50), st.tuples(st.floats(1, 20), st.floats(1, 20)), st.floats(50, 4096)
    ),
    origin=st.one_of(st.none(), st.none(), st.tuples(st.floats(0, 40), st.floats(0, 700))),
    native=st.booleans(),
    one_bit=st.sampled_from((False, False, False, True)),
    dither=st.sampled_from(("none", "none", "bayer2", "bayer4", "bayer8", "floyd-steinberg", "atkinson", "yliluoma")),
    merge=st.sampled_from((None, None, 0.0, 0.02, 1.0)),
    quantizer=st.sampled_from(("auto", "own")),
    pad_palette=st.booleans(),
    holes=st.booleans(),
    despill=st.booleans(),
    partial_alpha=st.sampled_from((False, False, True)),
)
CONVERSIONS = st.builds(
    FinishSpec,
    mode=st.just("convert"),
    size=st.tuples(SIDES, SIDES),
    colors=st.one_of(st.none(), st.integers(1, 256)),
    palette=st.one_of(st.none(), palettes()),
    transparent=st.sampled_from((None, True, False)),
    dither=st.sampled_from(("none", "bayer4", "floyd-steinberg", "atkinson")),
    merge=st.sampled_from((None, 0.02)),
    partial_alpha=st.booleans(),
)


def seen(rgba: np.ndarray) -> set[str]:
    """The visible colours."""
    return {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.unique(rgba[rgba[..., 3] > 0][:, :3], axis=0)}


def holds(done, spec):
    """Asserts everything that finishing promises."""
    visible = set()
    for frame in done.frames:
        rgba = np.asarray(frame)
        assert frame.mode == "RGBA"
        assert frame.size == (spec.size or done.report.size)
        visible |= seen(rgba)
        if not spec.partial_alpha:
            assert set(np.unique(rgba[..., 3])) <= {0, 255}
        assert not rgba[rgba[..., 3] == 0].any()
        if spec.transparent is False:
            assert (rgba[..., 3] == 255).all()
    if spec.palette is not None:
        assert visible <= set(spec.palette)
    elif not spec.one_bit:
        assert len(visible) <= (spec.colors or 256)
    if spec.one_bit:
        assert len(visible) <= 2
    assert visible <= set(done.palette) if spec.pad_palette and spec.palette else visible == set(done.palette)
    assert done.report.colors_after == len(visible)
    assert 0 <= done.report.grid.confidence <= 1
    assert done.report.size == done.image.size
    json.dumps(done.report.as_dict(), allow_nan=False)
    file = io.BytesIO()
    done.indexed.save(file, "PNG")
    with Image.open(file) as again:
        assert again.mode == "P"
        assert np.array_equal(np.asarray(again), np.asarray(done.indexed))
        assert np.array_equal(np.asarray(again.convert("RGBA")), np.asarray(done.image))


def guaranteed(source, spec):
    """The guarantee for one picture and one wish; what is refused is refused with a documented error and a reason."""
    done, refused = None, None
    try:
        done = finish(source, spec)
    except (InvalidRequest, QualityRejected) as error:
        refused = error
    if done is None:
        assert spec.policy in ("reject", "reroute") if isinstance(refused, QualityRejected) else spec.size is None
        assert refused.hint
        return
    holds(done, spec)
    if spec.pixel_size is None and spec.origin is None:  # those describe the first image, not the finished one
        # Without a size, few colours may leave nothing that a grid or 1x could be told by, so the size is said here.
        again = finish(done.image, replace(spec, size=done.image.size))
        assert again.image.size == done.image.size
        assert again.image.tobytes() == done.image.tobytes()
        assert again.palette == done.palette


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(source=sources(), spec=SPECS | CONVERSIONS)
def test_any_picture_and_any_wish(source, spec):
    guaranteed(source, spec)


@pytest.mark.slow
@settings(max_examples=2500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(source=sources(), spec=SPECS | CONVERSIONS)
def test_thousands_of_pictures_and_wishes(source, spec):
    guaranteed(source, spec)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**20),
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=4),
    spec=SPECS,
)
def test_several_pictures_share_one_palette(size, seed, kinds, spec):
    images = [in_mode(drawn(kind, *size, seed + at), "RGBA") for at, kind in enumerate(kinds)]
    try:
        done = finish_many(images, spec)
    except (InvalidRequest, QualityRejected):
        assert spec.size is None or spec.policy in ("reject", "reroute")
        return
    everything = set().union(*(seen(np.asarray(each.image)) for each in done))
    assert {each.palette for each in done} == {done[0].palette}
    assert everything <= set(done[0].palette)
    if spec.palette is None:
        assert len(everything) <= (2 if spec.one_bit else spec.colors or 256)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    mode=st.sampled_from(MODES), kind=st.sampled_from(KINDS), size=st.tuples(SIDES, SIDES), seed=st.integers(0, 2**20)
)
def test_any_picture_is_snapped_measured_checked_and_converted(mode, kind, size, seed):
    image = in_mode(drawn(kind, *size, seed), mode, seed)
    before = image.tobytes()
    grid = detect_grid(image)
    assert 0 <= grid.confidence <= 1
    assert all(1 <= cells <= side for cells, side in zip(grid.size, size, strict=True))
    snapped = snap_image(image)
    assert snapped.mode == "RGBA"
    assert snapped.size in (grid.size, size)
    report = check(image)
    assert 0 <= report.score <= 100
    json.dumps(report.as_dict(), allow_nan=False)
    assert annotate(image, report).mode in ("RGB", "RGBA")
    rgba = np.asarray(snapped)
    small = (max(1, snapped.width // 3), max(1, snapped.height // 2))
    assert convert(rgba, small).shape == (small[1], small[0], 4)
    assert image.tobytes() == before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (1, 600), (600, 1), (2, 3)])
def test_every_mode_in_the_smallest_and_thinnest_sizes(mode, size):
    image = in_mode(drawn("few", *size, 7), mode, 1)
    for spec in (FinishSpec((5, 7)), FinishSpec(size, transparent=True), FinishSpec((5, 7), mode="convert")):
        guaranteed(image, spec)


@pytest.mark.parametrize("dither", ["none", "bayer8", "atkinson", "yliluoma"])
@pytest.mark.parametrize("merge", [0.02, 0.1])
def test_colors_that_were_merged_stay_merged(merge, dither):
    image = in_mode(drawn("gradient", 60, 40, 3), "RGB")
    steps = tuple(f"#{level:02x}{level:02x}{level // 2:02x}" for level in range(0, 256, 2))  # nearer than the radius
    for spec in (
        FinishSpec((60, 40), colors=64, merge=merge, dither=dither),
        FinishSpec((60, 40), palette=steps, merge=merge, dither=dither),
        FinishSpec((60, 40), palette=steps, merge=merge, dither=dither, pad_palette=True),
    ):
        guaranteed(image, spec)


def test_a_gradient_taken_at_its_own_size_keeps_its_colors():
    for seed in range(12):
        image = in_mode(drawn("gradient", 211, 13, seed), "RGB")
        guaranteed(image, FinishSpec(policy="resample", colors=182, transparent=True))
