"""Every key of a TOML text is found, whatever its notation, in the line where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter.assets.manifest import lines
from pixelrouter.assets.manifest.lines import Keys, positions

TEXT = '''# a comment with [asset.no] in it
[project]
name = "x" # [asset.no]

[asset.slime]
prompt = """
[asset.fake]
size = 3 "" quotes"""
size = [
  16, # sixteen
  24,
]
"quoted \\u0061.b" = 1
where.red = { policy = "snap", deep = [ { a = 1 },
  { b = 2 } ] }

[[asset.walk.frame_tags]]
name = "idle"
[[asset.walk.frame_tags]]
name = \'\'\'it's
[x]\'\'\'
  [asset.walk.frame_tags.more]
  first = 1979-05-27 07:32:00
'''


def test_where_each_key_stands() -> None:
    found = positions(TEXT)
    slime: Keys = ("asset", "slime")
    expected: dict[Keys, int] = {
        ("project",): 2,
        ("project", "name"): 3,
        slime: 5,
        (*slime, "prompt"): 6,
        (*slime, "size"): 9,
        (*slime, "size", 1): 11,
        (*slime, "quoted a.b"): 13,
        (*slime, "where"): 14,
        (*slime, "where", "red", "policy"): 14,
        (*slime, "where", "red", "deep", 0, "a"): 14,
        (*slime, "where", "red", "deep", 1, "b"): 15,
        ("asset", "walk", "frame_tags", 0, "name"): 18,
        ("asset", "walk", "frame_tags", 1): 19,
        ("asset", "walk", "frame_tags", 1, "name"): 20,
        ("asset", "walk", "frame_tags", 1, "more", "first"): 23,
    }
    assert {path: found.get(path) for path in expected} == expected
    assert ("asset", "fake") not in found
    assert ("asset", "no") not in found


def paths_of(value: Any, above: Keys = ()) -> set[Keys]:
    """Every key and entry in parsed TOML."""
    rows: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        rows = list(value.items())
    elif isinstance(value, list):
        rows = list(enumerate(value))
    return {path for key, inner in rows for path in ({(*above, key)} | paths_of(inner, (*above, key)))}


def test_all_keys_and_no_others_are_found() -> None:
    assert set(positions(TEXT)) == paths_of(tomllib.loads(TEXT))


KEY = st.sampled_from(["a", "b-c", '"d.e"', "'f g'", '"\\u00e9"', "1"])
SCALAR = st.sampled_from(
    ["1", "-0.5e3", "true", "inf", "1979-05-27T07:32:00Z", '"x#\\"]"', "'}'", '""', '"""\n[a]\n"x" """', "'''a\n'b'''"]
)
SPACE = st.sampled_from(["", " ", "\n", " # ]\n\t"])


def value(depth: int = 2) -> st.SearchStrategy[str]:
    if depth == 0:
        return SCALAR
    inner = value(depth - 1)
    array = st.lists(st.tuples(SPACE, inner, SPACE), max_size=3).map(
        lambda rows: "[" + ",".join("".join(row) for row in rows) + "]"
    )
    table = st.dictionaries(KEY, inner, max_size=2).map(
        lambda rows: "{" + ", ".join(f"{key} = {one}" for key, one in rows.items()) + "}"
    )
    return SCALAR | array | table


TABLES = st.lists(st.tuples(st.lists(KEY, min_size=1, max_size=3), st.booleans(), st.dictionaries(KEY, value())))


@settings(max_examples=60)
@given(TABLES)
def test_any_text_that_parses_is_walked_as_it_was_parsed(tables: list[tuple[list[str], bool, dict[str, str]]]) -> None:
    text = ""
    for header, double, rows in tables:
        name = " . ".join(header)
        text += f"[[{name}]] # x\n" if double else f"[{name}]\n"
        text += "".join(f"  {key}\t= {one}\n" for key, one in rows.items())
    try:
        data = tomllib.loads(text)
    except ValueError:
        return  # the same table twice
    found = positions(text)
    assert set(found) == paths_of(data)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@pytest.mark.parametrize("text", ["a = [", "a = {", 'a = "', "[", "a", "a = [1,,]", "= 1", "a = \\", "[[a]\n]"])
def test_a_broken_text_ends(text: str) -> None:
    assert isinstance(positions(text), dict)


def test_a_long_array_keeps_no_more_places_than_is_useful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_MOST", 100)
    assert len(positions(f"a = [{'1,' * 300}]\nb = 1")) == 100
