"""A game's build: a manifest of assets, a lock of what was bought and picked, and everything an engine loads.

    pixelrouter.assets.build("assets.toml", max_usd=2.50)

``manifest/`` reads assets.toml into the values of asset.py; planning.py holds them against lock.py; building.py sees
who allowed what, and run.py does what the plan says, through buy.py (the router) and work.py (render.py, deliver.py:
free); ``export/`` writes what engines load.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelrouter.assets.asset import Asset, Manifest
    from pixelrouter.assets.building import Built, build, plan
    from pixelrouter.assets.choose import adopt, pick, release, reroll
    from pixelrouter.assets.lock import Lock, read_lock
    from pixelrouter.assets.manifest import load_manifest
    from pixelrouter.assets.planning import Plan, Step
    from pixelrouter.assets.run import BuildStep
    from pixelrouter.assets.verification import VerifyReport, verify

_HOMES = {
    "Asset": "asset",
    "Manifest": "asset",
    "BuildStep": "run",
    "Built": "building",
    "build": "building",
    "plan": "building",
    "adopt": "choose",
    "pick": "choose",
    "release": "choose",
    "reroll": "choose",
    "Lock": "lock",
    "read_lock": "lock",
    "load_manifest": "manifest",
    "Plan": "planning",
    "Step": "planning",
    "VerifyReport": "verification",
    "verify": "verification",
}

__all__ = [
    "Asset",
    "BuildStep",
    "Built",
    "Lock",
    "Manifest",
    "Plan",
    "Step",
    "VerifyReport",
    "adopt",
    "build",
    "load_manifest",
    "pick",
    "plan",
    "read_lock",
    "release",
    "reroll",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
