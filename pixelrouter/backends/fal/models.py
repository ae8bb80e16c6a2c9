"""What the backend offers: models of our own naming, each an endpoint of fal with its limits and its licence."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from pixelrouter.backends.fal.settings import EDIT_ENDPOINT, SPRITESHEET_LORA, TEXT_ENDPOINT, FalSettings
from pixelrouter.errors import InvalidRequest
from pixelrouter.types import MAX_SIDE, GenerationRequest, Licence, ModelInfo, Task

SPRITESHEET, EDIT, TEXT = "klein-spritesheet", "klein-edit", "klein"
PIXELIZE, CUTOUT = "image2pixel", "remove-background"
FAMILY = "flux-2-klein-4b"
KLEIN = frozenset({SPRITESHEET, EDIT, TEXT})
IMAGE2PIXEL_ENDPOINT, CUTOUT_ENDPOINT = "fal-ai/image2pixel", "fal-ai/bria/background/remove"
#: What is used where nobody names a model. image2pixel is used by name only: it draws nothing new.
AUTOMATIC: dict[Task, str] = {"image": TEXT, "edit": EDIT, "views": SPRITESHEET, "remove_background": CUTOUT}
MOST_INPUTS = 4  # image_urls of an edit: fal.ai/models/fal-ai/flux-2/klein/4b/base/edit/lora/llms.txt, 2026
MOST_IMAGES = 4  # num_images, same page
#: The widest shape: 512 to 2048 pixels a side are the published limits of FLUX.2's other LoRA endpoints.
MOST_ELONGATED = 4

KLEIN_LICENCE = Licence(
    "Apache-2.0",
    True,
    "https://huggingface.co/black-forest-labs/FLUX.2-klein-base-4B",
    "FLUX.2 Klein 4B Base is Apache-2.0, and fal marks its endpoints for commercial use.",
    "2026-10-10",
)
SHEET_LICENCE = Licence(
    "Apache-2.0, as others report of the LoRA",
    None,
    "https://huggingface.co/fal/flux-2-klein-4b-spritesheet-lora",
    "FLUX.2 Klein 4B Base is Apache-2.0. Several readers report the same of fal's sprite-sheet LoRA; we have not seen"
    " its card ourselves, so read it before you sell.",
    "2026-10-10",
)
FOREIGN_LORA = Licence(
    "the LoRA's own",
    None,
    None,
    "FLUX.2 Klein 4B Base is Apache-2.0; a LoRA from elsewhere brings its own terms, which pixelrouter does not know.",
)
OTHER_ENDPOINT = Licence(
    "that of the model behind the configured endpoint",
    None,
    None,
    "The endpoint is not pixelrouter's own choice, so its model and terms are not known. (The weights of FLUX.2 Klein"
    " 9B, for one, are for non-commercial use.)",
)
PIXELIZE_LICENCE = Licence(
    "your image's own",
    True,
    "https://fal.ai/models/fal-ai/image2pixel",
    "fal marks image2pixel for commercial use; the rights in the picture that goes in stay what they were.",
    "2026-10-05",
)
CUTOUT_LICENCE = Licence(
    "your image's own",
    True,
    "https://fal.ai/models/fal-ai/bria/background/remove",
    "fal describes Bria RMBG 2.0 as trained on licensed data for commercial use; the rights in the picture that goes in"
    " stay what they were.",
    "2026-10-05",
)


def bundled(settings: FalSettings) -> tuple[ModelInfo, ...]:
    """Every model, with the limits and licences that follow from the settings."""
    cell = settings.canvas // 2
    return (
        ModelInfo(
            TEXT,
            FAMILY,
            1,
            settings.canvas,
            1,
            settings.canvas,
            max_n=MOST_IMAGES,
            tasks=("image",),
            licence=_licence(settings.text_endpoint, settings.text_lora_url, None, KLEIN_LICENCE),
            description="FLUX.2 Klein 4B Base from text, with any LoRA by its address.",
        ),
        ModelInfo(
            SPRITESHEET,
            FAMILY,
            1,
            cell,
            1,
            cell,
            tasks=("views",),
            views=("2x2",),
            takes_image=True,
            prompt_optional=True,
            licence=_licence(settings.spritesheet_endpoint, settings.lora_url, SPRITESHEET_LORA, SHEET_LICENCE),
            description="Four views of one object: two isometric fronts, the left side, the top. Needs a reference"
            " image; without one it is drawn first, and paid for, by klein.",
        ),
        ModelInfo(
            EDIT,
            FAMILY,
            1,
            settings.canvas,
            1,
            settings.canvas,
            max_n=MOST_IMAGES,
            max_references=MOST_INPUTS - 1,
            needs_image=True,
            tasks=("edit",),
            licence=_licence(settings.edit_endpoint, None, None, KLEIN_LICENCE),
            description="FLUX.2 Klein 4B Base edits a picture by words, with up to three references and any LoRA.",
        ),
        ModelInfo(
            PIXELIZE,
            "image2pixel",
            1,
            MAX_SIDE,
            1,
            MAX_SIDE,
            needs_image=True,
            prompt_optional=True,
            tasks=("edit",),
            palettes=True,
            native=True,
            alpha=True,
            seeds=False,
            licence=PIXELIZE_LICENCE,
            description="Finds the pixel grid of a picture, snaps to it and reduces its colours. Draws nothing new.",
        ),
        ModelInfo(
            CUTOUT,
            "bria",
            1,
            MAX_SIDE,
            1,
            MAX_SIDE,
            needs_image=True,
            prompt_optional=True,
            tasks=("remove_background",),
            alpha=True,
            seeds=False,
            licence=CUTOUT_LICENCE,
            description="Bria RMBG 2.0 takes the background away.",
        ),
    )


def _licence(endpoint: str, lora: str | None, our_lora: str | None, ours: Licence) -> Licence:
    """``ours`` for the endpoint and the LoRA that it was read for; for others nobody here knows the terms."""
    if endpoint not in (EDIT_ENDPOINT, TEXT_ENDPOINT):
        return OTHER_ENDPOINT
    return ours if lora == our_lora else FOREIGN_LORA


def endpoint_of(name: str, settings: FalSettings) -> str:
    """The endpoint behind one of our models."""
    return {
        TEXT: settings.text_endpoint,
        SPRITESHEET: settings.spritesheet_endpoint,
        EDIT: settings.edit_endpoint,
        PIXELIZE: IMAGE2PIXEL_ENDPOINT,
        CUTOUT: CUTOUT_ENDPOINT,
    }[name]


def why_not(model: ModelInfo, request: GenerationRequest) -> str | None:
    """``model.why_not``, and the limits of fal that it has no words for."""
    if reason := model.why_not(request):
        return reason
    if model.id == SPRITESHEET and not request.images and not request.prompt.strip():
        return f"{model.id} needs a prompt or an image"
    low, high = sorted(request.size)
    if model.id in KLEIN and high > MOST_ELONGATED * low:
        return f"{model.id} draws shapes of at most {MOST_ELONGATED}:1, not {request.width}x{request.height}"
    return None


def resolve(models: Sequence[ModelInfo], request: GenerationRequest, configured: str | None) -> ModelInfo:
    """The model named by the request, else by the config if it knows the task, else the task's own.

    Its licence is that of the LoRAs that the request brings along. Raises InvalidRequest, naming the limit.
    """
    known = {model.id: model for model in models}
    for given in filter(None, (request.model, configured)):
        if given not in known:
            close = difflib.get_close_matches(given, known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
            raise InvalidRequest(f"fal has no model {given!r} here.", hint=hint)
    name = request.model
    if name is None and configured is not None and request.task in known[configured].tasks:
        name = configured
    if name is None and request.task not in AUTOMATIC:
        raise InvalidRequest(
            f"fal has no model for task {request.task!r} here.",
            hint="Models and their tasks: " + "; ".join(f"{m.id} ({', '.join(m.tasks)})" for m in models) + ".",
        )
    model = known[name or AUTOMATIC[request.task]]
    if reason := why_not(model, request):
        raise InvalidRequest(f"fal cannot draw this: {reason}.", hint=_hint(model, request))
    if model.id in KLEIN and request.options.get("loras") and model.licence is not OTHER_ENDPOINT:
        return replace(model, licence=FOREIGN_LORA)
    return model


def _hint(model: ModelInfo, request: GenerationRequest) -> str | None:
    if request.task not in model.tasks:
        return f"{model.id} does {', '.join(model.tasks)}."
    if max(request.size) > model.max_width:
        return f"Ask for at most {model.max_width} pixels a side and enlarge when saving: save(path, scale=8)."
    return None
