"""Verifying a build: whether the files on disk are what manifest and lock say, and fit for a game."""

from pixelrouter.assets.verification.report import RULES, Issue, Rule, VerifyReport
from pixelrouter.assets.verification.verifying import verify

__all__ = ["RULES", "Issue", "Rule", "VerifyReport", "verify"]
