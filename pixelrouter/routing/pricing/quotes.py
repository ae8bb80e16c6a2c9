"""What a request will cost, before it is paid for: the vendor's own quote where it is free, else the list price.

Also keeps each vendor's catalogue of models, fetched at most once a day, because limits and prices hang on it; where it
cannot be fetched the backend's bundled table serves.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import InvalidRequest, PixelRouterError, UnexpectedAnswer, WireError
from pixelrouter.files import read_bounded
from pixelrouter.money import prices
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.collecting.free import free_call, read
from pixelrouter.routing.effects import Steps
from pixelrouter.types import Attempt, Cost, GenerationRequest, ModelInfo, Money, Quote

CATALOGUE_BYTES = 16 * 1024 * 1024
CATALOGUE_AGE_S = 24 * 3600
QUOTE_AGE_S = 600
UNIT_PRICE_AGE_S = 60  # the bill is worked out with it, so it must not be old
_MODELS = TypeAdapter(tuple[ModelInfo, ...])
_log = logging.getLogger(__name__)


class Quotes:
    """Prices and catalogues of one router. ``live`` False (replay) never asks for a catalogue."""

    def __init__(self, folder: Path, collector: Collector, *, live: bool) -> None:
        self._folder, self._collector, self.live = folder, collector, live
        self._quotes: dict[tuple[object, ...], tuple[float, Quote]] = {}
        self._units: dict[tuple[str, str | None], tuple[float, Money]] = {}  # seconds since the epoch, price
        collector.unit_price = self.unit_price
        self._known: dict[str, RemoteBackend] = {}

    # --- catalogue ---

    def with_catalogue(self, ask: Ask, backend: RemoteBackend) -> Steps[RemoteBackend]:
        """The backend, knowing the vendor's current models where they could be had."""
        if backend.name in self._known:
            return self._known[backend.name]
        calls = backend.catalogue()
        known = backend
        if calls:
            models = self._cached(backend.name)
            if models is None and self.live:
                models = yield from self._fetch(ask, backend)
            if models:
                known = backend.with_catalogue(models)
        self._known[backend.name] = known
        return known

    def _fetch(self, ask: Ask, backend: RemoteBackend) -> Steps[tuple[ModelInfo, ...] | None]:
        found: list[ModelInfo] = []
        try:
            for call in backend.catalogue():
                budget = self._collector.budget(backend.name)
                response = yield free_call(ask, backend, call, budget, "read the catalogue", attempts=1)
                found += read(backend, call, response)
        except PixelRouterError as error:
            # Not worth failing for: the bundled table is nearly right, and the vendor checks every request itself.
            _log.info("%s: catalogue not available, using the bundled table: %s", backend.name, error)
            return None
        self._write(backend.name, found)
        return tuple(found)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _cached(self, name: str) -> tuple[ModelInfo, ...] | None:
        try:
            data = json.loads(read_bounded(self._path(name), CATALOGUE_BYTES))
            if not 0 <= time.time() - data["fetched_at"] < CATALOGUE_AGE_S:
                return None
            return _MODELS.validate_python(data["models"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None  # absent, damaged, or written by another version: fetch it again

    def _write(self, name: str, models: list[ModelInfo]) -> None:
        part = self._folder / f".{name}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"fetched_at": time.time(), "models": [asdict(m) for m in models]}), "utf-8")
            part.replace(self._path(name))
        except OSError as error:
            _log.info("the catalogue of %s cannot be cached: %s", name, error)
            with suppress(OSError):
                part.unlink()

    # --- price ---

    def hold(self, ask: Ask, backend: RemoteBackend, request: GenerationRequest, model: str) -> Steps[Quote]:
        """The quote to hold for a request. Raises InvalidRequest if nobody knows a price and a cap is set."""
        quote = yield from self.quote(ask, backend, request, model)
        if quote.cost.source == "unknown" and ask.caps:
            dollars = backend.capabilities().unit == "usd"
            way = f"Set [backends.{backend.name}] price_usd, or remove" if dollars else "Remove"
            raise InvalidRequest(
                f"Nobody knows what {model} at {backend.name} costs, so no cap can be kept.",
                hint=f"{way} the cap for this call.",
            )
        return quote

    def quote(self, ask: Ask, backend: RemoteBackend, request: GenerationRequest, model: str) -> Steps[Quote]:
        """The vendor's quote, remembered for some minutes; the list price where it cannot be had."""
        request = request.model_copy(update={"model": model})
        # Prices hang on the size and the options, never on the words.
        shape = (
            backend.name,
            model,
            request.size,
            request.n,
            request.transparent,
            (request.task, request.views, request.frames, request.tiles, len(request.images)),
            repr(sorted(request.options.items())),
        )
        remembered = self._quotes.get(shape)
        if remembered:
            age = UNIT_PRICE_AGE_S if remembered[1].unit_price else QUOTE_AGE_S
            if time.monotonic() - remembered[0] < age:
                return remembered[1]
        ask.tell("quote", backend.name, None, "asking for the price")
        answer = backend.quote(request)
        if answer is None:
            return listed(backend, request, "the vendor has no quotes; this is the list price")
        if not isinstance(answer, Quote):
            try:
                budget = self._collector.budget(backend.name)
                response = yield free_call(ask, backend, answer, budget, "ask for the price")
                answer = read(backend, answer, response)
            except (WireError, UnexpectedAnswer) as error:
                return listed(backend, request, f"the vendor's quote failed ({error.message}); this is the list price")
        self._quotes[shape] = (time.monotonic(), answer)
        return answer

    def unit_price(self, ask: Ask, backend: RemoteBackend, attempt: Attempt) -> Steps[Money | None]:
        """The vendor's price of a unit since the attempt was sent; None where it does not tell."""
        key = (backend.name, attempt.model)
        asked, price = self._units.get(key, (0.0, None))
        if price is not None and asked >= (attempt.sent_at or attempt.created_at):
            return price
        if not self.live:
            return None  # a recording has the answers of its own time
        now = time.time()
        try:
            call = backend.quote(ask.request.model_copy(update={"model": attempt.model}))
            if call is None or isinstance(call, Quote):
                return None
            budget = self._collector.budget(backend.name)
            response = yield free_call(ask, backend, call, budget, "ask for the price of a unit", attempts=2)
            price = read(backend, call, response).unit_price
        except PixelRouterError:
            return None  # the price noted before has to do
        if price is not None:
            self._units[key] = (now, price)
        return price


def listed(backend: RemoteBackend, request: GenerationRequest, note: str) -> Quote:
    """The list price, or the configured one; else "unknown", with the dearest of the vendor's list in its place."""
    unit = backend.capabilities().unit
    cost = prices.listed(backend.name, request.model, request, unit)
    if backend.settings.price_usd is not None and unit == "usd":  # dollars are no price where caps count generations
        cost = Cost(Money.of(backend.settings.price_usd * request.n), "listed")
    if cost is None:
        known = (prices.listed(backend.name, model.id, request, unit) for model in backend.capabilities().models)
        dearest = max((one.money for one in known if one is not None), default=Money(0, unit))
        why = "nobody knows this price; the dearest of the vendor's list is held in its place, and no cap can be kept"
        return Quote(Cost(dearest, "unknown"), backend.name, request.model, notes=(why,))
    return Quote(cost, backend.name, request.model, notes=(note,))
