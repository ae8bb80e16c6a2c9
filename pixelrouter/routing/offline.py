"""What takes the network's place for a router: recorded answers, or a test's stand-in. And the pace there."""

from __future__ import annotations

from typing import Any

from pixelrouter.config import Settings

_REPLAYED_S = 0.001  # enough for another thread to have its turn


def transport(settings: Settings) -> Any:
    """The httpx transport that answers in place of the vendors, for both wires; None: the network itself."""
    if settings.stand_in is not None:
        from pixelrouter.routing.standin.transport import transport as standing_in

        return standing_in()
    if settings.cassette is None:
        return None
    from pixelrouter.wire.recording import Cassette, RecordingTransport

    return RecordingTransport(Cassette(settings.cassette, settings.cassette_mode))


def longest_pause(settings: Settings) -> float:
    """Seconds: a replay waits for nobody, whatever pauses the vendor asked for when it was recorded."""
    replays = settings.stand_in is None and settings.cassette is not None and settings.cassette_mode == "replay"
    return _REPLAYED_S if replays else float("inf")
