"""From a settled attempt to finished pixel art: raw bytes out of the store, through the post-processor. Always free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pixelrouter.errors import IncompleteDelivery, QualityRejected
from pixelrouter.money.ledger import Ledger
from pixelrouter.pixels import Decoded, to_indexed
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.cutting import finished_images
from pixelrouter.routing.effects import Steps, Work
from pixelrouter.routing.gate import judged
from pixelrouter.routing.recovering.lost import no_image
from pixelrouter.store import Store
from pixelrouter.types import (
    Attempt,
    Cost,
    Layout,
    Licence,
    Money,
    PixelArt,
    Task,
    Unit,
)


def finished_art(
    ask: Ask,
    attempt: Attempt,
    made: list[str],
    ledger: Ledger,
    store: Store,
    layout: Layout,
    licence: Licence | None,
    turned: Sequence[Attempt] = (),
) -> Steps[PixelArt]:
    """The pixel art of a settled attempt. ``turned`` are the attempts that this call has turned down, with why.

    Raises ChargedWithoutImage if it was paid and no image came, IncompleteDelivery (with what came) if too few did,
    QualityRejected if the caller's policy or least score turns the image down.
    """
    if not attempt.raws:
        raise no_image(attempt)
    ask.tell("finish", attempt.backend, 0.0)
    raws = attempt.raws[: layout.raws]
    try:
        done, names, times = yield Work(
            lambda: finished_images(raws, attempt.names, layout, ask.spec, ask.request.views, _held(ask, store))
        )
        done = yield Work(lambda: judged(done, ask))
    except QualityRejected as error:
        error.stored = raws
        # With the picture that the same backend drew first, where the plan has two purchases.
        mine = [row for one in made if (row := ledger.get(one)) and row.backend == attempt.backend]
        error.charged = _paid_now(mine, attempt.held.unit).money
        raise
    if not done:
        raise no_image(attempt)
    ask.tell("finish", attempt.backend, 1.0)
    known = {one: row for one in made if one != attempt.id and (row := ledger.get(one))}
    known |= {row.id: row for row in turned}
    earlier = sorted(known.values(), key=lambda row: row.created_at)
    rows = [*earlier, attempt]
    bought = [row for row in rows if row.id in made]
    expected = _expected(ask, layout)
    count = len(done)
    art = PixelArt(
        names=names,
        durations=times,
        licence=licence,
        indexed=tuple(one.indexed for one in done),
        palette=tuple(dict.fromkeys(color for one in done for color in one.palette)),
        cost=_paid_now(bought, attempt.held.unit),
        paid=attempt.cost,
        backend=attempt.backend,
        model=attempt.model,
        seed=attempt.seed,
        attempts=tuple(rows),
        reports=tuple(one.report for one in done),
        raws=attempt.raws,
        key=attempt.key,
        reused=not bought,
        notes=(*attempt.notes, *(f"{row.backend}: {row.error}" for row in earlier if row.error)),
        request=ask.request,
        layout=layout,
        native=ask.spec.native,
    )
    if ask.sheet:
        art = _one_sheet(art, ask.request.task)
    if expected is not None and count < expected:
        raise IncompleteDelivery(
            f"{expected} images were paid for ({attempt.cost.money}), {count} usable ones came.",
            hint="They are in error.art; fresh=True (--fresh) buys all of them anew.",
            art=art,
            charged=attempt.cost.money,
            stored=attempt.raws,
        )
    return art


def _expected(ask: Ask, layout: Layout) -> int | None:
    """How many images the caller was promised, where that is known before they are there."""
    if layout.raws is None:
        return None
    names = [name for name in layout.names if name]
    return max(1, len(names)) * layout.raws if layout.columns * layout.rows > 1 or layout.frames else layout.raws


def _one_sheet(art: PixelArt, task: Task) -> PixelArt:
    """The same images as one: rows by the first part of their names, a film in one row, anything else as a square."""
    rows = {name.partition("/")[0] for name in art.names if "/" in name}
    count = len(art.indexed)
    columns = count // len(rows) if rows and count % len(rows) == 0 else count if task == "animation" else None
    sheet = art.sheet(columns)
    colors = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in art.palette], dtype=np.uint8)
    indexed = to_indexed(np.asarray(sheet), colors.reshape(-1, 3))
    return art.with_(indexed=(indexed,), reports=art.reports[:1], names=(), durations=())


def _paid_now(bought: Sequence[Attempt], unit: Unit) -> Cost:
    """What this call cost: every attempt it bought, where the units allow adding."""
    costs = [row.cost for row in bought if row.state == "settled" and row.cost.money.unit == unit]
    source = next((cost.source for cost in reversed(costs) if cost.money), costs[-1].source if costs else "reported")
    return Cost(sum((cost.money for cost in costs), start=Money(0, unit)), source)


def _held(ask: Ask, store: Store) -> Callable[[str], Decoded | bytes]:
    """Raw images by their hashes: those that were decoded on arrival need not be read again."""
    return lambda raw: ask.decoded.pop(raw) if raw in ask.decoded else store.get(raw)
