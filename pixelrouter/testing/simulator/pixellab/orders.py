"""From the bytes of a request to an order: the vendor's validation, which is FastAPI's and pydantic's.

v2 refuses unknown fields and lists every problem at once; v1 ignores unknown fields. As with the vendor's framework,
``"64"`` is taken as the number 64.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from pydantic import ValidationError

from pixelrouter.testing.simulator.pixellab.fields import Body
from pixelrouter.testing.simulator.pixellab.problems import Refused


def read(raw: bytes, model: type[Body], version: str) -> tuple[Any, dict[str, Any]]:
    """The order, and the body as it came. Raises Refused(422) with a list of problems."""
    if not raw:
        raise Refused(422, [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}])
    try:
        body = json.loads(raw)
    except ValueError as error:
        where = ["body", getattr(error, "pos", 0)]
        raise Refused(422, [{"type": "json_invalid", "loc": where, "msg": "JSON decode error", "input": {}}]) from None
    if not isinstance(body, dict):
        why = "Input should be a valid dictionary or object to extract fields from"
        raise Refused(422, [{"type": "model_attributes_type", "loc": ["body"], "msg": why, "input": body}])
    known = body if version == "v2" else _without_unknown(body, model)
    try:
        return model.model_validate(known), body
    except ValidationError as error:
        raise Refused(422, [_problem(each) for each in error.errors(include_url=False)]) from None


def _problem(error: Any) -> dict[str, Any]:
    """One problem in the framework's order of keys; the place begins with "body"."""
    found = {"type": error["type"], "loc": ["body", *error["loc"]], "msg": error["msg"], "input": error["input"]}
    if "ctx" in error:
        found["ctx"] = {
            name: str(value) if isinstance(value, Exception) else value for name, value in error["ctx"].items()
        }
    return found


def _without_unknown(body: dict[str, Any], model: type[Body]) -> dict[str, Any]:
    """The body without the fields that the model does not know, at any depth."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        known = copy.deepcopy(body)
        for each in error.errors():
            if each["type"] == "extra_forbidden":
                *path, last = each["loc"]
                where: Any = known
                for step in path:
                    where = where[step]
                del where[last]
        return known
    return body
