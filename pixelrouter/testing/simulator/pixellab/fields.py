"""What PixelLab's request bodies are made of: words, sizes, images, points.

Names, ranges and defaults follow the vendor's OpenAPI documents of v1 and v2 (August 2026). A model refuses fields it
does not know, as v2 does; for v1 they are taken away before (see `orders.read`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

View = Literal["side", "low top-down", "high top-down"]
Direction = Literal["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]
Outline = Literal["single color black outline", "single color outline", "selective outline", "lineless"]
OutlineNoBlack = Literal["single color outline", "selective outline", "lineless"]
Shading = Literal["flat shading", "basic shading", "medium shading", "detailed shading", "highly detailed shading"]
Detail = Literal["low detail", "medium detail", "highly detailed"]
BackgroundTask = Literal["remove_simple_background", "remove_complex_background"]
Joint = Literal[
    "NOSE",
    "NECK",
    "RIGHT SHOULDER",
    "RIGHT ELBOW",
    "RIGHT ARM",
    "LEFT SHOULDER",
    "LEFT ELBOW",
    "LEFT ARM",
    "RIGHT HIP",
    "RIGHT KNEE",
    "RIGHT LEG",
    "LEFT HIP",
    "LEFT KNEE",
    "LEFT LEG",
    "RIGHT EYE",
    "LEFT EYE",
    "RIGHT EAR",
    "LEFT EAR",
]

#: The order in which the eight views of a rotation come (documented for generate-8-rotations-v2).
CLOCKWISE: tuple[Direction, ...] = (
    "south",
    "south-west",
    "west",
    "north-west",
    "north",
    "north-east",
    "east",
    "south-east",
)
FOUR: tuple[Direction, ...] = ("south", "east", "north", "west")

Guidance = Annotated[float, Field(ge=1, le=20)]
LowGuidance = Annotated[float, Field(ge=1, le=10)]
Strength = Annotated[int, Field(ge=1, le=999)]
Seed = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
ShortText = Annotated[str, Field(max_length=500)]


class Body(BaseModel):
    """Anything in a request; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class Base64Image(Body):
    """A picture in a request: raw base64 of a PNG, or a data URI."""

    type: Literal["base64"] = "base64"
    base64: str
    format: str = "png"


class Point(Body):
    """One joint of a skeleton, in parts of the picture's width and height."""

    x: float
    y: float
    label: Joint
    z_index: int = 0


class Size(Body):
    """Width and height in pixels; each endpoint has its own range."""

    width: int
    height: int

    @property
    def side(self) -> int:
        """The longer side: prices go by it."""
        return max(self.width, self.height)


class AnySize(Size):
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class Size1to400(Size):
    width: Annotated[int, Field(ge=1, le=400)]
    height: Annotated[int, Field(ge=1, le=400)]


class Size16to64(Size):
    width: Annotated[int, Field(ge=16, le=64)]
    height: Annotated[int, Field(ge=16, le=64)]


class Size16to128(Size):
    width: Annotated[int, Field(ge=16, le=128)]
    height: Annotated[int, Field(ge=16, le=128)]


class Size16to200(Size):
    width: Annotated[int, Field(ge=16, le=200)]
    height: Annotated[int, Field(ge=16, le=200)]


class Size16to256(Size):
    width: Annotated[int, Field(ge=16, le=256)]
    height: Annotated[int, Field(ge=16, le=256)]


class Size16to320(Size):
    width: Annotated[int, Field(ge=16, le=320)]
    height: Annotated[int, Field(ge=16, le=320)]


class Size16to400(Size):
    width: Annotated[int, Field(ge=16, le=400)]
    height: Annotated[int, Field(ge=16, le=400)]


class Size16to1280(Size):
    width: Annotated[int, Field(ge=16, le=1280)]
    height: Annotated[int, Field(ge=16, le=1280)]


class Size32to168(Size):
    width: Annotated[int, Field(ge=32, le=168)]
    height: Annotated[int, Field(ge=32, le=168)]


class Size32to256(Size):
    width: Annotated[int, Field(ge=32, le=256)]
    height: Annotated[int, Field(ge=32, le=256)]


class Size32to400(Size):
    width: Annotated[int, Field(ge=32, le=400)]
    height: Annotated[int, Field(ge=32, le=400)]


class Size64(Size):
    width: Annotated[int, Field(ge=64, le=64)]
    height: Annotated[int, Field(ge=64, le=64)]


class PixenSize(Size):
    width: Annotated[int, Field(ge=16, le=768, multiple_of=4)]
    height: Annotated[int, Field(ge=16, le=768, multiple_of=4)]


class ProSize(Size):
    width: Annotated[int, Field(ge=16, le=792)]
    height: Annotated[int, Field(ge=16, le=688)]
