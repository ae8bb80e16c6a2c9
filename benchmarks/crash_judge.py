"""Reads what the workers of a round said, and holds the ledger and the store against the simulators' charges."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from market import KINDS, Market, Request, in_words, request_in

from pixelrouter import PixelRouter
from pixelrouter.errors import StoreError
from pixelrouter.types import Attempt


@dataclass
class Lines:
    """The workers' logs."""

    passed: set[str] = field(default_factory=set)
    killed: list[tuple[str, str]] = field(default_factory=list)  # point, request
    delivered: dict[str, set[tuple[tuple[str, ...], str]]] = field(default_factory=lambda: defaultdict(set))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # request -> types, in order
    texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, logs: Iterable[Path]) -> Lines:
        """All that those workers said. A log that is not there is one of a worker killed before it began."""
        lines = cls()
        for log in logs:
            for text in log.read_text().splitlines() if log.exists() else ():
                said = json.loads(text)
                if "passed" in said:
                    lines.passed.add(said["passed"])
                elif "killed" in said:
                    lines.killed.append((said["killed"], said["request"]))
                elif "delivered" in said:
                    lines.delivered[said["delivered"]].add((tuple(said["raws"]), said["pixels"]))
                elif "error" in said:
                    lines.errors[said["error"]].append(said["type"])
                    lines.texts[said["error"]] = said["text"]
        return lines


class Books:
    """The ledger and the store of a round beside the vendors' own books."""

    def __init__(self, options: dict[str, Any], market: Market, requests: list[Request]) -> None:
        self._options, self._market, self._requests = options, market, requests
        self.delivered: set[str] = set()
        self.unknown: set[str] = set()
        self.lost: set[str] = set()  # told as charged, by the vendor's balance, and without an image
        self.mistaken = 0  # of those, how many the vendor had not charged

    def covered(self) -> list[str]:
        """At any moment: what vendors took is spent or held in the ledger."""
        taken = self._market.taken()  # before the ledger is read: what is taken later may be written down later
        with self._router() as router:
            booked = self._booked(self._attempts(router))
        return [
            f"vendors took {in_words({unit: micros})}, and the ledger shows {in_words({unit: booked[unit]})}"
            for unit, micros in taken.items()
            if booked[unit] < micros
        ]

    def quiet(self, last: Lines) -> bool:
        """After a quiet run: whether every request is delivered, unknown, or told as charged and lost."""
        self.delivered = set(last.delivered)
        self.unknown = {request for request, errors in last.errors.items() if errors[-1] == "OutcomeUnknown"}
        with self._router() as router:
            told = {request_in(row.prompt) for row in self._attempts(router) if _told_lost(row)}
        self.lost = told & {request for request, errors in last.errors.items() if errors[-1] == "ChargedWithoutImage"}
        return all(request.id in self.delivered | self.unknown | self.lost for request in self._requests)

    def judge(self, lines: Lines) -> list[str]:
        """What is wrong at the end of a round, in words."""
        with self._router() as router:
            attempts = self._attempts(router)
            wrong = [*self._missing_files(router, attempts)]
            if (integrity := router._open().ledger.check()) != "ok":
                wrong.append(f"the ledger's own check says: {integrity}")
        return [
            *wrong,
            *self.covered(),
            *self._outcomes(lines),
            *self._charges(),
            *self._booked_one_by_one(attempts),
            *self._left_over(attempts),
            *(
                f"{request} was delivered as {len(found)} different images"
                for request, found in lines.delivered.items()
                if len(found) > 1
            ),
        ]

    # --- the parts ---

    def _router(self) -> PixelRouter:
        return PixelRouter(**self._options)

    def _attempts(self, router: PixelRouter) -> list[Attempt]:
        mine = {request.id for request in self._requests}
        return [attempt for attempt in router.attempts() if request_in(attempt.prompt) in mine]

    def _booked(self, attempts: list[Attempt]) -> Counter[str]:
        booked: Counter[str] = Counter()
        for attempt in attempts:
            booked[attempt.cost.money.unit] += attempt.cost.money.micros
        return booked

    def _missing_files(self, router: PixelRouter, attempts: list[Attempt]) -> Iterable[str]:
        store = router._open().store
        for attempt in attempts:
            if attempt.state != "settled":
                continue
            if not attempt.raws and not _told_lost(attempt):
                yield f"{attempt.prompt}: settled without an image ({attempt.error})"
            for raw in attempt.raws:
                try:
                    store.get(raw)  # checks the hash
                except StoreError as error:
                    yield f"{attempt.prompt}: {error}"

    def _outcomes(self, lines: Lines) -> Iterable[str]:
        for request in self._requests:
            if request.id in self.delivered | self.lost:
                continue
            why = f"{lines.errors[request.id][-1:]} {lines.texts.get(request.id, '')}"
            if request.id not in self.unknown:
                yield f"{request.id} is neither delivered nor unknown after all quiet runs: {why}"
            elif KINDS[request.kind].certain:
                yield f"{request.id} is unknown, and this vendor can always tell: {why}"

    def _charges(self) -> Iterable[str]:
        charges = self._market.charges()
        mine = {request.id: KINDS[request.kind] for request in self._requests}
        for (request, step), count in charges.items():
            if request not in mine:
                yield f"somebody was charged for what nobody asked for: {step}"
            elif count > 1:
                yield f"{request} was charged {count} times for one step ({step})"
        steps = Counter(request for request, _ in charges)
        for request, count in steps.items():
            if request in mine and count > mine[request].steps:
                yield f"{request} was charged for {count} steps and takes {mine[request].steps}"
        for request in self.delivered:
            if steps[request] != mine[request].steps:
                yield f"{request} was delivered, and {steps[request]} of {mine[request].steps} steps were charged"

    def _booked_one_by_one(self, attempts: list[Attempt]) -> Iterable[str]:
        """No request has more charges than attempts that the ledger counts; and how many counted ones were free."""
        charged = Counter(request for request, _ in self._market.charges().elements())
        counted = Counter(request_in(row.prompt) for row in attempts if row.state != "released")
        for request, count in charged.items():
            if count > counted[request]:
                yield f"{request} was charged {count} times, and {counted[request]} attempts are spent or held"
        spent = Counter(request_in(row.prompt) for row in attempts if row.state == "settled")
        self.mistaken = sum(max(0, count - charged[request]) for request, count in spent.items())
        if sum(max(0, spent[request] - charged[request]) for request in spent.keys() - self.lost):
            yield "something is booked as spent that no vendor charged and no balance told"

    def _left_over(self, attempts: list[Attempt]) -> Iterable[str]:
        for attempt in attempts:
            if attempt.state in ("reserved", "sending", "accepted"):
                yield f"{attempt.prompt}: still {attempt.state} after the quiet runs"
            elif attempt.state == "unknown" and request_in(attempt.prompt) not in self.unknown:
                yield f"{attempt.prompt}: an attempt is unknown, and the request was delivered"


def _told_lost(attempt: Attempt) -> bool:
    """Whether the ledger says with its reasons that the vendor was paid and the image did not come."""
    return attempt.state == "settled" and not attempt.raws and attempt.evidence.get("outcome") == "charged"
