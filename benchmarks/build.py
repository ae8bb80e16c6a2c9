"""A game's build at size: with nothing to do, frozen, of 10,000 assets, and killed again and again.

``python benchmarks/build.py`` prints

- ``nothing``: the seconds of ``pixelrouter build`` of 500 assets with nothing to do, as a whole process, and how many
  times those of ``pixelrouter --version`` that is;
- ``frozen``: how much faster two processes rebuild 500 assets of 128 pixels from lock and store than one, and how many
  cores were busy;
- ``memory``: the largest memory of a build of 10,000 assets that are bought at a simulator, and its growth;
- ``kills``: a build of assets that are bought at a simulator, killed at random until it is done: what was charged for
  more than once.

It ends with status 1 where a bound is crossed: 1 s, 200 MB, one charge an asset.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pixelrouter import assets
from pixelrouter.testing import RetroDiffusionSimulator

KEY = "rdpk-simulator-0001"
ROOT = Path(__file__).resolve().parents[1]
MOST_S, MOST_MB = 1.0, 200
KINDS = ("potion", "sword", "shield", "gem", "key", "ring", "scroll", "coin", "helmet", "boot")
CHILD = """
import json, sys
from pathlib import Path
from pixelrouter import assets
looks = []
def look(step):
    if step.doing == "buying" and step.done * 10 % step.total == 0:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        looks.append(round(pages * 4096 / 1e6, 1))
built = assets.build(sys.argv[1], max_usd=float(sys.argv[2]), progress=look if sys.argv[3] == "look" else None)
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
print(json.dumps({"looks": looks, "peak": round(peak, 1), "errors": len(built.errors), "reused": built.reused}))
"""


def game(folder: Path, count: int, sim: RetroDiffusionSimulator | None = None, size: int = 32) -> Path:
    """A game's folder with that many assets of so many pixels a side."""
    folder.mkdir(parents=True)
    backend = "retrodiffusion" if sim else "procedural"
    section = f'[backends.retrodiffusion]\nbase_url = "{sim.url}"\npoll_s = 0.01\n' if sim else ""
    (folder / "pixelrouter.toml").write_text(f'backend = "{backend}"\n{section}')
    kinds, numbers = json.dumps(KINDS), json.dumps([str(n) for n in range(count // len(KINDS))])
    (folder / "assets.toml").write_text(
        f'[project]\npalette = "db32"\nstore = "raw"\n[style.items]\nsize = {size}\ntransparent = true\n'
        f'[asset."{{kind}}/{{number}}"]\nstyle = "items"\nprompt = "a {{kind}}, number {{number}}"\n'
        f"for_each = {{ kind = {kinds}, number = {numbers} }}\n"
    )
    return folder


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "RETRODIFFUSION_API_KEY": KEY, "CI": "", **more}


def timed(*words: str, cwd: Path, times: int = 5) -> float:
    """The least seconds of a whole process."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        command = [sys.executable, "-m", "pixelrouter", *words]
        subprocess.run(command, cwd=cwd, env=environment(), check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def nothing(folder: Path, count: int) -> dict[str, Any]:
    place = game(folder, count)
    assets.build(place)
    least, start = timed("build", cwd=place), timed("--version", cwd=place)
    return {
        "assets": count,
        "seconds": round(least, 2),
        "times_the_start": round(least / start, 1),
        "ok": least < MOST_S,
    }


def frozen(folder: Path, count: int) -> dict[str, Any]:
    place = game(folder, count, size=128)
    assets.build(place)
    walls, busy = {}, {}
    for jobs in (1, 2):
        runs = []
        for _ in range(3):
            shutil.rmtree(place / "art")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            wall = timed("build", "--frozen", "--jobs", str(jobs), cwd=place, times=1)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            runs.append((wall, cpu / wall))
        walls[jobs], busy[jobs] = min(runs)
    return {
        "assets": count,
        "two_processes_against_one": round(walls[1] / walls[2], 2),
        "cores_busy": {jobs: round(share, 2) for jobs, share in busy.items()},
        "ok": True,
    }


def memory(folder: Path, count: int) -> dict[str, Any]:
    with RetroDiffusionSimulator(keys=(KEY,), balance="100000") as sim:
        place = game(folder, count, sim)
        words = [sys.executable, "-c", CHILD, str(place), "5000", "look"]
        done = subprocess.run(words, env=environment(), check=True, capture_output=True, text=True)
        charges = len(sim.charges)
    told = json.loads(done.stdout)
    return {"assets": count, "charges": charges, **told, "ok": told["peak"] < MOST_MB and not told["errors"]}


def kills(folder: Path, count: int, most: int, seed: int) -> dict[str, Any]:
    draw = random.Random(seed)
    with RetroDiffusionSimulator(keys=(KEY,), balance="100000") as sim:
        place = game(folder, count, sim)
        killed = rounds = 0
        while True:
            rounds += 1
            words = [sys.executable, "-c", CHILD, str(place), "5000", "no"]
            process = subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True)
            try:
                out, _ = process.communicate(timeout=draw.uniform(0.7, 2.5) if killed < most else None)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
                continue
            told = json.loads(out)
            break
        charged = Counter((charge.body["prompt"], charge.body["seed"]) for charge in sim.charges)
    lock = assets.read_lock(place / "assets.lock")
    return {
        "assets": count,
        "kills": killed,
        "charges": sum(charged.values()),
        "most_for_one": max(charged.values()),
        "locked": len(lock.assets),
        "errors": told["errors"],
        "ok": max(charged.values()) == 1 and len(lock.assets) == count and not told["errors"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=int, default=500, help="of `nothing` and `frozen`")
    parser.add_argument("--many", type=int, default=10_000, help="assets of `memory`")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("nothing", "frozen", "memory", "kills"), action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    ways: dict[str, Callable[[Path], dict[str, Any]]] = {
        "nothing": lambda folder: nothing(folder, options.assets),
        "frozen": lambda folder: frozen(folder, options.assets),
        "kills": lambda folder: kills(folder, options.assets, options.kills, options.seed),
        "memory": lambda folder: memory(folder, options.many),
    }
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, way in ways.items():
            if not options.only or name in options.only:
                found[name] = way(Path(folder, name))
                if not options.json:
                    print(f"{name}: {found[name]}", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))
    return 0 if all(row["ok"] for row in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
