"""The ``diffusers`` backend: open models on this machine, free of charge. Implements LocalBackend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import SecretStr

from pixelrouter.backends.diffusers import plan as plans
from pixelrouter.backends.diffusers import presets
from pixelrouter.backends.diffusers.device import allow_cpu
from pixelrouter.backends.diffusers.settings import DiffusersSettings
from pixelrouter.backends.protocol import BackendDefaults, BackendSettings
from pixelrouter.types import (
    VIEW_NAMES,
    Capabilities,
    Delivery,
    GenerationRequest,
    Layout,
    Licence,
    ModelInfo,
    Progress,
)

LICENCE = Licence(
    "each preset's own",
    None,
    note="The strictest of the base model's and its adapters' terms; `capabilities().licence_of(preset)` has it.",
)


class Backend(BackendDefaults):
    """Draws with diffusers. Describing itself and checking a request never import torch; drawing does."""

    name: ClassVar[str] = "diffusers"
    kind: ClassVar[Literal["local"]] = "local"
    settings_type: ClassVar[type[BackendSettings]] = DiffusersSettings
    credentials: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ("torch", "diffusers", "transformers", "accelerate", "peft")
    install: ClassVar[str] = "pip install 'pixelrouter[local]'"

    def __init__(self, settings: BackendSettings, key: SecretStr | None) -> None:
        self.settings: BackendSettings = settings
        given = settings.model_dump(exclude_unset=True)
        self._own = settings if isinstance(settings, DiffusersSettings) else DiffusersSettings.model_validate(given)

    def __repr__(self) -> str:
        return f"<diffusers on {self._own.device}>"

    def capabilities(self) -> Capabilities:
        """The bundled presets and the user's own. A preset of unknown kind raises ConfigError."""
        known = {**presets.bundled(), **self._own.presets}
        return Capabilities(
            backend=self.name,
            models=tuple(preset.info(name) for name, preset in known.items()),
            default_model=self.settings.model,
            native=False,
            alpha=False,
            seeds=True,
            idempotent=True,
            unit="usd",
            licence=LICENCE,
            summary="Open models on your own GPU: SDXL, FLUX.1, Kontext, FLUX.2 klein, with pixel-art adapters.",
        )

    def resolve(self, request: GenerationRequest) -> ModelInfo:
        """The preset that will draw the request. Raises InvalidRequest, naming the limit, if none can.

        With ``device = "cpu"`` a full-size model is refused here already, unless ``cpu_ok`` is set.
        """
        plan = self._plan(request)
        if self._own.device == "cpu":
            allow_cpu(plan, self._own)
        return replace(plan.preset.info(plan.name), licence=plan.preset.licence_with(plan.loras))

    def layout(self, request: GenerationRequest) -> Layout:
        """Views: the first file is a sheet of two by two on a solid ground. Else one file an image."""
        if request.task != "views":
            return super().layout(request)
        plan = self._plan(request)
        return Layout(raws=1, columns=2, rows=2, names=VIEW_NAMES["2x2"], key=True, raw_size=plan.raw)

    def generate(self, request: GenerationRequest, progress: Callable[[Progress], None]) -> Delivery:
        """Draw ``request.n`` images in one batch; image i from ``request.seed + i``. Errors: see draw.draw.

        The same request draws the same bytes on the same machine with the same versions; raise from ``progress`` to
        cancel.
        """
        plan = self._plan(request)
        from pixelrouter.backends.diffusers.draw import draw

        return draw(plan, self._own, progress)

    def _plan(self, request: GenerationRequest) -> plans.Plan:
        name = request.model or self._configured(request) or presets.automatic(request.task)
        return plans.make(name, presets.find(name, self._own.presets), request)

    def _configured(self, request: GenerationRequest) -> str | None:
        """The preset in the config, unless it does not do the task."""
        name = self.settings.model
        return name if name and request.task in presets.find(name, self._own.presets).serves else None
