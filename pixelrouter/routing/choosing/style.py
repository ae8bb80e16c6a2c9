"""Sets of sprites that should look alike: a style group keeps the backend, and for each task the model, of its first
image, until the caller says otherwise (``restyle=True``, or ``backend=`` for one call).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from pixelrouter.errors import NoBackend, PixelRouterError
from pixelrouter.money.bindings import Binding, Bindings, Group
from pixelrouter.money.database import Database
from pixelrouter.money.owner import Worker
from pixelrouter.routing.ask import Ask, Candidate
from pixelrouter.routing.effects import Sleep, Steps
from pixelrouter.types import Attempt

LONGEST_LOOK_S = 0.5


class Rebound(Exception):
    """Another call has bound the set meanwhile: choose again."""


class Styles:
    """What the sets of a ledger keep to. Holds no state of its own beside the ledger's."""

    def __init__(self, database: Database, owner: Worker) -> None:
        self._bindings, self._owner = Bindings(database), owner

    def bound(self, ask: Ask) -> Binding | None:
        """What the ask's set keeps to; None where nothing holds this call."""
        group = _group(ask)
        return self._bindings.get(group) if group and not (ask.restyle or ask.named) else None

    def claim(
        self,
        ask: Ask,
        name: str,
        model: str | None,
        bound: Binding | None,
        failed: Collection[str],
        made: Sequence[str],
    ) -> Steps[None]:
        """Bind the set to that backend and model before anything is bought there; ``bound`` is what was found first.

        Raises Rebound where another call was faster, and DeadlineExceeded where what came of it is not known in time.
        """
        group, task = _group(ask), ask.request.task
        if group is None or ask.restyle or ask.named:
            return
        pause = LONGEST_LOOK_S / 16
        route, passed = {one.name for one in ask.candidates}, set(failed)
        while True:
            now = self._bindings.claim(group, task, name, model, failed=passed, mine=made, lives=self._owner.alive)
            if now is not None and (now.delivered or now.backend in route | passed):
                break
            if now is not None:  # left behind by a call of another route, which never got its image
                passed.add(now.backend)
                continue
            ask.tell("wait", name, None, f"another call may be about to draw the first image of {group.name!r}")
            yield Sleep(min(pause, ask.left()))
            ask.left()
            pause = min(pause * 2, LONGEST_LOOK_S)
        if now.backend in passed and not now.delivered:
            raise self.told(NoBackend("An image of the set was ordered there, and is not here yet."), ask, now)
        known = bound is not None and bound.backend == name and task in bound.models
        if now.backend != name or (ask.request.model is None and not known and now.models.get(task) != model):
            raise Rebound

    def delivered(self, ask: Ask, attempt: Attempt) -> None:
        """An image of the set is there: from now on the set keeps to what drew it."""
        group = _group(ask)
        if group is not None:
            self._bindings.delivered(group, ask.request.task, attempt.backend, attempt.model, anew=ask.restyle)

    @staticmethod
    def told(error: PixelRouterError, ask: Ask, bound: Binding) -> PixelRouterError:
        """The error, which says why no other backend was asked, and how to tell the router otherwise."""
        error.message = f"{error.message} {keeps(ask, bound)}, so no other backend was asked."
        error.hint = " ".join(filter(None, (error.hint, OTHERWISE)))
        return error


OTHERWISE = "restyle=True (--restyle) lets the set change its backend; naming backend= serves this one call."


def keeps(ask: Ask, bound: Binding) -> str:
    """What the set keeps to, in words."""
    return f"The style group {ask.labels.style_group!r} keeps to {bound.backend}"


def kept(ask: Ask, bound: Binding | None) -> Ask:
    """The ask with the candidates that its set leaves, the bound one first and with its model.

    Until the set has its first image the others stay behind it. Raises NoBackend where the route lacks the bound one.
    """
    names = [one.name for one in ask.candidates]
    if bound is None or (bound.backend not in names and not bound.delivered):
        return ask
    if bound.backend not in names:
        why = f"{keeps(ask, bound)}, which the route of this call leaves out."
        raise NoBackend(why, reasons=dict.fromkeys(names, "it is not the set's"), hint=OTHERWISE)
    mine = [_with_model(one, ask, bound) for one in ask.candidates if one.name == bound.backend]
    others = [] if bound.delivered else [one for one in ask.candidates if one.name != bound.backend]
    return ask.at(candidates=(*mine, *others))


def belongs(ask: Ask, bound: Binding | None, attempt: Attempt) -> bool:
    """Whether an earlier purchase of the same request may serve the set: the bound backend's, or the set's own."""
    return bound is None or attempt.backend == bound.backend or attempt.style_group == ask.labels.style_group


def _group(ask: Ask) -> Group | None:
    return Group(ask.purse.project, ask.labels.style_group) if ask.labels.style_group else None


def _with_model(one: Candidate, ask: Ask, bound: Binding) -> Candidate:
    """The candidate with the set's model, unless the call names one. Its key stays: it is the same wish as without."""
    model = bound.models.get(ask.request.task)
    if ask.request.model is not None or model is None:
        return one
    return replace(one, request=one.request.model_copy(update={"model": model}))
