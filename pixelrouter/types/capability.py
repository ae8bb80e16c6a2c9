"""What a backend can do: its models, their limits, the licence of what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from pixelrouter.types.money import Unit
from pixelrouter.types.request import GenerationRequest, Task


@dataclass(frozen=True)
class Licence:
    """Terms on what comes out. ``commercial`` None means: read ``note`` and ``url`` before selling."""

    name: str
    commercial: bool | None
    url: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ModelInfo:
    """One model or style of a backend and its limits; sizes in native pixels, both ends included."""

    id: str
    family: str
    min_width: int
    max_width: int
    min_height: int
    max_height: int
    max_n: int = 1
    max_references: int = 0
    needs_image: bool = False
    prompt_optional: bool = False
    square: bool = False
    multiple_of: int = 1
    tasks: tuple[Task, ...] = ("image",)
    description: str = ""

    def why_not(self, request: GenerationRequest) -> str | None:
        """The first limit the request breaks, as a sentence, or None if the model can serve it."""
        width, height = request.size
        low, high = (self.min_width, self.min_height), (self.max_width, self.max_height)
        if request.task not in self.tasks:
            return f"{self.id} cannot do task {request.task!r}"
        if not (low[0] <= width <= high[0] and low[1] <= height <= high[1]):
            span = f"{low[0]}x{low[1]}" if low == high else f"{low[0]}x{low[1]} to {high[0]}x{high[1]}"
            return f"{self.id} draws {span}, not {width}x{height}"
        if self.square and width != height:
            return f"{self.id} draws squares only, not {width}x{height}"
        if width % self.multiple_of or height % self.multiple_of:
            return f"{self.id} needs sides that are multiples of {self.multiple_of}, not {width}x{height}"
        if request.n > self.max_n:
            return f"{self.id} returns at most {self.max_n} images a request, not {request.n}"
        if self.needs_image and not request.images:
            return f"{self.id} needs an input image"
        if len(request.images) > self.max_references + (1 if self.needs_image else 0):
            return f"{self.id} takes at most {self.max_references} reference images, not {len(request.images)}"
        if not request.prompt.strip() and not self.prompt_optional:
            return f"{self.id} needs a prompt"
        return None


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do. ``native`` True: it draws true 1x pixels; ``alpha``: it can draw a transparent ground."""

    backend: str
    models: tuple[ModelInfo, ...]
    default_model: str | None
    native: bool
    alpha: bool
    seeds: bool
    idempotent: bool  # True: the same mark twice is charged once, by the vendor's contract
    unit: Unit
    licence: Licence
    summary: str = ""

    def model(self, name: str) -> ModelInfo | None:
        """The model of that id, or None."""
        return next((m for m in self.models if m.id == name), None)
