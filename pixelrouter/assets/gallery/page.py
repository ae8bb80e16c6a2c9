"""The gallery as one HTML file that needs nothing else: images, styles and scripts are in it, and it may load no more.

What assets are called and what was asked for are strangers' words: they travel as JSON, and the script puts them on the
page as text, never as markup. The Content-Security-Policy allows this script and this style sheet by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from decimal import Decimal
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from pixelrouter.assets.gallery.model import STATES, Card, Gallery, Picture, Shot, amount, clean, command, totals
from pixelrouter.types import Money

_SCRIPTS = ("basics", "art", "card", "picks", "overlay", "main")  # one script, in this order


def page(gallery: Gallery, *, live: bool = False) -> str:
    """The page as HTML. ``live``: it is served by ``serve.py``, may send picks there and asks for what is new."""
    style, script = _web("gallery.css"), "\n".join(_web(f"{name}.js") for name in _SCRIPTS)
    connect = "'self'" if live else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
    title = escape(clean(gallery.title))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{title} · gallery</title>\n<style>{style}</style>\n</head>\n<body>\n"
        "<noscript>This page draws its pictures with a script that is part of it: allow scripts for it.</noscript>\n"
        f'<script type="application/json" id="data">{embedded(data(gallery, live=live))}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def embedded(value: Any) -> str:
    """JSON that stands inside a ``<script>`` without ending it."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def data(gallery: Gallery, *, live: bool = False) -> dict[str, Any]:
    """What the script gets: JSON-ready, every text clean."""
    prices = {card.asset.name: [shot.candidate.cost for shot in card.shots] for card in gallery.cards}
    styles = dict.fromkeys(card.asset.style for card in gallery.cards)
    return {
        "title": clean(gallery.title),
        "live": live,
        "states": STATES,
        "totals": totals(price for each in prices.values() for price in each),
        "styles": [
            {
                "name": clean(style),
                "totals": totals(p for c in gallery.cards if c.asset.style == style for p in prices[c.asset.name]),
            }
            for style in styles
        ],
        "cards": [_card(card) for card in gallery.cards],
        "gone": [clean(name) for name in gallery.gone],
    }


def _card(card: Card) -> dict[str, Any]:
    asset = card.asset
    costs = totals(shot.candidate.cost for shot in card.shots)
    return {
        "id": asset.name,  # what is sent when it is picked; never shown
        "name": clean(asset.name),
        "style": clean(asset.style),
        "prompt": clean(asset.prompt),
        "task": asset.task,
        "tiles": asset.tiles,
        "size": list(asset.size),
        "states": list(card.states),
        "pick": card.pick,
        "by": clean(card.by),
        "approved": card.approved,
        "reasons": clean(card.reasons),
        "palette": [color.lower() for color in asset.palette or ()],
        "palette_name": clean(asset.palette_name),
        "command": command(asset.name),
        "costs": costs,
        "micros": _micros(card),
        "shots": [_shot(shot) for shot in card.shots],
    }


def _micros(card: Card) -> list[int]:
    """To sort by: dollars, then generations, which have no exchange rate."""
    sums = {"usd": 0, "generations": 0}
    for shot in card.shots:
        cost = shot.candidate.cost
        sums[cost.unit] += Money.of(Decimal(cost.amount), cost.unit).micros
    return list(sums.values())


def _shot(shot: Shot) -> dict[str, Any]:
    one = shot.candidate
    licence = one.licence
    told = {
        "number": one.number,
        "backend": clean(one.backend),
        "model": clean(one.model or ""),
        "seed": None if one.seed is None else str(one.seed),  # vendors' seeds are larger than a script's numbers
        "cost": amount(Money.of(Decimal(one.cost.amount), one.cost.unit)),
        "source": one.cost.source,
        "confidence": one.confidence,
        "native": one.native,
        "warnings": [clean(warning) for warning in shot.warnings],
        "problem": clean(shot.problem),
        "job": clean(one.job or ""),
        "request": clean(one.request or ""),
        "bought": clean(one.bought),
        "licence": clean(licence.name) if licence else "",
        "commercial": licence.commercial if licence else None,
        "terms": clean(licence.url or "") if licence else "",
        "checked": clean(licence.checked or "") if licence else "",
    }
    return told | ({} if shot.picture is None else {"picture": _picture(shot.picture)})


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "png": base64.b64encode(picture.png).decode(),
        "size": list(picture.size),
        "count": picture.count,
        "columns": picture.columns,
        "kind": picture.kind,
        "clips": [{"name": clean(name), "frames": list(frames)} for name, frames in picture.clips],
        "names": [clean(name) for name in picture.names],
        "times": list(picture.times),
        "loop": picture.loop,
        "tags": [{"name": clean(n), "first": a, "last": b, "direction": d} for n, a, b, d in picture.tags],
        "colors": list(picture.colors),
    }


@cache
def _web(name: str) -> str:
    return resources.files("pixelrouter.assets.gallery").joinpath("web", name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
