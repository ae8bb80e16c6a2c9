"""The vendor's published OpenAPI documents, where they are at hand: they are not part of this project.

``PIXELLAB_OPENAPI_DIR`` names the folder with ``pixellab-v1.openapi.json`` and ``pixellab-v2.openapi.json``; otherwise
it is looked for beside the checkout.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("PIXELLAB_OPENAPI_DIR", Path(__file__).parents[4] / "shared" / "vendors" / "contracts"))


def at_hand() -> bool:
    return all((FOLDER / f"pixellab-{version}.openapi.json").is_file() for version in ("v1", "v2"))


needed = pytest.mark.skipif(not at_hand(), reason="PixelLab's OpenAPI documents are not here: set PIXELLAB_OPENAPI_DIR")


@cache
def document(version: str) -> dict[str, Any]:
    whole = json.loads((FOLDER / f"pixellab-{version}.openapi.json").read_text(encoding="utf-8"))
    if version == "v2":
        # This copy narrowed four free-form objects to "objects of objects"; the vendor's own are free.
        known = whole["components"]["schemas"]
        for name in ("BackgroundJobResponseLastResponse", "CharacterDetailStyleSettings"):
            known[name] = {}
        known["TilesetMetadata"]["properties"]["generation_parameters"] = {"type": "object"}
        known["SidescrollerTilesetSummary"]["properties"]["tile_size"] = {"type": "object"}
    return dict(whole)


def operation(version: str, method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a request, found by its path; None where it says nothing."""
    for template, methods in document(version)["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in methods:
            return dict(methods[method.lower()])
    return None


@cache
def validator(version: str, reference: str) -> Any:
    """A jsonschema validator of one schema, given as ``#/components/schemas/Name``."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = {"$ref": reference, "components": document(version)["components"]}
    return jsonschema.Draft202012Validator(schema)


def schema_of(content: dict[str, Any]) -> str | None:
    found: str | None = content.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")
    return found


def problems(version: str, reference: str | None, value: Any) -> list[str]:
    """What is wrong with a value by a schema; nothing where the document has no schema for it."""
    if reference is None:
        return []
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(version, reference).iter_errors(value)]


def check_request(version: str, method: str, path: str, value: Any) -> None:
    known = operation(version, method, path)
    assert known is not None, f"{method} {path} is not in the document of {version}"
    found = problems(version, schema_of(known["requestBody"]), value)
    assert not found, found


def check_answer(version: str, method: str, path: str, status: int, value: Any) -> None:
    """The status is a documented one, and the body is of its schema."""
    known = operation(version, method, path)
    assert known is not None, f"{method} {path} is not in the document of {version}"
    assert str(status) in known["responses"], f"{status} is not documented for {method} {path}"
    found = problems(version, schema_of(known["responses"][str(status)]), value)
    assert not found, found
