"""docs/replicate.md: its example prints what the page says, its tables name every model and option."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from pixelrouter.backends.replicate.inputs import OPTIONS
from pixelrouter.backends.replicate.styles import groups

PAGE = (Path(__file__).parents[3] / "docs" / "replicate.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(tmp_path, monkeypatch):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [output] = re.findall(r"It prints:\n\n```\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == output


def test_every_model_is_in_the_tables_with_its_sizes():
    rows = [row for row in PAGE.partition("## Styles and limits")[2].partition("## Anim")[0].splitlines() if "|" in row]
    for model, group in groups().items():
        family, style = model.split("/")
        low, high = group.size
        spans = (f"{low}x{high}", f"{low} to {high}")
        assert any(
            re.search(rf"`{family}/.*\b{style}\b", row) and any(span in row for span in spans) for row in rows
        ), model


def test_every_option_is_named():
    assert all(f"`{name}`" in PAGE for known in OPTIONS.values() for name in known)
