"""docs/manifest.md has a row for every word, with the meaning that editors show."""

from __future__ import annotations

import re
from pathlib import Path

from pixelrouter.assets.manifest.tables import (
    AssetTable,
    AtlasTable,
    FrameTagTable,
    MatrixWords,
    ProjectTable,
    StyleTable,
    Wishes,
)

PAGE = (Path(__file__).parents[3] / "docs" / "manifest.md").read_text("utf-8")


def test_every_word_has_its_row() -> None:
    tables = re.findall(r"\| Word \| Meaning \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE)
    rows = [re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE) for table in tables]
    shared = set(Wishes.model_fields)
    models = (Wishes, ProjectTable, StyleTable, AssetTable, FrameTagTable, MatrixWords, AtlasTable)
    expected = [
        [
            (name, field.description)
            for name, field in model.model_fields.items()
            if model is Wishes or not issubclass(model, Wishes) or name not in shared
        ]
        for model in models
    ]
    assert rows == expected
