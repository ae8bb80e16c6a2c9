"""JSON Schemas of the sheets' formats, written from the published types.

Aseprite: what src/app/doc_exporter.cpp writes; PixiJS: ``SpritesheetData`` and ``SpritesheetFrameData``; Phaser: what
``JSONArray.js`` reads and the types ``Types.Animations.JSONAnimation``. Read in November 2026.
"""

from __future__ import annotations

from typing import Any


def record(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    """An object with these fields and no others; all but ``optional`` are there."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def named(values: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


TEXT, FLAG = {"type": "string"}, {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 0}
SIDE = {"type": "integer", "minimum": 1}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
BOX = record({"x": COUNT, "y": COUNT, "w": SIDE, "h": SIDE})
SIZE = record({"w": SIDE, "h": SIDE})
POINT = record({"x": {"type": "integer"}, "y": {"type": "integer"}})
ANCHOR = record({"x": SHARE, "y": SHARE})

FRAME = {
    "frame": BOX,
    "rotated": {"const": False},
    "trimmed": FLAG,
    "spriteSourceSize": BOX,
    "sourceSize": SIZE,
    "duration": SIDE,
}
TAG = record(
    {
        "name": TEXT,
        "from": COUNT,
        "to": COUNT,
        "direction": {"enum": ["forward", "reverse", "pingpong", "pingpong_reverse"]},
        "repeat": {"type": "string", "pattern": "^[1-9][0-9]*$"},
    },
    "repeat",
)
SLICE = record(
    {
        "name": TEXT,
        "color": {"type": "string", "pattern": "^#[0-9a-f]{8}$"},
        "keys": listed(record({"frame": COUNT, "bounds": BOX, "pivot": POINT}, "pivot")),
    }
)
LAYER = record({"name": TEXT, "opacity": {"maximum": 255, **COUNT}, "blendMode": {"const": "normal"}})
SHEET = {
    "app": TEXT,
    "version": TEXT,
    "image": {"type": "string", "pattern": r"^[^/\\]+\.png$"},
    "format": {"enum": ["I8", "RGBA8888"]},
    "size": SIZE,
    "scale": {"const": "1"},
}
ASEPRITE = record({**SHEET, "frameTags": listed(TAG), "layers": listed(LAYER), "slices": listed(SLICE)})

ARRAY = record({"frames": listed(record({"filename": TEXT, **FRAME})), "meta": ASEPRITE})
HASH = record({"frames": named(record(FRAME)), "meta": ASEPRITE})
PIXI = record(
    {
        "frames": named(record({**FRAME, "anchor": ANCHOR}, "anchor")),
        "animations": named(listed(TEXT)),
        "meta": record(SHEET),
    }
)
PHASER = record({"frames": listed(record({"filename": TEXT, **FRAME, "anchor": ANCHOR}, "anchor")), "meta": ASEPRITE})
ANIMATIONS = record(
    {
        "anims": listed(
            record(
                {
                    "key": TEXT,
                    "type": {"const": "frame"},
                    "frames": listed(record({"key": TEXT, "frame": TEXT, "duration": SIDE})),
                    "duration": SIDE,
                    "repeat": {"enum": [-1, 0]},
                }
            )
        ),
        "globalTimeScale": {"const": 1},
    }
)
BY_ENDING = {
    ".hash.json": HASH,
    ".pixi.json": PIXI,
    ".phaser.json": PHASER,
    ".anims.json": ANIMATIONS,
    ".json": ARRAY,
}


def schema_of(name: str) -> dict[str, Any]:
    """The schema of a file of that name."""
    return next(schema for ending, schema in BY_ENDING.items() if name.endswith(ending))
