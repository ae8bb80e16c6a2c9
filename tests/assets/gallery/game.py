"""A small game to look at: bought from the procedural backend, with manifest and lock as a build leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pixelrouter import PixelRouter
from pixelrouter.assets.asset import Asset, Manifest, Project
from pixelrouter.assets.gallery.model import Draw
from pixelrouter.assets.lock import Candidate, Lock, Locked, Pick, Price, Terms
from pixelrouter.assets.render import plain_layout, render
from pixelrouter.assets.shelf import Shelf
from pixelrouter.types import VIEW_NAMES, PixelArt, Views


@dataclass
class Game:
    folder: Path
    assets: dict[str, Asset] = field(default_factory=dict)
    locked: dict[str, Locked] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.folder / "state" / "store")

    @property
    def manifest(self) -> Manifest:
        return Manifest(self.folder / "assets.toml", Project("dungeon", self.folder / "art"), self.assets)

    @property
    def lock(self) -> Lock:
        return Lock(self.locked)

    @property
    def draw(self) -> Draw:
        shelf = self.shelf

        def drawn(asset: Asset, candidate: Candidate) -> Any:
            done = render(asset, candidate, shelf)
            return done.sprite, [warning for report in done.reports for warning in report.warnings]

        return drawn

    def buy(self, asset: Asset, *, pick: int = 1, by: str = "", facts: Mapping[str, Any] | None = None) -> None:
        """The asset's candidates; ``facts`` over those of the free backend, which costs nothing and has no licence."""
        wish: dict[str, Any] = {"size": asset.size, "task": asset.task, "transparent": asset.transparent}
        wish |= {"colors": asset.colors, "palette": asset.palette and list(asset.palette)}
        wish |= {name: getattr(asset, name) for name in ("views", "action", "frames", "tiles", "upper")}
        wish = {name: value for name, value in wish.items() if value is not None}
        with PixelRouter(route=["procedural"], state=self.folder / "state") as router:
            arts = [router.generate(asset.prompt, seed=100 + number, **wish) for number in range(1, asset.n + 1)]
        self.lay(asset, arts, pick, by, facts)

    def turn(self, asset: Asset, views: Views, facts: Mapping[str, Any]) -> None:
        """Views of one thing, which the procedural backend does not draw: one image after the other, named."""
        names = VIEW_NAMES[views]
        with PixelRouter(route=["procedural"], state=self.folder / "state") as router:
            arts = [router.generate(f"{asset.prompt} from the {name}", size=asset.size, seed=7) for name in names]
        raws = tuple(raw for art in arts for raw in art.raws)
        self.lay(
            replace(asset, task="views", views=views),
            arts[:1],
            1,
            "ana",
            {**facts, "raws": raws, "raw_names": names, "layout": {"together": True}},
        )

    def lay(self, asset: Asset, arts: Sequence[PixelArt], pick: int, by: str, facts: Mapping[str, Any] | None) -> None:
        candidates = tuple(candidate_of(art, number, facts or {}) for number, art in enumerate(arts, 1))
        self.assets[asset.name] = asset
        self.locked[asset.name] = Locked(
            "wish", candidates, Pick(pick, by), "finishing", "exporting", "snap/1", asset.style, asset.size
        )


def candidate_of(art: PixelArt, number: int, facts: Mapping[str, Any]) -> Candidate:
    values: dict[str, Any] = {
        "number": number,
        "key": art.key,
        "backend": art.backend,
        "model": art.model,
        "seed": art.seed,
        "raws": art.raws,
        "cost": Price("0", "usd", "reported"),
        "raw_names": art.attempts[-1].names,
        "layout": plain_layout(art.layout),
        "native": art.native,
        "confidence": min(report.confidence for report in art.reports),
    }
    return Candidate(**(values | dict(facts)))


def dungeon(folder: Path) -> Game:
    """Every kind of asset: stills, a film, views, a seamless tile, corner tiles, one with warnings, one not bought."""
    game = Game(folder)
    paid = {
        "backend": "retrodiffusion",
        "model": "rd_plus__default",
        "cost": Price("0.022", "usd", "reported"),
        "licence": Terms("Retro Diffusion", True, "https://astropulse.gitbook.io/retro-diffusion", "2026-11-02"),
        "job": "job-81f2",
        "native": False,
        "confidence": 0.94,
        "bought": "2026-11-20T09:12:44Z",
    }
    colors = ("#1a1c2c", "#5d275d", "#b13e53", "#ef7d57", "#ffcd75", "#a7f070", "#38b764", "#257179", "#29366f",
              "#3b5dc9", "#41a6f6", "#73eff7", "#f4f4f4", "#94b0c2", "#566c86", "#333c57")  # fmt: skip
    locked: dict[str, Any] = {"palette": colors, "palette_name": "sweetie-16"}
    items = {"style": "items", "transparent": True, **locked}
    game.buy(
        Asset("potion-red", "a red potion in a round bottle", (32, 32), n=4, **items), pick=2, by="ana", facts=paid
    )
    game.buy(Asset("sword", "a steel sword with a gold hilt", (32, 32), n=3, **items), facts=paid)
    game.buy(Asset("shield", "a round wooden shield", (32, 32), n=1, **items), facts=paid)
    game.buy(
        Asset("key", "a small golden key", (16, 16), n=2, **items),
        facts=paid | {"warnings": ("the grid was found on one axis only",), "confidence": 0.41},
    )
    heroes = {"style": "heroes", "transparent": True, "colors": 16}
    pixellab = {"backend": "pixellab", "model": "pixflux", "cost": Price("1", "generations", "quoted")}
    walk = Asset(
        "slime-walk", "a green slime", (32, 32), "animation", action="walk", frames=4, n=2, **{**heroes, "fps": 8.0}
    )
    game.buy(walk, facts=pixellab)
    game.turn(Asset("knight", "a knight", (32, 32), **heroes), "8", pixellab)
    game.buy(Asset("grass", "green grass", (16, 16), "tileset", tiles="seamless", n=3, style="ground"), pick=3, by="bo")
    game.buy(Asset("shore", "sea", (16, 16), "tileset", tiles="wang", upper="sand", n=2, style="ground"))
    game.assets["lava"] = Asset("lava", "bubbling lava", (16, 16), "tileset", tiles="seamless", style="ground")
    return game
