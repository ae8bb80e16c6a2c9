"""verify on builds that are drawn here: each rule broken once, and what may pass passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelrouter.assets.deliver import seen
from pixelrouter.assets.lock import Hand, Lock, LockedAtlas, Pick, Terms, read_lock, write_lock
from pixelrouter.assets.manifest import load_manifest
from pixelrouter.assets.packing import atlas_key
from pixelrouter.assets.verification import RULES, VerifyReport, verify
from pixelrouter.errors import ConfigError, InvalidRequest
from tests.assets.drawn import (
    BLUE,
    INK,
    PALETTE,
    RED,
    box,
    bricks,
    candidate,
    canvas,
    game,
    potion,
    repaint,
    slope,
    walk,
    walker,
)

HEAD = '[project]\nname = "g"\nout = "art"\n'
POTION = HEAD + '[asset.potion]\nprompt = "a potion"\nsize = 32\n'
WALK = (
    HEAD + '[asset.hero-walk]\nprompt = "a hero"\nsize = 32\ntask = "animation"\naction = "walking"\nframes = 4\n'
    'exports = ["aseprite-json", "aseprite", "godot", "tiled", "gif", "unity"]\n'
)
TILE = HEAD + '[asset.wall]\nprompt = "a wall"\nsize = 16\ntask = "tileset"\ntiles = "seamless"\n'


def rules(report: VerifyReport) -> list[tuple[str, str]]:
    return [(one.rule, one.severity) for one in report.issues]


def built(tmp_path: Path, manifest: str = POTION, **pictures: Any) -> Path:
    game(tmp_path, manifest, {name.replace("_", "-"): frames for name, frames in pictures.items()})
    return tmp_path / "assets.toml"


def relocked(folder: Path, change: Callable[[Lock], Lock]) -> None:
    write_lock(folder / "assets.lock", change(read_lock(folder / "assets.lock")))


def adopted(folder: Path, name: str, file: str) -> None:
    """What ``pixelrouter adopt`` leaves in the lock."""

    def change(lock: Lock) -> Lock:
        one = lock.assets[name]
        now = seen(folder / file)
        assert now is not None
        hand = {file: Hand("ada", "2026-11-21T09:00:00Z")}
        return lock.with_(assets={**lock.assets, name: replace(one, outputs={**one.outputs, file: now}, hand=hand)})

    relocked(folder, change)


def test_a_build_as_it_was_made_passes(tmp_path: Path) -> None:
    manifest = POTION + WALK.replace('"unity"', '"unity", "frames"').removeprefix(HEAD) + TILE.removeprefix(HEAD)
    report = verify(built(tmp_path, manifest, potion=[potion()], hero_walk=walk(), wall=[bricks()]), strict=True)
    assert rules(report) == []
    assert report.passed
    assert report.assets == ("potion", "hero-walk", "wall")
    assert (
        report.files == 12
    )  # three pictures, five exports, four frames; the engine's own .meta and .import are not in the lock
    assert report.adopted == ()


def test_a_recompressed_png_passes_and_a_changed_one_says_how_to_keep_it(tmp_path: Path) -> None:
    path = built(tmp_path, potion=[potion()])
    file = tmp_path / "art" / "potion.png"
    before = file.read_bytes()
    with Image.open(file) as image:
        image.save(file, compress_level=0)
    assert file.read_bytes() != before
    assert rules(verify(path)) == []
    with Image.open(file) as image:
        image.putpixel((15, 20), 2)
        image.save(file)
    (one,) = verify(path).issues
    assert (one.rule, one.severity, one.asset, one.file) == ("changed", "error", "potion", "art/potion.png")
    assert "pixelrouter adopt potion" in one.advice


def test_an_adopted_file_passes_and_is_named_until_it_changes_again(tmp_path: Path) -> None:
    path = built(tmp_path, POTION + f"palette = {json.dumps(PALETTE)}\n", potion=[potion()])
    hand = potion()
    box(hand, 12, 20, 15, 23, (1, 2, 3))  # a colour of the artist's own: taste, and theirs
    repaint(tmp_path / "art" / "potion.png", hand)
    adopted(tmp_path, "potion", "art/potion.png")
    report = verify(path)
    assert report.passed
    assert report.adopted == ("art/potion.png",)
    assert rules(report) == [("indexed", "warning"), ("palette", "warning")]
    assert not verify(path, strict=True).passed
    repaint(tmp_path / "art" / "potion.png", potion(33))
    assert rules(verify(path)) == [("changed", "error"), ("size", "error"), ("indexed", "warning")]


def test_files_that_are_missing_or_broken(tmp_path: Path) -> None:
    path = built(tmp_path, potion=[potion()])
    file = tmp_path / "art" / "potion.png"
    data = file.read_bytes()
    file.unlink()
    assert rules(verify(path)) == [("missing", "error")]
    for broken in (data[:-30], data.replace(b"IDAT", b"IDAX"), b"GIF89a", b""):
        file.write_bytes(broken)
        assert rules(verify(path)) == [("unreadable", "error")]
    file.unlink()
    file.mkdir()
    assert rules(verify(path)) == [("unreadable", "error")]


def test_what_the_manifest_and_the_lock_say_differently(tmp_path: Path) -> None:
    path = built(tmp_path, potion=[potion()])
    text = path.read_text()
    for old, new, rule in (
        ('"a potion"', '"a blue potion"', "wish"),
        ("size = 32\n", "size = 32\ncolors = 30\n", "stale"),
        ("size = 32\n", 'size = 32\nexports = ["gif"]\n', "stale"),
    ):
        path.write_text(text.replace(old, new))
        assert (rule, "error") in rules(verify(path))
        assert {one.rule for one in verify(path).issues} == {rule}
        (one,) = verify(path).issues
        assert (one.file, one.line) == ("assets.toml", 4)
    path.write_text(text + '[asset.sword]\nprompt = "a sword"\nsize = 32\n')
    (one,) = verify(path).issues
    assert (one.rule, one.asset, one.line) == ("unbuilt", "sword", 7)


def test_pictures_that_assets_start_from(tmp_path: Path) -> None:
    walking = '[asset.walk]\nprompt = "walks"\nsize = 32\ntask = "edit"\nimage = "IMAGE"\n'
    (tmp_path / "sketch.png").write_bytes(b"one")
    path = built(tmp_path, POTION + walking.replace("IMAGE", "sketch.png"), potion=[potion()], walk=[potion()])
    assert rules(verify(path)) == []
    (tmp_path / "sketch.png").write_bytes(b"two")
    assert rules(verify(path)) == [("wish", "error")]
    path = built(tmp_path, POTION + walking.replace("IMAGE", "asset:potion"), potion=[potion()], walk=[potion()])
    assert rules(verify(path)) == []

    def redrawn(lock: Lock) -> Lock:
        another = (candidate(2),)
        changed = replace(lock.assets["potion"], candidates=another, pick=Pick(2, "ada"))
        return lock.with_(assets={**lock.assets, "potion": changed})

    relocked(tmp_path, redrawn)
    assert [(one.asset, one.rule) for one in verify(path, ["walk"]).issues] == [("walk", "wish")]


def test_candidates_that_are_wanted_and_were_not_bought(tmp_path: Path) -> None:
    path = built(tmp_path, potion=[potion()])
    text = path.read_text()
    path.write_text(text + "n = 3\n")
    assert [one.message for one in verify(path).issues] == ["1 of 3 candidates are there."]
    path.write_text(text + 'backend = "procedural"\n')
    (one,) = verify(path).issues
    assert one.message == "It was drawn by retrodiffusion, which is no longer among its backends."


def test_atlases(tmp_path: Path) -> None:
    manifest = POTION + '[atlas.items]\nassets = ["*"]\n'
    path = built(tmp_path, manifest, potion=[potion()])
    assert [(one.rule, one.asset, one.line) for one in verify(path).issues] == [("unbuilt", "items", 7)]
    made = load_manifest(path)
    (tmp_path / "art" / "items.png").write_bytes((tmp_path / "art" / "potion.png").read_bytes())
    file = seen(tmp_path / "art" / "items.png")
    assert file is not None

    def packed(lock: Lock) -> Lock:
        key = atlas_key(made, lock, made.atlases["items"])
        return lock.with_(atlases={"items": LockedAtlas(key, {"art/items.png": file})})

    relocked(tmp_path, packed)
    assert rules(verify(path, strict=True)) == []
    path.write_text(manifest + "spacing = 3\n")
    assert rules(verify(path)) == [("stale", "error")]
    (tmp_path / "art" / "items.png").unlink()
    assert rules(verify(path, ["items"])) == [("missing", "error"), ("stale", "error")]


def test_what_is_left_over_is_a_warning(tmp_path: Path) -> None:
    path = built(tmp_path, potion=[potion()])
    path.write_text(path.read_text().replace("asset.potion", "asset.flask"))
    (tmp_path / "art" / "sub").mkdir()
    (tmp_path / "art" / "sub" / "old.png").write_bytes(b"x")
    (tmp_path / "art" / "notes.txt").write_text("mine")
    (tmp_path / "art" / ".hidden.png").write_bytes(b"x")
    report = verify(path)
    assert rules(report) == [("unbuilt", "error"), ("unknown-file", "warning"), ("removed", "warning")]
    assert [one.file for one in report.warnings] == ["art/sub/old.png", ""]
    assert rules(verify(path, ["flask"])) == [("unbuilt", "error")]


def test_candidates_that_nobody_picked(tmp_path: Path) -> None:
    two = [candidate(1), candidate(2)]
    game(tmp_path, POTION, {"potion": [potion()]}, candidates={"potion": two})
    report = verify(tmp_path / "assets.toml")
    assert (rules(report), report.passed) == ([("unpicked", "warning")], True)
    assert not verify(tmp_path / "assets.toml", strict=True).passed
    game(tmp_path, POTION, {"potion": [potion()]}, candidates={"potion": two}, picks={"potion": Pick(2, "ada")})
    assert rules(verify(tmp_path / "assets.toml")) == []


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        (Terms("NC", False, "https://example.org"), [("licence", "error")]),
        (Terms("odd", None), [("licence", "warning")]),
        (None, [("licence", "warning")]),
        (Terms("free", True), []),
    ],
)
def test_licences_where_the_game_is_sold(tmp_path: Path, licence: Terms | None, told: list[tuple[str, str]]) -> None:
    one = {"potion": [candidate(licence=licence)]}
    game(tmp_path, POTION + "commercial = true\n", {"potion": [potion()]}, candidates=one)
    assert rules(verify(tmp_path / "assets.toml")) == told
    game(tmp_path, POTION, {"potion": [potion()]}, candidates=one)
    assert rules(verify(tmp_path / "assets.toml")) == []


def test_what_was_known_when_it_came(tmp_path: Path) -> None:
    unsure = {"potion": [candidate(confidence=0.3, warnings=("The vendor drew 30x30.",))]}
    game(tmp_path, POTION, {"potion": [potion()]}, candidates=unsure)
    report = verify(tmp_path / "assets.toml")
    assert rules(report) == [("confidence", "warning"), ("vendor", "warning")]
    assert report.issues[1].message == "The vendor drew 30x30."
    game(tmp_path, POTION, {"potion": [potion()]}, candidates={"potion": [candidate(confidence=0.0, native=True)]})
    assert rules(verify(tmp_path / "assets.toml")) == []


def soft(rgba: np.ndarray) -> None:
    rgba[10, 12, 3] = 90


def hidden(rgba: np.ndarray) -> None:
    rgba[0, 0] = (9, 9, 9, 0)


def colored(rgba: np.ndarray) -> None:
    rgba[20, 12] = (1, 2, 3, 255)


def rainbow(rgba: np.ndarray) -> None:
    rgba[20, 10:22, :3] = np.arange(36).reshape(12, 3) * 7


def emptied(rgba: np.ndarray) -> None:
    rgba[:] = 0


def filled(rgba: np.ndarray) -> None:
    rgba[rgba[..., 3] == 0] = (*INK, 255)


@pytest.mark.parametrize(
    ("spoil", "rule", "words"),
    [
        (soft, "alpha", "1 pixel is half"),
        (hidden, "hidden", "1 clear pixel"),
        (colored, "palette", "#010203 is not in"),
        (rainbow, "colors", "colours, not 6"),
        (emptied, "blank", "empty"),
        (filled, "background", "no transparent"),
    ],
)
def test_rules_of_a_picture(tmp_path: Path, spoil: Callable[[np.ndarray], None], rule: str, words: str) -> None:
    manifest = POTION + f"palette = {json.dumps(PALETTE)}\ncolors = 6\ntransparent = true\n"
    path = built(tmp_path, manifest, potion=[potion()])
    assert rules(verify(path)) == []
    spoiled = potion()
    spoil(spoiled)
    repaint(tmp_path / "art" / "potion.png", spoiled)
    (found,) = (one for one in verify(path, ignore=["changed", "indexed"]).issues if one.rule == rule)
    assert found.severity == "error"
    assert words in found.message


def test_the_exact_size_of_pictures_and_of_sheets(tmp_path: Path) -> None:
    path = built(tmp_path, POTION, potion=[potion()])
    repaint(tmp_path / "art" / "potion.png", potion(31))
    assert ("size", "error") in rules(verify(path))
    path = built(tmp_path, WALK, hero_walk=walk())
    sheet = np.concatenate(walk(), axis=1)
    repaint(tmp_path / "art" / "hero-walk.png", sheet[:, :-1])
    found = verify(path, ignore=["changed", "indexed", "export"]).issues
    assert [one.message for one in found if one.rule == "size"] == [
        "The sheet of 127x32 is not made of cells of 32x32."
    ]
    repaint(tmp_path / "art" / "hero-walk.png", sheet[:, :-32])
    found = verify(path, ignore=["changed", "indexed", "export"]).issues
    assert [one.message for one in found if one.rule == "frames"] == ["It has 3 frames, not 4."]


def films(tmp_path: Path, frames: list[np.ndarray], action: str = "walking", **options: Any) -> list[tuple[str, str]]:
    manifest = WALK.replace("walking", action).replace("frames = 4\n", f"frames = {len(frames)}\n")
    return rules(verify(built(tmp_path, manifest, hero_walk=frames), **options))


def test_a_walk_that_jumps_fails_and_a_jump_passes(tmp_path: Path) -> None:
    assert films(tmp_path, walk()) == []
    assert films(tmp_path, walk(dy=-1)) == []  # a pixel is what animators do
    assert films(tmp_path, walk(dy=-3)) == [("jitter", "error")]
    assert films(tmp_path, walk(dy=2)) == [("jitter", "error")]
    assert films(tmp_path, walk(dy=-3), max_jitter=3) == []
    assert films(tmp_path, walk(dy=-3), ignore=["jitter:hero-*"]) == []
    assert films(tmp_path, walk(dy=-3), ignore=["jitter:villain"]) == [("jitter", "error")]
    assert films(tmp_path, walk(dy=-3), "jump over a fence") == []
    assert films(tmp_path, walk(dy=-2), "running") == []
    assert films(tmp_path, walk(dy=-3), "running") == [("jitter", "error")]


def test_a_figure_that_grows_or_steps_aside_is_worth_a_look(tmp_path: Path) -> None:
    assert films(tmp_path, walk(taller=4)) == [("height", "warning")]
    assert films(tmp_path, walk(dx=7)) == [("drift", "warning")]


def test_frames_that_are_empty_or_the_same(tmp_path: Path) -> None:
    frames = walk()
    assert films(tmp_path, [frames[0], frames[1], frames[1], frames[3]]) == [("identical", "warning")]
    assert films(tmp_path, [frames[0]] * 4) == [("identical", "error")]
    assert films(tmp_path, [frames[0], canvas(), frames[2], frames[3]]) == [("blank", "error")]
    assert films(tmp_path, [*frames[:3], canvas()], "vanishes") == [("blank", "warning")]


def test_views_are_all_there_and_differ(tmp_path: Path) -> None:
    manifest = HEAD + '[asset.hero]\nprompt = "a hero"\nsize = 32\ntask = "views"\nviews = "4"\n'
    views = [walker(step, dx=step) for step in range(4)]
    assert rules(verify(built(tmp_path, manifest, hero=views))) == []
    assert rules(verify(built(tmp_path, manifest, hero=views[:3]))) == [("blank", "error")]
    assert rules(verify(built(tmp_path, manifest, hero=[*views, *views[:1]]))) == [("frames", "error")]
    eight = manifest.replace('"4"', '"8"')
    opaque = [np.where(one[..., 3:] == 0, np.array([*INK, 255], np.uint8), one) for one in views]
    turned = [*opaque, *(one[:, ::-1] for one in opaque)]
    assert rules(verify(built(tmp_path, eight, hero=turned))) == []  # the ninth cell of the sheet is padding
    twice = verify(built(tmp_path, manifest, hero=[views[0], views[1], views[0], views[3]]))
    assert [(one.rule, one.message) for one in twice.issues] == [("identical", "north: the same as an earlier one.")]


def test_stray_pixels_are_told_where_there_are_many(tmp_path: Path) -> None:
    assert rules(verify(built(tmp_path, potion=[potion()]))) == []
    noisy = potion()
    chance = np.random.default_rng(3)
    for y in range(12, 27, 2):
        for x in range(11, 22, 2):
            noisy[y, x, :3] = chance.integers(0, 256, 3)
    assert ("stray", "warning") in rules(verify(built(tmp_path, potion=[noisy])))


def test_tiles_repeat_or_fail(tmp_path: Path) -> None:
    assert rules(verify(built(tmp_path, TILE, wall=[bricks()]))) == []
    path = built(tmp_path, TILE, wall=[slope()])
    assert rules(verify(path)) == [("seam", "error")]
    assert rules(verify(path, max_seam=99)) == []
    across = TILE.replace('task = "tileset"\ntiles = "seamless"\n', "options = { tile_x = true }\n")
    assert rules(verify(built(tmp_path, across, wall=[slope()]))) == []
    assert rules(verify(built(tmp_path, across.replace("tile_x", "tile_y"), wall=[slope()]))) == [("seam", "error")]


def corner_tile(code: str) -> np.ndarray:
    """Both grounds flat: each quarter of the tile has its corner's ground."""
    rgba = canvas(16, 16, BLUE)
    for at, digit in enumerate(code):
        if digit == "1":
            box(rgba, at % 2 * 8, at // 2 * 8, at % 2 * 8 + 8, at // 2 * 8 + 8, RED)
    return rgba


def test_the_sixteen_corner_tiles_fit(tmp_path: Path) -> None:
    manifest = TILE.replace("seamless", "wang") + 'upper = "moss"\n'
    codes = [f"{number:04b}" for number in range(16)]
    names = tuple(f"wang-{code}" for code in codes)
    bought = candidate(layout={"columns": 4, "rows": 4, "names": list(names)})
    tiles = [corner_tile(code) for code in codes]

    def checked(tiles: list[np.ndarray]) -> list[tuple[str, str]]:
        game(tmp_path, manifest, {"wall": tiles}, candidates={"wall": [bought]}, names={"wall": names})
        return rules(verify(tmp_path / "assets.toml"))

    assert checked(tiles) == []
    mirrored = [tile[:, ::-1] if code == "0100" else tile for tile, code in zip(tiles, codes, strict=True)]
    assert checked(mirrored) == [("joints", "error")]
    assert checked(tiles[:15]) == [("joints", "error")]  # the cell that is left over is of one colour
    assert checked(tiles[:11]) == [("frames", "error")]


def changed_json(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def test_exports_can_be_read_and_refer_to_what_is_there(tmp_path: Path) -> None:
    path = built(tmp_path, WALK, hero_walk=walk())
    art = tmp_path / "art"

    def broken(name: str, data: bytes) -> list[str]:
        before = (art / name).read_bytes()
        (art / name).write_bytes(data)
        found = [one.rule for one in verify(path, ignore=["changed"]).issues]
        (art / name).write_bytes(before)
        return found

    assert rules(verify(path)) == []
    sheet = json.loads((art / "hero-walk.json").read_text())
    for change in (
        lambda data: data["meta"].update(image="nowhere.png"),
        lambda data: data["meta"].update(size={"w": 1, "h": 1}),
        lambda data: data["frames"][0]["frame"].update(x=200),
    ):
        data = json.loads(json.dumps(sheet))
        change(data)
        assert broken("hero-walk.json", json.dumps(data).encode()) == ["export"]
    assert broken("hero-walk.json", b"{") == ["unreadable"]
    tres = (art / "hero-walk.tres").read_bytes()
    assert broken("hero-walk.tres", tres.replace(b"hero-walk.png", b"nowhere.png")) == ["export"]
    assert broken("hero-walk.tres", b"nothing") == ["unreadable"]
    tsx = (art / "hero-walk.tsx").read_bytes()
    assert broken("hero-walk.tsx", tsx.replace(b"hero-walk.png", b"nowhere.png")) == ["export"]
    assert broken("hero-walk.tsx", tsx[:-20]) == ["unreadable"]
    assert broken("hero-walk.tsx", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>') == ["unreadable"]
    for name in ("hero-walk.aseprite", "hero-walk.gif"):
        assert broken(name, (art / name).read_bytes()[:40]) == ["unreadable"]
    (art / "hero-walk.png.meta").unlink()
    assert rules(verify(path)) == [("missing", "error")]


def test_many_files_by_several_processes_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelrouter.assets.verification.verifying.MANY", 4)
    names = [f"p{number}" for number in range(6)]
    manifest = HEAD + "".join(f'[asset.{name}]\nprompt = "a potion"\nsize = 32\n' for name in names)
    path = built(tmp_path, manifest, **{name: [potion()] for name in names})
    repaint(tmp_path / "art" / "p3.png", slope())
    assert verify(path, jobs=2) == verify(path)
    assert {one.asset for one in verify(path, jobs=2).issues} == {"p3"}


def test_what_is_unknown_is_an_error_before_any_work(tmp_path: Path) -> None:
    path = built(tmp_path, potion=[potion()])
    with pytest.raises(InvalidRequest, match="no asset 'potions'") as error:
        verify(path, ["potions"])
    assert error.value.hint == "Did you mean 'potion'?"
    with pytest.raises(InvalidRequest, match="no rule 'sizes'"):
        verify(path, ignore=["sizes"])
    with pytest.raises(ConfigError):
        verify(tmp_path / "nowhere.toml")


def test_nothing_but_files_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket, no store, no ledger, nothing written: a fresh checkout on a CI machine."""
    path = built(tmp_path, potion=[potion()])
    monkeypatch.setattr("socket.socket", None)
    before = sorted(one.relative_to(tmp_path) for one in tmp_path.rglob("*"))
    monkeypatch.setenv("PIXELROUTER_STATE", str(tmp_path / "state"))
    assert verify(path).passed
    assert sorted(one.relative_to(tmp_path) for one in tmp_path.rglob("*")) == before


def test_every_rule_is_told_with_its_meaning() -> None:
    assert all(rule.meaning.endswith(".") and rule.severity in ("error", "warning") for rule in RULES.values())
    page = (Path(__file__).parents[2] / "docs" / "verify.md").read_text("utf-8")
    for rule in RULES.values():
        assert f"| `{rule.name}` | {rule.severity} |" in page
