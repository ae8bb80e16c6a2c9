"""Recognises a lost submit in Replicate's list of predictions: never a wrong one.

There is no idempotency key and no id of ours on a prediction, so a job is ours if it has the same model and every input
that was sent, the seed among them, and no other input than a default. Replicate forgets inputs after an hour
(replicate.com/docs, data retention, 2026), so later than that nothing can be recognised.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from pixelrouter.backends.protocol import Absence
from pixelrouter.backends.replicate.answers import Prediction
from pixelrouter.backends.replicate.inputs import IMAGES

#: Seconds that this machine's clock may be ahead of Replicate's. More, and a lost job is not found, which is safe.
MARGIN = 300.0
LATEST_S = 3600.0  # after which no gateway hands on a request any more; our own margin
#: From when on absence counts. Replicate does not say that its list is immediate: the margin is ours.
ABSENT = Absence("likely", 60)
#: Stands in for an image that was lost in a crash, so that the rest of the input can be built again: 1x1, PNG.
PLACEHOLDER = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
)
_PATH = re.compile(r"/v1/predictions/?")


def is_ours(
    job: Prediction, path: str, sent: Mapping[str, Any], defaults: Mapping[str, Any], *, images_known: bool
) -> bool:
    """Whether ``job`` is the one that ``sent`` ordered from the model at ``path`` (owner/name).

    ``images_known`` False: what images were sent was lost in a crash, so they cannot be compared; only for a seed that
    was made from them as well.
    """
    if job.id is None or job.model != path or job.data_removed:
        return False
    echo = dict(job.input)
    if not images_known:
        echo = {name: value for name, value in echo.items() if name not in IMAGES}
        sent = {name: value for name, value in sent.items() if name not in IMAGES}
    if any(name not in echo or not same(echo[name], value) for name, value in sent.items()):
        return False
    added = {name: value for name, value in echo.items() if name not in sent}
    return all(value is None or (name in defaults and same(value, defaults[name])) for name, value in added.items())


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return Decimal(str(one)) == Decimal(str(other))
    return type(one) is type(other) and one == other


def next_page(address: object, *origins: str) -> str | None:
    """The query (with its ``?``) of the list's next page; None if ``address`` is not the list's at one of ``origins``.

    The list names its pages by absolute addresses. The token goes along, so nothing else of such an address is used.
    """
    if not isinstance(address, str) or not address.isascii() or re.search(r"[\s\\]", address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if f"{parts.scheme}://{parts.netloc}" not in origins or not _PATH.fullmatch(parts.path):
        return None
    return f"?{parts.query}" if parts.query else None
