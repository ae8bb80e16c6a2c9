"""What a check says: a score for every rule, the findings behind it, and the score of the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

PASS = 80.0  # the least score of what passes, unless the caller says another
MOST_BOXES = 200  # a finding names so many places at most; ``count`` has them all

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the image; right and bottom are outside


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the ``rule`` it breaks, ``what`` it is, how bad (``severity`` 0..1), what to do about it
    (``advice``), and where: ``boxes`` in pixels of the image, ``count`` places in all, in frame number ``frame``.
    """

    rule: str
    what: str
    severity: float
    advice: str
    boxes: tuple[Box, ...] = ()
    count: int = 0
    frame: int = 0


@dataclass(frozen=True)
class Rule:
    """A rule's ``score``: 100 is kept everywhere, 0 is broken everywhere; ``weight`` 0..1 is the most it can cost."""

    name: str
    title: str
    score: float
    weight: float
    meaning: str


@dataclass(frozen=True)
class CheckReport:
    """How true an image is to pixel art.

    ``score`` 0..100 is 100 times the product of ``1 - weight * (1 - rule.score / 100)`` over the rules: a broken rule
    of weight 1 leaves nothing, one of weight 0.2 costs a fifth. ``size`` is the image's in pixels, ``cells`` that of
    the art in it, ``pixel_size`` how many image pixels an art pixel has (1.0 at native size), ``colors`` the visible
    colours, ``findings`` what is wrong, what costs most first, ``frames`` how many frames were looked at; each rule has
    the score of its worst frame.
    """

    size: tuple[int, int]
    cells: tuple[int, int]
    pixel_size: tuple[float, float]
    colors: int
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    threshold: float = PASS
    frames: int = 1
    required: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """0..100, to one decimal."""
        return round(100 * prod(1 - rule.weight * (1 - rule.score / 100) for rule in self.rules), 1)

    @property
    def passed(self) -> bool:
        """Whether the score reaches the threshold, and every required rule is kept everywhere."""
        return self.score >= self.threshold and not self.unmet

    @property
    def unmet(self) -> tuple[str, ...]:
        """The required rules that are broken somewhere, however little that costs."""
        told = {finding.rule for finding in self.findings}
        low = {rule.name for rule in self.rules if rule.score < 100}
        return tuple(name for name in self.required if name in told | low)

    def __getitem__(self, name: str) -> Rule:
        """The rule of that name. Raises KeyError."""
        return {rule.name: rule for rule in self.rules}[name]

    def as_dict(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        return {**asdict(self), "score": self.score, "passed": self.passed}


@dataclass(frozen=True)
class Verdict:
    """What one rule says of one frame: its score 0..100, and what it found."""

    score: float
    findings: tuple[Finding, ...] = ()


def broken(
    rule: str, score: float, what: str, advice: str, boxes: Iterable[Box] = (), count: int | None = None
) -> Verdict:
    """A verdict with one finding, as severe as the score is low."""
    places = tuple(boxes)
    score = round(min(100.0, max(0.0, score)), 1)
    total = len(places) if count is None else count
    return Verdict(score, (Finding(rule, what, round(1 - score / 100, 3), advice, places[:MOST_BOXES], total),))


KEPT = Verdict(100.0)
