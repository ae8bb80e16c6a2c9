"""The frozen values that go in and out of pixelrouter, and nothing that acts on them."""

from pixelrouter.types.art import Attempt, PixelArt, State
from pixelrouter.types.capability import Capabilities, Licence, ModelInfo
from pixelrouter.types.evidence import Billing, Evidence
from pixelrouter.types.http import HttpRequest, HttpResponse
from pixelrouter.types.job import Delivery, Inline, Progress, Remote, Ticket
from pixelrouter.types.layout import Layout
from pixelrouter.types.money import FREE, MICROS, Cost, CostSource, Money, Quote, Unit
from pixelrouter.types.report import Grid, Report
from pixelrouter.types.request import (
    MAX_SIDE,
    ON_AN_IMAGE,
    VIEW_NAMES,
    GenerationRequest,
    Mark,
    Task,
    Tiles,
    Views,
    parse_size,
    plain_text,
)

__all__ = [
    "FREE",
    "MAX_SIDE",
    "MICROS",
    "ON_AN_IMAGE",
    "VIEW_NAMES",
    "Attempt",
    "Billing",
    "Capabilities",
    "Cost",
    "CostSource",
    "Delivery",
    "Evidence",
    "GenerationRequest",
    "Grid",
    "HttpRequest",
    "HttpResponse",
    "Inline",
    "Layout",
    "Licence",
    "Mark",
    "ModelInfo",
    "Money",
    "PixelArt",
    "Progress",
    "Quote",
    "Remote",
    "Report",
    "State",
    "Task",
    "Ticket",
    "Tiles",
    "Unit",
    "Views",
    "parse_size",
    "plain_text",
]
