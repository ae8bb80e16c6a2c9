"""Reading a Retro Diffusion generation request as strictly as the vendor documents it, and drawing what it asks for."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from pixelrouter.testing.simulator import images
from pixelrouter.testing.simulator.images import Output, Pixels
from pixelrouter.testing.simulator.retrodiffusion.problems import Refused, Version
from pixelrouter.testing.simulator.retrodiffusion.styles import STYLES, Style

# What a request without prompt_style gets. The vendor does not say; the cheapest family stands in.
DEFAULT_STYLE = "rd_fast__default"
# Of a tileset's 4 x 5 tiles: which corners (nw, ne, sw, se) are of the inside ground, as in the vendor's sample image.
WANG = (
    *("0000", "0001", "0011", "0010"),
    *("0000", "0101", "1111", "1010"),
    *("0000", "0100", "1100", "1000"),
    *("1111", "1110", "1101", "0110"),
    *("1111", "1011", "0111", "1001"),
)
# Of the 3 x 3 views: the direction (right, down) that each looks in, towards the empty middle.
FACING = ((1, 1), (0, 1), (-1, 1), (1, 0), (-1, 0), (1, -1), (0, -1), (-1, -1))
FRAMES = (4, 6, 8, 10, 12, 16)
MAX_PALETTE_CHARS = 1_000_000
Issue = tuple[list[str], str, str]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _whole(value) or isinstance(value, float)


# Kind -> (test, the framework's type name, the framework's words). Stricter than the vendor's framework, which reads
# "64" as 64: a client that sends the right types passes both.
_KINDS: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "int": (_whole, "type_error.integer", "value is not a valid integer"),
    "float": (_number, "type_error.float", "value is not a valid float"),
    "bool": (lambda v: isinstance(v, bool), "type_error.bool", "value could not be parsed to a boolean"),
    "str": (lambda v: isinstance(v, str), "type_error.str", "str type expected"),
    "list": (
        lambda v: isinstance(v, list) and all(isinstance(each, str) for each in v),
        "type_error.list",
        "value is not a valid list",
    ),
}
_TYPES = {
    "int": "width height num_images seed frames_duration upscale_output_factor",
    "float": "strength extra_strength",
    "bool": "return_pre_palette remove_bg return_non_bg_removed tile_x tile_y return_spritesheet upload_outputs "
    "bypass_prompt_expansion include_downloadable_data include_extra_data check_cost async async_process",
    "str": "prompt prompt_style model negative input_image extra_prompt extra_input_image input_palette "
    "output_bg_color",
    "list": "reference_images",
}
_FIELDS = {name: kind for kind, names in _TYPES.items() for name in names.split()}


@dataclass(frozen=True)
class Order:
    """A request that the vendor takes: the style, the size that will be delivered, the price in USD."""

    style: Style
    width: int
    height: int
    n: int
    seed: int | None
    usd: float
    body: Mapping[str, Any]
    palette: Pixels | None

    operation: ClassVar[str] = "inference"

    @property
    def told(self) -> dict[str, str]:
        """What API Activity says of the request: only its style, as in the vendor's example, and no seed."""
        return {"prompt_style": self.style.id}

    def flag(self, name: str) -> bool:
        return bool(self.body.get(name))

    def draw(self, salt: str, size: tuple[int, int] | None = None) -> list[Output]:
        """The files: see `draw`."""
        return draw(self, salt, size)


def read(body: Any, version: Version) -> Order:
    """The order in a request body. Raises Refused with the vendor's code for each documented mistake."""
    _check_types(body, version)
    name = body.get("prompt_style") or DEFAULT_STYLE
    style = STYLES.get(name)
    if style is None:
        raise Refused("style_not_found")
    width, height = _size(style, body["width"], body["height"])
    n = body["num_images"]
    if n > style.max_images or len(body.get("reference_images") or ()) > style.references:
        raise Refused("bad_request")
    if not (body.get("prompt") or style.prompt_optional):
        raise Refused("missing_prompt")
    _check_images(style, body, (width, height))
    palette = _palette(body["input_palette"]) if body.get("input_palette") else None
    return Order(style, width, height, n, body.get("seed"), style.cost(width, height, n), body, palette)


def _check_types(body: Any, version: Version) -> None:
    if not isinstance(body, dict):
        raise Refused("validation_error", issues=[(["body"], "type_error.dict", "value is not a valid dict")])
    required = ["width", "height", "num_images"] + (["prompt"] if version == "v1" else [])
    issues: list[Issue] = [(["body", n], "value_error.missing", "field required") for n in required if n not in body]
    for name, kind in _FIELDS.items():
        value = body.get(name)
        given = (value is not None or name in required) and name in body
        if given and (issue := kind_issue(name, kind, value)):
            issues.append(issue)
    if not issues:
        issues += _out_of_bounds(body)
    if issues:
        raise Refused("validation_error", issues=issues)


def kind_issue(name: str, kind: str, value: Any) -> Issue | None:
    """The framework's complaint about a value that is not of its field's kind, or None."""
    test, code, words = _KINDS[kind]
    return None if test(value) else (["body", name], code, words)


