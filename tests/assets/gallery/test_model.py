from __future__ import annotations

import shlex
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.gallery.model import STATES, Card, clean, command, gather, picture, totals
from pixelrouter.assets.lock import Lock, Pick, Price
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import StoreError
from tests.assets.gallery.game import Game


def cards(game: Game, **changes: object) -> dict[str, Card]:
    return {card.asset.name: card for card in gather(game.manifest, game.lock, game.draw, **changes).cards}  # type: ignore[arg-type]  # one keyword


def test_each_asset_has_its_state(game: Game) -> None:
    found = {name: card.states for name, card in cards(game, changed={"sword": "the prompt has changed"}).items()}
    assert found == {
        "potion-red": (),
        "sword": ("unpicked", "changed"),
        "shield": (),
        "key": ("unpicked", "warnings"),
        "slime-walk": ("unpicked",),
        "knight": (),
        "grass": (),
        "shore": ("unpicked",),
        "lava": ("missing",),
    }
    assert set(STATES) >= {state for states in found.values() for state in states}


def test_approved_is_what_somebody_picked_or_what_has_no_other(game: Game) -> None:
    assert [name for name, card in cards(game).items() if card.approved] == ["potion-red", "shield", "knight", "grass"]


def test_kinds(game: Game) -> None:
    kinds = {
        name: card.shots[0].picture.kind for name, card in cards(game).items() if card.shots and card.shots[0].picture
    }
    assert kinds["potion-red"] == kinds["grass"] == "still"
    assert (kinds["slime-walk"], kinds["knight"], kinds["shore"]) == ("film", "views", "set")


def test_a_picture_is_the_sprite(game: Game) -> None:
    asset = game.assets["slime-walk"]
    sprite, _ = game.draw(asset, game.locked["slime-walk"].candidates[0])
    told = picture(sprite)
    with Image.open(BytesIO(told.png)) as sheet:
        assert sheet.convert("RGBA").tobytes() == sprite.sheet.convert("RGBA").tobytes()
    assert (told.size, told.count, told.columns, told.times) == ((32, 32), 4, 4, (125, 125, 125, 125))
    opaque = {color for _, color in sprite.sheet.convert("RGBA").getcolors(4096) if color[3]}
    assert set(told.colors) == {"#{:02x}{:02x}{:02x}".format(*color) for color in opaque}


def test_films_of_several_rows_play_row_by_row() -> None:
    frame = Image.new("P", (2, 2))
    frame.putpalette([1, 2, 3])
    names = ("south/0", "south/1", "west/0", "west/1")
    told = picture(Sprite("walk", (frame,) * 4, ("#010203",), "animation", names))
    assert told.clips == (("south", (0, 1)), ("west", (2, 3)))


def test_a_lost_image_hides_no_other(game: Game) -> None:
    def draw(asset: Asset, candidate: object) -> object:
        if asset.name == "sword" and candidate.number == 2:  # type: ignore[attr-defined]  # a Candidate
            raise StoreError("The raw image is gone.")
        return game.draw(asset, candidate)  # type: ignore[arg-type]  # a Candidate

    sword = next(card for card in gather(game.manifest, game.lock, draw).cards if card.asset.name == "sword")  # type: ignore[arg-type]  # as above
    assert [shot.problem for shot in sword.shots] == ["", "The raw image is gone.", ""]
    assert sword.states == ("unpicked", "missing")


def test_a_pick_silences_the_warnings_of_the_others(game: Game) -> None:
    key = game.locked["key"]
    good, bad = replace(key.candidates[0], warnings=()), key.candidates[1]
    lock = Lock({"key": replace(key, candidates=(good, bad), pick=Pick(1, "ana"))})
    found = next(card for card in gather(game.manifest, lock, game.draw).cards if card.asset.name == "key")
    assert found.states == ()


def test_what_the_manifest_has_no_more_is_told(game: Game) -> None:
    manifest = replace(game.manifest, assets={"sword": game.assets["sword"]})
    assert "potion-red" in gather(manifest, game.lock, game.draw).gone


def test_units_are_never_added_up() -> None:
    prices = [Price("0.022"), Price("0.05"), Price("2", "generations"), Price("0", "usd", "reported")]
    assert totals(prices) == {"usd": "$0.072", "generations": "2 generations", "unknown": "3"}
    assert totals([Price("1", "generations", "reported")]) == {"generations": "1 generation"}


@pytest.mark.parametrize("name", ["slime", "a b", "it's", "$(touch x)", "-rf", "%", "a;b"])
def test_commands_are_one_word_to_a_shell(name: str) -> None:
    assert shlex.split(command(name)) == ["pixelrouter", "pick", *(["--"] if name.startswith("-") else []), name]


@pytest.mark.parametrize("name", ["a\nrm x", "a\u202eb", "\x1b[0m"])
def test_no_command_for_names_that_steer_a_terminal(name: str) -> None:
    assert command(name) == ""
    assert "\N{REPLACEMENT CHARACTER}" in clean(name) or "\n" in name
