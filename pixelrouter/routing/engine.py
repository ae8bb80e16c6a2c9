"""One request, paid at most once: reuse what was bought, resume what is under way, else buy.

Written once as a generator of effects and driven twice, blocking and on an event loop (routing.effects). Order is
everything here: reserve, then write "sending", then send, then write the ticket, then store the image, then settle.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count

from pixelrouter.backends.protocol import RemoteBackend
from pixelrouter.errors import (
    AllFailed,
    ChargedWithoutImage,
    ConfigError,
    ContentRefused,
    DeadlineExceeded,
    InvalidRequest,
    JobFailed,
    NoBackend,
    NotTaken,
    OutcomeUnknown,
    PixelRouterError,
    StillRunning,
)
from pixelrouter.money.balances import account_of
from pixelrouter.money.bindings import Binding
from pixelrouter.money.ledger import Draft, Ledger
from pixelrouter.money.owner import Worker
from pixelrouter.pixels import FinishSpec
from pixelrouter.routing.arguments import Finishing
from pixelrouter.routing.ask import Ask, Candidate
from pixelrouter.routing.ask import candidate as candidate_of
from pixelrouter.routing.choosing.offers import TRIAL, Offer
from pixelrouter.routing.choosing.style import Rebound, kept
from pixelrouter.routing.choosing.survey import PAID, Choosing
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.collecting.free import free_call, read
from pixelrouter.routing.effects import Sleep, Steps, Work
from pixelrouter.routing.gate import may_turn_down, none_left
from pixelrouter.routing.keys import derived_seed
from pixelrouter.routing.pricing.quotes import Quotes
from pixelrouter.routing.recovering.lost import no_image
from pixelrouter.routing.recovering.recovery import Recovery, fingerprint
from pixelrouter.routing.sending import Sender
from pixelrouter.routing.verdict import FALL_THROUGH
from pixelrouter.types import Attempt, GenerationRequest, Mark, Progress, Ticket

_PLAIN = FinishSpec()


class Engine:
    """Buys, resumes and reuses. Holds no state of its own beside the ledger's."""

    def __init__(self, ledger: Ledger, owner: Worker, collector: Collector, quotes: Quotes) -> None:
        self._ledger, self._owner, self._collector = ledger, owner, collector
        self.choosing = Choosing.of(ledger, owner, quotes)
        self.recovery = Recovery(ledger, collector, live=quotes.live)
        self._sender = Sender(ledger, collector, self.recovery, self.choosing.admission)

    def rows(self, made: Iterable[str]) -> list[Attempt]:
        """The attempts of those ids as they stand now."""
        return [row for one in made if (row := self._ledger.get(one))]

    # --- the whole request ---

    def obtain(self, ask: Ask, made: list[str], failed: dict[str, PixelRouterError] | None = None) -> Steps[Attempt]:
        """The settled attempt that holds the images. ``made`` collects the ids of the attempts made on the way.

        ``failed`` holds the candidates that have failed the caller before, which are not asked again, and collects
        those that fail now.
        """
        errors = {} if failed is None else failed
        while True:
            try:
                attempt = yield from self._obtain(ask, made, errors)
            except Rebound:
                continue
            if not may_turn_down(ask):
                self.delivered(ask, attempt)
            return attempt

    def delivered(self, ask: Ask, attempt: Attempt) -> None:
        """The caller has its images: from now on their style group keeps to what drew them."""
        self.choosing.styles.delivered(ask, attempt)

    def _obtain(self, whole: Ask, made: list[str], errors: dict[str, PixelRouterError]) -> Steps[Attempt]:
        """As :meth:`obtain`. Raises Rebound where another call has bound the style group meanwhile."""
        styles, fresh, before = self.choosing.styles, whole.fresh, 0 if errors else len(made)
        bound = styles.bound(whole)
        if not fresh:
            try:
                standing = yield from self._stand(_without(whole, errors), made, bound)
            except OutcomeUnknown:
                if whole.on_unknown != "spend_again":
                    raise
                fresh = True
            else:
                if standing is not None:
                    if bound is None:
                        yield from styles.claim(whole, standing.backend, standing.model, bound, (), made)
                    return standing
        ask = _without(kept(whole, bound), errors)
        for turn in (yield from self.choosing.survey.turns(ask, bound.backend if bound else None)):
            name = turn.candidate.name
            try:
                if len(made) > before or any(isinstance(error, DeadlineExceeded) for error in errors.values()):
                    ask.left()  # the deadline decides what may start: no other backend after it
                offer = yield from self.choosing.fit(ask, turn)
                yield from styles.claim(ask, name, offer.model, bound, errors, made)
                ask.watch.tell("candidate.chosen", backend=name, model=offer.model, reason=turn.why)
                return (yield from self._buy(ask, offer, made, anew=fresh, patient=turn.patient))
            except ContentRefused as error:  # ContentBlocked too
                errors[name] = error
                if rejected := none_left(errors, self.rows(made)):
                    raise rejected from error
                raise  # another vendor should not be asked to draw what this one's policy refuses
            except OutcomeUnknown as error:
                if ask.on_unknown != "spend_again":
                    raise
                errors[name] = error
            except FALL_THROUGH as error:
                errors[name] = error
                ask.watch.tell("candidate.passed", backend=name, reason=error.message, error=type(error).__name__)
        failure = none_left(errors, self.rows(made)) or _all_failed(errors, whole)
        only = bound is not None and bound.delivered and len(whole.candidates) > 1
        raise styles.told(failure, whole, bound) if only and bound is not None else failure

    def _stand(self, ask: Ask, made: list[str], bound: Binding | None) -> Steps[Attempt | None]:
        """What already stands for this request, at any candidate of its set: paid first, then under way."""
        while True:
            found = self.choosing.standing(ask, bound)
            if found is None:
                return None
            candidate, attempt = found
            if attempt.state == "settled":
                ask.tell("reuse", candidate.name, 1.0, PAID)
                ask.watch.tell("candidate.chosen", backend=candidate.name, model=attempt.model, reason=PAID)
                return attempt
            settled = yield from self.carry_on(ask, candidate, attempt)
            if settled is not None:
                made.append(settled.id)
                return settled

    # --- an attempt that exists ---

    def carry_on(
        self, ask: Ask, candidate: Candidate, attempt: Attempt, *, ours: bool = False
    ) -> Steps[Attempt | None]:
        """Bring somebody's unfinished attempt to its end without paying. None: look at the ledger again.

        ``ours``: it was claimed for us already.
        """
        owner, body = self._ledger.owner_and_body(attempt.id)
        if not ours:
            if owner and self._owner.alive(owner):
                yield from self._wait_for_owner(ask, candidate, attempt)
                return None
            if not self._ledger.take_over(attempt.id, owner, attempt.state):
                return None
        try:
            if attempt.state == "reserved":
                self._ledger.release(attempt.id)  # its owner died before a byte left
                return None
            backend = candidate.backend
            if backend.kind != "remote":
                self._ledger.release(attempt.id)
                return None
            candidate.need_key()
            if attempt.state == "sending":
                self._ledger.unknown(attempt.id)  # its owner died while sending
            if attempt.state in ("sending", "unknown"):
                try:
                    ticket = yield from self.recovery.recover(ask, candidate, backend, attempt, body)
                except NotTaken:
                    return None  # nothing was charged: it is as if it had never been made
            else:
                ticket = attempt.ticket or Ticket("")
            return (yield from self._collector.collect(ask, backend, attempt, ticket))
        except BaseException as error:
            self._collector.note(error, attempt.id)
            raise
        finally:
            self._ledger.disown(attempt.id)

    def bring_home(self, ask: Ask, candidate: Candidate, attempt: Attempt, *, ours: bool = False) -> Steps[Attempt]:
        """Carry an attempt on until it is settled or released, by us or by whoever works on it; as it stands then."""
        while attempt.state not in ("settled", "released"):
            settled = yield from self.carry_on(ask, candidate, attempt, ours=ours)
            attempt, ours = settled or self._ledger.get(attempt.id) or attempt, False
        return attempt

    def _wait_for_owner(self, ask: Ask, candidate: Candidate, attempt: Attempt) -> Steps[None]:
        """Another router, or another thread of this one, is buying the same: its purchase is shared."""
        ask.tell("wait", candidate.name, None, "another process is buying the same image")
        ask.watch.tell("attempt.shared", backend=candidate.name, attempt=attempt)
        pause = 0.02
        while True:
            now = self._ledger.get(attempt.id)
            if now is None or now.state != attempt.state:
                return
            owner, _ = self._ledger.owner_and_body(attempt.id)
            if not owner or not self._owner.alive(owner):
                return
            if time.monotonic() + pause > ask.deadline:
                raise StillRunning(
                    f"Another process is still buying this image at {candidate.name} (attempt {attempt.id[:12]}).",
                    hint="Run the same again later: it will be reused, not bought.",
                    attempt=attempt.id,
                    ticket=attempt.ticket,
                )
            yield Sleep(pause)
            pause = min(pause * 1.5, 0.5)

    # --- a new attempt ---

    def _buy(self, ask: Ask, offer: Offer, made: list[str], *, anew: bool, patient: bool) -> Steps[Attempt]:
        """``anew``: although it was bought before; what has to be bought first is reused unless the ask says fresh.

        ``patient``: the vendor is waited for, as there is nobody better to ask.
        """
        candidate, backend, request = offer.candidate, offer.backend, offer.request
        if offer.first is not None and backend.kind == "remote":
            ask, request = yield from self._buy_first(ask, backend, offer, made)
            patient = True  # its first step is paid
        quote = yield from self.choosing.offers.quote(ask, replace(offer, request=request, first=None))
        reservation = None
        while reservation is None:
            mark = Mark(uuid.uuid4().hex, self.seed(candidate), time.time())
            call = backend.submit(request, mark) if backend.kind == "remote" else None
            draft = Draft(
                id=mark.id,
                key=candidate.key,
                backend=backend.name,
                model=offer.model,
                hold=quote.cost,
                unit_price=quote.unit_price,
                seed=mark.seed,
                own_seed=candidate.request.seed is None,
                prompt=request.prompt,
                body=fingerprint(call) if call else "",
                fresh=anew,
                wish=_wish(ask, candidate.request),
                labels=ask.labels,
                account=account_of(call.request) if call else "",
            )
            reservation = self._ledger.reserve(draft, ask.purse, ask.caps)
        attempt = reservation.attempt
        if not reservation.new:  # somebody was faster between our look and our reserve
            if attempt.state == "settled":
                return attempt
            standing = yield from self._stand(ask, made, None)
            return standing or (yield from self._buy(ask, offer, made, anew=anew, patient=patient))
        made.append(attempt.id)
        try:
            if call is None or backend.kind != "remote":
                return (yield from self._draw(ask, candidate, attempt, mark.seed))
            # With the images it was sent with: a lost job is told from another by them.
            ticket = yield from self._sender.submit(ask.at(request=request), backend, attempt, call, patient=patient)
            return (yield from self._collector.collect(ask, backend, attempt, ticket))
        except BaseException as error:
            # Nobody in this process works on it any more: whoever asks for the same next may carry on at once.
            self._ledger.disown(attempt.id)
            self._collector.note(error, attempt.id)
            raise

    def _buy_first(
        self, ask: Ask, backend: RemoteBackend, offer: Offer, made: list[str]
    ) -> Steps[tuple[Ask, GenerationRequest]]:
        """Obtain the image that the offer has to start from; the caps allow both purchases or none.

        Returns the ask whose caps know what the first purchase cost, and the request with its image. Whatever the
        backend refuses about the second purchase was refused with the offer, before the first; raises
        ChargedWithoutImage if the image that came cannot be gone on with.
        """
        assert offer.first is not None  # noqa: S101  (the caller asked)
        request = offer.request
        second = yield from self.choosing.offers.quote(ask, offer)
        one = candidate_of(backend, offer.first)
        caps = tuple(cap.keeping(second.money) for cap in ask.caps)
        step = ask.at(request=one.request, candidates=(one,), caps=caps, named=True)  # of the same backend, as agreed
        attempt = yield from self._obtain(step, made, {})
        if not attempt.raws or attempt.error:  # an unreadable one is kept too
            raise no_image(attempt)
        if attempt.id in made:  # bought in this call: what is left of the call's own cap pays for the second step
            caps = tuple(cap.keeping(attempt.cost.money) if cap.scope == "call" else cap for cap in ask.caps)
            ask = ask.at(caps=caps)
        image = self._collector.raw(attempt.raws[0])
        whole = request.model_copy(update={"images": (image, *request.images)})
        try:
            backend.submit(whole, Mark(TRIAL.id, request.seed or TRIAL.seed))
        except InvalidRequest as error:
            raise ChargedWithoutImage(
                f"{backend.name} charged {attempt.cost.money} for the picture to start from, and it cannot be used: "
                f"{error.message}",
                charged=attempt.cost.money,
                stored=attempt.raws,
                hint="fresh=True (--fresh) buys it anew.",
            ) from error
        return ask, whole

    def cancel(self, ask: Ask, candidate: Candidate, attempt: Attempt) -> Steps[None]:
        """Ask the vendor to stop a job, and book what it says of it then. Raises InvalidRequest where it cannot."""
        backend = candidate.backend
        call = backend.cancel(attempt.ticket) if backend.kind == "remote" and attempt.ticket else None
        if attempt.state != "accepted" or call is None or backend.kind != "remote":
            why = "the vendor offers no way" if attempt.state == "accepted" else f"it is {attempt.state}"
            raise InvalidRequest(
                f"The job of attempt {attempt.id[:12]} at {attempt.backend} cannot be stopped: {why}.",
                hint="`pixelrouter resume` collects a job that goes on.",
            )
        candidate.need_key()
        response = yield free_call(ask, backend, call, self._collector.budget(backend.name), "stop the job")
        read(backend, call, response)
        try:
            yield from self.bring_home(ask, candidate, attempt)
        except (JobFailed, StillRunning, ChargedWithoutImage):
            return  # the ledger says what became of it

    def seed(self, candidate: Candidate) -> int:
        """The seed that a new attempt would send: the caller's, else one derived from the request."""
        if candidate.request.seed is not None:
            return candidate.request.seed
        taken = self._ledger.seeds(candidate.key)
        return next(seed for n in count(len(taken)) if (seed := derived_seed(candidate.key, n)) not in taken)

    def _draw(self, ask: Ask, candidate: Candidate, attempt: Attempt, seed: int) -> Steps[Attempt]:
        backend = candidate.backend
        assert backend.kind == "local"  # noqa: S101  (for the type checker; the caller asked)
        request = candidate.request.model_copy(update={"seed": seed, "model": attempt.model})

        def progress(step: Progress) -> None:
            ask.tell("draw", backend.name, step.fraction, step.status)

        try:
            delivery = yield Work(lambda: backend.generate(request, progress))
        except BaseException as error:
            self._ledger.release(attempt.id, error)
            raise
        return (yield from self._collector.deliver(ask, backend, attempt, delivery))


