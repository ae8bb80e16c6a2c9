"""What may be done with what a preset draws: the strictest terms of its base model and of every adapter.

A permissive LoRA never lifts a restriction of the model it needs, and terms nobody has read count as unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pixelrouter.types import Licence


class Terms(BaseModel):
    """The licence of one published file. ``commercial`` "terms": nobody has read it, or it depends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    commercial: Literal["yes", "no", "terms"] = "terms"
    url: str | None = None
    note: str | None = None
    checked: str | None = None
    gated: bool = False


def unread(asset: str) -> Terms:
    """Terms of a model or adapter that nobody told us about."""
    return Terms(name="unknown licence", note=f"Nobody has noted the licence of {asset}: read it before you sell.")


_STRICTNESS = {"no": 0, "terms": 1, "yes": 2}


def effective(parts: Sequence[tuple[str, Terms]]) -> Licence:
    """The licence of what the parts draw together: the strictest one, with a note about each part.

    ``parts`` are pairs of an asset's id and its terms, the base model first. ``checked`` is the oldest of the dates;
    ``gated`` True if one of them is.
    """
    strictest = min((terms for _, terms in parts), key=lambda terms: _STRICTNESS[terms.commercial])
    equals = [t for _, t in parts if t.commercial == strictest.commercial]
    notes = [f"{asset}: {terms.name}.{' ' + terms.note if terms.note else ''}" for asset, terms in parts]
    dates = [terms.checked for _, terms in parts if terms.checked]
    return Licence(
        name=" + ".join(dict.fromkeys(terms.name for terms in equals)),
        commercial={"yes": True, "no": False, "terms": None}[strictest.commercial],
        url=next((terms.url for terms in equals if terms.url), None),
        note=" ".join(notes),
        checked=min(dates) if dates else None,
        gated=any(terms.gated for _, terms in parts),
    )
