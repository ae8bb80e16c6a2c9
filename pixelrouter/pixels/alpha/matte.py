"""Cutting out: which way a figure leaves its ground, and the neural one, rembg (extra ``rembg``).

A solid ground is keyed at 1x, where noise has been averaged away and before the palette is chosen, so that the
ground's tint takes no entries. Two kinds have to go earlier, at the source's resolution: a checkerboard, whose squares
are not the pixels of the figure, and what a neural matte shall remove, since such models know photos and not 48 pixels.
Snapping then decides by the majority of each cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
from PIL import Image

from pixelrouter.errors import ConfigError, InvalidRequest
from pixelrouter.pixels.alpha.harden import OPAQUE_FROM
from pixelrouter.pixels.alpha.key import has_checkerboard, key_out
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.spec import FinishSpec, Matte

DEFAULT_MODEL = "u2net"

# Models whose weights, not only whose code, their authors put under a licence that allows commercial use.
# U-2-Net: "all the released codes and models" are Apache-2.0, Xuebin Qin, github.com/xuebinqin/U-2-Net/issues/208,
# 2021-05-25. BiRefNet: "all the codes and weights are under the MIT license", Peng Zheng,
# github.com/ZhengPeng7/BiRefNet/issues/316, 2026-07-29.
MODELS = {
    "u2net": "Apache-2.0",
    "u2netp": "Apache-2.0",
    "u2net_human_seg": "Apache-2.0",
    "birefnet-general": "MIT",
    "birefnet-general-lite": "MIT",
    "birefnet-portrait": "MIT",
}
_REMOTE = ("withoutbg", "atlascloud")  # rembg's names for paid services: the image would leave the machine


class Session(Protocol):
    """What finds the figure in a picture: a session of rembg, or anything else with this method."""

    def predict(self, img: Image.Image) -> Sequence[Image.Image]:
        """Mattes in mode L and in the picture's size, 255 where a figure is."""
        ...


def lift(frame: Bytes, spec: FinishSpec) -> Bytes:
    """A source frame ``(h, w, 4)`` without the checkerboard behind it, which would be taken for the pixel grid."""
    if not _wished(frame, spec, "key") or not has_checkerboard(frame):
        return frame
    keyed = key_out(frame, holes=spec.holes)
    return frame if keyed is None else keyed


def matte(frame: Bytes, spec: FinishSpec) -> Bytes:
    """A source frame ``(h, w, 4)`` with the ground that rembg sees cut out where that is wished."""
    return np.asarray(rembg_matte(Image.fromarray(frame))) if _wished(frame, spec, "rembg") else frame


def cut_out(frame: Bytes, spec: FinishSpec) -> Bytes:
    """A frame at 1x ``(h, w, 4)``, before its colours are chosen, with its ground keyed out where that is wished."""
    if not _wished(frame, spec, "key"):
        return frame
    keyed = key_out(frame, holes=spec.holes, despill=spec.despill)
    return frame if keyed is None else keyed


def _wished(frame: Bytes, spec: FinishSpec, way: Matte) -> bool:
    """Whether a frame shall be cut out in this way: transparency that the vendor drew is kept as it is."""
    return spec.transparent is True and spec.matte == way and bool((frame[..., 3] >= OPAQUE_FROM).all())


def rembg_matte(
    image: Image.Image, model: str = DEFAULT_MODEL, session: Session | None = None, *, any_licence: bool = False
) -> Image.Image:
    """The image in RGBA with alpha 0 where the model sees ground, 255 where it sees figure, never between.

    ``model`` is a name of rembg, which downloads the weights once; ``session`` takes its place: a
    ``rembg.new_session("u2net_custom", model_path=...)`` for weights of your own, for instance. Models outside
    ``MODELS`` have licences that forbid commercial use, or none; ``any_licence=True`` says that you have looked.
    Raises ConfigError where rembg is missing or the model is not to be had, InvalidRequest for a model that is refused.
    """
    if session is None:
        session = _session(_allowed(model, any_licence))
    rgb = image.convert("RGB")
    mattes = [np.asarray(matte.convert("L")) for matte in session.predict(rgb)]
    if not mattes or any(matte.shape != (image.height, image.width) for matte in mattes):
        raise ConfigError("The matting session returned no matte of the picture's size.", hint="Use another model.")
    figure = np.max(mattes, axis=0) >= OPAQUE_FROM
    out = np.zeros((image.height, image.width, 4), dtype=np.uint8)
    out[figure, :3] = np.asarray(rgb)[figure]
    out[figure, 3] = 255
    return Image.fromarray(out)


def _allowed(model: str, any_licence: bool) -> str:
    """The model's name. Raises InvalidRequest."""
    if model in _REMOTE:
        raise InvalidRequest(f"rembg's {model} sends the picture to a paid service.", hint="Use a local model.")
    if model not in MODELS and not any_licence:
        raise InvalidRequest(
            f"The weights of {model} are not under a licence known to allow commercial use.",
            hint=f"Use one of {', '.join(MODELS)}, or any_licence=True if you have a licence.",
        )
    return model


@cache
def _session(model: str) -> Session:
    """A session of rembg, kept, since loading one takes seconds. Raises ConfigError."""
    try:
        from rembg import new_session
    except (ImportError, SystemExit) as error:  # without a runtime rembg ends the program while it is imported
        raise ConfigError("rembg is not installed.", hint="pip install pixelrouter[rembg]") from error
    try:
        found: Any = new_session(model)
    except Exception as error:  # what a download or a runtime may raise is not ours to list
        raise ConfigError(
            f"The rembg model {model} cannot be opened: {error}",
            hint="Its weights are downloaded at first use; see `rembg d --help` for doing that beforehand.",
        ) from error
    session: Session = found
    return session
