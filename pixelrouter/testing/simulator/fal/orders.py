"""Reading a request on the runner, as fal does after the queue took it, and making what it asks for."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PIL import Image
from pydantic import ValidationError

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.fal import drawing
from pixelrouter.testing.simulator.fal.endpoints import PRESETS, Endpoint
from pixelrouter.testing.simulator.fal.problems import Failed, invalid, model_failure
from pixelrouter.testing.simulator.fal.storage import Storage
from pixelrouter.testing.simulator.faults import Fault, Faults
from pixelrouter.testing.simulator.images import Output, Pixels

_MEGAPIXEL = 1024 * 1024  # fal's own example counts 1024 x 1024 as one
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_TRIGGER = "2x2 sprite sheet"


@dataclass(frozen=True)
class Style:
    """How the simulated models draw: levels of noise, art pixels along a shorter side, JPEG blocks or none."""

    noise: int = 2
    native: int = 64
    jpeg_like: bool = False


@dataclass(frozen=True)
class Order:
    """A request that fits its schema. ``size`` is (width, height) of each output; ``units`` is what it bills."""

    endpoint: Endpoint
    fields: Mapping[str, Any]
    size: tuple[int, int]
    seed: int
    pictures: tuple[Image.Image, ...]
    units: Decimal

    @property
    def n(self) -> int:
        return int(self.fields.get("num_images", 1))

    @property
    def is_sheet(self) -> bool:
        """Both the spritesheet LoRA and its trigger: without either, the model edits as it always does."""
        paths = [lora["path"] for lora in self.fields.get("loras", ())]
        return any("spritesheet" in path for path in paths) and _TRIGGER in self.fields["prompt"].lower()


@dataclass(frozen=True)
class Picture:
    output: Output
    width: int
    height: int


@dataclass(frozen=True)
class Drawn:
    """What a job made: its pictures, and the rest of its output."""

    pictures: list[Picture]
    rest: dict[str, Any]


def read(
    endpoint: Endpoint, body: Any, storage: Storage, *, seed: int, sides: tuple[int, int], fractional: bool
) -> Order:
    """The order in a request body. ``seed`` stands in where it names none. Raises Failed as the runner would."""
    try:
        fields = endpoint.schema.model_validate(body, context={"sides": sides}).model_dump()
    except ValidationError as error:
        raise Failed(invalid(error)) from None
    for index, lora in enumerate(fields.get("loras", ())):
        if not _reachable(lora["path"]):
            loc = ("body", "loras", index, "path")
            raise Failed(model_failure("file_download_error", loc, "Failed to download the file.", lora["path"]))
    if "image_url" in fields:
        pictures = [storage.picture(fields["image_url"], ("body", "image_url"))]
    else:
        urls = fields.get("image_urls", ())
        pictures = [storage.picture(url, ("body", "image_urls", index)) for index, url in enumerate(urls)]
    size = _size(fields.get("image_size"), pictures)
    given = fields.get("seed")
    units = _units(endpoint, fields.get("num_images", 1), size, len(pictures), fractional)
    return Order(endpoint, fields, size, seed if given is None else given, tuple(pictures), units)


def _reachable(path: str) -> bool:
    if path.startswith(("https://", "http://")):
        return not re.match(r"https?://[^/]*\.invalid(?:[:/]|$)", path)
    return bool(_REPOSITORY.fullmatch(path))


def _size(wanted: Any, pictures: list[Image.Image]) -> tuple[int, int]:
    if isinstance(wanted, str):
        return PRESETS[wanted]
    if wanted is not None:
        return wanted["width"], wanted["height"]
    return pictures[0].size if pictures else PRESETS["square_hd"]


def _units(endpoint: Endpoint, n: int, size: tuple[int, int], inputs: int, fractional: bool) -> Decimal:
    """Megapixels of all outputs, and one for each input, which fal resizes to one; or 1 where the unit is another.

    How fal rounds is not published: up, image by image, or (``fractional``) not at all, to four places.
    """
    if endpoint.unit != "megapixels":
        return Decimal(1)
    exact = Decimal(size[0] * size[1]) / _MEGAPIXEL
    each = round(exact, 4) if fractional else Decimal(math.ceil(exact))
    return each * n + (inputs if endpoint.bills_inputs else 0)


def draw(order: Order, style: Style, fault: Fault | None) -> Drawn:
    """The job's output, spoilt where its fault says so."""
    name = fault.name if fault else None
    size = order.size
    if fault and name == Faults.WRONG_SIZE:
        size = (fault.params["width"] or size[0] * 2, fault.params["height"] or size[1] * 2)
    drawn = _MAKERS[order.endpoint.kind](order, style, size)
    pictures = drawn.pictures
    if name == "nsfw_black":
        black = drawing.encoded(np_black(size), _form(order))
        pictures = [Picture(black, *size) for _ in pictures]
        drawn.rest["has_nsfw_concepts"] = [True] * len(pictures)
    elif name == Faults.EMPTY_IMAGES:
        pictures = []
    elif name == Faults.FEWER_IMAGES:
        pictures = pictures[:-1]
    elif name == Faults.TRUNCATED_IMAGE:
        pictures = [_halved(picture) for picture in pictures]
    return Drawn(pictures, drawn.rest)


