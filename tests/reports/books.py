"""Ledgers with a past, written directly: buying it at the simulators would take hours."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pixelrouter.money.database import Database
from pixelrouter.money.sqlite import SQLite

START = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
_COLUMNS: dict[str, Any] = {
    "key": "g1", "backend": "retrodiffusion", "model": "rd_fast__default", "state": "settled", "unit": "usd", "held": 0,
    "charged": 20_000, "cost_source": "reported", "seed": 1, "body": "", "ticket": None, "vendor_request": None,
    "raws": '["ab"]', "error_type": None, "error": None, "prompt": "a potion", "owner": "", "run": "r1", "batch": "",
    "project": "game", "quoted": 20_000, "quoted_unit": "usd", "quoted_source": "listed", "asset": "", "tags": "[]",
    "evidence": "{}",
}  # fmt: skip


def write(state: Path, rows: list[dict[str, Any]]) -> None:
    """A ledger in that state folder; a row says what differs from a plain purchase, and ``at``, its moment."""
    database = SQLite(state / "ledger.db")
    enter(database, rows)
    database.close()


def enter(database: Database, rows: list[dict[str, Any]]) -> None:
    """The rows, into a ledger that is open."""
    with database.transaction() as db:
        for number, row in enumerate(rows):
            given = dict(row)
            at: datetime = given.pop("at", START)
            values = {
                **_COLUMNS,
                **given,
                "id": hashlib.md5(b"%d" % number).hexdigest(),
                "slot": str(number),
                "day": at.date().isoformat(),
            }
            values |= {"created_at": at.timestamp(), "updated_at": at.timestamp()}
            values["tags"] = json.dumps(values["tags"]) if isinstance(values["tags"], list) else values["tags"]
            names = ", ".join(values)
            db.execute(f"INSERT INTO attempt ({names}) VALUES ({', '.join(f':{n}' for n in values)})", values)


UNKNOWN = {"state": "unknown", "charged": None, "held": 25_000, "cost_source": "quoted"}
RUNNING = {"state": "accepted", "charged": None, "held": 40_000, "ticket": '{"id": "job-1", "extra": {}}'}
RELEASED = {"state": "released", "charged": None, "error_type": "RateLimited", "error": "too many"}
LOST = {
    "raws": "[]", "error_type": "ResultExpired", "error": "drawn, charged and deleted; its id is task-77",
    "vendor_request": "task-77",
}  # fmt: skip
TURNED_DOWN = {
    "evidence": json.dumps({"turned_down": {"why": "The image scores 41, below min_score=80.", "score": 41}})
}


def months(count: int = 400, days: int = 50, seed: int = 7) -> list[dict[str, Any]]:
    """A game's autumn: four vendors, two currencies, some trouble."""
    dice = random.Random(seed)
    vendors = [
        ("retrodiffusion", "rd_fast__default", "usd", 17_000), ("retrodiffusion", "rd_pro__default", "usd", 180_000),
        ("fal", "fal-ai/flux-2/klein/4b/lora", "usd", 21_000), ("replicate", "rd-plus/default", "usd", 58_000),
        ("pixellab", "create-image-pixflux", "generations", 1_000_000),
        ("pixellab", "animate-with-text", "generations", 20_000_000),
    ]  # fmt: skip
    subjects = ["red potion", "slime", "knight", "castle wall", "torch", "coin", "dragon", "chest", "shield", "tree"]
    rows = []
    for _ in range(count):
        backend, model, unit, price = dice.choices(vendors, (8, 2, 5, 3, 3, 1))[0]
        day = min(days - 1, int(dice.triangular(0, days, days * 0.7)))
        subject = dice.choice(subjects)
        row: dict[str, Any] = {
            "at": START + timedelta(days=day, hours=dice.uniform(0, 9)),
            "backend": backend, "model": model, "unit": unit, "quoted_unit": unit, "quoted": price,
            "charged": price + dice.choice((0, 0, 0, price // 10, -price // 20)), "prompt": f"a {subject}, side view",
            "asset": f"sprites/{subject.replace(' ', '-')}", "run": f"build-{day}",
            "vendor_request": f"{backend[:2]}-{dice.getrandbits(48):012x}",
            "tags": dice.choice(([], ["level 1"], ["level 2", "enemies"], ["shop"])),
        }  # fmt: skip
        odd = dice.random()
        row |= LOST if odd < 0.01 else TURNED_DOWN if odd < 0.04 else RELEASED if odd < 0.1 else {}
        rows.append(row)
    rows.append({**UNKNOWN, "at": START + timedelta(days=days - 1), "asset": "sprites/dragon", "backend": "fal"})
    rows.append({**RUNNING, "at": START + timedelta(days=days - 1), "asset": "sprites/coin"})
    return rows
