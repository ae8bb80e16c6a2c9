"""Recognises a lost submit in fal's list of requests: never a wrong one.

fal knows no id of ours, so a request is ours if its input says what was sent. A seed that the router chose was made
from the whole wish, images and options among it, so seed, prompt, size and number are proof enough. A caller's own seed
is none: other images or options may share it, so there every input has to be the same, and none beside a default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: What a Klein input is when it is not sent: github.com/fal-ai/fal-js, type map, 2026-08-02.
DEFAULTS: Mapping[str, Any] = {
    "acceleration": "regular",
    "enable_safety_checker": True,
    "guidance_scale": 5,
    "loras": [],
    "negative_prompt": "",
    "num_inference_steps": 28,
    "output_format": "png",
    "sync_mode": False,
}


def is_ours(listed: Mapping[str, Any], sent: Mapping[str, Any], *, whole: bool) -> bool:
    """Whether the request whose input is ``listed`` (numbers as Decimal) is the one that ``sent`` these inputs.

    ``whole`` True: ``sent`` is all of what was sent, so nothing else may be in the list's but defaults.
    """
    # As the list's answer is read: 1.1 is a Decimal there, and would never equal the float.
    wanted = json.loads(json.dumps(sent), parse_float=Decimal)
    if any(name not in listed or listed[name] != value for name, value in wanted.items()):
        return False
    added = {name: value for name, value in listed.items() if name not in wanted}
    return not whole or all(value is None or DEFAULTS.get(name) == value for name, value in added.items())
