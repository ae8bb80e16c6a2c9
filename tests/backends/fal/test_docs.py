"""docs/fal.md against the code: its example runs, and every name in its tables exists."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from pixelrouter.backends.fal import FalSettings
from pixelrouter.backends.fal.body import OPTIONS
from pixelrouter.testing.simulator.fal import FalSimulator
from tests.backends.fal.answers import backend

MANUAL = (Path(__file__).parents[3] / "docs" / "fal.md").read_text()


def test_the_example_runs(tmp_path, monkeypatch):
    example = re.findall(r"```python\n(.*?)```", MANUAL, re.DOTALL)[0]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAL_KEY", "fal-sim:1")
    with FalSimulator(keys=("fal-sim:1",)) as sim:
        config = f'[backends.fal]\nbase_url = "{sim.url}"\npoll_s = 0.01\ncanvas = 512\n'
        (tmp_path / "pixelrouter.toml").write_text(config)
        exec(example, {})
        assert sim.paid_posts == 2
    for name in ("potion-front-right", "potion-front-left", "potion-left", "potion-top"):
        with Image.open(tmp_path / f"{name}.png") as view:
            assert view.size == (32, 32)
            assert view.convert("RGBA").getpixel((0, 0))[3] == 0  # the red ground is keyed out


def test_every_model_and_option_is_there():
    for model in backend().capabilities().models:
        assert f"`{model.id}`" in MANUAL
    for option in {name for options in OPTIONS.values() for name in options}:
        assert f"`{option}`" in MANUAL


def test_every_setting_of_its_own_is_there():
    for name in set(FalSettings.model_fields) - set(FalSettings.__mro__[1].model_fields):
        assert name in MANUAL, name


def test_the_documented_settings_are_accepted():
    import tomllib

    section = tomllib.loads(re.search(r"```toml\n(.*?)```", MANUAL, re.DOTALL)[1])["backends"]["fal"]
    assert FalSettings(**section).canvas == 1024
