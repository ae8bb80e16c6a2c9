"""Mattes: which models are allowed, what becomes of a matte, and the real rembg where it is installed."""

import builtins
import importlib.util
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelrouter.errors import ConfigError, InvalidRequest
from pixelrouter.pixels import FinishSpec, finish
from pixelrouter.pixels.alpha import matte as mattes
from pixelrouter.pixels.alpha.matte import MODELS, rembg_matte

HAS_REMBG = all(importlib.util.find_spec(name) for name in ("rembg", "onnxruntime"))
needs_rembg = pytest.mark.skipif(not HAS_REMBG, reason="rembg is not installed: pip install pixelrouter[rembg]")


class Redness:
    """A matting session of our own: figures are what is red, softly."""

    def predict(self, img):
        rgb = np.asarray(img).astype(int)
        return [Image.fromarray((rgb[..., 0] - rgb[..., 2]).clip(0, 255).astype(np.uint8))]


def picture(side=64):
    """A red square on a ground that changes too much for keying."""
    image = np.random.default_rng(1).integers(0, 100, (side, side, 3), dtype=np.uint8)
    image[..., 2] = 150
    image[side // 4 : side // 2, side // 4 : side // 2] = (220, 30, 20)
    return Image.fromarray(image)


def square(side=64):
    mask = np.zeros((side, side), dtype=bool)
    mask[side // 4 : side // 2, side // 4 : side // 2] = True
    return mask


def test_a_matte_is_hard_and_hides_nothing():
    done = np.asarray(rembg_matte(picture(), session=Redness()))
    assert np.array_equal(done[..., 3] == 255, square())
    assert set(np.unique(done[..., 3])) == {0, 255}
    assert not done[~square()].any()
    assert (done[square()] == (220, 30, 20, 255)).all()


def test_several_mattes_are_one_figure():
    class Halves:
        def predict(self, img):
            left, right = np.zeros((2, img.height, img.width), dtype=np.uint8)
            left[:, : img.width // 4], right[:, -img.width // 4 :] = 255, 128
            return [Image.fromarray(left), Image.fromarray(right)]

    assert (np.asarray(rembg_matte(picture(), session=Halves()))[..., 3] > 0).mean() == 0.5


def test_a_matte_of_another_size_is_refused():
    class Small:
        def predict(self, img):
            return [Image.new("L", (8, 8))]

    with pytest.raises(ConfigError, match="size"):
        rembg_matte(picture(), session=Small())


@pytest.mark.parametrize("model", ["bria-rmbg", "isnet-general-use", "isnet-anime", "sam", "mine"])
def test_models_without_a_free_licence_are_refused_until_they_are_asked_for(model):
    with pytest.raises(InvalidRequest, match="any_licence=True") as caught:
        rembg_matte(picture(), model)
    assert "u2net" in str(caught.value)


@pytest.mark.parametrize("model", ["withoutbg", "atlascloud"])
def test_no_picture_leaves_the_machine(model):
    with pytest.raises(InvalidRequest, match="paid service"):
        rembg_matte(picture(), model, any_licence=True)


def test_every_allowed_model_names_its_licence():
    assert set(MODELS.values()) == {"Apache-2.0", "MIT"}
    assert mattes.DEFAULT_MODEL in MODELS


def test_without_rembg_the_error_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "rembg":
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    mattes._session.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install pixelrouter\[rembg\]"):
        finish(picture(), FinishSpec((16, 16), transparent=True, matte="rembg"))


def test_rembg_is_not_imported_where_nothing_is_to_be_cut_out(monkeypatch):
    monkeypatch.setattr(mattes, "_session", lambda model: pytest.fail("a session was opened"))
    for transparent in (None, False):
        finish(picture(), FinishSpec((64, 64), transparent=transparent, matte="rembg"))
    alpha = picture().convert("RGBA")
    alpha.putpixel((0, 0), (0, 0, 0, 0))
    finish(alpha, FinishSpec((64, 64), transparent=True, matte="rembg"))


def test_finishing_asks_for_the_matte_before_it_snaps(monkeypatch):
    seen = []

    def session(model):
        seen.append(model)
        return Redness()

    monkeypatch.setattr(mattes, "_session", session)
    big = picture(16).resize((160, 160), Image.Resampling.NEAREST)
    done = finish(big, FinishSpec((16, 16), transparent=True, matte="rembg"))
    assert seen == [mattes.DEFAULT_MODEL]
    assert np.array_equal(np.asarray(done.image)[..., 3] > 0, square(16))
    assert (
        finish(done.image, FinishSpec((16, 16), transparent=True, matte="rembg")).image.tobytes()
        == done.image.tobytes()
    )
    assert len(seen) == 1  # what is transparent already is not asked about again


# --- the real package ---


def field(number, value):
    """One field of a protocol buffer message: an int as varint, everything else as bytes with a length."""

    def varint(n):
        out = bytearray()
        while n > 127:
            out.append(n & 127 | 128)
            n >>= 7
        return bytes([*out, n])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tiny_network(side=320):
    """An ONNX model in bytes: one 1x1 convolution that answers red minus blue, as wide as u2net's input."""

    def tensor(name, channels):
        sizes = b"".join(field(1, field(1, size)) for size in (1, channels, side, side))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))

    weights = field(1, 1) + field(1, 3) + field(1, 1) + field(1, 1) + field(2, 1) + field(8, "w")
    weights += field(9, struct.pack("<3f", 1.0, 0.0, -1.0))
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Conv")
    graph = field(1, node) + field(2, "red") + field(5, weights) + field(11, tensor("x", 3)) + field(12, tensor("y", 1))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@needs_rembg
@pytest.mark.filterwarnings("default")  # the libraries under rembg warn about each other
def test_the_real_rembg_runs_a_network_built_here(tmp_path, monkeypatch):
    import rembg

    for name in ("U2NET_HOME", "REMBG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    path = tmp_path / "red.onnx"
    path.write_bytes(tiny_network())
    session = rembg.new_session("u2net_custom", model_path=str(path))
    cut = np.asarray(rembg_matte(picture(320), session=session))
    assert (cut[..., 3] > 0)[square(320)].mean() > 0.98
    assert (cut[..., 3] > 0)[~square(320)].mean() < 0.02
    small = finish(Image.fromarray(cut).resize((320, 320)), FinishSpec((16, 16), transparent=True, matte="rembg"))
    assert np.array_equal(np.asarray(small.image)[..., 3] > 0, square(16))


@needs_rembg
@pytest.mark.filterwarnings("default")  # as above
def test_weights_by_name_are_opened_by_the_real_rembg(tmp_path, monkeypatch):
    for name in ("U2NET_HOME", "REMBG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "models" / "u2net").mkdir(parents=True)
    (tmp_path / "models" / "u2net" / "u2net.onnx").write_bytes(tiny_network())
    mattes._session.cache_clear()
    try:
        done = finish(picture(320), FinishSpec((16, 16), transparent=True, matte="rembg"))
    finally:
        mattes._session.cache_clear()
    assert done.report.transparent
    assert (np.asarray(done.image)[..., 3] > 0)[square(16)].mean() > 0.9


@needs_rembg
@pytest.mark.filterwarnings("default")  # as above
def test_broken_weights_are_an_error_that_says_so(tmp_path, monkeypatch):
    for name in ("U2NET_HOME", "REMBG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "models" / "u2netp").mkdir(parents=True)
    (tmp_path / "models" / "u2netp" / "u2netp.onnx").write_bytes(b"nothing")
    mattes._session.cache_clear()
    with pytest.raises(ConfigError, match="u2netp cannot be opened"):
        rembg_matte(picture(), "u2netp")


def downloaded():
    """The allowed models whose weights lie on this machine, where rembg would look for them."""
    home = Path(os.environ.get("REMBG_HOME", "~/.rembg")).expanduser()
    return [model for model in MODELS if (home / "models" / model / f"{model}.onnx").is_file()]


@pytest.mark.slow
@needs_rembg
@pytest.mark.skipif(not downloaded(), reason="no weights of an allowed model are on this machine: rembg d u2net")
@pytest.mark.filterwarnings("default")  # as above
def test_a_real_model_finds_a_drawn_figure():
    y, x = np.mgrid[:512, :512]
    rgb = np.stack([90 + x // 8, 120 + y // 8, 150 + (x + y) // 16], axis=2).astype(np.uint8)
    inside = (x - 256) ** 2 + (y - 256) ** 2 < 140**2
    rgb[inside] = (200, 60, 40)
    for model in downloaded():
        found = np.asarray(rembg_matte(Image.fromarray(rgb), model))[..., 3] > 0
        assert (found & inside).sum() / (found | inside).sum() > 0.8, model
