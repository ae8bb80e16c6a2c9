"""Everything one router works with, opened once: settings, backends, ledger, store, engine.

Turns a call's arguments into an Ask; the two routers (blocking and asynchronous) share it and differ only in who
drives the steps.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, Unpack, get_args

from pydantic import SecretStr, ValidationError

from pixelrouter import backends as registry
from pixelrouter.backends.protocol import Backend
from pixelrouter.config import Settings
from pixelrouter.errors import InvalidRequest, PixelRouterError, QualityRejected, register_secret
from pixelrouter.money.budget import Cap, Purse, Scope
from pixelrouter.money.ledger import Labels, Ledger
from pixelrouter.pixels import resolve_palette
from pixelrouter.routing.arguments import Finishing
from pixelrouter.routing.ask import Ask, OnUnknown, Strategy, candidate, licence_of
from pixelrouter.routing.choosing.explanation import Explanation, explain
from pixelrouter.routing.choosing.style import kept
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.collecting.free import free_call, read
from pixelrouter.routing.cutting import finish_spec
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.engine import Engine
from pixelrouter.routing.events import Notify, ignore
from pixelrouter.routing.finishing import finished_art
from pixelrouter.routing.gate import after, goes_on, none_left, noted, remembering, turned_down
from pixelrouter.routing.pictures import ImageLike, encoded, kept_size
from pixelrouter.routing.pricing.price import price
from pixelrouter.routing.pricing.quotes import Quotes
from pixelrouter.routing.standin.backend import stand_in_for
from pixelrouter.routing.standin.folder import note_call
from pixelrouter.routing.state import State
from pixelrouter.routing.watched import watched
from pixelrouter.types import (
    Attempt,
    GenerationRequest,
    Layout,
    Money,
    PixelArt,
    Quote,
    Task,
    Tiles,
    Unit,
    Views,
    parse_size,
)
from pixelrouter.watch import SILENT, Watch

DEFAULT_SIZE = 32
CANCEL_S = 30.0  # how long a cancelled job is watched


class Workshop:
    """One router's tools. ``keys`` gives credentials by backend name, over the environment's."""

    def __init__(self, settings: Settings, keys: Mapping[str, str], watch: Watch = SILENT) -> None:
        self.settings, self.watch = settings, watch
        self._keys = dict(keys)
        for value in self._keys.values():
            register_secret(value)
        settings.check_backend_names(registry.names())
        self.replaying = settings.cassette is not None and settings.cassette_mode == "replay"
        self.state = State(settings)
        self.owner, self.store = self.state.worker, self.state.store
        self.ledger = Ledger(self.state.database, owner=self.owner, watch=watch)
        self.collector = Collector(self.ledger, self.store)
        self.quotes = Quotes(settings.state_dir / "catalogue", self.collector, live=settings.cassette is None)
        self.engine = Engine(self.ledger, self.owner, self.collector, self.quotes)
        self.run = settings.run or uuid.uuid4().hex
        self._backends: dict[str, tuple[Backend, bool]] = {}

    def close(self) -> None:
        """Close the ledger and give the owner's lock, or lease, back."""
        self.state.close()

    # --- backends ---

    def credential(self, name: str, backend: type[Backend]) -> tuple[SecretStr | None, str | None]:
        """The backend's key and where it came from."""
        if name in self._keys:
            return SecretStr(self._keys[name]), "argument"
        key, source = self.settings.credential(backend.credentials)
        if key is None and self.replaying and backend.credentials:
            return SecretStr("recorded-answers-need-no-key"), "replay"
        return key, source

    def backend(self, name: str) -> tuple[Backend, bool]:
        """The backend, configured, and whether its credential is set (or not needed)."""
        if name not in self._backends:
            cls = registry.load(name)
            key, _ = self.credential(name, cls)
            made = cls(self.settings.backend_settings(name, cls.settings_type), key)
            if self.settings.stand_in is not None:
                self._backends[name] = (stand_in_for(made, self.settings.stand_in), True)
            else:
                self._backends[name] = (made, key is not None or not cls.credentials)
        return self._backends[name]

    # --- from arguments to an ask ---

    def ask(
        self,
        prompt: str,
        *,
        size: int | str | Sequence[int] | None = None,
        colors: int | None = None,
        palette: Any = None,
        seed: int | None = None,
        n: int = 1,
        transparent: bool | None = None,
        model: str | None = None,
        backend: str | None = None,
        route: Sequence[str] | None = None,
        fresh: bool = False,
        options: Mapping[str, Any] | None = None,
        images: Sequence[ImageLike] = (),
        max_usd: float | str | None = None,
        timeout_s: float | None = None,
        on_unknown: OnUnknown | None = None,
        min_score: float | None = None,
        progress: Notify | None = None,
        batch: str = "",
        batch_usd: float | str | None = None,
        task: Task = "image",
        strength: float | None = None,
        mask: ImageLike | None = None,
        views: Views | int | None = None,
        action: str | None = None,
        frames: int | None = None,
        tiles: Tiles | None = None,
        upper: str | None = None,
        layout: Literal["frames", "sheet"] = "frames",
        max_generations: float | str | None = None,
        commercial: bool = False,
        strategy: Strategy | None = None,
        style_group: str | None = None,
        restyle: bool = False,
        asset: str | None = None,
        tags: Sequence[str] = (),
        **finishing: Unpack[Finishing],
    ) -> Ask:
        """Everything checked that can be checked without sending. Raises InvalidRequest or ConfigError."""
        settings = self.settings
        pictures = tuple(encoded(image) for image in images)
        if size is None and pictures:
            size = kept_size(task, pictures[0])
        width, height = parse_size(size if size is not None else settings.size or DEFAULT_SIZE)
        wanted = palette if palette is not None else settings.palette
        request = _request(
            prompt=prompt,
            width=width,
            height=height,
            n=n,
            model=model,
            seed=seed,
            transparent=transparent if transparent is not None else settings.transparent,
            colors=colors if colors is not None else settings.colors,
            palette=None if wanted is None else resolve_palette(wanted),
            images=pictures,
            options=dict(options or {}),
            task=task,
            strength=strength,
            mask=None if mask is None else encoded(mask),
            views=None if views is None else str(views),
            action=action,
            frames=frames,
            tiles=tiles,
            upper=upper,
        )
        if layout not in ("frames", "sheet"):
            raise InvalidRequest(f"layout={layout!r} is neither frames nor sheet.")
        if backend is not None and route is not None:
            raise InvalidRequest("backend= and route= exclude each other.", hint="route=['a', 'b'] tries a, then b.")
        names = tuple(route) if route is not None else (backend,) if backend else settings.candidates()
        if not names:
            raise InvalidRequest("route= names no backend.", hint=f"Known: {', '.join(registry.names())}.")
        ready = [(self.backend(name), name) for name in dict.fromkeys(names)]
        waits = settings.timeout_s if timeout_s is None else timeout_s
        return Ask(
            request=request,
            candidates=tuple(candidate(made, request, has_key=has_key) for (made, has_key), _ in ready),
            spec=finish_spec(request, {"policy": settings.policy, **finishing}),
            purse=self.purse(batch),
            caps=self.caps(max_usd, batch_usd, max_generations),
            fresh=fresh,
            on_unknown=on_unknown or settings.on_unknown,
            deadline=time.monotonic() + waits,
            notify=progress or ignore,
            sheet=layout == "sheet",
            min_score=_least_score(settings.min_score if min_score is None else min_score),
            commercial=commercial,
            strategy=_strategy(strategy or settings.strategy),
            labels=Labels(asset or "", _tags(tags), style_group or ""),
            restyle=restyle,
            named=backend is not None,
            watch=self.watch,
        )

    def purse(self, batch: str = "") -> Purse:
        """Who pays for a call that is made now."""
        return Purse(self.run, self.settings.project or "", datetime.now(UTC).date().isoformat(), batch)

    def caps(self, max_usd: Any = None, batch_usd: Any = None, max_generations: Any = None) -> tuple[Cap, ...]:
        """The configured caps, with those of one call in their place. Raises InvalidRequest for what is no number."""
        s = self.settings
        limits: list[tuple[Scope, Unit, Any]] = [
            ("call", "usd", max_usd if max_usd is not None else s.max_usd),
            ("batch", "usd", batch_usd),
            ("run", "usd", s.max_usd_per_run),
            ("day", "usd", s.max_usd_per_day),
            ("project", "usd", s.max_usd_per_project),
            ("call", "generations", max_generations if max_generations is not None else s.max_generations),
            ("run", "generations", s.max_generations_per_run),
            ("day", "generations", s.max_generations_per_day),
            ("project", "generations", s.max_generations_per_project),
        ]
        caps = []
        for scope, unit, limit in limits:
            if limit is not None:
                try:
                    caps.append(Cap(scope, Money.of(limit, unit)))
                except ValueError as error:
                    raise InvalidRequest(f"max_{unit}: {error}.", hint="Write a number, 0.25 for instance.") from None
        return tuple(caps)

    # --- steps ---

    def produce(self, ask: Ask) -> Steps[PixelArt]:
        """The whole way from an ask to finished pixel art."""
        if self.settings.stand_in is not None:
            note_call(self.settings.stand_in, ask)
        return (yield from watched(self._produce(ask), self.watch, ask, "generate"))

    def _produce(self, ask: Ask) -> Steps[PixelArt]:
        made: list[str] = []
        failed: dict[str, PixelRouterError] = {}
        turned: list[Attempt] = []
        while True:
            with remembering(turned):
                attempt = yield from self.engine.obtain(after(ask, self.engine.rows(made)), made, failed)
                try:
                    art = yield from self.finish(ask, attempt, made, turned)
                except QualityRejected as error:
                    failed[attempt.backend] = error
                    if not goes_on(error, ask):
                        raise none_left(failed, self.engine.rows(made)) or error from None
                    turned.append(turned_down(attempt, error))
                else:
                    self.engine.delivered(ask, attempt)
                    return art
            ask.tell("finish", attempt.backend, 1.0, "turned down")

    def finish(self, ask: Ask, attempt: Attempt, made: list[str], turned: Sequence[Attempt] = ()) -> Steps[PixelArt]:
        """Finished pixel art from a settled attempt; ``turned`` are those that were turned down before it."""
        request = ask.request.model_copy(update={"model": attempt.model})
        native, layout, licence = False, Layout(raws=request.n), None
        if attempt.backend in registry.names():
            backend = self.backend(attempt.backend)[0]
            can = backend.capabilities()
            native, layout, licence = (
                can.is_native(attempt.model),
                backend.layout(request),
                licence_of(backend, request),
            )
        spec = replace(ask.spec, native=native)
        ask = ask.at(spec=spec)
        art = finished_art(ask, attempt, made, self.ledger, self.store, layout, licence, turned)
        return (yield from noted(art, ask, attempt, self.ledger))

    def finish_attempt(
        self,
        attempt: Attempt,
        timeout_s: float | None = None,
        progress: Notify | None = None,
        *,
        ours: bool = False,
        accept: Literal["likely"] | None = None,
    ) -> Steps[PixelArt | None]:
        """Bring one attempt of the ledger to its end without paying. None: it came to nothing and was released.

        ``ours``: it was claimed for us already. ``accept``: a person takes what is only likely for certain.
        """
        ask = self.ask_of(attempt, timeout_s, progress).at(accept=accept)
        return (yield from watched(self._finish_attempt(ask, attempt, ours), self.watch, ask, "resume", attempt))

    def _finish_attempt(self, ask: Ask, attempt: Attempt, ours: bool) -> Steps[PixelArt | None]:
        settled = yield from self.engine.bring_home(ask, ask.candidates[0], attempt, ours=ours)
        if settled.state != "settled":
            return None
        made = [settled.id] if attempt.state != "settled" else []
        art = yield from self.finish(ask, settled, made)
        self.engine.delivered(ask, settled)
        return art

    def ask_of(self, attempt: Attempt, timeout_s: float | None, progress: Notify | None) -> Ask:
        """The ask that an attempt of the ledger was made for, without its images."""
        wish = self.ledger.wish(attempt.id)
        size = (wish.pop("width"), wish.pop("height"))
        wish |= {"backend": attempt.backend, "timeout_s": timeout_s, "progress": progress}
        ask = self.ask(wish.pop("prompt"), size=size, **wish)
        labels = Labels(attempt.asset, attempt.tags, attempt.style_group)
        return ask.at(candidates=(replace(ask.candidates[0], key=attempt.key),), labels=labels)

    def cancel(self, attempt: Attempt) -> Steps[Attempt]:
        """Stop a job; the attempt as it stands then."""
        ask = self.ask_of(attempt, CANCEL_S, None)
        yield from self.engine.cancel(ask, ask.candidates[0], attempt)
        return self.ledger.get(attempt.id) or attempt

    def balance(self, name: str) -> Steps[Money | None]:
        """What is left on the account of a backend; None where it cannot tell."""
        backend, has_key = self.backend(name)
        if backend.kind != "remote" or (call := backend.balance()) is None:
            return None
        ask = self.ask("balance", backend=name)
        replace(ask.candidates[0], has_key=has_key).need_key()
        response = yield free_call(ask, backend, call, self.collector.budget(name), "read the balance")
        return read(backend, call, response)

    def price(self, ask: Ask) -> Steps[Quote]:
        """What the ask would cost at the first candidate that can serve it, by the ask's strategy."""
        choosing = self.engine.choosing
        bound = choosing.styles.bound(ask)
        turns = yield from choosing.survey.turns(kept(ask, bound), bound.backend if bound else None)
        in_order = ask.at(candidates=tuple(turn.candidate for turn in turns))
        return (yield from price(in_order, self.quotes, self.ledger))

    def explain(self, ask: Ask) -> Steps[Explanation]:
        """Why the ask would go where it goes."""
        return explain(ask, self.engine.choosing)


def _least_score(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100):
        return value
    raise InvalidRequest(f"min_score={value!r} is no score from 0 to 100.", hint="True pixel art reaches 80.")


def _strategy(value: Strategy) -> Strategy:
    if value not in get_args(Strategy):
        raise InvalidRequest(f"strategy={value!r} is none of: {', '.join(get_args(Strategy))}.")
    return value


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(tags, str):
        raise InvalidRequest(f"tags={tags!r} should be a list.", hint=f"tags=[{tags!r}]")
    return tuple(dict.fromkeys(str(tag) for tag in tags))


def _request(**fields: Any) -> GenerationRequest:
    try:
        return GenerationRequest(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "request"
        raise InvalidRequest(
            f"{name}={first['input']!r} cannot be used: {first['msg'].removeprefix('Value error, ')}.",
            hint=_LIMITS.get(name),
        ) from None


_LIMITS = {
    "n": "Ask for 1 to 64 images.",
    "colors": "Ask for 1 to 256 colours.",
    "seed": "A seed is a whole number from 0 to 4294967295.",
    "prompt": "A prompt is a text.",
}
