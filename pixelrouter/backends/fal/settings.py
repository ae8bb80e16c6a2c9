"""``[backends.fal]``: hosts, endpoints, LoRAs. The defaults are the vendor's published ids, with their sources."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from pixelrouter.backends.protocol import BackendSettings

QUEUE, API, STORAGE = "https://queue.fal.run", "https://api.fal.ai", "https://v3.fal.media"

# The id with a slash between "flux-2" and "klein": github.com/fal-ai/fal-js, libs/client/src/types/endpoints.ts,
# 2026-08-02, and fal.ai/models/fal-ai/flux-2/klein/4b/base/edit/lora/llms.txt.
EDIT_ENDPOINT = "fal-ai/flux-2/klein/4b/base/edit/lora"
TEXT_ENDPOINT = "fal-ai/flux-2/klein/4b/base/lora"

# The file in the diffusers format, pinned to the revision that a reader of the card noted on 2026-10-10: the repository
# holds two weight files, so its bare id is ambiguous, and "main" may change under a finished game.
SPRITESHEET_LORA = (
    "https://huggingface.co/fal/flux-2-klein-4b-spritesheet-lora/resolve/"
    "6d3128f9223f585251ad3a02dd0d8082c9b5ca3f/flux-spritesheet-lora.safetensors"
)

_ENDPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+")


def _origin(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _endpoint(value: str) -> str:
    if not _ENDPOINT.fullmatch(value):
        raise ValueError("must be an endpoint id such as fal-ai/flux-2/klein/4b/base/edit/lora")
    return value


def lora_address(value: str) -> str:
    """The address of a LoRA file. Raises ValueError for what is no https address."""
    if not value.startswith("https://") or any(mark in value for mark in " \t\r\n"):
        raise ValueError(
            "must be the https address of a weights file, for instance"
            " https://huggingface.co/OWNER/REPO/resolve/REVISION/FILE.safetensors"
        )
    return value


Origin = Annotated[str, AfterValidator(_origin)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
LoraAddress = Annotated[str, AfterValidator(lora_address)]


class FalSettings(BackendSettings):
    """``[backends.fal]``. ``base_url`` stands for every host; each of the three ``*_url`` replaces its own."""

    queue_url: Origin | None = Field(default=None, description=f"Origin that replaces {QUEUE}.")
    api_url: Origin | None = Field(default=None, description=f"Origin that replaces {API}: prices and lost jobs.")
    storage_url: Origin | None = Field(
        default=None, description=f"Origin that replaces {STORAGE}: results may be downloaded from it."
    )
    spritesheet_endpoint: Endpoint = Field(default=EDIT_ENDPOINT, description="Endpoint of klein-spritesheet.")
    edit_endpoint: Endpoint = Field(default=EDIT_ENDPOINT, description="Endpoint of klein-edit.")
    text_endpoint: Endpoint = Field(default=TEXT_ENDPOINT, description="Endpoint of klein.")
    lora_url: LoraAddress = Field(default=SPRITESHEET_LORA, description="LoRA of klein-spritesheet.")
    lora_scale: float = Field(default=1.1, gt=0, le=4, description="Its strength; 1.1 is the published advice.")
    text_lora_url: LoraAddress | None = Field(default=None, description="LoRA that klein draws with.")
    text_lora_scale: float = Field(default=1.0, gt=0, le=4, description="Its strength.")
    # Not above 1024: the list price is for one megapixel a picture, and sprites gain nothing from more.
    canvas: int = Field(default=1024, ge=512, le=1024, multiple_of=32, description="Longer side of what Klein draws.")
    start_timeout_s: float | None = Field(
        default=None, gt=1, description="Seconds until the job must have started; fal fails it then, for free."
    )

    @property
    def queue(self) -> str:
        """The origin that takes jobs."""
        return self.queue_url or self.base_url or QUEUE

    @property
    def api(self) -> str:
        """The origin of the Platform API."""
        return self.api_url or self.base_url or API

    @property
    def storage(self) -> str:
        """The origin of the files."""
        return self.storage_url or self.base_url or STORAGE
