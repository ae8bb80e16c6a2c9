"""The quality gate: a finished image that is found wanting is turned down, and the next backend of the route is asked.

Finishing and checking are free and give the same result every time, so the same call decides the same again from what
is stored, and buys nothing twice. Nothing that was paid for is lost: whatever is turned down stays in the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pixelrouter.errors import PixelRouterError, QualityRejected
from pixelrouter.money.ledger import Ledger
from pixelrouter.pixels import THRESHOLD, Finished
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.effects import Steps
from pixelrouter.types import Attempt, Money, PixelArt

_AGAIN = "Ask again with a lower min_score, another policy or a pixel_size: finishing what is stored is free."
_ANEW = "fresh=True (--fresh) buys anew."


def judged(done: Sequence[Finished], ask: Ask) -> list[Finished]:
    """The images with their scores in their reports. Raises QualityRejected if any is below the ask's ``min_score``.

    One image that is turned down turns down its whole attempt: it was bought, and is used, as one.
    """
    if ask.min_score is None:
        return list(done)
    scored, faults = [], []
    for number, one in enumerate(done, 1):
        score, why = _score(one, ask)
        scored.append(replace(one, report=replace(one.report, score=score)))
        if score < ask.min_score:
            which = f"Image {number} of {len(done)}" if len(done) > 1 else "The image"
            faults.append(f"{which} scores {score:.0f}, below min_score={ask.min_score:g}: {why}.")
    if faults:
        least = min(one.report.score or 0.0 for one in scored)
        raise QualityRejected(" ".join(faults), score=least, hint=f"{_AGAIN} {_ANEW}")
    return scored


def _score(one: Finished, ask: Ask) -> tuple[float, str]:
    """The score of a finished image, 0..100, and what is wrong with it in words."""
    from pixelrouter.pixels.check import check  # only where a least score was asked for

    found = check(one.image, colors=ask.spec.colors, palette=one.palette if ask.spec.palette else None)
    grid = one.report.grid.confidence / THRESHOLD
    # A picture squeezed into pixels can look clean. What it was before says that no artist set them.
    squeezed = one.report.method == "resample" and ask.spec.policy == "snap" and ask.spec.mode == "restore"
    if squeezed and 100 * grid < found.score:
        return round(100 * grid, 1), f"no pixel grid was found (confidence {one.report.grid.confidence:.2f})"
    worst = sorted(found.rules, key=lambda rule: rule.score)[:3]
    return found.score, ", ".join(f"{rule.title} {rule.score:.0f}" for rule in worst if rule.score < 100)


def noted(steps: Steps[PixelArt], ask: Ask, attempt: Attempt, ledger: Ledger) -> Steps[PixelArt]:
    """The same steps; what the gate decides is told to observers, and what it turns down is noted with the attempt."""
    try:
        art = yield from steps
    except QualityRejected as error:
        why: dict[str, Any] = {
            "why": error.message,
            "score": error.score,
            "min_score": ask.min_score,
            "policy": ask.spec.policy,
        }
        if attempt.evidence.get("turned_down") != why:
            ledger.explain(attempt.id, {**attempt.evidence, "turned_down": why})
        ask.watch.tell("quality.rejected", backend=attempt.backend, attempt=attempt, **why)
        raise
    if ask.min_score is not None:
        score = min((report.score or 0.0 for report in art.reports), default=0.0)
        least = ask.min_score
        ask.watch.tell("quality.accepted", backend=attempt.backend, attempt=attempt, score=score, min_score=least)
    return art


def may_turn_down(ask: Ask) -> bool:
    """Whether an image that was bought may still be found wanting."""
    return ask.min_score is not None or ask.spec.policy in ("reject", "reroute")


def goes_on(error: QualityRejected, ask: Ask) -> bool:
    """Whether the next backend is to be asked: below the score always, without a grid under ``policy="reroute"``."""
    return error.score is not None or ask.spec.policy == "reroute"


def turned_down(attempt: Attempt, error: QualityRejected) -> Attempt:
    """The attempt's row with why it was turned down: what a caller reads in ``attempts`` and ``warnings``."""
    kept = ", ".join(raw[:12] for raw in attempt.raws)
    paid = f"was paid for ({attempt.cost.money})" if attempt.cost.money else "was free"
    before = f" {attempt.error}" if attempt.error else ""
    why = f"{error.message}{before} It {paid} and is kept ({kept}); the next backend was asked."
    return replace(attempt, error=f"{type(error).__name__}: {why}")


@contextmanager
def remembering(turned: Sequence[Attempt]) -> Iterator[None]:
    """Whatever else ends the call tells of what was turned down before: it may have been paid for."""
    try:
        yield
    except QualityRejected:
        raise  # names everything itself
    except PixelRouterError as error:
        if turned:
            error.message += f" Before that, {' '.join(f'{row.backend}: {row.error}' for row in turned)}"
        raise


def after(ask: Ask, spent: Sequence[Attempt]) -> Ask:
    """The ask whose own caps know what this call has spent already."""
    caps = ask.caps
    for row in spent:
        caps = tuple(cap.keeping(row.cost.money) if cap.scope == "call" else cap for cap in caps)
    return ask.at(caps=caps)


def none_left(errors: Mapping[str, PixelRouterError], made: Sequence[Attempt]) -> QualityRejected | None:
    """What to raise when no candidate is left and one at least was turned down; else None.

    ``made`` are the attempts of this call, by which it says what the call paid: for failed jobs and first steps too.
    """
    rejected = [error for error in errors.values() if isinstance(error, QualityRejected)]
    if not rejected:
        return None
    if len(errors) == 1:
        return rejected[0]
    return QualityRejected(
        f"No backend of the route delivered an image that is good enough. {' | '.join(map(_told, errors.items()))}",
        stored=dict.fromkeys(raw for error in rejected for raw in error.stored),
        score=rejected[-1].score,
        hint=f"{_AGAIN} {_ANEW}",
        errors=errors.values(),
        charged=_bill(made),
    )


def _told(named: tuple[str, PixelRouterError]) -> str:
    name, error = named
    paid = f" This call paid {error.charged} for it." if isinstance(error, QualityRejected) and error.charged else ""
    return f"{name}: {error.message}{paid}"


def _bill(made: Sequence[Attempt]) -> Money | None:
    """What attempts cost together; None where some cost dollars and some generations."""
    paid = [row.cost.money for row in made if row.state == "settled" and row.cost.money]
    if len({money.unit for money in paid}) > 1:
        return None
    return sum(paid[1:], start=paid[0]) if paid else Money(0)
