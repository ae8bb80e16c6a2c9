"""From a settled attempt to finished pixel art: raw bytes out of the store, through the post-processor. Always free."""

from __future__ import annotations

from pixelrouter import errors
from pixelrouter.errors import ChargedWithoutImage, IncompleteDelivery, QualityRejected, UnreadableImage
from pixelrouter.money.ledger import Ledger
from pixelrouter.pixels import Finished, FinishSpec, finish
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.effects import Steps, Work
from pixelrouter.store import Store
from pixelrouter.types import Attempt, Cost, Money, PixelArt


def finished_art(ask: Ask, attempt: Attempt, made: list[str], ledger: Ledger, store: Store) -> Steps[PixelArt]:
    """The pixel art of a settled attempt.

    Raises ChargedWithoutImage if it was paid and no image came, IncompleteDelivery (with what came) if too few did,
    QualityRejected if the caller's policy turns the image down.
    """
    if not attempt.raws:
        raise _again(attempt)
    ask.tell("finish", attempt.backend, 0.0)
    raws = attempt.raws[: ask.request.n]
    try:
        done = yield Work(lambda: _finish_all([store.get(raw) for raw in raws], ask.spec))
    except QualityRejected as error:
        error.stored = raws
        raise
    if not done:
        raise _again(attempt)
    ask.tell("finish", attempt.backend, 1.0)
    reused = attempt.id not in made
    earlier = [row for one in made if one != attempt.id and (row := ledger.get(one))]
    rows = [*earlier, attempt]
    art = PixelArt(
        indexed=tuple(one.indexed for one in done),
        palette=tuple(dict.fromkeys(color for one in done for color in one.palette)),
        cost=Cost(Money(0, attempt.held.unit), "reported") if reused else attempt.cost,
        paid=attempt.cost,
        backend=attempt.backend,
        model=attempt.model,
        seed=attempt.seed,
        attempts=tuple(rows),
        reports=tuple(one.report for one in done),
        raws=attempt.raws,
        key=attempt.key,
        reused=reused,
        notes=tuple(f"{row.backend}: {row.error}" for row in earlier if row.error),
        request=ask.request,
    )
    if len(done) < ask.request.n:
        raise IncompleteDelivery(
            f"{ask.request.n} images were paid for ({attempt.cost.money}), {len(done)} usable ones came.",
            hint="They are in error.art; fresh=True (--fresh) buys all of them anew.",
            art=art,
            charged=attempt.cost.money,
            stored=attempt.raws,
        )
    return art


def _finish_all(images: list[bytes], spec: FinishSpec) -> list[Finished]:
    done = []
    for image in images:
        try:
            done.append(finish(image, spec))
        except UnreadableImage:
            continue  # the attempt's row says so; the others are still worth having
    return done


def _again(attempt: Attempt) -> ChargedWithoutImage:
    """The error that this attempt ended with, for a call that meets it again."""
    kind, _, message = (attempt.error or "").partition(": ")
    cls = getattr(errors, kind, ChargedWithoutImage)
    if not (isinstance(cls, type) and issubclass(cls, ChargedWithoutImage)):
        cls = ChargedWithoutImage
    if not message:
        message = f"{attempt.backend} charged {attempt.cost.money} for this request and no usable image came."
    problem: ChargedWithoutImage = cls(message, charged=attempt.cost.money, stored=attempt.raws)
    return problem
