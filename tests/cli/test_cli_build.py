"""``plan``, ``build``, ``pick``, ``reroll`` and ``adopt``: what is printed where, exit codes, the question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pixelrouter.testing import RetroDiffusionSimulator
from tests.conftest import KEY

ROOT = Path(__file__).parents[2]
GAME = """
[style.items]
size = 16
[asset.potion]
style = "items"
prompt = "a red potion"
n = 2
[asset.sword]
style = "items"
prompt = "a sword"
"""


@pytest.fixture
def game(home: Path) -> Path:
    (home / "assets.toml").write_text(GAME)
    return home


def test_from_plan_to_pick(game: Path, cli, cli_json) -> None:
    planned = cli("plan")
    assert planned.exit_code == 0, planned.output
    assert "potion" in planned.stdout
    assert "It costs nothing" in planned.stderr
    assert cli("plan", "--exit-code").exit_code == 3
    built = cli("build")
    assert (built.exit_code, sorted(built.stdout.split())) == (0, ["art/potion.png", "art/sword.png"])
    assert "pixelrouter pick NAME NUMBER" in built.stderr
    again = cli("build")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "nothing to do" in again.stderr
    assert cli("plan", "--exit-code").exit_code == 0
    assert cli("plan", "--all").stdout.count("nothing to do") == 2
    picked = cli_json("pick", "potion", "2", "--by", "Ada")
    assert picked == {"asset": "potion", "pick": 2, "by": "Ada", "files": ["art/potion.png"]}
    assert cli("pick", "potion", "7").exit_code == 2
    assert "Did you mean 'potion'?" in cli("pick", "potoin", "1").stderr
    data = cli_json("build")
    assert (data["unpicked"], data["written"], data["plan"]["changes"]) == ([], [], 0)


def test_rerolls_and_hands(game: Path, cli, cli_json) -> None:
    cli("build")
    assert cli_json("reroll", "sword", "-n", "2")["bought"] == {"sword": 2}
    lock = json.loads(Path("assets.lock").read_text())
    assert [one["number"] for one in lock["assets"]["sword"]["candidates"]] == [1, 2, 3]
    picture = Image.open("art/sword.png").convert("RGBA")
    picture.putpixel((0, 0), (9, 9, 9, 255))
    picture.save("art/sword.png")
    changed = cli("build")
    assert changed.exit_code == 2
    assert "`pixelrouter adopt sword` keeps it" in changed.stderr
    assert cli_json("adopt", "sword", "--note", "a dot")["by_hand"] == ["art/sword.png"]
    assert cli("build").exit_code == 0
    assert cli("adopt", "sword", "--release").exit_code == 0
    assert Image.open("art/sword.png").convert("RGBA").getpixel((0, 0)) != (9, 9, 9, 255)


def test_locked_and_frozen(game: Path, cli, cli_json, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("build", "--locked").exit_code == 3
    assert cli("build", "--frozen").exit_code == 3
    cli("build")
    assert cli("build", "--locked").exit_code == 0
    Path("art/sword.png").unlink()
    assert cli("build", "--frozen").stdout == "art/sword.png\n"
    monkeypatch.setenv("CI", "true")
    Path("art/sword.png").unlink()
    frozen = cli("build")
    assert (frozen.exit_code, frozen.stdout) == (0, "art/sword.png\n")
    assert "PIXELROUTER_ALLOW_SPEND=1" in frozen.stderr
    Path("assets.toml").write_text(GAME + '[asset.axe]\nprompt = "an axe"\n')
    error = cli_json("build", code=3)["error"]
    assert error["type"] == "LockMismatch"
    assert error["assets"] == {"axe": "it was never built"}


def test_errors_of_the_manifest_name_the_line(game: Path, cli) -> None:
    Path("assets.toml").write_text(GAME + '[asset.axe]\nprompt = "an axe"\nsise = 3\n')
    for command in (("plan",), ("build",), ("pick", "axe", "1")):
        result = cli(*command)
        assert result.exit_code == 3, result.output
        assert "assets.toml:13" in result.stderr


def test_it_asks_before_it_spends(game: Path, sim: RetroDiffusionSimulator) -> None:
    """In a real terminal: a pseudo-terminal for stdin and stderr, a pipe for what is data."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")
    config = f'backend = "retrodiffusion"\n[backends.retrodiffusion]\nbase_url = "{sim.url}"\npoll_s = 0.01\n'
    (game / "pixelrouter.toml").write_text(config)

    def answer(word: str) -> tuple[int, str, str]:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "pixelrouter", "build"], stdin=theirs, stderr=theirs, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT), "RETRODIFFUSION_API_KEY": KEY, "TERM": "dumb"},
        ) as process:  # fmt: skip
            os.close(theirs)
            os.write(ours, f"{word}\n".encode())
            said = b""
            try:
                while part := os.read(ours, 4096):
                    said += part
            except OSError:  # the other side was closed
                pass
            os.close(ours)
            assert process.stdout is not None
            return process.wait(), process.stdout.read(), said.decode()

    code, out, said = answer("n")
    assert (code, out) == (4, ""), said
    assert "Spend $" in said
    assert not sim.charges
    code, out, said = answer("y")
    assert (code, sorted(out.split())) == (0, ["art/potion.png", "art/sword.png"]), said
    assert len(sim.charges) == 3
