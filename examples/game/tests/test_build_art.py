"""The build script, without keys, network or bills: in a copy, with every vendor faked."""

import shutil
from pathlib import Path

import pytest
from build_art import HERE, build

from pixelrouter import assets, errors


@pytest.fixture
def copy(tmp_path):
    """The project as it is in the repository."""
    shutil.copytree(HERE, tmp_path / "game", ignore=shutil.ignore_patterns(".pixelrouter", "__pycache__", ".venv"))
    return tmp_path / "game"


@pytest.fixture
def bare(copy):
    """The project as it was before anything was drawn, with a vendor that would cost money."""
    (copy / "assets.lock").unlink()
    for folder in ("art", "raw"):
        shutil.rmtree(copy / folder)
    (copy / "pixelrouter.toml").write_text('backend = "pixellab"\n')
    return copy


def files(folder: Path):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def test_the_art_in_the_repository_is_what_the_lock_says(copy):
    before = files(copy / "art")
    shutil.rmtree(copy / "art")
    assets.build(copy, frozen=True)
    assert {name: data for name, data in files(copy / "art").items() if name in before} == before


def test_there_is_nothing_to_do(copy):
    assert assets.plan(copy).is_empty


def test_everything_is_drawn_once(fake_pixelrouter, bare):
    built = build(bare, max_usd="1.00")
    assert {path.name for path in (bare / "art").glob("*.png")} == {
        "slime.png", "shore.png", "potion-red.png", "potion-blue.png",
    }  # fmt: skip
    assert sorted((call.asset, call.task, call.size) for call in fake_pixelrouter.calls) == [
        ("potion-blue", "image", (16, 16)),
        ("potion-red", "image", (16, 16)),
        ("shore", "tileset", (16, 16)),
        ("slime", "animation", (32, 32)),
    ]
    assert sum(attempt.cost.money.amount for attempt in fake_pixelrouter.bought) == built.spent["usd"].amount > 0
    before = len(fake_pixelrouter.bought)  # one more than there are assets: the slime is drawn first, then moved
    build(bare, max_usd="1.00")
    assert len(fake_pixelrouter.bought) == before


def test_the_budget_is_kept(fake_pixelrouter, bare):
    with pytest.raises((errors.OverBudget, errors.SpendingNotAllowed)):
        build(bare, max_usd="0.01")
    assert not fake_pixelrouter.bought


def test_what_failed_is_made_up_for_and_the_rest_not_paid_again(fake_pixelrouter, bare):
    fake_pixelrouter.fail_next(errors.OutOfCredit)
    with pytest.raises(errors.OutOfCredit):
        build(bare, max_usd="1.00")
    before = len(fake_pixelrouter.bought)
    build(bare, max_usd="1.00")
    assert len(fake_pixelrouter.bought) - before in (1, 2)  # what failed, and what may have waited for it
    assert len(list((bare / "art").glob("*.png"))) == 4
