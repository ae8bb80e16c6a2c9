"""Watching the router: structured events, one small Observer protocol, and the adapters that ship."""

from __future__ import annotations

from pixelrouter.watch.background import Background
from pixelrouter.watch.event import EVENTS, Event
from pixelrouter.watch.logs import JsonLines, Logging
from pixelrouter.watch.observer import SILENT, Observer, Watch

__all__ = ["EVENTS", "SILENT", "Background", "Event", "JsonLines", "Logging", "Observer", "Watch"]
