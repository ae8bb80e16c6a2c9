"""A delivery's files, brought home: by fresh addresses where theirs have expired; and the rest where some are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pixelrouter.backends.protocol import Call, RemoteBackend
from pixelrouter.errors import PixelRouterError, ResultExpired
from pixelrouter.routing.ask import Ask
from pixelrouter.routing.collecting.free import free_call, keeping, read, still_running
from pixelrouter.routing.effects import Steps
from pixelrouter.routing.recovering.lost import forgotten, kept_no_more
from pixelrouter.types import Attempt, Delivery, HttpResponse, Inline, Ticket
from pixelrouter.wire.retry import RetryBudget

T = TypeVar("T")


@dataclass(frozen=True)
class Came:
    """What came of a delivery: the files, their names where they have some, and why others did not come."""

    files: tuple[bytes, ...]
    names: tuple[str, ...] = ()
    lost: ResultExpired | None = None

    @classmethod
    def of(cls, delivery: Delivery, files: dict[int, bytes], lost: ResultExpired | None) -> Came:
        """``files`` by their place in the delivery."""
        places = sorted(files)
        names = [delivery.names[place] for place in places if place < len(delivery.names)]
        return cls(tuple(files[place] for place in places), tuple(names), lost)


class Download:
    """One delivery's way home. ``budget`` is the retry budget of the backend's free calls."""

    def __init__(
        self, ask: Ask, backend: RemoteBackend, attempt: Attempt, ticket: Ticket | None, budget: RetryBudget
    ) -> None:
        self._ask, self._backend, self._attempt, self._ticket = ask, backend, attempt, ticket
        self._budget = budget

    def bring(self, delivery: Delivery, *, renewable: bool) -> Steps[Came]:
        """The files. Raises StillRunning where they may still come."""
        files: dict[int, bytes] = {}
        lost = yield from self._fetch(delivery, files)
        missing = lost is not None or not delivery.items
        call = self._backend.renew(self._ticket) if missing and renewable and self._ticket else None
        if call is None:
            return Came.of(delivery, files, lost)
        # The addresses have expired, or are told no more, not the images: ask for new addresses, once.
        renewed = yield from self._renew(call, delivery)
        if isinstance(renewed, ResultExpired):
            return Came.of(delivery, files, renewed)
        if len(renewed.items) == len(delivery.items):
            lost = yield from self._fetch(renewed, files)
            return Came.of(delivery, files, lost)
        others: dict[int, bytes] = {}  # which of the files these are is not said
        yield from self._fetch(renewed, others)
        every = tuple(dict.fromkeys([*Came.of(delivery, files, None).files, *Came.of(renewed, others, None).files]))
        return Came(every, lost=lost if len(every) < len(delivery.items) else None)

    def _renew(self, call: Call[Delivery], delivery: Delivery) -> Steps[Delivery | ResultExpired]:
        """The delivery by its new addresses, or why there are none; unchanged where it never had a file."""
        response: HttpResponse | None = None
        try:
            response = yield free_call(self._ask, self._backend, call, self._budget, "renew download addresses")
            return read(self._backend, call, response)
        except ResultExpired as error:
            old = response is not None and kept_no_more(self._attempt, self._backend, response)
            return error if old or delivery.items else delivery
        except PixelRouterError as error:
            if response is not None and forgotten(self._attempt, self._backend, call, response):
                return ResultExpired(error.message)
            raise still_running(self._attempt, self._ticket, str(error)) from error

    def _fetch(self, delivery: Delivery, files: dict[int, bytes]) -> Steps[ResultExpired | None]:
        """Put the files that are not there yet into ``files``, by place; why one is gone, if one is."""
        lost: ResultExpired | None = None
        calls = iter(self._calls(delivery))
        for place, item in enumerate(delivery.items):
            if isinstance(item, Inline):
                files[place] = item.data
                continue
            with keeping(self._attempt, self._ticket):
                call = next(calls)
                if place in files:
                    continue
                self._ask.tell("download", self._backend.name, (place + 1) / len(delivery.items))
                free = free_call(self._ask, self._backend, call, self._budget, "download the image", download=True)
                response = yield free
                try:
                    files[place] = read(self._backend, call, response)
                except ResultExpired as error:
                    lost = error
        return lost

    def _calls(self, delivery: Delivery) -> Sequence[Call[bytes]]:
        with keeping(self._attempt, self._ticket):
            return self._backend.fetch(delivery)
