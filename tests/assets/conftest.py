"""Games in folders of their own: one that draws for nothing, and one that buys at a simulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrouter.testing import RetroDiffusionSimulator
from tests.assets.game import Game


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """A game whose art costs nothing."""
    return Game(tmp_path / "game")


@pytest.fixture
def shop(tmp_path: Path, sim: RetroDiffusionSimulator) -> Game:
    """A game that buys its art."""
    return Game(tmp_path / "game", sim)
