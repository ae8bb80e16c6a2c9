"""What a build may spend: nothing without being allowed to, nothing twice, nothing at all where CI is set."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from pixelrouter import assets
from pixelrouter.errors import ConfigError, LockMismatch, SpendingNotAllowed
from pixelrouter.testing import RetroDiffusionSimulator
from tests.assets.game import Game
from tests.conftest import KEY, both_ledgers

ROOT = Path(__file__).resolve().parents[2]
TWO = """
[project]
store = "raw"
[style.items]
backend = "retrodiffusion"
size = 32
[asset.potion]
style = "items"
prompt = "a red potion"
n = 2
[asset.sword]
style = "items"
prompt = "an iron sword"
"""


def test_nothing_is_spent_that_nobody_allowed(shop: Game) -> None:
    shop.write(TWO)
    with pytest.raises(SpendingNotAllowed) as refused:
        shop.build()
    assert shop.charges == 0
    assert refused.value.money == "no"
    assert "max_usd=" in str(refused.value)
    with pytest.raises(SpendingNotAllowed):
        shop.build(max_usd="0.01")
    with pytest.raises(SpendingNotAllowed):
        shop.build(confirm=lambda plan: False)
    with pytest.raises(SpendingNotAllowed):
        shop.build(max_usd=5, confirm=lambda plan: False)
    with pytest.raises(SpendingNotAllowed):
        shop.build(max_generations=100)
    assert shop.charges == 0
    assert not (shop.folder / "assets.lock").exists()


def test_the_plan_says_to_the_cent_what_the_build_costs(shop: Game) -> None:
    shop.write(TWO)
    plan = shop.plan()
    assert shop.charges == 0
    assert [len(step.quotes) for step in plan.steps] == [2, 1]
    built = shop.build(max_usd=plan.costs["usd"].amount)
    assert built.spent["usd"] == plan.costs["usd"]
    assert built.bought == {"potion": 2, "sword": 1}
    assert shop.charges == 3
    assert plan.as_dict()["costs"] == {"usd": str(plan.costs["usd"].amount)}


@both_ledgers
def test_a_hundred_builds_pay_once(shop: Game) -> None:
    shop.write(TWO).build(max_usd=5)
    lock, files = (shop.folder / "assets.lock").read_bytes(), shop.files()
    for _ in range(3):
        built = shop.build()
        assert built.plan.is_empty
        assert not built.written
    assert shop.charges == 3
    assert (shop.folder / "assets.lock").read_bytes() == lock
    assert shop.files() == files


@both_ledgers
@pytest.mark.parametrize("lost", [("assets.lock",), ("assets.lock", "raw", "art")])
def test_a_lost_lock_buys_nothing(shop: Game, lost: tuple[str, ...]) -> None:
    import shutil

    shop.write(TWO).build(max_usd=5)
    before, files = shop.lock, shop.files()
    for name in lost:
        place = shop.folder / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert not shop.plan().pays
    built = shop.build()
    assert built.reused == 3
    assert not built.spent
    assert shop.charges == 3
    assert shop.lock == before
    assert shop.files() == files


def test_a_lost_ledger_buys_nothing(shop: Game) -> None:
    import shutil

    shop.write(TWO).build(max_usd=5)
    shutil.rmtree(shop.folder / ".pixelrouter")
    assert shop.build().plan.is_empty
    shutil.rmtree(shop.folder / "art")
    shop.change("size = 32", 'size = 32\npalette = "db16"')
    built = shop.build()
    assert not built.errors
    assert not built.spent
    assert shop.charges == 3


@pytest.mark.slow
def test_a_team_finishes_what_another_machine_has_bought(shop: Game, team_ledger: str) -> None:
    """The other machine has the lock and the team's ledger, which keeps the raw images."""
    import shutil

    config = shop.folder / "pixelrouter.toml"
    config.write_text(f'ledger = "{team_ledger}"\n{config.read_text()}')
    shop.write(TWO.replace('store = "raw"', "")).build(max_usd=5)
    shutil.rmtree(shop.folder / ".pixelrouter")
    shutil.rmtree(shop.folder / "art")
    shop.change("size = 32", 'size = 32\npalette = "db16"')
    built = shop.build()
    assert not built.errors
    assert len(built.written) == 2
    assert shop.charges == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size = 32", 'size = 32\npalette = "pico-8"'),
        ("size = 32", "size = 32\ncolors = 4"),
        ("size = 32", 'size = 32\ndither = "bayer4"'),
        ("n = 2", 'n = 2\nexports = ["aseprite"]'),
        ("n = 2", 'n = 2\nout = "ui/flask"'),
        ("n = 2", "n = 1"),
        ('backend = "retrodiffusion"', 'route = ["pixellab", "retrodiffusion"]'),
        ('backend = "retrodiffusion"\n', ""),
        ("[asset.sword]", "[asset.sword]\ntags = ['weapons']"),
    ],
)
def test_changing_what_is_free_is_free(shop: Game, old: str, new: str) -> None:
    shop.write(TWO).build(max_usd=5)
    shop.change(old, new)
    assert not shop.plan().pays
    built = shop.build()
    assert not built.errors
    assert shop.charges == 3
    assert shop.build().plan.is_empty


