"""The report: what was made by whom, and what each shop asks about it, from the lock alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pixelrouter.assets.disclosure import SHOPS, disclosure, markdown, statement
from pixelrouter.assets.lock import Candidate, Hand, Price, Terms, read_lock, write_lock
from tests.assets.drawn import bricks, candidate, game, potion

SECRET = "the secret boss, dying"
MANIFEST = f"""
[project]
name = "Slime *Quest*"
out = "art"
[asset.potion]
prompt = "{SECRET}"
size = 32
[asset.flask]
prompt = "a flask"
size = 32
[asset.wall]
prompt = "a wall"
size = 16
[asset.later]
prompt = "not yet"
size = 16
"""


def procedural() -> Candidate:
    return candidate(backend="procedural", model=None, cost=Price("0"), licence=Terms("CC0", True), native=True)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Two generated pictures, one of them changed by hand and bought twice, and one that was drawn by rule."""
    pictures = {"potion": [potion()], "flask": [potion()], "wall": [bricks()]}
    unclear = candidate(1, backend="fal", model="flux", licence=Terms("FLUX [dev]", None, "https://example.org/flux"))
    candidates = {"potion": [candidate(1), candidate(2)], "flask": [unclear], "wall": [procedural()]}
    lock = game(tmp_path, MANIFEST, pictures, candidates=candidates)
    hand = {"art/potion.png": Hand("ada", "2026-11-21T09:00:00Z")}
    write_lock(
        tmp_path / "assets.lock",
        lock.with_(assets={**lock.assets, "potion": replace(lock.assets["potion"], hand=hand)}),
    )
    return tmp_path / "assets.toml"


def test_the_facts(built: Path) -> None:
    found = disclosure(built)
    told = found.as_dict()
    assert {name: told[name] for name in ("assets", "generative", "procedural", "hand_edited", "files")} == {
        "assets": 3,
        "generative": 2,
        "procedural": 1,
        "hand_edited": 1,
        "files": 3,
    }
    assert told["unbuilt"] == ["later"]
    assert told["by_model"] == [
        {"backend": "fal", "model": "flux", "assets": 1},
        {"backend": "procedural", "model": None, "assets": 1},
        {"backend": "retrodiffusion", "model": "rd_fast", "assets": 1},
    ]
    assert Decimal(told["costs"]["usd"]) == 3 * Decimal("0.0173")  # what was not picked was paid, too


def test_two_units_are_never_added_up_and_a_purchase_counts_once(built: Path) -> None:
    lock = read_lock(built.with_suffix(".lock"))
    shared = [candidate(at, attempt="one", cost=Price("40", "generations")) for at in (1, 2)]
    changed = replace(lock.assets["wall"], candidates=tuple(shared))
    write_lock(built.with_suffix(".lock"), lock.with_(assets={**lock.assets, "wall": changed}))
    assert dict(disclosure(built).costs) == {"generations": "40", "usd": "0.0519"}
    assert "40 generations" in markdown(disclosure(built), ["steam"])


def test_what_stands_on_top_is_what_has_to_be_settled(built: Path) -> None:
    text = markdown(disclosure(built), SHOPS)
    top, _, _ = text.partition("## Steam")
    assert "no legal advice" in top
    assert "`flask`: FLUX \\[dev\\] (fal flux): commercial use is not clear" in top
    assert "https://example.org/flux" in top
    assert "potion" not in top
    lock = read_lock(built.with_suffix(".lock"))
    forbidden = replace(lock.assets["potion"], candidates=(candidate(1, licence=Terms("NC", False)),))
    write_lock(built.with_suffix(".lock"), lock.with_(assets={**lock.assets, "potion": forbidden}))
    assert [one.asset for one in disclosure(built).problems] == ["potion", "flask"]
    assert "`potion`: NC (retrodiffusion rd\\_fast): no commercial use" in markdown(disclosure(built), ["steam"])


def test_each_shop_has_its_own_words_with_sources_and_dates(built: Path) -> None:
    found = disclosure(built)
    texts = {shop: markdown(found, [shop]) for shop in SHOPS}
    assert "pre-generated" in texts["steam"]
    assert "Tick **Graphics**" in texts["itch"]
    assert "marketing data" in texts["unity"]
    for shop, text in texts.items():
        assert text.count("## ") == 3, shop  # what to settle, the shop, the facts
        assert "read 2026-11-22" in text
        assert "https://" in text
        assert "2 of the game's 3" in text
        assert "1 of them was changed by hand" in text
        assert "1 was drawn by rules" in text
    assert texts["steam"] != texts["itch"] != texts["unity"]


def test_prompts_are_left_out_unless_asked_for(built: Path) -> None:
    assert SECRET not in markdown(disclosure(built), SHOPS)
    assert SECRET not in str(disclosure(built).as_dict())
    assert SECRET in markdown(disclosure(built, prompts=True), SHOPS)


def test_pictures_drawn_by_rule_are_no_generative_ai(tmp_path: Path) -> None:
    game(tmp_path, MANIFEST, {"wall": [bricks()]}, candidates={"wall": [procedural()]})
    found = disclosure(tmp_path / "assets.toml")
    assert (len(found.generated), len(found.drawn_by_rule)) == (0, 1)
    text = markdown(found, SHOPS)
    assert "no picture was made with generative AI" in text
    assert "Draft text" not in text
    assert "Tick **Graphics**" not in text


def test_the_words_of_others_are_no_markdown(built: Path) -> None:
    text = markdown(disclosure(built), ["steam"])
    assert text.startswith("# How the pictures of Slime \\*Quest\\* were made\n")
    assert "rd_fast" in statement(disclosure(built))  # plain words, for a form
