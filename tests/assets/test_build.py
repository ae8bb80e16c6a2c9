"""What a build writes: the same files from the same lock, nothing that nobody asked for, nobody's work overwritten."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter import assets
from pixelrouter.assets.work import FEWEST
from pixelrouter.errors import ConfigError, InvalidRequest, LockMismatch, StoreError
from pixelrouter.testing import RetroDiffusionSimulator
from tests.assets.game import Game

ROOT = Path(__file__).resolve().parents[2]
GAME = """
[project]
store = "raw"
palette = "db32"
[style.items]
size = 32
transparent = true
[asset.potion]
style = "items"
prompt = "a red potion"
n = 3
exports = ["aseprite", "aseprite-json"]
[asset.knight]
style = "items"
prompt = "a knight"
[asset.walk]
style = "items"
image = "asset:knight"
task = "animation"
action = "walk"
exports = ["aseprite-json", "godot", "gif"]
[asset."ground/grass"]
prompt = "grass"
upper = "stone"
size = 16
task = "tileset"
tiles = "wang"
exports = ["tiled"]
[atlas.items]
assets = ["potion", "knight"]
"""
GEMS = f"""
[asset."gem-{{n}}"]
for_each = {{ n = {list(map(str, range(2 * FEWEST)))} }}
prompt = "gem {{n}}"
size = 16
"""
CIRCLE = """
[asset.a]
image = "asset:b"
task = "edit"
prompt = "x"
[asset.b]
image = "asset:a"
task = "edit"
prompt = "x"
"""
NO_SOCKETS = """
import sys
opened = []
def watch(event, arguments):
    if event.startswith("socket."):
        opened.append(event)
sys.addaudithook(watch)
from pixelrouter import assets
built = assets.build(sys.argv[1], frozen=True, jobs=2)
loaded = [name for name in ("httpx", "sqlite3", "pixelrouter.routing.router") if name in sys.modules]
print(len(built.written), opened, loaded)
"""


def edit(path: Path) -> None:
    """One pixel, as an artist would."""
    with Image.open(path) as image:
        picture = image.convert("RGBA")
    picture.putpixel((3, 3), (255, 0, 255, 255))
    picture.save(path)


def test_a_frozen_build_gives_every_file_again(game: Game) -> None:
    game.write(GAME)
    built = game.build()
    assert not built.errors
    before, lock = game.files(), (game.folder / "assets.lock").read_bytes()
    assert {"art/potion.png", "art/potion.aseprite", "art/walk.tres", "art/walk.gif", "art/ground/grass.tsx"} <= set(
        before
    )
    assert {"art/items.png", "art/items.json"} <= set(before)
    shutil.rmtree(game.folder / "art")
    shutil.rmtree(game.folder / ".pixelrouter")  # another machine: there is the lock and the committed store
    frozen = game.build(frozen=True)
    assert game.files() == before
    assert set(frozen.written) == set(before)
    assert (game.folder / "assets.lock").read_bytes() == lock
    assert not game.build(frozen=True).written


def test_a_frozen_build_opens_no_socket_and_knows_no_router(game: Game) -> None:
    game.write(GAME + GEMS).build()
    before = game.files()
    shutil.rmtree(game.folder / "art")
    words = [sys.executable, "-c", NO_SOCKETS, str(game.folder)]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    assert done.stdout.split(" ", 1) == [str(len(before)), "[] []\n"]
    assert game.files() == before


def test_a_script_without_a_main_guard_may_build(game: Game) -> None:
    """Workers must not run the caller's script again."""
    game.write(GEMS)
    game.build()
    shutil.rmtree(game.folder / "art")
    script = game.folder / "build_art.py"
    script.write_text("import pixelrouter.assets\nprint('once')\npixelrouter.assets.build(jobs=2)\n")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=game.folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr
    assert len(game.files()) == 2 * FEWEST


def test_frozen_tells_what_it_cannot_give(game: Game) -> None:
    game.write(GAME).build()
    game.write(GAME + '[asset.new]\nprompt = "a new thing"\n')
    with pytest.raises(LockMismatch, match="new: it was never built"):
        game.build(frozen=True)
    game.write(GAME.replace('palette = "db32"', 'palette = "pico-8"'))
    with pytest.raises(LockMismatch, match="comes out otherwise"):
        game.build(frozen=True)
    game.write(GAME)
    shutil.rmtree(game.folder / "raw")
    shutil.rmtree(game.folder / ".pixelrouter")
    with pytest.raises(LockMismatch) as error:
        game.build(frozen=True)
    assert "store" in str(error.value)
    assert set(error.value.assets) >= {"potion", "knight", "walk", "ground/grass"}


