"""A report in the words of others: JUnit XML, which every CI shows, and GitHub's workflow commands.

Sources: the JUnit schema as written down by testmoapp/junitxml (read 22 November 2026); GitHub, "Workflow commands for
GitHub Actions" (``::error file=…,line=…,title=…::message``; % CR LF are escaped, in properties : and , as well).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import escape, quoteattr

from pixelrouter.assets.verification.report import Issue, VerifyReport


def junit(report: VerifyReport) -> str:
    """One test case an asset; what fails is a failure, a warning that does not is told in its output."""
    cases = sorted({*report.assets, *(one.asset for one in report.issues)})
    lines = []
    failed = 0
    for name in cases:
        mine = [one for one in report.issues if one.asset == name]
        wrong = [one for one in mine if report.failing(one)]
        failed += bool(wrong)
        lines.append(f'  <testcase classname="pixelrouter.verify" name={quoteattr(name or "the build")}>')
        if wrong:
            title = quoteattr(f"{', '.join(dict.fromkeys(one.rule for one in wrong))}")
            lines.append(f"    <failure message={title}>{_xml(_lines(wrong))}</failure>")
        if told := [one for one in mine if not report.failing(one)]:
            lines.append(f"    <system-out>{_xml(_lines(told))}</system-out>")
        lines.append("  </testcase>")
    head = f'<testsuite name="pixelrouter verify" tests="{len(cases)}" failures="{failed}" errors="0" skipped="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *lines, "</testsuite>", ""])


def _lines(issues: Iterable[Issue]) -> str:
    return "\n".join(f"{sentence(one)} {one.advice}" for one in issues)


def sentence(one: Issue) -> str:
    """An issue in one line: place, rule and message."""
    place = f"{one.file}:{one.line}" if one.file and one.line else one.file or one.asset
    return f"{place}: {one.rule}: {one.message}" if place else f"{one.rule}: {one.message}"


def _xml(text: str) -> str:
    """Text for XML 1.0, which has no control characters."""
    return escape("".join(char for char in text if char in "\n\t" or ord(char) >= 32))


def github(report: VerifyReport, root: Path, folder: Path) -> list[str]:
    """A workflow command for each issue. ``root`` is what GitHub's paths start from, ``folder`` the manifest's."""
    return [_annotation(one, report, root, folder) for one in report.issues]


def _annotation(one: Issue, report: VerifyReport, root: Path, folder: Path) -> str:
    kind = "error" if report.failing(one) else "warning"
    place = folder / (one.file or Path(report.manifest).name)
    try:
        path = PurePosixPath(place.resolve().relative_to(root.resolve()))
    except ValueError:
        path = PurePosixPath(place)
    title = f"{one.asset}: {one.rule}" if one.asset else one.rule
    parts = {"file": str(path), **({"line": str(one.line)} if one.line else {}), "title": title}
    properties = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in parts.items())
    return f"::{kind} {properties}::{_escaped(f'{one.message} {one.advice}')}"


def _escaped(text: str, more: str = "") -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{more}" else char for char in text)
