"""A game that is bought once, and a browser that is started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets.gallery.browser import Browser, missing
from tests.assets.gallery.game import Game, dungeon


@pytest.fixture(scope="session")
def game(tmp_path_factory: pytest.TempPathFactory) -> Game:
    return dungeon(tmp_path_factory.mktemp("game"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if why := missing():
        pytest.skip(why)
    browser = Browser()
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """As a person finds it: a window of a usual size, no wish for dark or still."""
    chromium.tab()
    chromium.size(1200, 900)
    chromium.prefer(prefers_color_scheme="light")
    return chromium


def saved(html: str, folder: Path) -> Path:
    path = folder / "gallery.html"
    path.write_text(html, "utf-8")
    return path