def test_frozen_says_which_post_processor_it_would_take(game: Game) -> None:
    game.write(GAME).build()
    path = game.folder / "assets.lock"
    lock = json.loads(path.read_text())
    entry = lock["assets"]["potion"]
    entry["algorithm"] = "f1"
    for output in entry["outputs"].values():
        output["sha256"] = "0" * 64
        if "pixels" in output:
            output["pixels"] = "0" * 64
    path.write_text(json.dumps(lock))
    shutil.rmtree(game.folder / "art")
    with pytest.raises(LockMismatch, match="post-processor f1"):
        game.build(frozen=True)


def test_locked_refuses_what_would_change_the_lock(game: Game) -> None:
    game.write(GAME).build()
    (game.folder / "art" / "potion.png").unlink()
    before = (game.folder / "assets.lock").read_bytes()
    assert game.build(locked=True).written == ("art/potion.png",)
    for old, new in (("a red potion", "a blue potion"), ('"db32"', '"db16"'), ("[asset.knight]", "[asset.squire]")):
        game.write(GAME.replace(old, new).replace("asset:knight", "asset:squire" if "squire" in new else "asset:knight")
                   .replace('"knight"]', '"squire"]' if "squire" in new else '"knight"]'))  # fmt: skip
        with pytest.raises(LockMismatch):
            game.build(locked=True)
        assert (game.folder / "assets.lock").read_bytes() == before


def test_a_dry_run_changes_nothing(game: Game) -> None:
    game.write(GAME)
    built = game.build(dry_run=True)
    assert {step.state for step in built.plan.steps} == {"buy"}
    assert not (game.folder / "assets.lock").exists()
    assert not (game.folder / "art").exists()


def test_a_pick_writes_the_other_candidate(game: Game) -> None:
    game.write(GAME)
    assert game.build().unpicked == ("potion",)
    first = game.files()
    entry = assets.pick(game.folder, "potion", 3, by="Ada")
    assert (entry.pick.number, entry.pick.by) == (3, "Ada")
    second = game.files()
    changed = {path for path in first if first[path] != second[path]}
    assert changed == {"art/potion.png", "art/potion.aseprite"}
    built = game.build()
    assert set(built.written) == {"art/items.png"}
    assert not built.unpicked
    assert game.lock.assets["potion"].pick.by == "Ada"
    assets.pick(game.folder, "potion", 1)
    game.build()
    assert game.files() == first
    with pytest.raises(InvalidRequest, match="no candidate 9"):
        assets.pick(game.folder, "potion", 9)
    with pytest.raises(InvalidRequest, match="Did you mean 'potion'"):
        assets.pick(game.folder, "potoin", 1)


def test_a_pick_made_during_a_build_is_kept(game: Game) -> None:
    game.write(GAME).build()
    game.change("n = 3", "n = 5")

    def meanwhile(step: assets.BuildStep) -> None:
        if step.doing == "buying" and step.done == 1:
            assets.pick(game.folder, "potion", 2, by="Ada")

    game.build(progress=meanwhile)
    entry = game.lock.assets["potion"]
    assert (entry.pick.number, entry.pick.by, len(entry.candidates)) == (2, "Ada", 5)
    assert not game.build(locked=True).written


def test_what_was_changed_by_hand_is_never_overwritten(game: Game) -> None:
    game.write(GAME).build()
    picture = game.folder / "art" / "potion.png"
    edit(picture)
    mine = picture.read_bytes()
    for change in (lambda: None, lambda: game.change('"db32"', '"db16"')):
        change()
        built = game.build()
        assert "pixelrouter adopt potion" in str(built.errors["potion"])
        assert picture.read_bytes() == mine
    with pytest.raises(LockMismatch):
        game.build(frozen=True)
    assets.adopt(game.folder, "potion", by="Ada", note="a pink pixel")
    assert not game.build().errors
    assert picture.read_bytes() == mine
    (hand,) = game.lock.assets["potion"].hand.values()
    assert (hand.by, hand.note) == ("Ada", "a pink pixel")
    game.build(frozen=True)
    game.build(upgrade_post=True)
    assert picture.read_bytes() == mine
    with pytest.raises(InvalidRequest, match="changed by hand"):
        assets.pick(game.folder, "potion", 2)
    assets.release(game.folder, "potion")
    assert picture.read_bytes() != mine
    with pytest.raises(LockMismatch, match="atlas"):
        game.build(locked=True)
    game.build()
    assert game.build(locked=True).plan.is_empty


