"""The picture that explains one finished image: the same as the page, for where pages cannot be shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from pixelrouter.pixels.explain.explain import CLOSE, FULL_HEAT, Explanation, Swatch, enlargement, verdict
from pixelrouter.pixels.grid import THRESHOLD
from pixelrouter.pixels.grid.lattice import Doubles

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_PANEL = 560  # screen pixels of a picture's side
_EDGE, _GAP = 24, 20
_INK, _SOFT, _GROUND, _BAD = "#1d2330", "#5d6678", "#f6f7f9", "#b3261e"
_CUT, _EVEN, _BAR, _TRACK = "#e0119d", "#0a8f9c", "#3557d6", "#d9dde5"
_CHECK = (255, 222)  # greys of the board under transparent pixels
_CELL = 24  # screen pixels of a cell in the detail
_SWATCH = (64, 26)  # a colour and its name below


class _Sheet:
    """A drawing that grows downwards."""

    def __init__(self, width: int) -> None:
        self.image = Image.new("RGB", (width, 400), _GROUND)
        self.pen = ImageDraw.Draw(self.image)
        self.y = _EDGE

    def room(self, height: int) -> None:
        """Makes sure that ``height`` more pixels can be drawn."""
        if self.y + height + _EDGE > self.image.height:
            taller = Image.new("RGB", (self.image.width, self.y + height + _EDGE), _GROUND)
            taller.paste(self.image)
            self.image, self.pen = taller, ImageDraw.Draw(taller)

    def text(self, words: str, *, size: int = 15, color: str = _INK, x: int = _EDGE) -> None:
        """One paragraph, wrapped at the right edge."""
        font = ImageFont.load_default(size)
        for line in _wrapped(words, font, self.image.width - x - _EDGE):
            self.room(size + 6)
            self.pen.text((x, self.y), line, fill=color, font=font)
            self.y += size + 6

    def row(self, pictures: Sequence[tuple[str, Image.Image]]) -> None:
        """Pictures side by side, each under its caption."""
        height = max(picture.height for _, picture in pictures)
        self.room(height + 44)
        x = _EDGE
        for caption, picture in pictures:
            self.pen.text((x, self.y), caption, fill=_SOFT, font=ImageFont.load_default(14))
            self.image.paste(picture, (x, self.y + 22))
            x += max(picture.width, _PANEL) + _GAP
        self.y += height + 44

    def swatches(self, swatches: Sequence[Swatch]) -> None:
        """Colours with their names and counts."""
        font = ImageFont.load_default(11)
        width, height = _SWATCH
        across = max(1, (self.image.width - 2 * _EDGE) // (width + 8))
        for start in range(0, len(swatches), across):
            self.room(height + 40)
            for number, swatch in enumerate(swatches[start : start + across]):
                x = _EDGE + number * (width + 8)
                self.pen.rectangle((x, self.y, x + width, self.y + height), fill=swatch.color, outline=_TRACK)
                self.pen.text((x, self.y + height + 2), swatch.color, fill=_INK, font=font)
                self.pen.text((x, self.y + height + 14), f"{swatch.count:,}", fill=_SOFT, font=font)
            self.y += height + 36
        self.y += 6

    def meter(self, value: float) -> None:
        """A bar from 0 to 1 with the threshold."""
        self.room(44)
        width = _PANEL
        self.pen.rectangle((_EDGE, self.y + 4, _EDGE + width, self.y + 16), fill=_TRACK)
        self.pen.rectangle((_EDGE, self.y + 4, _EDGE + round(width * value), self.y + 16), fill=_BAR)
        at = _EDGE + round(width * THRESHOLD)
        self.pen.line((at, self.y, at, self.y + 20), fill=_INK, width=2)
        self.pen.text((at + 4, self.y + 20), f"threshold {THRESHOLD}", fill=_SOFT, font=ImageFont.load_default(12))
        self.y += 44

    def done(self) -> Image.Image:
        """The drawing, cut to its length."""
        return self.image.crop((0, 0, self.image.width, self.y + _EDGE))


def draw(story: Explanation, title: str) -> Image.Image:
    """The picture about one image, RGB."""
    report = story.finished.report
    left, right = _source(story), _result(story)
    sheet = _Sheet(2 * _EDGE + max(_PANEL, left.width) + _GAP + max(_PANEL, right.width))
    sheet.text(title, size=22)
    colors = f"{report.colors_before:,} to {report.colors_after:,} colours"
    sheet.text(f"{_by(report.source_size)} to {_by(report.size)}, {colors}, {report.method}", color=_SOFT)
    for warning in report.warnings:
        sheet.text(f"Warning: {warning}", color=_BAD)
    sheet.y += 8
    named = "Input with the grid that was found" if story.believed else "Input with a guess, not believed"
    factor = enlargement(report.size, _PANEL)
    sheet.row([(named if story.gridded else "Input", left), (f"Result, enlarged {factor} times", right)])
    heat = _on_board(story.heat).resize(left.size, Image.Resampling.NEAREST)
    pictures = [(f"Difference, laid back over it: black none, yellow {FULL_HEAT} OKLab or more", heat)]
    if story.gridded:
        pictures.append(("Middle of the input: cut lines pink, an even grid blue", _detail(story)))
    sheet.row(pictures)
    if max(report.size) <= _PANEL:
        sheet.row([("Result at 1x", _on_board(story.finished.image))])
    _facts(sheet, story)
    return sheet.done()


def _facts(sheet: _Sheet, story: Explanation) -> None:
    """Everything that is words, numbers and colours."""
    report = story.finished.report
    if report.method not in ("native", "convert"):
        sheet.text(f"Confidence {report.confidence:.2f}", size=18)
        sheet.meter(report.confidence)
    sheet.text(verdict(report.confidence, report.method))
    for axis in story.axes if story.gridded else ():
        cells = len(axis.cuts) - 1
        numbers = f"period {axis.period:.3f}, phase {axis.phase:.3f}, {cells} cells, drift {axis.drift:.2f}"
        sheet.text(f"{axis.name}: {numbers} source pixels")
    sheet.y += 10
    for name, text in story.changes:
        sheet.text(f"{name}: {text}")
    sheet.y += 10
    shown = len(story.before)
    total = (
        f"{report.colors_before:,}; the {shown} most frequent shades"
        if report.colors_before > shown
        else f"all {shown}"
    )
    sheet.text(f"Colours before: {total}", size=18)
    sheet.swatches(story.before)
    sheet.text(f"Palette after: {len(story.after)}", size=18)
    sheet.swatches(story.after)


def _source(story: Explanation) -> Image.Image:
    """The input with its grid, enlarged or shrunk by a whole factor."""
    view = _on_board(Image.fromarray(story.view))
    shrink = max(1, round(max(view.size) / (2 * _PANEL)))
    factor = max(1, round(_PANEL / max(view.size)))
    picture = view.reduce(shrink).resize((view.width // shrink * factor, view.height // shrink * factor), 0)
    scale = factor / story.thinning / shrink
    if story.gridded and min(story.lattice.grid.period) * scale >= CLOSE:
        _draw_lines(picture, story.axes[0].cuts * scale, story.axes[1].cuts * scale, _CUT)
    return picture


def _result(story: Explanation) -> Image.Image:
    """The result, enlarged by a whole factor; one that is larger than its panel is shrunk."""
    picture = _on_board(story.finished.image, enlargement(story.finished.report.size, _PANEL))
    return picture.reduce(max(1, round(max(picture.size) / (2 * _PANEL))))


def _detail(story: Explanation) -> Image.Image:
    """The middle of the input, so large that cells are seen one by one, with both grids."""
    scale = max(1, round(_CELL / min(story.lattice.grid.period)))
    width, height = (min(length, _PANEL // scale) for length in story.source.size)
    x, y = (story.source.width - width) // 2, (story.source.height - height) // 2
    picture = _on_board(story.source.crop((x, y, x + width, y + height)), scale)
    across, down = story.axes
    _draw_lines(picture, (across.even - x) * scale, (down.even - y) * scale, _EVEN)
    _draw_lines(picture, (across.cuts - x) * scale, (down.cuts - y) * scale, _CUT)
    return picture


def _draw_lines(picture: Image.Image, x: Doubles, y: Doubles, color: str) -> None:
    """Lines through the whole picture."""
    pen = ImageDraw.Draw(picture, "RGBA")
    ink = (*ImageColor.getrgb(color)[:3], 230)
    for at in np.rint(x).tolist():
        pen.line((at, 0, at, picture.height), fill=ink)
    for at in np.rint(y).tolist():
        pen.line((0, at, picture.width, at), fill=ink)


def _on_board(image: Image.Image, factor: int = 1) -> Image.Image:
    """A picture enlarged by a whole factor, RGB, on a chequered board where it is transparent."""
    large = image.convert("RGBA").resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    y, x = np.indices((large.height, large.width)) // 8
    board = Image.fromarray(np.where((x + y) % 2, *_CHECK).astype(np.uint8)).convert("RGB")
    board.paste(large, mask=large)
    return board


def _wrapped(words: str, font: Font, width: int) -> list[str]:
    """Words in lines of at most ``width`` screen pixels."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
