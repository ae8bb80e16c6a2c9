"""What a backend can do: its models, their limits, the licence of what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pixelrouter.types.money import Unit
from pixelrouter.types.request import ON_AN_IMAGE, GenerationRequest, Task, Tiles, Views


@dataclass(frozen=True)
class Licence:
    """Terms on what comes out. ``commercial`` None means: read ``note`` and ``url`` before selling.

    ``checked`` is the day somebody last read the terms; ``gated`` True: the model's host wants them accepted first.
    """

    name: str
    commercial: bool | None
    url: str | None = None
    note: str | None = None
    checked: str | None = None
    gated: bool = False

    @property
    def use(self) -> str:
        """Commercial use in one word: "yes", "no" or "terms"."""
        return {True: "yes", False: "no", None: "terms"}[self.commercial]


@dataclass(frozen=True)
class ModelInfo:
    """One model or style of a backend and its limits; sizes in native pixels, both ends included.

    ``needs_image``: it works on ``images[0]``; ``takes_image``: it may (for views and animations). ``frames`` are the
    numbers of frames that may be asked for; without any, the model has its own. ``native``, ``alpha``, ``seeds`` and
    ``licence`` override the backend's. ``palettes``: the vendor can be given colours, through ``options``.
    """

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
    takes_image: bool = False
    strength: bool = False
    views: tuple[Views, ...] = ()
    frames: tuple[int, ...] = ()
    tiles: tuple[Tiles, ...] = ()
    min_area: int = 1
    max_area: int | None = None
    max_prompt: int | None = None
    palettes: bool = False
    native: bool | None = None
    alpha: bool | None = None
    seeds: bool | None = None
    licence: Licence | None = None

    def why_not(self, request: GenerationRequest) -> str | None:
        """The first limit the request breaks, as a sentence, or None if the model can serve it."""
        return next(self._limits_broken(request), None)

    def _limits_broken(self, request: GenerationRequest) -> Iterator[str]:
        if request.task not in self.tasks:
            yield f"{self.id} cannot do task {request.task!r}"
            return
        yield from self._size_broken(request)
        yield from self._images_broken(request)
        if request.n > self.max_n:
            yield f"{self.id} returns at most {self.max_n} images a request, not {request.n}"
        if not request.prompt.strip() and not (self.prompt_optional or request.task == "remove_background"):
            yield f"{self.id} needs a prompt"
        if self.max_prompt is not None and len(request.prompt) > self.max_prompt:
            yield f"{self.id} takes prompts of at most {self.max_prompt} characters, not {len(request.prompt)}"
        yield from self._task_broken(request)

    def _size_broken(self, request: GenerationRequest) -> Iterator[str]:
        width, height = request.size
        low, high = (self.min_width, self.min_height), (self.max_width, self.max_height)
        if not (low[0] <= width <= high[0] and low[1] <= height <= high[1]):
            span = f"{low[0]}x{low[1]}" if low == high else f"{low[0]}x{low[1]} to {high[0]}x{high[1]}"
            yield f"{self.id} draws {span}, not {width}x{height}"
        if self.square and width != height:
            yield f"{self.id} draws squares only, not {width}x{height}"
        if width % self.multiple_of or height % self.multiple_of:
            yield f"{self.id} needs sides that are multiples of {self.multiple_of}, not {width}x{height}"
        if width * height < self.min_area:
            yield f"{self.id} draws at least {self.min_area} pixels an image, not {width}x{height}"
        if self.max_area is not None and width * height > self.max_area:
            yield f"{self.id} draws at most {self.max_area} pixels an image, not {width}x{height}"

    def _images_broken(self, request: GenerationRequest) -> Iterator[str]:
        if (self.needs_image or request.task in ON_AN_IMAGE) and not request.images:
            yield f"{self.id} needs an input image"
        worked_on = self.needs_image or request.task in ON_AN_IMAGE or (self.takes_image and request.task != "image")
        references = len(request.images) - (1 if worked_on else 0)
        if references > self.max_references:
            yield f"{self.id} takes at most {self.max_references} reference images, not {references}"
        if request.task == "inpaint" and request.mask is None:
            yield f"{self.id} needs a mask"

    def _task_broken(self, request: GenerationRequest) -> Iterator[str]:
        if request.strength is not None and not self.strength:
            yield f"{self.id} has no strength to set"
        if request.views is not None and request.views not in self.views:
            yield f"{self.id} draws {_either(self.views)} views, not {request.views}"
        if request.tiles is not None and request.tiles not in self.tiles:
            yield f"{self.id} draws {_either(self.tiles)} tiles, not {request.tiles}"
        if request.frames is not None and request.frames not in self.frames:
            if not self.frames:
                yield f"{self.id} chooses the number of frames itself"
            else:
                yield f"{self.id} draws {_either(self.frames)} frames, not {request.frames}"


def _either(values: tuple[object, ...]) -> str:
    # A range only where there are many: "4 to 16, not 5" would be a riddle where the numbers are even.
    return " or ".join(map(str, values)) if len(values) < 9 else f"{values[0]} to {values[-1]}"


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

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every task that one of the models can do."""
        return tuple(dict.fromkeys(task for model in self.models for task in model.tasks))

    def is_native(self, model: str | None) -> bool:
        """Whether that model draws true 1x pixels."""
        found = self.model(model) if model else None
        return self.native if found is None or found.native is None else found.native

    def licence_of(self, model: str | None) -> Licence:
        """The licence of what that model draws."""
        found = self.model(model) if model else None
        return (found and found.licence) or self.licence