def test_only_what_changed_is_bought(shop: Game) -> None:
    shop.write(TWO).build(max_usd=5)
    shop.change("an iron sword", "a golden sword")
    plan = shop.plan()
    assert [(step.asset.name, step.state) for step in plan.steps] == [("potion", "ready"), ("sword", "buy")]
    shop.build(max_usd=5)
    assert shop.charges == 4
    shop.change("a golden sword", "an iron sword")
    assert shop.plan().steps[1].reused == 1
    assert shop.build().reused == 1
    assert shop.charges == 4


def test_more_candidates_do_not_buy_the_first_ones_again(shop: Game) -> None:
    shop.write(TWO).build(max_usd=5)
    shop.change("n = 2", "n = 4")
    built = shop.build(max_usd=5)
    assert built.bought == {"potion": 2}
    assert shop.charges == 5
    seeds = [one.seed for one in shop.lock.assets["potion"].candidates]
    assert len(set(seeds)) == 4


def test_a_reroll_that_was_cut_off_is_the_same_purchase(shop: Game) -> None:
    shop.write(TWO).build(max_usd=5)
    before = (shop.folder / "assets.lock").read_bytes()
    keys = {"retrodiffusion": KEY}
    assets.reroll(shop.folder, "sword", max_usd=1, keys=keys)
    assert shop.charges == 4
    (shop.folder / "assets.lock").write_bytes(before)  # as if it had been killed before the lock was written
    built = assets.reroll(shop.folder, "sword", max_usd=1, keys=keys)
    assert shop.charges == 4
    assert built.reused == 1
    with pytest.raises(SpendingNotAllowed):
        assets.reroll(shop.folder, "sword", keys=keys)
    assets.reroll(shop.folder, "sword", max_usd=1, keys=keys)
    assert shop.charges == 5
    assert [one.number for one in shop.lock.assets["sword"].candidates] == [1, 2, 3]


def test_the_projects_budget_is_a_cap(shop: Game) -> None:
    shop.write(TWO.replace("[project]", "[project]\nbudget_usd = 0.04"))
    built = shop.build(max_usd=5)
    assert built.errors
    assert sum(charge.money.amount for charge in shop.sim.charges) <= Decimal("0.04")
    assert {type(error).__name__ for error in built.errors.values()} == {"OverBudget"}
    assert shop.charges >= 1


@pytest.mark.parametrize(
    ("env", "allowed", "mode"),
    [
        ({}, False, "open"),
        ({"CI": "true"}, False, "frozen"),
        ({"CI": "1"}, True, "frozen"),
        ({"CI": "true", "PIXELROUTER_ALLOW_SPEND": "1"}, False, "frozen"),
        ({"CI": "true", "PIXELROUTER_ALLOW_SPEND": "1"}, True, "open"),
        ({"CI": "true", "PIXELROUTER_ALLOW_SPEND": "0"}, True, "frozen"),
        ({"CI": "false"}, False, "open"),
        ({"CI": ""}, False, "open"),
        ({"PIXELROUTER_FROZEN": "1"}, True, "frozen"),
        ({"PIXELROUTER_LOCKED": "1"}, True, "locked"),
        ({"PIXELROUTER_FROZEN": "1", "PIXELROUTER_ALLOW_SPEND": "1"}, True, "frozen"),
    ],
)
def test_ci_spends_only_if_it_is_allowed_twice(env: dict[str, str], allowed: bool, mode: str) -> None:
    from pixelrouter.assets.building import mode_of

    assert mode_of(locked=False, frozen=False, allowed=allowed, env=env) == mode


