"""Reads Retro Diffusion's answers: lenient where its documents vary, strict about money.

Missing, null and ``[]`` are alike; timestamps are never read (int seconds in some documents, ISO text in others).
Shapes: github.com/Retro-Diffusion/api-examples contracts/v2/openapi.json and README, 2026-09.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from pixelrouter.backends._reading import MOST_ENTRIES, MOST_ISSUES, amount, bounded, clean, data_of
from pixelrouter.backends.retrodiffusion.failures import unexpected
from pixelrouter.backends.retrodiffusion.styles import FRAMES
from pixelrouter.types import MAX_SIDE, Cost, Delivery, HttpResponse, Inline, ModelInfo, Money, Remote, Task, Ticket

API_RANGE = (12, 512)  # sides the API takes at all (README 2026-09): where neither catalogue nor table names a limit


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value[:MOST_ENTRIES] if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in value[:MOST_ENTRIES] if isinstance(item, str) and item] if isinstance(value, list) else []


def _object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


Text = Annotated[str | None, BeforeValidator(clean)]
Dollars = Annotated[Money | None, BeforeValidator(amount)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Dicts = Annotated[list[dict[str, Any]], BeforeValidator(_dicts)]
Object = Annotated[dict[str, Any] | None, BeforeValidator(_object)]
Number = Annotated[int | None, BeforeValidator(_number)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]


class Answer(BaseModel):
    """Base of every answer: unknown fields are no error, the vendor adds some."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class Run(Answer):
    """``InferenceRun``: a finished generation, or the answer to ``check_cost``."""

    balance_cost: Dollars = None
    remaining_balance: Dollars = None
    base64_images: Texts = []
    output_urls: Texts = []
    output_images: Dicts = []
    model: Text = None
    request_id: Text = None
    warnings: Any = None


class Task_(Answer):  # noqa: N801 - the vendor's word is "task", and Task is our own type
    """An accepted job, or the state of one."""

    status: Text = None
    task_id: Text = None
    request_id: Text = None
    result: Object = None
    error: Any = None


class Activity(Answer):
    """One item of API Activity: a request, whether it is charged, and its outputs at freshly signed addresses."""

    status: Text = None
    charged: Flag = None
    balance_cost: Dollars = None
    outputs: Dicts = []


class Output(Answer):
    """One output of an activity item."""

    position: Number = None
    url: Text = None
    available: Flag = None


class Credits(Answer):
    """The account: dollars, and on old accounts integer credits."""

    balance: Dollars = None
    credits: Dollars = None


class SelectorStyle(Answer):
    """One style of the catalogue. Nulls are common; ids are opaque, internal experiments among them."""

    prompt_style: str
    description: Text = None
    min_width: Number = None
    max_width: Number = None
    min_height: Number = None
    max_height: Number = None
    max_number_of_images: Number = None
    require_input_image: Flag = None
    supports_reference_images: Flag = None
    supports_frames_duration: Flag = None
    required_tab: Text = None


def body_of(response: HttpResponse, doing: str) -> dict[str, Any]:
    """The JSON object of a 2xx answer. Raises UnexpectedAnswer."""
    body = response.json()
    if not isinstance(body, dict):
        raise unexpected(response, doing, f"JSON of type {type(body).__name__} instead of an object")
    return body


def _items(run: Run) -> tuple[Inline | Remote, ...]:
    """The images, from whichever list holds more of them; a tie goes to the bytes that are already here."""
    inline = tuple[Inline | Remote, ...](Inline(data_of(text)) for text in run.base64_images)
    remote = tuple(_item(url) for url in run.output_urls)
    listed = tuple(_item(uri) for entry in run.output_images if (uri := entry.get("uri")) and isinstance(uri, str))
    return max((inline, remote, listed), key=len)


def _item(text: str) -> Inline | Remote:
    return Remote(text) if text.startswith(("http://", "https://")) else Inline(data_of(text))


def _notes(warnings: object) -> Iterable[str]:
    """Warnings are documented as ``[{string: string}]`` and nothing more."""
    for warning in warnings[:MOST_ISSUES] if isinstance(warnings, list) else []:
        parts = [f"{key}: {value}" for key, value in warning.items()] if isinstance(warning, dict) else [warning]
        if text := clean("; ".join(part for part in parts if isinstance(part, str))):
            yield f"Retro Diffusion: {text}"


def delivery_of(body: Mapping[str, Any] | None, ticket: Ticket | None) -> Delivery:
    """A finished generation. Without images it is an empty delivery, for the caller to complain about."""
    run = Run.model_validate(body or {})
    return bounded(
        Delivery(
            items=_items(run),
            cost=None if run.balance_cost is None else Cost(run.balance_cost, "reported"),
            model=run.model,
            notes=tuple(_notes(run.warnings)),
            balance=run.remaining_balance,
            ticket=ticket,
        )
    )


def catalogue_of(body: Mapping[str, Any], known: Mapping[str, ModelInfo]) -> tuple[ModelInfo, ...]:
    """The styles of a catalogue answer, broken entries left out. ``known`` fills what the catalogue does not say."""
    found = []
    for item in _dicts(body.get("styles")):
        try:
            style = SelectorStyle.model_validate(item)
        except ValidationError:
            continue
        if model := _model(style, known.get(style.prompt_style)):
            found.append(model)
    return tuple(found)


def _model(style: SelectorStyle, old: ModelInfo | None) -> ModelInfo | None:
    low_w, high_w = _span(style.min_width, style.max_width, (old.min_width, old.max_width) if old else API_RANGE)
    low_h, high_h = _span(style.min_height, style.max_height, (old.min_height, old.max_height) if old else API_RANGE)
    most = style.max_number_of_images or (old.max_n if old else 16)
    if not (style.prompt_style and 1 <= low_w <= high_w <= MAX_SIDE and 1 <= low_h <= high_h <= MAX_SIDE and most > 0):
        return None
    needs_image = bool(style.require_input_image)
    references = old.max_references if old else 0
    if style.supports_reference_images is not None:  # the catalogue gives no number; 9 is the API's own limit
        references = (references or 9) if style.supports_reference_images else 0
    base = old or _unknown(style)
    frames = base.frames
    if style.supports_frames_duration is not None:
        frames = FRAMES if style.supports_frames_duration else ()
    return replace(
        base,
        min_width=low_w,
        max_width=high_w,
        min_height=low_h,
        max_height=high_h,
        max_n=most,
        max_references=references,
        needs_image=needs_image,
        prompt_optional=needs_image or base.prompt_optional,
        frames=frames,
        description=style.description or "",
    )


def _unknown(style: SelectorStyle) -> ModelInfo:
    """A style that the bundled table lacks: its tab tells the task, and nothing tells how its sheets are laid out."""
    tasks = _tasks(style.required_tab)
    family = style.prompt_style.partition("__")[0]
    return ModelInfo(style.prompt_style, family, *API_RANGE, *API_RANGE, tasks=tasks, strength="edit" in tasks)


def _span(low: int | None, high: int | None, fallback: tuple[int, int]) -> tuple[int, int]:
    return (fallback[0] if low is None else low, fallback[1] if high is None else high)


def _tasks(tab: str | None) -> tuple[Task, ...]:
    if tab in ("tab:animation", "tab:advanced-animation"):
        return ("animation",)
    return ("tileset",) if tab == "tab:tileset" else ("image", "edit")
