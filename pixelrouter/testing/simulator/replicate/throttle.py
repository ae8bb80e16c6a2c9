"""The vendor's rate limit: a bucket that fills steadily and holds a burst."""

from __future__ import annotations

import math

from pixelrouter.testing.simulator.replicate import problems


class Bucket:
    """``per_minute`` requests on the average, and as many at once. Not thread safe by itself."""

    def __init__(self, per_minute: int) -> None:
        self._size, self._rate = per_minute, per_minute / 60
        self._left, self._at = float(per_minute), 0.0

    def take(self, now: float, *, refuse: bool) -> dict[str, str]:
        """Count one request; returns the headers that say what is left. Raises Refused (429) where nothing is.

        ``refuse`` False only counts.
        """
        self._left = min(self._size, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1 and refuse:
            raise problems.throttled((1 - self._left) / self._rate)
        self._left = max(0.0, self._left - 1)
        reset = math.ceil((self._size - self._left) / self._rate)
        return {"ratelimit-remaining": str(int(self._left)), "ratelimit-reset": str(reset)}
