"""The annotated picture: what a check found, drawn over an enlarged copy, beside the scores of the rules."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

from pixelrouter.pixels.check.report import Box, CheckReport, Finding
from pixelrouter.pixels.decode import Source, decode

# Colours that the eye keeps apart, also where it sees few: Okabe and Ito, "Color Universal Design" (2008), then others.
COLORS = {
    "pixel-size": (213, 94, 0),
    "grid": (0, 114, 178),
    "colors": (204, 121, 167),
    "alpha": (86, 180, 233),
    "hidden": (120, 120, 120),
    "duplicates": (240, 228, 66),
    "orphans": (230, 30, 60),
    "noise": (0, 158, 115),
    "jaggies": (230, 159, 0),
    "banding": (140, 90, 220),
    "size": (20, 20, 20),
    "seam": (0, 90, 60),
    "jitter": (150, 0, 90),
}
_SIDE = 768  # pixels that the longer side of the copy has at most, unless the image itself has more
_LARGEST = 2048  # larger images are shown smaller
_COLUMN = 380  # pixels, the width of the legend
_PAD = 16
_TEXT, _FAINT, _PAPER = (34, 34, 34), (110, 110, 110), (250, 250, 248)
_CHECKERS = ((225, 225, 225), (200, 200, 200))  # what clear pixels look like


def annotate(image: Source, report: CheckReport) -> Image.Image:
    """An RGB picture: the image enlarged without smoothing, a box round each place that was found, and a legend.

    Of a moving picture it is the frame with the worst finding. ``report`` is the image's own.
    """
    frame = report.findings[0].frame if report.findings else 0
    findings = [finding for finding in report.findings if finding.frame == frame]
    copy, scale = _copy(decode(image).frames[frame])
    if scale >= 1:
        copy = _boxed(copy, findings, scale)
    else:
        copy = _boxed(copy, [_shrunk(finding, scale) for finding in findings], 1)
    lines = _legend(report, findings)
    height = max(copy.height, _height(lines)) + 2 * _PAD
    page = Image.new("RGB", (copy.width + _COLUMN + 3 * _PAD, height), _PAPER)
    page.paste(copy, (_PAD, _PAD))
    _write(page, lines, copy.width + 2 * _PAD)
    return page


def _copy(frame: Image.Image) -> tuple[Image.Image, float]:
    """The frame over checkers, RGB, and how many times larger it is."""
    longer = max(frame.size)
    scale: float = max(1, _SIDE // longer) if longer <= _LARGEST else _LARGEST / longer
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    ground = Image.new("RGB", size, _CHECKERS[0])
    pen = ImageDraw.Draw(ground)
    for y in range(0, size[1], 16):
        for x in range(y // 16 % 2 * 16, size[0], 32):
            pen.rectangle((x, y, x + 15, y + 15), fill=_CHECKERS[1])
    big = frame.resize(size, Image.Resampling.NEAREST)
    ground.paste(big, mask=big.getchannel("A"))
    return ground, scale


def _shrunk(finding: Finding, scale: float) -> Finding:
    boxes = tuple(tuple(int(side * scale) for side in box) for box in finding.boxes)
    return Finding(finding.rule, finding.what, finding.severity, finding.advice, boxes, finding.count)  # type: ignore[arg-type]  # four sides in, four out


def _boxed(copy: Image.Image, findings: Iterable[Finding], scale: float) -> Image.Image:
    """The copy with the boxes of the findings, the worst on top."""
    tint = Image.new("RGBA", copy.size)
    pen = ImageDraw.Draw(tint)
    for finding in sorted(findings, key=lambda each: each.severity):
        color = COLORS.get(finding.rule, _TEXT)
        for box in finding.boxes:
            left, top, right, bottom = _placed(box, scale)
            pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=(255, 255, 255, 200))
            pen.rectangle((left, top, right, bottom), outline=(*color, 255), fill=(*color, 40))
            if right - left >= 8 and bottom - top >= 8:
                pen.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline=(*color, 255))
    return Image.alpha_composite(copy.convert("RGBA"), tint).convert("RGB")


def _placed(box: Box, scale: float) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(side * scale) for side in box)
    return (left, top, max(left, right - 1), max(top, bottom - 1))


# One line of the legend: kind, text, score or None, colour.
_Line = tuple[str, str, float | None, tuple[int, int, int]]
_STEPS = {"title": 34, "rule": 22, "text": 17, "gap": 10}


def _legend(report: CheckReport, findings: list[Finding]) -> list[_Line]:
    word = "passed" if report.passed else "failed"
    across, down = report.pixel_size
    lines: list[_Line] = [
        ("title", f"{report.score:g} of 100: {word} (needs {report.threshold:g})", None, _TEXT),
        ("text", f"{report.cells[0]}x{report.cells[1]} pixels of {across:g}x{down:g}", None, _FAINT),
        ("text", f"{report.colors} colours", None, _FAINT),
        ("gap", "", None, _TEXT),
    ]
    lines += [("rule", rule.title, rule.score, COLORS.get(rule.name, _TEXT)) for rule in report.rules]
    for finding in findings:
        lines.append(("gap", "", None, _TEXT))
        color = COLORS.get(finding.rule, _TEXT)
        first, *rest = textwrap.wrap(finding.what, 52)
        lines.append(("text", first, None, color))
        lines += [("text", part, None, _TEXT) for part in rest]
        lines += [("text", part, None, _FAINT) for part in textwrap.wrap(finding.advice, 52)]
    return lines


def _height(lines: list[_Line]) -> int:
    return sum(_STEPS[kind] for kind, *_ in lines)


def _write(page: Image.Image, lines: list[_Line], left: int) -> None:
    pen = ImageDraw.Draw(page)
    fonts = {
        "title": ImageFont.load_default(20),
        "rule": ImageFont.load_default(14),
        "text": ImageFont.load_default(13),
    }
    y = _PAD
    for kind, text, score, color in lines:
        if kind == "rule" and score is not None:
            pen.rectangle((left, y + 3, left + 12, y + 15), fill=color)
            pen.text((left + 20, y), text, font=fonts["rule"], fill=_TEXT)
            bar = (left + 220, y + 4, left + 320, y + 14)
            pen.rectangle(bar, fill=(228, 228, 226))
            if score >= 1:
                pen.rectangle((bar[0], bar[1], bar[0] + int(score), bar[3]), fill=_mark(score))
            pen.text((left + 330, y), f"{score:.0f}", font=fonts["rule"], fill=_TEXT)
        elif kind == "title":
            pen.text((left, y), text, font=fonts["title"], fill=color)
        elif text:
            swatch = color not in (_TEXT, _FAINT)
            if swatch:
                pen.rectangle((left, y + 3, left + 9, y + 12), fill=color)
            pen.text((left + 16, y), text, font=fonts["text"], fill=_TEXT if swatch else color)
        y += _STEPS[kind]


def _mark(score: float) -> tuple[int, int, int]:
    return (60, 150, 90) if score >= 80 else (222, 160, 30) if score >= 50 else (205, 60, 50)
