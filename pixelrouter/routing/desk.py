"""Looking at the ledger and setting it right: jobs, costs, backends. Nothing here can cost money."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pixelrouter import backends as registry
from pixelrouter.errors import ChargedWithoutImage, InvalidRequest
from pixelrouter.money import prices as price_list
from pixelrouter.money.ledger import Ledger
from pixelrouter.money.totals import By, Span
from pixelrouter.reports.rows import rows
from pixelrouter.routing.ask import Ask, Candidate, candidate, lacking
from pixelrouter.routing.recovering.lost import COMPLAIN
from pixelrouter.routing.workshop import Workshop
from pixelrouter.types import Attempt, Cost, HttpRequest, Mark
from pixelrouter.types.evidence import Evidence, Outcome


def find(ledger: Ledger, attempt: str) -> Attempt:
    """The attempt of that id or beginning of an id. Raises InvalidRequest if none or several fit."""
    found = ledger.get(attempt)
    if found is None:
        raise InvalidRequest(f"No single attempt begins with {attempt!r}.", hint="`pixelrouter jobs` lists them.")
    return found


def costs(ledger: Ledger, by: By, span: Span) -> list[dict[str, Any]]:
    """Spent and held by day, backend, run, asset or tag; amounts as exact decimal strings."""
    return rows(ledger.database, by, span)


def write_costs(workshop: Workshop, path: Path, span: Span) -> Path:
    """The cost page as a file. Raises InvalidRequest where it cannot be written."""
    from pixelrouter.reports.costs import gather  # only who wants the page waits for it
    from pixelrouter.reports.page import page, write

    purse = workshop.purse()
    report = gather(workshop.ledger, span, purse, workshop.caps(), time.time())
    return write(page(report, span.project or purse.project), path)


def prices(backend: str | None) -> list[dict[str, Any]]:
    """The price list, one row a price. Raises ConfigError for a backend that does not exist."""
    if backend is not None:
        registry.load(backend)
    return [
        {
            "backend": price.backend,
            "models": list(price.models),
            "unit": price.unit,
            "formula": price.formula,
            "source": price.source,
            "date": price.date,
        }
        for price in price_list.table()
        if backend in (None, price.backend)
    ]


def close_unknown(ledger: Ledger, attempt: str, *, charged: bool) -> Attempt:
    """A person's word on an attempt whose outcome nobody knows, or whose job does not end: was it charged?

    The evidence keeps that it was a person's word, and what was found out before.
    """
    row = find(ledger, attempt)
    if row.state not in ("unknown", "accepted"):
        raise InvalidRequest(
            f"Attempt {row.id[:12]} is {row.state}; only an unknown outcome, or a job that does not end, can be settled"
            " or released by hand.",
            hint="`pixelrouter jobs` shows the attempts that are not finished.",
        )
    ledger.take_over(row.id, ledger.owner_and_body(row.id)[0], row.state)  # a person's word ends whoever looks for it
    if charged:
        why = ChargedWithoutImage("By a person's word it was charged; no image came.", hint=COMPLAIN)
        ledger.settle(row.id, Cost(row.held, row.cost_source), error=why)
    else:
        ledger.release(row.id, InvalidRequest("By a person's word it was not charged."))
    outcome: Outcome = "charged" if charged else "not charged"
    words = (*row.evidence.get("words", ()), f"A person says that it was {outcome}.")
    ledger.explain(row.id, Evidence(outcome, means="hand", words=words, accepted=True).as_dict())
    return find(ledger, row.id)


def backends(workshop: Workshop) -> list[dict[str, Any]]:
    """Every backend that can be loaded, configured or not."""
    rows = []
    for name in registry.names():
        cls = registry.load(name)
        key, source = workshop.credential(name, cls)
        backend, _ = workshop.backend(name)
        can = backend.capabilities()
        lacks = lacking(cls)
        sides = [(m.min_width, m.max_width) for m in can.models]
        rows.append(
            {
                "name": name,
                "kind": cls.kind,
                "configured": (key is not None or not cls.credentials) and not lacks,
                "lacks": lacks,
                "install": getattr(cls, "install", "") if lacks else "",
                "credential": source,
                "credentials": list(cls.credentials),
                "chosen": name in workshop.settings.candidates(),
                "models": len(can.models),
                "default_model": can.default_model,
                "tasks": list(can.tasks),
                "unit": can.unit,
                "native": can.native,
                "seeds": can.seeds,
                "alpha": can.alpha,
                "sizes": f"{min(s[0] for s in sides)}..{max(s[1] for s in sides)}" if sides else "",
                "idempotent": can.idempotent,
                "licence": can.licence.name,
                "commercial": can.licence.commercial,
                "commercial_use": can.licence.use,
                "summary": can.summary,
            }
        )
    return rows


def models(workshop: Workshop, name: str) -> list[dict[str, Any]]:
    """Every model of one backend with its limits and licence. Raises ConfigError for a backend that does not exist."""
    can = workshop.backend(name)[0].capabilities()
    rows = []
    for model in can.models:
        licence = can.licence_of(model.id)
        limits = {key: value for key, value in asdict(model).items() if key != "licence"}
        rows.append(
            {
                **limits,
                "native": can.is_native(model.id),
                "alpha": can.alpha if model.alpha is None else model.alpha,
                "seeds": can.seeds if model.seeds is None else model.seeds,
                "licence": licence.name,
                "commercial_use": licence.use,
                "licence_url": licence.url,
                "licence_note": licence.note,
            }
        )
    return rows


def dry_run(workshop: Workshop, ask: Ask) -> list[dict[str, Any]]:
    """What each candidate would be sent, byte for byte, with credentials left out. Nothing is sent.

    A request that takes two purchases has two rows; the second one's input image is not there yet.
    """
    return [{"backend": one.name, **row} for one in ask.candidates for row in _dry(workshop, one)]


def _dry(workshop: Workshop, one: Candidate) -> Iterator[dict[str, Any]]:
    backend = one.backend
    try:
        model = backend.resolve(one.request).id
        if backend.kind != "remote":
            yield {"model": model, "note": "drawn on this machine; nothing would be sent"}
            return
        request = one.request.model_copy(update={"model": model})
        first = backend.first(request)
        if first is not None:
            yield from _dry(workshop, candidate(backend, first))
            yield {"model": model, "note": "then, with that image as its input, this is bought"}
            return
        submit = backend.submit(request, Mark("<made-for-each-attempt>", workshop.engine.seed(one))).request
    except InvalidRequest as error:
        yield {"model": None, "note": str(error)}
        return
    yield {"model": model, **_shown(submit)}


def _shown(request: HttpRequest) -> dict[str, Any]:
    secrets = dict.fromkeys(request.secrets, "[redacted]")
    body = json.loads(request.body) if request.json is not None else request.body.decode("utf-8", "replace")
    return {"method": request.method, "url": request.url, "headers": {**request.all_headers, **secrets}, "body": body}