def np_black(size: tuple[int, int]) -> Pixels:
    """The black picture that stands in for one that the safety checker held back; ``size`` is (width, height)."""
    return drawing.stretched(images.colours(Image.new("RGB", (1, 1)))[None], *size)


def _halved(picture: Picture) -> Picture:
    file = picture.output
    return Picture(
        Output(file.data[: len(file.data) // 2], file.media_type, file.extension), picture.width, picture.height
    )


def _form(order: Order) -> str:
    return str(order.fields.get("output_format", "png"))


def _picture(pixels: Pixels, form: str, style: Style | None = None) -> Picture:
    jpeg_like = style is not None and style.jpeg_like
    return Picture(drawing.encoded(pixels, form, jpeg_like=jpeg_like), pixels.shape[1], pixels.shape[0])


def _klein(order: Order, style: Style, size: tuple[int, int]) -> Drawn:
    seen = hashlib.sha256(b"".join(picture.tobytes() for picture in order.pictures)).hexdigest()
    paint = drawing.sheet if order.is_sheet else drawing.sprite
    identity = f"{order.endpoint.id}|{order.fields['prompt']}|{order.seed}|{seen}"
    pictures = [
        _picture(paint(f"{identity}|{index}", *size, style.native, style.noise), _form(order), style)
        for index in range(order.n)
    ]
    rest: dict[str, Any] = {
        "timings": {"inference": 2.39},
        "seed": order.seed,
        "has_nsfw_concepts": [False] * order.n,
        "prompt": order.fields["prompt"],
    }
    return Drawn(pictures, rest)


def _image2pixel(order: Order, style: Style, size: tuple[int, int]) -> Drawn:
    image = order.pictures[0]
    if size != image.size:
        image = image.resize(size, Image.Resampling.NEAREST)
    small, scale, palette = drawing.pixelated(image, dict(order.fields), style.native)
    pictures = [_picture(small, "png"), _picture(images.enlarged(small, scale), "png")]
    return Drawn(pictures, {"palette": palette, "num_colors": len(palette), "pixel_scale": scale})


def _background(order: Order, _: Style, size: tuple[int, int]) -> Drawn:
    image = order.pictures[0]
    if size != image.size:
        image = image.resize(size, Image.Resampling.NEAREST)
    cut, mask = drawing.cut_out(image)
    pictures = [_picture(cut, _form(order))]
    if order.fields.get("output_mask"):
        pictures.append(_picture(mask, "png"))
    return Drawn(pictures, {})


_MAKERS: dict[str, Callable[[Order, Style, tuple[int, int]], Drawn]] = {
    "klein": _klein,
    "image2pixel": _image2pixel,
    "background": _background,
}


def output(order: Order, drawn: Drawn, links: list[dict[str, Any]]) -> dict[str, Any]:
    """The result body: the pictures under ``links``, then the rest, as this kind of endpoint names them."""
    if order.endpoint.kind != "background":
        return {"images": links, **drawn.rest}
    named = dict(zip(("image", "mask_image"), links, strict=False))
    return {"image": None, **named, **drawn.rest}
