"""A game's folder for tests: an assets.toml, a config that buys at a simulator, and what lies in it afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pixelrouter import assets
from pixelrouter.assets import Built, Lock
from pixelrouter.testing import RetroDiffusionSimulator
from tests.conftest import KEY


class Game:
    """One game's folder. ``write`` replaces its assets.toml."""

    def __init__(self, folder: Path, sim: RetroDiffusionSimulator | None = None) -> None:
        self.folder, self.sim = folder, sim
        folder.mkdir(parents=True, exist_ok=True)
        backend = "retrodiffusion" if sim else "procedural"
        section = f'[backends.retrodiffusion]\nbase_url = "{sim.url}"\npoll_s = 0.01\n' if sim else ""
        (folder / "pixelrouter.toml").write_text(f'backend = "{backend}"\n{section}')

    def write(self, text: str) -> Game:
        (self.folder / "assets.toml").write_text(text, encoding="utf-8")
        return self

    def change(self, old: str, new: str) -> Game:
        text = (self.folder / "assets.toml").read_text(encoding="utf-8")
        assert old in text
        return self.write(text.replace(old, new))

    def build(self, *names: str, **arguments: Any) -> Built:
        if self.sim is not None:
            arguments = {"keys": {"retrodiffusion": KEY}, **arguments}
        return assets.build(self.folder, names or None, **arguments)

    def plan(self, *names: str, **arguments: Any) -> assets.Plan:
        if self.sim is not None:
            arguments = {"keys": {"retrodiffusion": KEY}, **arguments}
        return assets.plan(self.folder, names or None, **arguments)

    @property
    def lock(self) -> Lock:
        return assets.read_lock(self.folder / "assets.lock")

    @property
    def charges(self) -> int:
        assert self.sim is not None
        return len(self.sim.charges)

    def files(self) -> dict[str, str]:
        """The content of every file below art/, by path."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((self.folder / "art").rglob("*"))
            if path.is_file()
        }
