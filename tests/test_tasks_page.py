"""docs/tasks.md: its example runs, and its table says what the backends say of themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from pixelrouter import backends
from pixelrouter.types import Task

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "tasks.md").read_text("utf-8")


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/tasks.md", "exec"), {})
    assert (tmp_path / "walk.gif").exists()
    assert len(list(tmp_path.glob("walk-*.png"))) == 4


def test_the_table_says_what_the_backends_say() -> None:
    tasks = get_args(Task)
    head = re.search(r"^\| backend \| (.*) \|$", PAGE, re.MULTILINE)
    assert head is not None
    assert head[1].split(" | ") == [f"`{task}`" for task in tasks]
    ours = [name for name in backends.names() if backends.load(name).__module__.startswith("pixelrouter.")]
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE.split("## Who can do what")[1], re.MULTILINE))
    assert set(rows) == set(ours)
    for name in ours:
        cls = backends.load(name)
        models = cls(cls.settings_type(), None).capabilities().models
        for task, said in zip(tasks, rows[name].split("|"), strict=True):
            able = [model for model in models if task in model.tasks]
            kinds = {kind for model in able for kind in {"views": model.views, "tileset": model.tiles}.get(task, ())}
            assert set(said.strip().split(", ")) == (kinds or ({"yes"} if able else {""})), f"{name}: {task}"