def test_a_strangers_file_is_not_overwritten(game: Game) -> None:
    picture = game.folder / "art" / "potion.png"
    picture.parent.mkdir()
    Image.new("RGBA", (32, 32), "red").save(picture)
    mine = picture.read_bytes()
    built = game.write(GAME).build()
    assert "made by somebody else" in str(built.errors["potion"])
    assert picture.read_bytes() == mine
    assert len(game.lock.assets["potion"].candidates) == 3  # what was bought is not lost
    assert not (game.folder / "art" / "potion.aseprite").exists()
    assert "potion" in game.build().errors
    assert not game.build(force=True).errors
    assert picture.read_bytes() != mine
    assert game.build().plan.is_empty


def test_a_compressed_png_is_still_the_builds_own(game: Game) -> None:
    game.write(GAME).build()
    picture = game.folder / "art" / "potion.png"
    with Image.open(picture) as image:
        image.load()
        image.save(picture, compress_level=0)
    assert game.build().plan.is_empty
    game.change('"db32"', '"db16"')
    assert not game.build().errors


def test_files_of_a_build_that_was_killed_before_the_lock_are_its_own(game: Game) -> None:
    game.write(GAME).build()
    lock = (game.folder / "assets.lock").read_bytes()
    game.change('"db32"', '"db16"')
    game.build()
    after = game.files()
    (game.folder / "assets.lock").write_bytes(lock)
    assert not game.build().errors
    assert game.files() == after
    assert game.build(locked=True).plan.is_empty


def test_another_prompt_does_not_draw_over_what_was_adopted(shop: Game) -> None:
    shop.write('[asset.potion]\nprompt = "a red potion"\nsize = 32\n').build(max_usd=1)
    picture = shop.folder / "art" / "potion.png"
    edit(picture)
    mine = picture.read_bytes()
    assets.adopt(shop.folder, "potion")
    shop.change("a red potion", "a blue potion")
    built = shop.build(max_usd=1)
    assert "drawn over by hand" in str(built.errors["potion"])
    assert (picture.read_bytes(), shop.charges) == (mine, 1)
    assert not shop.build(max_usd=1, force=True).errors
    assert shop.charges == 2
    assert not shop.lock.assets["potion"].hand


def test_an_adopted_picture_is_what_is_exported(game: Game) -> None:
    from pixelrouter.formats.aseprite_reading import read_aseprite

    game.write(GAME).build()
    edit(game.folder / "art" / "potion.png")
    assets.adopt(game.folder, "potion")
    game.build()
    drawn = read_aseprite((game.folder / "art" / "potion.aseprite").read_bytes())
    assert tuple(drawn.frames[0][3, 3]) == (255, 0, 255, 255)
    with Image.open(game.folder / "art" / "items.png") as atlas:
        assert (255, 0, 255, 255) in {color for _, color in atlas.convert("RGBA").getcolors(1 << 16)}


def test_an_artists_aseprite_file_is_taken_back(game: Game) -> None:
    game.write(GAME).build()
    source = game.folder / "art" / "potion.aseprite"
    before = game.files()["art/potion.png"]
    assets.pick(game.folder, "potion", 2)
    shutil.copy(source, game.folder / "mine.aseprite")
    assets.pick(game.folder, "potion", 1)
    assets.adopt(game.folder, "potion", game.folder / "mine.aseprite")
    assert game.files()["art/potion.png"] != before
    assert not game.build().errors
    with pytest.raises(InvalidRequest, match="frames of"):
        assets.adopt(game.folder, "walk", game.folder / "mine.aseprite")
    wrong = game.folder / "wrong.png"
    Image.new("RGBA", (8, 8)).save(wrong)
    with pytest.raises(InvalidRequest, match="8x8"):
        assets.adopt(game.folder, "potion", wrong)


def test_files_that_are_no_longer_wanted_go_and_strangers_stay(game: Game) -> None:
    game.write(GAME).build()
    (game.folder / "art" / "notes.txt").write_text("mine")
    game.change('exports = ["aseprite", "aseprite-json"]', 'out = "flask"')
    built = game.build()
    assert set(built.removed) == {"art/potion.png", "art/potion.aseprite", "art/potion.json"}
    assert (game.folder / "art" / "flask.png").exists()
    assert (game.folder / "art" / "notes.txt").exists()
    game.write((game.folder / "assets.toml").read_text().split("[asset.walk]")[0])
    assert set(game.plan().orphans) == {"walk", "ground/grass"}
    assert not game.build().removed
    edit(game.folder / "art" / "walk.png")
    built = game.build(prune=True)
    assert "art/ground/grass.png" in built.removed
    assert (game.folder / "art" / "walk.png").exists()  # somebody has drawn on it
    assert set(game.lock.assets) == {"potion", "knight"}


