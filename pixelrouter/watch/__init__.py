"""Watching the router: structured events, one small Observer protocol, and the adapters that ship."""

from __future__ import annotations

from pixelrouter.watch.observer import SILENT, Event, Observer, Watch

__all__ = ["SILENT", "Event", "Observer", "Watch"]