def _out_of_bounds(body: Mapping[str, Any]) -> list[Issue]:
    issues: list[Issue] = []

    def bound(name: str, low: float, high: float) -> None:
        value = body.get(name)
        if value is not None and value < low:
            words = f"ensure this value is greater than or equal to {low}"
            issues.append((["body", name], "value_error.number.not_ge", words))
        if value is not None and value > high:
            words = f"ensure this value is less than or equal to {high}"
            issues.append((["body", name], "value_error.number.not_le", words))

    bound("num_images", 1, 16)
    bound("strength", 0, 1)
    bound("upscale_output_factor", 1, 64)  # the vendor names no upper bound; this one spares the memory here
    if body.get("model") not in (None, "RD_CLASSIC", "RD_FLUX"):
        issues.append((["body", "model"], "type_error.enum", "value is not a valid enumeration member"))
    if body.get("frames_duration") is not None and body["frames_duration"] not in FRAMES:
        issues.append((["body", "frames_duration"], "value_error.const", f"unexpected value; permitted: {FRAMES}"))
    return issues


def _size(style: Style, width: int, height: int) -> tuple[int, int]:
    """The size that is delivered: fixed styles correct the size quietly, all others refuse one out of their range."""
    if style.fixed:
        return style.low, style.low
    inside = style.low <= width <= style.high and style.low <= height <= style.high
    if not inside or (style.square and width != height) or width % style.multiple or height % style.multiple:
        raise Refused("invalid_dimensions")
    return width, height


def _check_images(style: Style, body: Mapping[str, Any], size: tuple[int, int]) -> None:
    source = body.get("input_image")
    if style.needs_image and not source:
        raise Refused("missing_input")
    given = [text for text in (source, body.get("extra_input_image")) if text]
    decoded = [read_image(text, "invalid_image") for text in given + list(body.get("reference_images") or ())]
    if any("A" in image.getbands() for image in decoded[: len(given)]):
        raise Refused("invalid_image")  # documented: RGB without alpha
    if style.tab == "tab:advanced-animation" and decoded[0].size != size:
        raise Refused("invalid_image_size")  # the size asked for must be the frame's


def _palette(text: str) -> Pixels:
    if len(text) > MAX_PALETTE_CHARS:
        raise Refused("palette_too_large")
    image = read_image(text, "invalid_palette")
    if "A" in image.getbands():
        raise Refused("invalid_palette")
    return images.colours(image)


def read_image(text: str, code: str) -> Image.Image:
    """Raw base64 of an image. A ``data:`` prefix is not base64, so it is refused like any other text."""
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
        image.load()
    except (binascii.Error, ValueError, OSError, UnidentifiedImageError, Image.DecompressionBombError):
        raise Refused(code) from None
    return image


def draw(order: Order, salt: str, size: tuple[int, int] | None = None) -> list[Output]:
    """The files of an order: its images, then the extras that it asked for.

    ``salt`` stands in for the seed of an order without one. ``size`` draws another size than the one ordered.
    """
    width, height = size or (order.width, order.height)
    seed = salt if order.seed is None else str(order.seed)
    factor = order.body.get("upscale_output_factor") or 1
    results: list[Output] = []
    extras: list[Output] = []
    for index in range(order.n):
        identity = f"{order.style.id}|{order.body.get('prompt')}|{seed}|{index}"
        raw, mask = images.sprite(identity, width, height)
        pixels = raw if order.palette is None else images.snap(raw, order.palette)
        cut = images.with_alpha(pixels, mask)
        if order.style.frames:
            results.append(_animation(order, cut, factor))
        elif order.style.grid:
            columns, rows = order.style.grid
            tiles = [_tile(images.moved(pixels, step), corners) for step, corners in enumerate(WANG)]
            results.append(images.png(images.sheet(tiles, columns, rows), factor))
        else:
            results.append(images.png(cut if order.flag("remove_bg") else pixels, factor))
        if index == 0 and order.flag("return_pre_palette"):
            extras.append(images.png(images.unquantised(raw), factor))
        if index == 0 and order.flag("return_non_bg_removed"):
            extras.append(images.png(pixels, factor))
    return results + extras


def _animation(order: Order, cut: Pixels, factor: int) -> Output:
    style = order.style
    count = style.frames
    if style.takes_frames_duration:
        count = order.body.get("frames_duration") or count
    frames = [images.moved(cut, step) for step in range(count)]
    if style.grid == (3, 3):
        frames = [_facing(cut, *towards) for towards in FACING]
    if not order.flag("return_spritesheet"):
        return images.gif(frames, factor, style.frame_ms)
    # One row where the vendor documents no grid.
    columns, rows = style.grid or (count, 1)
    return images.png(images.sheet(frames, columns, rows, hollow=style.grid == (3, 3)), factor)


def _tile(pixels: Pixels, corners: str) -> Pixels:
    """A tile in RGBA whose quarters show the outside ground, or the inside one in inverted colours."""
    height, width = pixels.shape[:2]
    tile = pixels.copy()
    for number, corner in enumerate(corners):
        rows = slice(0, height // 2) if number < 2 else slice(height // 2, height)
        columns = slice(0, width // 2) if number % 2 == 0 else slice(width // 2, width)
        if corner == "1":
            tile[rows, columns] = 255 - tile[rows, columns]
    return images.with_alpha(tile, np.ones((height, width), np.bool_))


def _facing(cut: Pixels, right: int, down: int) -> Pixels:
    """The sprite with a white nose at the edge that it looks towards."""
    height, width = cut.shape[:2]
    side = max(1, min(height, width) // 8)
    top, left = (height - side) * (down + 1) // 2, (width - side) * (right + 1) // 2
    view = cut.copy()
    view[top : top + side, left : left + side] = 255
    return view
