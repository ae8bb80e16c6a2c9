"""Checking any image against the rules of true pixel art: a score, what is wrong, where, and what to do about it."""

from pixelrouter.pixels.check.annotate import annotate
from pixelrouter.pixels.check.checking import check
from pixelrouter.pixels.check.report import PASS, CheckReport, Finding, Rule

__all__ = ["PASS", "CheckReport", "Finding", "Rule", "annotate", "check"]
