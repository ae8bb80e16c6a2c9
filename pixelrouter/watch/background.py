"""For an observer that takes its time: it is told in a thread of its own, so the router never waits for it."""

from __future__ import annotations

import logging
import queue
import threading

from pixelrouter.errors import redact
from pixelrouter.watch.event import Event
from pixelrouter.watch.observer import Observer

_log = logging.getLogger("pixelrouter")


class Background:
    """Wraps a slow observer. ``size`` events may wait; what comes beyond that is counted in ``dropped`` and forgotten.

    Events keep their order. ``close()`` waits up to ``timeout_s`` until everything was told.
    """

    def __init__(self, observer: Observer, *, size: int = 10_000) -> None:
        self.dropped = 0
        self._observer = observer
        self._waiting: queue.Queue[Event | None] = queue.Queue(size)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def notice(self, event: Event) -> None:
        """Put the event in line."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pixelrouter-observer", daemon=True)
                self._thread.start()
            try:
                self._waiting.put_nowait(event)
            except queue.Full:
                self.dropped += 1

    def _work(self) -> None:
        complained = False
        while (event := self._waiting.get()) is not None:
            try:
                self._observer.notice(event)
            except BaseException as error:  # noqa: BLE001  (nobody waits for this thread: it has to go on)
                if not complained:
                    _log.warning("The observer %s failed: %s", type(self._observer).__name__, redact(repr(error)))
                complained = True

    def close(self, timeout_s: float = 5.0) -> bool:
        """Wait until all was told; False where the time was over first. What comes afterwards starts it again."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return True
        try:
            self._waiting.put(None, timeout=timeout_s)
        except queue.Full:
            return False
        thread.join(timeout_s)
        return not thread.is_alive()