def test_ci_never_pays(shop: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    shop.write(TWO)
    for arguments in ({}, {"max_usd": 5}, {"confirm": lambda plan: True}):
        with pytest.raises(LockMismatch, match="was never built"):
            shop.build(**arguments)
    assert shop.charges == 0
    monkeypatch.setenv("PIXELROUTER_ALLOW_SPEND", "1")
    with pytest.raises(LockMismatch):
        shop.build()
    assert shop.charges == 0
    shop.build(max_usd=5)
    assert shop.charges == 3
    monkeypatch.delenv("PIXELROUTER_ALLOW_SPEND")
    with pytest.raises(SpendingNotAllowed):
        assets.reroll(shop.folder, "sword", max_usd=5, keys={"retrodiffusion": KEY})
    assert shop.charges == 3


def test_a_style_keeps_its_backend_on_another_machine(shop: Game) -> None:
    """The other machine has the lock, and a ledger that knows nothing."""
    import shutil

    shop.write(TWO).build(max_usd=5)
    shutil.rmtree(shop.folder / ".pixelrouter")
    shop.change('backend = "retrodiffusion"', 'route = ["procedural", "retrodiffusion"]')
    shop.write((shop.folder / "assets.toml").read_text() + '[asset.axe]\nstyle = "items"\nprompt = "an axe"\n')
    built = shop.build(max_usd=5)
    assert shop.lock.assets["axe"].picked.backend == "retrodiffusion"
    assert not built.errors


def test_one_assets_failure_does_not_stop_the_others(shop: Game) -> None:
    shop.write(TWO + '[asset.giant]\nprompt = "a giant"\nsize = 1024\n')
    plan = shop.plan()
    assert [step.state for step in plan.steps] == ["buy", "buy", "failed"]
    built = shop.build(max_usd=5)
    assert list(built.errors) == ["giant"]
    assert shop.charges == 3
    assert set(shop.lock.assets) == {"potion", "sword"}


def test_what_is_free_is_built_where_nothing_may_be_spent(shop: Game) -> None:
    shop.write(TWO + '[asset.rock]\nbackend = "procedural"\nprompt = "a rock"\nsize = 16\n')
    built = shop.build(free_only=True)
    assert list(built.lock.assets) == ["rock"]
    assert shop.charges == 0


def command(shop: Game, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    import os

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RETRODIFFUSION_API_KEY": KEY, **env}
    words = (sys.executable, "-m", "pixelrouter", *words)
    return subprocess.run(
        words, cwd=shop.folder, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


def test_the_command_asks_before_it_spends(shop: Game) -> None:
    shop.write(TWO)
    done = command(shop, "build", "--yes", "--json")
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["error"]["type"] == "SpendingNotAllowed"
    done = command(shop, "build", "--max-usd", "5")
    assert done.returncode == 4, done.stderr
    assert "--yes --max-usd" in done.stderr
    assert command(shop, "build", "--yes", "--max-usd", "5", CI="true").returncode == 3
    assert shop.charges == 0
    done = command(shop, "build", "--yes", "--max-usd", "5", CI="true", PIXELROUTER_ALLOW_SPEND="1")
    assert done.returncode == 0, done.stderr
    assert shop.charges == 3
    assert sorted(done.stdout.splitlines()) == ["art/potion.png", "art/sword.png"]


def test_errors_of_the_lock_say_what_to_do(shop: Game) -> None:
    shop.write(TWO).build(max_usd=5)
    path = shop.folder / "assets.lock"
    text = path.read_text()
    path.write_text("<<<<<<< ours\n" + text)
    with pytest.raises(ConfigError, match=r"assets.lock:1: a merge conflict"):
        shop.build()
    path.write_text(text[:-20])
    with pytest.raises(ConfigError, match=r"assets.lock:\d+: it is no lock file"):
        shop.build()
    path.write_text(text.replace('"version": 1', '"version": 99'))
    with pytest.raises(ConfigError, match="version 99"):
        shop.build()
    assert shop.charges == 3


KILLED = """
import os, sys
from pixelrouter import assets
from pixelrouter.assets import keeper
places = int(sys.argv[2])
real = keeper.Keeper.put
count = 0
def put(self, name, entry):
    global count
    count += 1
    if count == places:
        os.kill(os.getpid(), 9)
    real(self, name, entry)
keeper.Keeper.put = put
assets.build(sys.argv[1], max_usd=5, concurrency=2)
"""


@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_killed_build_pays_nothing_twice(shop: Game, sim: RetroDiffusionSimulator, place: int) -> None:
    import os

    shop.write(TWO + '[asset.axe]\nstyle = "items"\nprompt = "an axe"\n')
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RETRODIFFUSION_API_KEY": KEY}
    words = [sys.executable, "-c", KILLED, str(shop.folder), str(place)]
    killed = subprocess.run(words, env=environment, timeout=60)
    assert killed.returncode == -9
    built = shop.build(max_usd=5)
    assert not built.errors
    assert shop.charges == 4
    assert len({(charge.body["prompt"], charge.body["seed"]) for charge in sim.charges}) == 4
    assert {len(one.candidates) for one in shop.lock.assets.values()} == {1, 2}


FAULTS = ["lose_reply", "garbage_json", "rate_limit", "job_failed", "download_502", "url_only"]


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_vendor_does_nothing_is_paid_twice(shop: Game, fault: str) -> None:
    """The build goes on with the others; the next one gets what is missing, at most once for each."""
    shop.write(TWO)
    shop.sim.fault(fault)
    first = shop.build(max_usd=5)
    assert set(first.lock.assets) | set(first.errors) == {"potion", "sword"}
    for _ in range(2):
        last = shop.build(max_usd=5)
    assert not last.errors
    kept = [charge for charge in shop.sim.charges if not charge.refunded]
    assert len({(charge.body["prompt"], charge.body["seed"]) for charge in kept}) == len(kept) == 3
    assert shop.build().plan.is_empty
