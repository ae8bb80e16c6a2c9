"""How many lost answers each vendor's own means turns into known outcomes: ``python benchmarks/unknowns.py``.

Every way of buying that a simulator offers loses N answers, half of them before the vendor took the request, half
after, in a random order (``--seed``). The router looks into each within its call; some minutes later by the vendor's
clock ``reconcile`` runs, and a day later comes the next. The simulator's own count of charges is the judge: a verdict
that it contradicts is *wrong*.

Counted per way: the lost answers; how many were settled within the call; how many outcomes reconcile calls certain,
how many likely, how many stay unknown; wrong ones, which must be none; and the charge that no row of the ledger covers,
which must be none either. ``--fooled``: a stranger spends and pays on the same accounts at random meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixelrouter import PixelRouter
from pixelrouter.errors import PixelRouterError
from pixelrouter.testing.shop import Shop
from pixelrouter.testing.simulator import Simulator, simulator_of
from pixelrouter.types import Attempt, Money

DAY_S = 24 * 3600.0
#: Seconds until reconcile runs: every list and balance counts by then, and Replicate, which removes what was sent after
#: an hour, has it still.
WAIT_S = {"retrodiffusion": 600.0, "replicate": 600.0, "fal": 4000.0, "pixellab": 1200.0}
STILL = {"prompt": "a red potion", "size": 32}
WAYS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "retrodiffusion v2": ("retrodiffusion", {}, STILL),
    "retrodiffusion v1": ("retrodiffusion", {"api_version": "v1"}, STILL),
    "replicate": ("replicate", {}, {"prompt": "a red potion", "size": 64}),
    "fal": ("fal", {}, STILL),
    "pixellab v2, characters": ("pixellab", {}, {**STILL, "task": "views", "views": "4"}),
    "pixellab v2, stills": ("pixellab", {}, STILL),
    "pixellab v1, stills": ("pixellab", {"api_version": "v1"}, STILL),
}
FAULTS = {"before": "lose_before", "after": "lose_reply"}


def lose(way: str, losses: int, dice: random.Random, *, fooled: bool) -> dict[str, Any]:
    """One way of buying: every answer lost, then looked into; what came of it, as one row."""
    vendor, settings, call = WAYS[way]
    when = [("before", "after")[number % 2] for number in range(losses)]
    dice.shuffle(when)
    with simulator_of(vendor)() as simulator, tempfile.TemporaryDirectory() as state:
        shop = Shop(vendor, simulator, Path(state))
        try:
            patient = {"poll_s": 0.01, "timeout_s": 5.0, "breaker_failures": 0}
            section = {**simulator.backend_settings(), **patient, **settings}
            options = {"backends": {vendor: section}, "timeout_s": 30}
            truth: dict[str, bool] = {}
            in_call = 0
            for number, moment in enumerate(when):
                router = _router(shop, options)
                row, charged = _lost(router, simulator, moment, {**call, "prompt": f"{call['prompt']} {number}"})
                in_call += row.state in ("settled", "released")
                truth[row.id] = charged
                if fooled:
                    _stranger(simulator, dice)
                simulator.advance(WAIT_S[vendor])
                router.reconcile()
                simulator.advance(DAY_S)  # so that no loss disturbs the next one's balance
            last = _router(shop, options)
            rows = [row for row in last.attempts() if row.id in truth]
            return {"way": way, "lost": losses, "in_call": in_call, **_judged(rows, truth, shop, last)}
        finally:
            shop.close()


def _router(shop: Shop, options: dict[str, Any]) -> PixelRouter:
    """A router that goes by the simulator's clock."""
    router = shop.router(**options)
    workshop = router._open()
    workshop.ledger._clock = workshop.engine.recovery.clock = shop.simulator.now
    return router


def _lost(router: PixelRouter, simulator: Simulator, moment: str, call: dict[str, Any]) -> tuple[Attempt, bool]:
    before = len(simulator.charges)
    simulator.fault(FAULTS[moment])
    with contextlib.suppress(PixelRouterError):  # the ledger says what it was
        router.generate(**call)
    return router.attempts()[0], len(simulator.charges) > before


def _stranger(simulator: Simulator, dice: random.Random) -> None:
    """Somebody else on the account: a purchase of about the usual price, or money paid in."""
    try:
        simulator.move_balance(Money(dice.choice((-25_000, -7_930, -10_500, 7_930, 25_000))))
    except NotImplementedError:
        return


def _judged(rows: Sequence[Attempt], truth: dict[str, bool], shop: Shop, router: PixelRouter) -> dict[str, Any]:
    sure, means = Counter[str](), Counter[str]()
    wrong = 0
    for row in rows:
        outcome = row.evidence.get("outcome", "unknown")
        sure[row.evidence.get("sure") or "unknown"] += 1
        if outcome != "unknown":
            means[row.evidence.get("means", "")] += 1
            wrong += (outcome in ("found", "charged")) != truth[row.id]
    booked = sum(row.cost.money.micros for row in router.attempts())
    charged = sum(charge.money.micros for charge in shop.simulator.charges if not charge.refunded)
    return {
        "certain": sure["certain"],
        "likely": sure["likely"],
        "unknown": sure["unknown"],
        "wrong": wrong,
        "uncovered_micros": max(0, charged - booked),
        "most_charges_per_request": _most_charges(shop),
        "means": dict(means),
    }


def _most_charges(shop: Shop) -> int:
    """The most charges that one request led to: a charge's body tells which request it was."""
    bodies = Counter(json.dumps(charge.body, sort_keys=True, default=str) for charge in shop.simulator.charges)
    return max(bodies.values(), default=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 1 where a verdict was wrong, a charge uncovered, or a request charged twice."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--losses", type=int, default=20, metavar="N", help="lost answers of each way (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the random order (default: 1)")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this way; may be given again")
    parser.add_argument("--fooled", action="store_true", help="a stranger uses the same accounts meanwhile")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    rows = []
    for way in given.way or WAYS:
        dice = random.Random(f"{given.seed} {way}")
        rows.append(lose(way, given.losses, dice, fooled=given.fooled))
    if given.json:
        print(json.dumps({"losses": given.losses, "seed": given.seed, "fooled": given.fooled, "rows": rows}, indent=2))
    else:
        _print(rows)
    # A stranger can make a likely verdict wrong: that is why it is called likely. It can never uncover a charge.
    bad = any(row["uncovered_micros"] or row["most_charges_per_request"] > 1 for row in rows)
    return int(bad or (not given.fooled and any(row["wrong"] for row in rows)))


def _print(rows: Sequence[dict[str, Any]]) -> None:
    heads = ("lost", "in call", "certain", "likely", "unknown", "wrong", "uncovered", "most charges")
    print(f"{'way':26}" + "".join(f"{head:>14}" for head in heads) + "  by means")
    for row in rows:
        names = ("lost", "in_call", "certain", "likely", "unknown", "wrong", "uncovered_micros")
        cells = [row[name] for name in (*names, "most_charges_per_request")]
        means = ", ".join(f"{name} {count}" for name, count in sorted(row["means"].items()))
        print(f"{row['way']:26}" + "".join(f"{cell:>14}" for cell in cells) + f"  {means}")


if __name__ == "__main__":
    sys.exit(main())
