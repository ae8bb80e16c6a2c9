"""One table, many assets: for_each, for_files, exclude."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrouter.assets.manifest.names import files_like, matching, slug, visits
from tests.assets.manifest.conftest import Read, Refused


def test_every_combination_in_the_order_of_the_lists(read: Read) -> None:
    assets = read(
        """
        [asset."items/{kind}-{color}"]
        prompt = "a {color} {kind}, {{literal}} { color }"
        size = "{side}"
        n = "{side}"
        out = "x/{side}/{kind}-{color}"
        tags = ["{color}", "plain"]
        options = { colour = "{color}", deep = ["{side}"] }
        for_each = { kind = ["potion", "key"], color = ["dark red", "blue"], side = [16] }
        exclude = [{ kind = "key", color = "blue" }]
        """
    ).assets
    assert list(assets) == ["items/potion-dark-red-16", "items/potion-blue-16", "items/key-dark-red-16"]
    first = assets["items/potion-dark-red-16"]
    assert first.prompt == "a dark red potion, {literal} dark red"
    assert (first.size, first.n, first.tags) == ((16, 16), 16, ("dark red", "plain"))
    assert first.options == {"colour": "dark red", "deep": [16]}


def test_variables_that_the_name_lacks_are_appended(read: Read) -> None:
    assert list(read('[asset.p]\nprompt = "x"\nfor_each = { a = ["r", "g"], b = [1] }').assets) == ["p-r-1", "p-g-1"]


def test_rows_instead_of_combinations(read: Read) -> None:
    rows = '[{ name = "coin", look = "a gold coin" }, { name = "gem", look = "a ruby" }]'
    assert {
        name: asset.prompt for name, asset in read(f'[asset.i]\nprompt = "{{look}}"\nfor_each = {rows}').assets.items()
    } == {
        "i-coin": "a gold coin",
        "i-gem": "a ruby",
    }
    assert list(read(f'[asset."{{name}}"]\nprompt = "{{look}}"\nfor_each = {rows}').assets) == ["coin", "gem"]


def test_braces_without_for_each_are_plain_text(read: Read) -> None:
    assert read('[asset.a]\nprompt = "a {red} {{x}}"').assets["a"].prompt == "a {red} {{x}}"


def test_one_asset_a_file(read: Read, tmp_path: Path) -> None:
    for name in ("sketches/b one.png", "sketches/A.png", "sketches/mobs/bat.png", "sketches/no.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    text = 'for_files = "sketches/**/*.png"\ntask = "edit"\nsize = 16\nprompt = "{stem} of {folder}"'
    assets = read(f'[asset."{{folder}}/{{stem}}"]\n{text}').assets
    assert {name: (asset.images, asset.prompt) for name, asset in assets.items()} == {
        "sketches/A": (("sketches/A.png",), "A of sketches"),
        "sketches/b-one": (("sketches/b one.png",), "b one of sketches"),
        "sketches/mobs/bat": (("sketches/mobs/bat.png",), "bat of sketches/mobs"),
    }
    plain = read('[asset.new]\nfor_files = ["sketches/*.png"]\nprompt = "{stem}"\nfor_each = { c = [1, 2] }').assets
    assert list(plain) == ["new-A-1", "new-A-2", "new-b-one-1", "new-b-one-2"]
    assert plain["new-A-1"].images == ("sketches/A.png",)


@pytest.mark.parametrize(
    ("words", "line", "part"),
    [
        ('prompt = "{colour}"\nfor_each = { color = ["r"] }', 1, "which is no variable of it. Did you mean 'color'?"),
        ('prompt = "x"\nfor_each = { color = "red" }', 3, "should be a list"),
        ('prompt = "x"\nfor_each = { color = [] }', 3, "should be a list"),
        ('prompt = "x"\nfor_each = ["red"]', 3, "should be a table of lists"),
        ('prompt = "x"\nfor_each = { color = ["r", "r"] }', 3, "same value twice"),
        ('prompt = "x"\nfor_each = { color = ["r", true] }', 3, "texts or numbers"),
        ('prompt = "x"\nfor_each = { "a b" = ["r"] }', 3, "no name for a variable"),
        ('prompt = "x"\nfor_each = [{ a = 1 }, { b = 1 }]', 3, "like the first entry"),
        ('prompt = "x"\nexclude = [{ a = 1 }]', 3, "Add for_each"),
        ('prompt = "x"\nfor_each = { a = [1] }\nexclude = [{ b = 1 }]', 4, "is no variable"),
        ('prompt = "x"\nfor_each = { a = [1] }\nexclude = "b"', 4, "list of tables"),
        ('prompt = "x"\nfor_files = "no/*.png"', 3, "no file matches no/*.png"),
        ('prompt = "x"\nfor_files = "../*.png"', 3, "leaves the project"),
        ('prompt = "x"\nfor_files = 3', 3, "should be a pattern"),
        ('prompt = "x"\nfor_each = { a = ["R", "r"] }', 1, "would write the same files"),
        ('prompt = "x"\nfor_each = { a = ["日本"] }', 1, "the name should have letters"),
        ('prompt = "x"\nn = "{a}"\nfor_each = { a = [1, 99] }', 3, "[asset.p] n (p-99): is 99"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it(refused: Refused, words: str, line: int, part: str) -> None:
    message = refused(f"[asset.p]\n{words}")
    assert message.startswith(f"assets.toml:{line}: [asset.p]")
    assert part in message


def test_a_matrix_has_an_end(refused: Refused) -> None:
    lists = ", ".join(f"v{number} = [{', '.join(map(str, range(50)))}]" for number in range(8))
    message = refused(f'[asset.p]\nprompt = "x"\nfor_each = {{ {lists} }}')
    assert message.startswith("assets.toml:1: [asset.p]: stands for 39062500000000 assets; 100000 are the most.")


def test_a_matrix_makes_no_more_text_than_fits(refused: Refused) -> None:
    numbers = ", ".join(map(str, range(1000)))
    message = refused(f'[asset.p]\nprompt = "{"x" * 100_000} {{b}}"\nfor_each = {{ b = [{numbers}] }}')
    assert message.startswith("assets.toml:1: [asset.p]: makes more text")


def test_ten_thousand_assets_from_one_table(read: Read) -> None:
    numbers = ", ".join(map(str, range(100)))
    assets = read(f'[asset.x]\nprompt = "{{a}} {{b}}"\nfor_each = {{ a = [{numbers}], b = [{numbers}] }}').assets
    assert len(assets) == 10_000
    assert list(assets)[-1] == "x-99-99"
    assert assets["x-5-7"].prompt == "5 7"


def test_slugs() -> None:
    assert [slug(text) for text in ("Dark Red!", "Schlüssel", "a//b/ c", "..", "x.y_z")] == [
        *("Dark-Red", "Schlussel", "a/b/c", "", "x.y_z")
    ]


def test_patterns_of_files(tmp_path: Path) -> None:
    for name in ("a.png", "B.PNG", ".h.png", "d/c.png", "d/e/f.png", ".hid/g.png", "d/[x].png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "d" / "ring").symlink_to(tmp_path)

    def found(pattern: str) -> list[str]:
        return files_like(tmp_path, pattern, visits())

    assert found("*.png") == ["a.png"]
    assert found("**/*.png") == ["a.png", "d/[x].png", "d/c.png", "d/e/f.png"]  # no links, no hidden folders
    assert found("d/**") == ["d/[x].png", "d/c.png", "d/e/f.png"]
    assert found(".*.png") == [".h.png"]
    assert found("?/e/*.png") == ["d/e/f.png"]
    assert found("a.png") == ["a.png"]
    assert found("no/*.png") == []
    assert found(f"{tmp_path}/*.png") == [f"{tmp_path}/a.png"]
    with pytest.raises(ValueError, match="looks at more than"):
        files_like(tmp_path, "**/*.png", iter(range(3)))


def test_patterns_of_names() -> None:
    assert matching(["a", "items/a", "items/b/c"], "items/*") == ["items/a", "items/b/c"]
    assert matching(["a", "items/a"], "a") == ["a"]
