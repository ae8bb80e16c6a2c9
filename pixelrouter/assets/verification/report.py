"""What verifying says: the rules by name, what breaks them and where, and whether that fails a build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from pixelrouter.errors import InvalidRequest

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it asks for, and how bad it is where it is broken."""

    name: str
    severity: Severity
    meaning: str


_ROWS: tuple[tuple[str, Severity, str], ...] = (
    # manifest and lock
    ("unbuilt", "error", "Every asset of the manifest is in the lock."),
    ("wish", "error", "What was bought is what the manifest asks for."),
    ("stale", "error", "Files were finished and exported as the manifest says."),
    ("removed", "warning", "Every asset of the lock is in the manifest."),
    ("unpicked", "warning", "Where there are several candidates, a person picked one."),
    ("licence", "error", "Where commercial use is wanted, the licence allows it."),
    ("confidence", "warning", "The picture lay on a pixel grid when it came."),
    ("vendor", "warning", "Neither vendor nor post-processor had anything to warn of."),
    # files
    ("missing", "error", "Every file of the lock is there."),
    ("changed", "error", "Every file has the bytes, or the pixels, that the lock knows."),
    ("unreadable", "error", "Every file can be read as what its ending says."),
    ("indexed", "error", "A picture is an indexed PNG."),
    ("export", "error", "What an export refers to is there, and fits it."),
    ("unknown-file", "warning", "The out folder holds nothing that the lock does not know."),
    # pictures
    ("size", "error", "A picture, or each cell of a sheet, has exactly the size asked for."),
    ("frames", "error", "A sheet has as many frames, views or tiles as asked for."),
    ("palette", "error", "Only colours of the palette are used."),
    ("colors", "error", "No more colours are used than asked for."),
    ("alpha", "error", "Alpha is 0 or 255."),
    ("hidden", "error", "Clear pixels are black: no colour hides under alpha 0."),
    ("background", "error", "The background is transparent, or opaque, as asked for."),
    ("blank", "error", "No frame is empty."),
    ("identical", "warning", "No two neighbouring frames are the same."),
    ("stray", "warning", "Hardly a pixel stands alone, unlike all around it."),
    ("seam", "error", "A tile repeats without a seam."),
    ("joints", "error", "The sixteen corner tiles fit side by side."),
    ("jitter", "error", "The feet of an animation stay on one line."),
    ("height", "warning", "The figure of an animation keeps its height."),
    ("drift", "warning", "The figure of an animation stays in the middle of its cell."),
)
#: Every rule by its name, in the order in which they are told.
RULES = {name: Rule(name, severity, meaning) for name, severity, meaning in _ROWS}


@dataclass(frozen=True, slots=True)
class Issue:
    """One broken rule: what is wrong, with which asset, in which file, and what to do about it.

    ``file`` is relative to the manifest's folder, with "/"; ``line`` is 0 where there is none to name.
    """

    rule: str
    message: str
    advice: str
    asset: str = ""
    file: str = ""
    line: int = 0
    severity: Severity = "error"


def issue(rule: str, message: str, advice: str, **place: Any) -> Issue:
    """An issue with its rule's own severity, unless another is given."""
    return Issue(rule, message, advice, **{"severity": RULES[rule].severity, **place})


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was verified, and what is wrong. ``adopted``: files that a person changed, as the lock knows them.

    With ``strict`` warnings fail as errors do.
    """

    manifest: str
    assets: tuple[str, ...]
    files: int
    issues: tuple[Issue, ...] = ()
    adopted: tuple[str, ...] = ()
    strict: bool = False

    @property
    def errors(self) -> tuple[Issue, ...]:
        """What is wrong for certain."""
        return tuple(one for one in self.issues if one.severity == "error")

    @property
    def warnings(self) -> tuple[Issue, ...]:
        """What a person should look at."""
        return tuple(one for one in self.issues if one.severity == "warning")

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong; with ``strict`` nothing to warn of either."""
        return not (self.issues if self.strict else self.errors)

    def failing(self, one: Issue) -> bool:
        """Whether an issue alone makes the report fail."""
        return self.strict or one.severity == "error"

    def as_dict(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        return {
            "passed": self.passed,
            "strict": self.strict,
            "manifest": self.manifest,
            "assets": list(self.assets),
            "files": self.files,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "issues": [asdict(one) for one in self.issues],
            "adopted": list(self.adopted),
        }


def ordered(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Errors first, then by asset, file, rule; the same on every machine."""
    place = {name: at for at, name in enumerate(RULES)}
    return tuple(
        sorted(issues, key=lambda one: (one.severity != "error", one.asset, one.file, place[one.rule], one.message))
    )


def without(issues: Iterable[Issue], ignore: Sequence[str]) -> list[Issue]:
    """The issues that no word of ``ignore`` means: ``RULE``, or ``RULE:PATTERN`` for assets or files of that name.

    Raises InvalidRequest for a rule that there is not.
    """
    pairs = [(rule, pattern or "*") for rule, _, pattern in (word.partition(":") for word in ignore)]
    for rule, _ in pairs:
        if rule not in RULES:
            raise InvalidRequest(f"There is no rule {rule!r} to ignore.", hint=f"The rules are: {', '.join(RULES)}.")
    return [one for one in issues if not any(rule == one.rule and _meant(one, pattern) for rule, pattern in pairs)]


def _meant(one: Issue, pattern: str) -> bool:
    return fnmatchcase(one.asset, pattern) or fnmatchcase(one.file, pattern)


def softened(one: Issue) -> Issue:
    """The same as a warning: of a file that a person has changed on purpose, taste is theirs."""
    return replace(one, severity="warning")
