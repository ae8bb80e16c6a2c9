"""Spans and metrics through OpenTelemetry (extra ``otel``), with whatever providers the program has set up.

Names follow OpenTelemetry's semantic conventions for generative AI where those have one (``gen_ai.*``; status
"development"): https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md, and the
metric of semantic conventions 1.44.0, as read in November 2026. What they have no word for, money above all, is named
``pixelrouter.*``. Nothing global is set here, and without providers all of it does nothing.
"""

from __future__ import annotations

from pixelrouter.errors import ConfigError
from pixelrouter.watch.event import Event

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import TracerProvider, get_tracer
except ImportError as error:
    raise ConfigError(
        "OpenTelemetry is not installed.", hint="pip install 'pixelrouter[otel]', or leave otel out of observe."
    ) from error

from pixelrouter.watch.otel.meters import Meters
from pixelrouter.watch.otel.spans import Spans

__all__ = ["OpenTelemetry"]


class OpenTelemetry:
    """An observer that makes a span of each call, one below it of each attempt, and counts money and outcomes.

    Without arguments it uses the global providers, those set later too.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._spans = Spans(get_tracer("pixelrouter", tracer_provider=tracer_provider))
        self._meters = Meters(get_meter("pixelrouter", meter_provider=meter_provider))

    def notice(self, event: Event) -> None:
        """Record it."""
        self._meters.notice(event)
        self._spans.notice(event)
