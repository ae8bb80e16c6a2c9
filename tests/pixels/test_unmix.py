"""Unmixing: responses recognised from samples alone, and mixtures taken apart again."""

import numpy as np
import pytest

from pixelrouter.pixels.snap.unmix import INTERPOLATED, PROBES, WINDOW, Evidence, Response, fit_responses, unmix


def cells(lines: int = 24, count: int = 60, seed: int = 0) -> np.ndarray:
    """Lines of runs of a few colours: (lines, count, 2)."""
    rng = np.random.default_rng(seed)
    out = rng.integers(0, 2, (lines, count, 2)) * 180.0 + rng.integers(0, 60, (lines, count, 2))
    same = rng.random((lines, count)) < 0.5
    for k in range(1, count):
        out[same[:, k], k] = out[same[:, k], k - 1]
    return out


def mixed(art: np.ndarray, response: Response, offset: float) -> np.ndarray:
    """What is seen at ``offset`` from the centre of every cell."""
    count = art.shape[1]
    place = np.arange(count)
    weights = response.weights(place[:, None] + offset - place)
    return np.einsum("kj,ljc->lkc", weights / weights.sum(axis=1, keepdims=True), art)


def evidence(response: Response, noise: float = 0.0, seed: int = 0) -> Evidence:
    art = cells(seed=seed)
    rng = np.random.default_rng(seed + 1)
    seen = [mixed(art, response, at) + rng.normal(0, noise, art.shape) for at in (*WINDOW, *PROBES)]
    middle = np.mean(seen[: len(WINDOW)], axis=0)
    return Evidence(middle.astype(np.float32), np.stack(seen[len(WINDOW) :]).astype(np.float32))


@pytest.mark.parametrize("response", INTERPOLATED, ids=lambda response: response.kind)
@pytest.mark.parametrize("period", [4.0, 20.0])
def test_enlargements_are_told_apart(response, period):
    along, across = evidence(response), evidence(response, seed=7)
    assert fit_responses((along,), (across,), period) == (response, response)


@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.35])
def test_blur_is_measured(sigma):
    luma, chroma = evidence(Response("blur", sigma), 12.0), evidence(Response("blur", 1.3 * sigma), 12.0, seed=3)
    found = fit_responses((luma,), (chroma,), 4.0)
    assert [response.kind for response in found] == ["blur", "blur"]
    assert found[0].sigma == pytest.approx(sigma, rel=0.25)
    assert found[1].sigma == pytest.approx(1.3 * sigma, rel=0.25)


def test_a_blur_of_large_cells_is_no_enlargement():
    """Many source pixels wide, as when a warp smears the lines, but narrow as seen from the cell."""
    seen = evidence(Response("blur", 0.1), 12.0)
    assert fit_responses((seen,), (seen,), 36.0)[0].kind == "blur"


def test_halos_are_seen_in_noisy_images_only():
    ringing = Response("blur", 0.2, 0.6, 0.52)
    assert fit_responses((evidence(ringing, 14.0),), (evidence(ringing, 14.0),), 5.0)[0].amount > 0
    assert fit_responses((evidence(Response("blur", 0.2), 14.0),), (evidence(ringing, 14.0),), 5.0)[0].amount == 0


def test_sharp_images_leak_nothing():
    found = fit_responses((evidence(Response("blur", 0.03)),), (evidence(Response("blur", 0.03)),), 8.0)
    assert max(response.leak for response in found) < 0.005
    assert Response("blur", 0.3).leak > 0.1


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("count", [3, 20, 57])
@pytest.mark.parametrize("response", [*INTERPOLATED, Response("blur", 0.25)], ids=lambda response: response.kind)
def test_mixtures_are_taken_apart(response, count, axis):
    art = cells(lines=6, count=count)
    places = np.arange(count)[:, None] + 0.5 + np.linspace(-0.25, 0.15, 3)
    weights = response.weights(places[:, :, None] - np.arange(count) - 0.5).mean(axis=1)
    seen = np.einsum("kj,ljc->clk", weights / weights.sum(axis=1, keepdims=True), art).astype(np.float32)
    truth = np.moveaxis(art, -1, 0)
    if axis == 1:
        seen, truth = np.ascontiguousarray(seen.swapaxes(1, 2)), truth.swapaxes(1, 2)
    got = unmix(seen, places, response, axis)
    assert np.abs(got - truth).mean() < 0.2 * np.abs(seen - truth).mean()
