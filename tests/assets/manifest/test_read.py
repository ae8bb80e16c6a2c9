"""What the words of a manifest become: layers, affixes, pictures, palettes, atlases, sizes."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from PIL import Image

from pixelrouter.assets.asset import Asset, Atlas, FrameTag
from pixelrouter.assets.manifest import load_manifest
from pixelrouter.assets.manifest.resolve import affixed
from pixelrouter.assets.manifest.tables import FINISHING, Wishes
from pixelrouter.errors import ConfigError
from pixelrouter.routing.arguments import Finishing
from tests.assets.manifest.conftest import Read

ROOT = Path(__file__).parents[3]


def picture(file: Path, size: tuple[int, int] = (8, 8)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(file)


def test_everything_said_once(read: Read, tmp_path: Path) -> None:
    manifest = read(
        """
        [project]
        name = "Dungeon"
        out = "game/art"
        store = "raw"
        budget_usd = 1.10
        budget_generations = "40"
        provenance = "minimal"
        pixels_per_unit = 16
        palette = ["#FF0000", "00ff00", "#00f"]
        [asset.slime]
        prompt = "a slime"
        size = [16, 24]
        model = "m"
        backend = "procedural"
        seed = 7
        n = 4
        transparent = true
        colors = 8
        policy = "resample"
        pixel_size = 8
        origin = [0, 1.5]
        exports = ["godot", "gif", "godot"]
        pivot = "bottom"
        fps = 12
        tags = "boss"
        min_score = 60
        options = { style = "x", list = [1, { a = true }] }
        commercial = true
        out = "mobs/slime"
        """
    )
    project = manifest.project
    assert (project.name, project.out, project.store) == ("Dungeon", tmp_path / "game/art", tmp_path / "raw")
    assert (project.budget_usd, project.budget_generations) == (Decimal("1.1"), Decimal(40))
    assert (project.provenance, project.pixels_per_unit) == ("minimal", 16)
    colours = ("#ff0000", "#00ff00", "#0000ff")
    assert (project.palette, project.palette_name) == (colours, "")
    assert manifest.assets == {
        "slime": Asset(
            name="slime",
            prompt="a slime",
            size=(16, 24),
            model="m",
            backend="procedural",
            seed=7,
            n=4,
            transparent=True,
            colors=8,
            palette=colours,
            finishing={"policy": "resample", "pixel_size": 8.0, "origin": (0.0, 1.5)},
            exports=("godot", "gif"),
            pivot=(0.5, 1.0),
            fps=12.0,
            tags=("boss",),
            min_score=60.0,
            options={"style": "x", "list": [1, {"a": True}]},
            commercial=True,
            out="mobs/slime",
            line=11,
        )
    }


def test_the_smallest_manifest(read: Read, tmp_path: Path) -> None:
    manifest = read('[asset.coin]\nprompt = "a coin"')
    assert manifest.assets["coin"] == Asset(name="coin", prompt="a coin", size=(32, 32), out="coin", line=1)
    assert (manifest.project.out, manifest.project.name) == (tmp_path / "art", tmp_path.name)
    assert manifest.lock_path == tmp_path / "assets.lock"


def test_the_nearest_word_holds(read: Read) -> None:
    manifest = read(
        """
        project.size = 8
        project.n = 2
        project.palette = "pico-8"
        project.style = "base"
        project.exports = ["gif"]
        [style.base]
        size = 16
        dither = "bayer2"
        suffix = "flat"
        sticky = false
        [style.cave]
        extends = "base"
        size = 24
        palette = "db16"
        [asset.a]
        prompt = "a"
        [asset.b]
        prompt = "b"
        style = "cave"
        dither = "none"
        palette = "none"
        exports = []
        suffix = ""
        [asset.c]
        prompt = "c"
        style = ""
        """
    )
    a, b, c = manifest.assets.values()
    assert (a.size, a.style, a.n, a.palette_name, a.finishing) == ((16, 16), "base", 2, "pico-8", {"dither": "bayer2"})
    assert (a.prompt, a.exports, a.sticky) == ("a flat", ("gif",), False)
    assert (b.size, b.style, b.palette, b.palette_name, b.finishing) == ((24, 24), "cave", None, "", {"dither": "none"})
    assert (b.prompt, b.exports, b.sticky) == ("b", (), False)
    assert (c.size, c.style, c.prompt, c.sticky) == ((8, 8), "", "c", True)


def test_a_nearer_vendor_takes_nothing_of_the_farther_one(read: Read) -> None:
    manifest = read(
        """
        [style.s]
        backend = "retrodiffusion"
        model = "rd_plus"
        options = { a = 1, b = 2 }
        [asset.mine]
        prompt = "x"
        style = "s"
        options = { b = 3 }
        [asset.other]
        prompt = "x"
        style = "s"
        route = ["pixellab", "procedural"]
        """
    )
    mine, other = manifest.assets.values()
    assert (mine.backend, mine.model, mine.options) == ("retrodiffusion", "rd_plus", {"a": 1, "b": 3})
    assert (other.backend, other.route, other.model, other.options) == (None, ("pixellab", "procedural"), None, {})


@pytest.mark.parametrize(
    ("prefix", "prompt", "suffix", "text"),
    [
        ("pixel art of", " a slime ", ", flat", "pixel art of a slime, flat"),
        ("", "a slime", "flat", "a slime flat"),
        (" dark, ", "a slime", "", "dark, a slime"),
        ("x", "  ", "y", ""),
    ],
)
def test_affixes(prefix: str, prompt: str, suffix: str, text: str) -> None:
    assert affixed(prompt, prefix, suffix) == text


def test_pictures_in_their_order(read: Read, tmp_path: Path) -> None:
    for name in ("ref/b.png", "ref/a.png", "ref/.c.png", "hero.png", "mask.png"):
        picture(tmp_path / name)
    manifest = read(
        """
        [style.s]
        references = ["ref/*.png", "asset:hero"]
        [asset.hero]
        style = "s"
        prompt = "hero"
        [asset.knight]
        style = "s"
        prompt = "knight"
        task = "edit"
        image = "./hero.png"
        [asset.door]
        prompt = "door"
        task = "inpaint"
        image = "asset:hero"
        mask = "mask.png"
        references = []
        [asset.walk]
        style = "s"
        task = "animation"
        action = "walk"
        prompt = "hero"
        """
    )
    assets = manifest.assets
    assert assets["hero"].images == ("ref/a.png", "ref/b.png")  # not itself
    assert assets["knight"].images == ("hero.png", "ref/a.png", "ref/b.png", "asset:hero")
    assert (assets["door"].images, assets["door"].mask) == (("asset:hero",), "mask.png")
    assert assets["walk"].images == ()  # the first of them would be animated


def test_tasks_and_their_words(read: Read) -> None:
    manifest = read(
        """
        [style.moving]
        frames = 6
        tiles = "wang"
        [asset.a]
        task = "animation"
        style = "moving"
        prompt = "bat"
        frame_tags = [
          { name = "up", first = 0, last = 2 },
          { name = "down", first = 3, last = 5, direction = "reverse" },
        ]
        loop = false
        [asset.b]
        task = "remove-background"
        image = "asset:a"
        [asset.c]
        task = "views"
        views = 8
        prompt = "bat"
        [asset.d]
        task = "tileset"
        prompt = "grass"
        """
    )
    a, b, c, d = manifest.assets.values()
    assert (a.frames, a.tiles, a.loop) == (6, None, False)  # tiles are for tilesets
    assert a.frame_tags == (FrameTag("up", 0, 2), FrameTag("down", 3, 5, "reverse"))
    assert (b.task, b.transparent, b.prompt) == ("remove_background", True, "")
    assert (c.views, d.tiles) == ("8", "seamless")


def test_what_is_made_from_a_picture_has_its_size(read: Read, tmp_path: Path) -> None:
    picture(tmp_path / "hero.png", (20, 30))
    picture(tmp_path / "photo.jpg", (600, 40))
    manifest = read(
        """
        [asset.last]
        task = "views"
        image = "asset:second"
        [asset.second]
        task = "remove-background"
        image = "asset:first"
        [asset.first]
        task = "edit"
        image = "hero.png"
        prompt = "x"
        [asset.sized]
        task = "edit"
        image = "hero.png"
        prompt = "x"
        size = 16
        [asset.photo]
        task = "edit"
        image = "photo.jpg"
        prompt = "x"
        [asset.turned]
        task = "views"
        image = "photo.jpg"
        """
    )
    sizes = {name: asset.size for name, asset in manifest.assets.items()}
    same = (20, 30)
    assert sizes == {
        "last": same,
        "second": same,
        "first": same,
        "sized": (16, 16),
        "photo": (600, 40),
        "turned": (32, 32),  # no vendor turns what is that large
    }


def test_palettes_start_from_the_manifests_folder(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pal").mkdir()
    (tmp_path / "pal" / "mine.hex").write_text("ff0000\n00ff00\n")
    monkeypatch.chdir("/")
    assets = read(
        '[asset.a]\nprompt = "a"\npalette = "pal/mine.hex"\n[asset.b]\nprompt = "b"\npalette = "PICO8"'
    ).assets
    assert (assets["a"].palette, assets["a"].palette_name) == (("#ff0000", "#00ff00"), "pal/mine.hex")
    assert assets["b"].palette is not None
    assert len(assets["b"].palette) == 16


def test_assets_of_a_style_share_what_is_the_same(read: Read) -> None:
    text = '[style.s]\npolicy = "snap"\npalette = "db32"\noptions = { x = 1 }\n'
    assets = read(text + '[asset.x]\nstyle = "s"\nprompt = "{i}"\nfor_each = { i = [1, 2] }').assets
    one, two = assets.values()
    assert one.finishing is two.finishing
    assert one.palette is two.palette
    assert one.options is two.options


def test_atlases(read: Read) -> None:
    manifest = read(
        """
        [atlas.all]
        assets = ["coin", "items/*"]
        formats = "pixi"
        method = "grid"
        extrude = 1
        trim = true
        out = "sheets/all"
        [asset."items/deep/b"]
        prompt = "x"
        [asset."items/a"]
        prompt = "x"
        [asset.coin]
        prompt = "x"
        """
    )
    members = ("items/deep/b", "items/a", "coin")
    expected = Atlas("all", members, "sheets/all", ("pixi",), "grid", extrude=1, trim=True, line=2)
    assert manifest.atlases == {"all": expected}


def test_a_manifest_is_found_from_below(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read('[asset.a]\nprompt = "a"')
    (tmp_path / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "src" / "deep")
    assert load_manifest() == load_manifest(str(tmp_path / "assets.toml")) == manifest
    with pytest.raises(ConfigError, match="pixelrouter init"):
        load_manifest("nowhere.toml")


def test_pictures_may_be_missing_where_none_is_needed(read: Read) -> None:
    text = '[asset.a]\nprompt = "a"\nsize = 8\nreferences = ["ref/a.png", "more/*.png"]'
    with pytest.raises(ConfigError, match=r"assets\.toml:4"):
        read(text)
    assert read(text, inputs=False).assets["a"].images == ("ref/a.png",)


def test_every_finishing_wish_of_the_router_may_be_written() -> None:
    hints = get_type_hints(Finishing)
    assert tuple(hints) == FINISHING
    for name, hint in hints.items():
        words = {word for part in get_args(hint) for word in get_args(part) if isinstance(word, str)}
        mine = {word for part in get_args(Wishes.model_fields[name].annotation) for word in get_args(part)}
        assert words == {word for word in mine if isinstance(word, str)}, name


def test_reading_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "assets.toml").write_text('project.palette = "pico-8"\n[asset.a]\nprompt = "a"\nbackend = "procedural"')
    code = (
        "import sys, pixelrouter.assets.manifest as m; m.load_manifest(); "
        "print({'numpy', 'PIL', 'httpx'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "set()\n"