def test_what_the_engine_owns_is_written_once(game: Game) -> None:
    game.write(GAME).build()
    hint = game.folder / "art" / "walk.png.import"
    assert hint.exists()
    hint.write_text("the editor's own")
    game.change('"db32"', '"db16"')
    game.build()
    game.build(frozen=True)
    assert hint.read_text() == "the editor's own"
    assert not any(path.endswith(".import") for path in game.lock.assets["walk"].outputs)


def test_a_missing_raw_image_is_told_with_the_way_out(game: Game) -> None:
    game.write(GAME).build()
    shutil.rmtree(game.folder / "raw")
    shutil.rmtree(game.folder / ".pixelrouter")
    assert game.build().plan.is_empty  # the files are there
    game.change('"db32"', '"db16"')
    built = game.build()
    assert isinstance(built.errors["potion"], StoreError)
    assert "raw" in str(built.errors["potion"])


def test_assets_that_start_from_others_follow_the_pick_not_the_palette(
    shop: Game, sim: RetroDiffusionSimulator
) -> None:
    shop.write(
        '[asset.hero]\nprompt = "a hero"\nsize = 32\nn = 2\n'
        '[asset.red]\nimage = "asset:hero"\ntask = "edit"\nprompt = "the same in red"\nsize = 32\n'
    )
    built = shop.build(max_usd=5)
    assert not built.errors
    bought = len(sim.charges)
    assert bought >= 3
    shop.write("[project]\npalette = 'db16'\n" + (shop.folder / "assets.toml").read_text())
    assert not shop.plan().pays
    shop.build()
    assert len(sim.charges) == bought
    assets.pick(shop.folder, "hero", 2)
    assert [step.state for step in shop.plan().steps] == ["ready", "buy"]


def test_assets_that_wait_for_each_other_are_refused(game: Game) -> None:
    game.write(CIRCLE)
    with pytest.raises(ConfigError, match=r"assets\.toml:\d"):
        game.build()


def test_the_same_manifest_gives_the_same_files_whatever_the_config_says(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.write(GAME).build()
    before = game.files()
    shutil.rmtree(game.folder / "art")
    monkeypatch.setenv("PIXELROUTER_COLORS", "2")
    monkeypatch.setenv("PIXELROUTER_PALETTE", "1bit")
    monkeypatch.setenv("PIXELROUTER_SIZE", "8")
    game.build()
    assert game.files() == before


def test_provenance_changes_the_file_and_not_the_pixels(game: Game) -> None:
    from pixelrouter.assets.provenance import read_provenance

    game.write(GAME).build()
    before = game.lock.assets["potion"].outputs["art/potion.png"]
    game.change("[project]", '[project]\nprovenance = "minimal"')
    assert not game.build().errors
    after = game.lock.assets["potion"].outputs["art/potion.png"]
    assert (after.pixels, after.sha256 != before.sha256) == (before.pixels, True)
    assert read_provenance(game.folder / "art" / "potion.png")["asset"] == "potion"
    assert read_provenance(game.folder / "art" / "knight.png")
    game.build(frozen=True)


def test_a_build_with_nothing_to_do_loads_next_to_nothing(game: Game) -> None:
    game.write(GAME).build()
    code = (
        "import sys; from pixelrouter import assets; assets.build(sys.argv[1])\n"
        "print([name for name in ('numpy', 'PIL', 'httpx', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(game.folder)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_watching_builds_again_after_a_change(game: Game) -> None:
    from pixelrouter.assets.watching import watching

    game.write('[asset.potion]\nprompt = "a red potion"\nsize = 16\n')
    built: list[tuple[str, ...]] = []

    def once() -> int:
        built.append(game.build().written)
        if len(built) == 1:
            game.change("a red potion", "a green potion")
        elif len(built) == 2:
            game.write("[asset.potion]\nprompt = 3\n")
        else:
            raise KeyboardInterrupt
        return 0

    told: list[str] = []

    def failed(error: Exception) -> None:
        told.append(str(error))
        game.write('[asset.potion]\nprompt = "a blue potion"\nsize = 16\n')

    assert watching(game.folder, once, failed, lambda text: None, pause_s=0.01) == 0
    assert built == [("art/potion.png",)] * 3
    assert "assets.toml:2" in told[0]
