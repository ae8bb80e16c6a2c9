"""Other tools that restore pixel art, each as a function from image to image, with its defaults.

    pip install proper-pixel-art==2.0.0 perfect-pixel==0.1.4 pixel-snapper==0.1.0 unfake==1.0.7 spritegrid==0.2.0

What is not installed is left out, with a note. Some write to stdout or read only files; that is smoothed over here and
counted as their time only where they insist on it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
from PIL import Image

Tool = Callable[[Image.Image], Image.Image]


def _proper_pixel_art() -> Tool:
    from proper_pixel_art.pixelate import pixelate

    def run(image: Image.Image) -> Image.Image:
        return pixelate(image.convert("RGBA")).image

    return run


def _perfect_pixel() -> Tool:
    from perfect_pixel import get_perfect_pixel

    def run(image: Image.Image) -> Image.Image:
        _, _, pixels = get_perfect_pixel(np.asarray(image.convert("RGB")))
        out = Image.fromarray(np.asarray(pixels)).convert("RGBA")
        if "A" in image.getbands():  # it drops alpha; sampled beside it, so that it is judged by its grid
            out.putalpha(image.getchannel("A").resize(out.size, Image.Resampling.NEAREST))
        return out

    return run


def _pixel_snapper() -> Tool:
    import pixel_snapper

    def run(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.convert("RGBA").save(file, "PNG", compress_level=0)
        return Image.open(io.BytesIO(bytes(pixel_snapper.process_image(file.getvalue()))))

    return run


def _unfake() -> Tool:
    import unfake

    def run(image: Image.Image) -> Image.Image:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image.png"
            image.convert("RGBA").save(path, compress_level=0)
            return Image.fromarray(np.asarray(unfake.process_image_sync(str(path))["image"]))

    return run


def _spritegrid() -> Tool:
    from spritegrid.main import create_downsampled_image, detect_grid

    def run(image: Image.Image) -> Image.Image:
        image = image.convert("RGBA")
        across, down = detect_grid(image)
        return create_downsampled_image(image, across, down, image.width // across, image.height // down)

    return run


_PEERS: dict[str, Callable[[], Tool]] = {
    "proper-pixel-art": _proper_pixel_art,
    "perfect-pixel": _perfect_pixel,
    "pixel-snapper": _pixel_snapper,
    "unfake": _unfake,
    "spritegrid": _spritegrid,
}


def peers() -> tuple[dict[str, Tool], list[str]]:
    """The tools that are installed, by name and version, and notes on the others."""
    found: dict[str, Tool] = {}
    notes = []
    for name, build in _PEERS.items():
        try:
            found[f"{name} {metadata.version(name)}"] = _quiet(build())
        except (ImportError, importlib.metadata.PackageNotFoundError) as error:
            notes.append(f"{name}: left out ({error})")
    return found, notes


def _quiet(tool: Tool) -> Tool:
    def run(image: Image.Image) -> Image.Image:
        logging.disable(logging.CRITICAL)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                return tool(image)
        finally:
            logging.disable(logging.NOTSET)

    return run
