"""The JSON Schema of ``assets.toml``, for editors: made from the models, so that it knows every word that they know.

``python -m pixelrouter.assets.manifest.schema`` writes it beside this file, and a test says whether it is current. An
editor with Taplo (Even Better TOML) takes it from a first line ``#:schema path/to/assets.schema.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelrouter.assets.manifest.names import LONGEST, NAME_PATTERN
from pixelrouter.assets.manifest.tables import (
    AssetTable,
    AtlasTable,
    FrameTagTable,
    MatrixWords,
    ProjectTable,
    StyleTable,
    Table,
)

FILE = Path(__file__).with_name("assets.schema.json")
_HOLE = {"type": "string", "pattern": r"\{[^{}]+\}"}  # a variable of for_each stands for any kind of value
_TAPLO = {"project": ["name"], "style": ["backend"], "asset": ["prompt"], "atlas": ["assets"]}  # what it offers first


def schema() -> dict[str, Any]:
    """The schema as data (draft 7, which is what Taplo reads)."""
    asset = _table(AssetTable)
    asset["properties"] = {key: _or_variable(value) for key, value in asset["properties"].items()}
    asset["properties"] |= _table(MatrixWords)["properties"]
    tables = {"project": _table(ProjectTable), "style": _table(StyleTable), "asset": asset, "atlas": _table(AtlasTable)}
    for name, keys in _TAPLO.items():
        tables[name]["x-taplo"] = {"initKeys": keys}
    for name in ("project", "style", "asset"):
        tables[name]["not"] = {"required": ["backend", "route"]}
    asset["dependencies"] = {"exclude": {"anyOf": [{"required": ["for_each"]}, {"required": ["for_files"]}]}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "assets.toml",
        "description": "A game's pixel art: what pixelrouter is to draw, and for whom.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "project": {"$ref": "#/definitions/project"},
            **{name: _named(name, tables[name]["description"]) for name in ("style", "asset", "atlas")},
        },
        "definitions": {**tables, "frame_tag": _table(FrameTagTable)},
    }


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _named(kind: str, description: str) -> dict[str, Any]:
    """Tables of one kind by their names; an asset's name may hold variables."""
    names = {"pattern": NAME_PATTERN if kind != "asset" else rf"{NAME_PATTERN}|\{{", "maxLength": LONGEST}
    below = {"$ref": f"#/definitions/{kind}"}
    return {"type": "object", "description": description, "propertyNames": names, "additionalProperties": below}


def _table(model: type[Table] | type[MatrixWords]) -> dict[str, Any]:
    made = model.model_json_schema()
    table = {
        "type": "object",
        "description": " ".join((model.__doc__ or "").split()),
        "additionalProperties": False,
        "properties": {key: _clean(value) for key, value in made["properties"].items()},
    }
    return {**table, "required": made["required"]} if "required" in made else table


def _clean(value: dict[str, Any]) -> dict[str, Any]:
    """One word's schema without what TOML does not have: null, and titles made from Python names."""
    value = {key: inner for key, inner in value.items() if key not in ("title", "default")}
    if "$ref" in value:
        value["$ref"] = "#/definitions/frame_tag"
    if isinstance(value.get("items"), dict):
        value["items"] = _clean(value["items"])
    branches = [_clean(one) for one in value.get("anyOf", ()) if one.get("type") != "null"]
    if len(branches) == 1:
        value = {**{key: inner for key, inner in value.items() if key != "anyOf"}, **branches[0]}
    elif branches:
        value["anyOf"] = branches
    return value


def _or_variable(value: dict[str, Any]) -> dict[str, Any]:
    """The same, where a text may hold a variable of for_each in the place of any value."""
    if value.get("type") == "string" and not value.keys() & {"enum", "pattern"}:
        return value
    told = {key: inner for key, inner in value.items() if key == "description"}
    rest = {key: inner for key, inner in value.items() if key != "description"}
    branches = [dict(one) for one in (rest["anyOf"] if rest.keys() == {"anyOf"} else [rest])]
    for one in branches:
        if "items" in one and "$ref" not in one["items"]:
            one["items"] = _or_variable(one["items"])
    return {**told, "anyOf": [*branches, _HOLE]}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
