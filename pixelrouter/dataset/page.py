"""``dataset.html``: the whole set on one page that needs nothing else, no script, no font, no address.

Names and captions are strangers' words, so all text is escaped, and the page forbids itself to load anything
(Content-Security-Policy).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from pathlib import Path

from pixelrouter.dataset.record import Aside, Dataset, Picture
from pixelrouter.reports.text import count, cut, escaped

PAGE = "dataset.html"
_MOST = 2000  # pictures on one page; all of them are in dataset.json
_SIDE = 176  # CSS pixels that a picture on the contact sheet may take
_LONG = 240  # characters of a caption

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #5d6678; --ground: #f6f7f9; --card: #fff; --line: #d9dde5;
  --accent: #3557d6; --bad: #b3261e; --check: #e6e8ee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #9aa3b5; --ground: #14171d; --card: #1c2029;
  --line: #313846; --accent: #8fa8ff; --bad: #ff8a80; --check: #2a303c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; font: 15px/1.45 system-ui, sans-serif; color: var(--ink);
  background: var(--ground); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
p { margin: .2rem 0; } .soft { color: var(--soft); } .bad { color: var(--bad); }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .3rem .7rem; align-items: center;
  max-width: 40rem; font-variant-numeric: tabular-nums; }
.bars i { display: block; height: .8rem; border-radius: 2px; background: var(--accent); min-width: 2px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .8rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem; min-width: 0;
  overflow-wrap: anywhere; font-size: .82rem; }
.card b { font-size: .9rem; }
.stage { display: grid; place-items: center; height: 11.8rem; margin-bottom: .5rem; border-radius: 4px;
  background: repeating-conic-gradient(var(--check) 0 25%, transparent 0 50%) 0 0 / 16px 16px; }
.stage img { image-rendering: pixelated; max-width: 100%; max-height: 100%; object-fit: contain; }
.stage img.copy { image-rendering: auto; }
.colors { height: .7rem; border-radius: 2px; margin: .4rem 0; border: 1px solid var(--line); }
"""


def page(dataset: Dataset, folder: Path) -> str:
    """The page as HTML; pictures are read from the set's folder and shown at 1x, enlarged by the browser."""
    numbers = dataset.summary()
    facts = [count(numbers["pictures"], "picture"), f"{numbers['train']:,} to train on"]
    facts += [f"{numbers['validation']:,} to validate with"] if numbers["validation"] else []
    facts += [f"{len(dataset.aside):,} set aside", f"at most {dataset.most_colors} colours"]
    shown = dataset.pictures[:_MOST]
    more = len(dataset.pictures) - len(shown)
    parts = [
        f'<h1>Training set</h1>\n<p class="soft">{" &middot; ".join(facts)}</p>',
        *(f'<p class="bad">{escaped(text)}</p>' for text in (*dataset.warnings, *_missing(dataset))),
        '<div class="pair">',
        _bars("Buckets", {f"{wide}\N{MULTIPLICATION SIGN}{high}": n for (wide, high), n in _counts(dataset)}),
        _bars("Factors", {f"\N{MULTIPLICATION SIGN}{factor}": n for factor, n in dataset.factor_counts.items()}),
        "</div>",
        '<h2>Pictures</h2>\n<div class="cards">',
        *(_card(one, folder) for one in shown),
        "</div>",
        f"<p>{count(more, 'more picture')}: see dataset.json.</p>" if more else "",
        _asides(dataset, folder),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">\n'
        f"<title>Training set</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _missing(dataset: Dataset) -> list[str]:
    missing = dataset.without_caption
    if not missing:
        return []
    names = ", ".join(Path(one.file).stem for one in missing[:8])
    return [f"No caption was found for {count(len(missing), 'picture')}: {names}{', …' if len(missing) > 8 else ''}"]


def _counts(dataset: Dataset) -> list[tuple[tuple[int, int], int]]:
    return list(dataset.bucket_counts.items())[:40]


def _bars(title: str, counts: Mapping[str, int]) -> str:
    most = max(counts.values(), default=1)
    rows = "".join(
        f'<span>{name}</span><i style="width: {number / most:.1%}"></i><span>{number:,}</span>'
        for name, number in counts.items()
    )
    return f'<section><h2>{title}</h2><div class="bars">{rows}</div></section>' if counts else ""


def _card(one: Picture, folder: Path) -> str:
    part = f" #{one.part}" if one.part else ""
    grid = f"{one.period[0]:g} &times; {one.period[1]:g} px a pixel, confidence {one.confidence:.2f}"
    grid = {"native": "at 1x already", "resample": "resampled, no grid"}.get(one.method, grid)
    size, bucket = (f"{wide}&times;{high}" for wide, high in (one.size, one.bucket))
    caption = escaped(cut(one.caption, _LONG)) or '<span class="bad">no caption</span>'
    lines = [
        f"<b>{escaped(Path(one.file).stem)}</b>{' <em>validation</em>' if one.split == 'validation' else ''}",
        f'<span class="soft">{escaped(one.source)}{part}</span>',
        f"{size} &times;{one.factor} in {bucket}{f', {one.waste:.0%} padding' if one.waste else ''}",
        grid,
        count(one.colors, "colour"),
    ]
    notes = "".join(f'<p class="bad">{escaped(text)}</p>' for text in one.warnings)
    text = "".join(f"<p>{line}</p>" for line in lines)
    return f'<div class="card">{_stage(folder / one.native)}{text}{_swatches(one.palette)}<p>{caption}</p>{notes}</div>'


def _stage(path: Path, kind: str = "") -> str:
    """A picture, enlarged by a whole factor as far as its place allows. ``kind``: "copy" for what is no pixel art."""
    try:
        data = path.read_bytes()
    except OSError:
        return '<div class="stage"></div>'
    wide, high = struct.unpack(">II", data[16:24])  # a PNG file of our own
    factor = max(1, _SIDE // max(wide, high))
    return (
        f'<div class="stage"><img class="{kind}" src="data:image/png;base64,{base64.b64encode(data).decode()}" alt=""'
        f' width="{wide * factor}" height="{high * factor}"></div>'
    )


def _swatches(palette: tuple[str, ...]) -> str:
    """All colours as one strip."""
    if not palette:
        return ""
    step = 100 / len(palette)
    stops = ", ".join(f"{color} {at * step:.2f}% {(at + 1) * step:.2f}%" for at, color in enumerate(palette))
    return f'<div class="colors" style="background: linear-gradient(90deg, {stops})"></div>'


def _asides(dataset: Dataset, folder: Path) -> str:
    if not dataset.aside:
        return ""
    cards = "".join(_aside(one, folder) for one in dataset.aside[:_MOST])
    return f'<h2>Set aside: {len(dataset.aside):,}</h2>\n<div class="cards">{cards}</div>'


def _aside(one: Aside, folder: Path) -> str:
    picture = ""
    if one.native or one.preview:
        picture = _stage(folder / (one.native or one.preview), "" if one.native else "copy")
    part = f" #{one.part}" if one.part else ""
    return (
        f'<div class="card">{picture}<p><b>{escaped(one.why)}</b></p><p class="soft">{escaped(one.source)}{part}</p>'
        f"<p>{escaped(one.detail)}</p></div>"
    )