def _without(ask: Ask, failed: Mapping[str, PixelRouterError]) -> Ask:
    """The ask without the candidates that have failed it."""
    return ask.at(candidates=tuple(one for one in ask.candidates if one.name not in failed))


def _wish(ask: Ask, request: GenerationRequest) -> str:
    """The call's arguments as JSON, without its images: enough to finish the job as it was meant."""
    fields = request.model_dump(exclude={"images", "mask"}, exclude_defaults=True)
    wishes = Finishing.__annotations__
    fields |= {name: value for name in wishes if (value := getattr(ask.spec, name)) != getattr(_PLAIN, name)}
    # Settings may have changed when the job is collected, so what they can decide is written down in any case.
    fields |= {"policy": ask.spec.policy, "min_score": ask.min_score or 0}
    if ask.sheet:
        fields["layout"] = "sheet"
    return json.dumps(fields, default=lambda value: f"<{type(value).__name__}>")


def _all_failed(errors: Mapping[str, PixelRouterError], ask: Ask) -> PixelRouterError:
    # One candidate that cannot do this kind of task at all is a question of the route, not of the request.
    able = any(ask.request.task in one.backend.capabilities().tasks for one in ask.candidates)
    if len(errors) == 1 and able:
        return next(iter(errors.values()))
    if all(isinstance(e, DeadlineExceeded) for e in errors.values()) and errors:
        return next(iter(errors.values()))
    if all(isinstance(e, (InvalidRequest, ConfigError)) for e in errors.values()):
        reasons = {name: str(e) for name, e in errors.items()}
        return NoBackend("No backend can serve this request, and nothing was sent.", reasons=reasons)
    return AllFailed(f"All {len(errors)} backends failed.", errors=errors.values())
