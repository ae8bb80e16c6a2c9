"""Run the fuzzers: ``python fuzz/run.py [--target T] [--seconds N]``; needs ``pip install 'pixelrouter[fuzz]'``.

Each target runs in a process of its own, which atheris (libFuzzer) steers by what the input covers. What crashes, takes
longer than 20 seconds or more than 2 GB is saved, with the line that runs it again. Exits with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

TARGET_NAMES = ("answers", "images", "sprites", "palettes", "cassettes", "config")
SLOWEST_S, MOST_MB = 20, 2048


def main() -> int:
    """Fuzz the targets one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=TARGET_NAMES, help="default: all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--found", type=Path, default=ROOT / "fuzz" / "found", help="where crashes are saved")
    parser.add_argument("--reproduce", type=Path, metavar="FILE", help="run one saved input, without atheris")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)  # the process that fuzzes: its corpus
    given = parser.parse_args()
    if given.reproduce:
        from fuzz.targets import TARGETS

        TARGETS[given.target].run(given.reproduce.read_bytes())
        print("Nothing wrong with it.")
        return 0
    if given.inside:
        return _fuzz(given.target, given.seconds, given.inside, given.found)
    try:
        import atheris  # noqa: F401 - only whether it is there
    except ImportError:
        print("atheris is not installed: pip install 'pixelrouter[fuzz]' (Linux, Python below 3.14)", file=sys.stderr)
        return 2
    bad = [name for name in ([given.target] if given.target else TARGET_NAMES) if not _run(name, given)]
    print(f"{len(bad)} targets with findings" + (f": {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


def _run(name: str, given: argparse.Namespace) -> bool:
    """Fuzz one target in a process of its own; True if nothing was found."""
    found: Path = given.found / name
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    with tempfile.TemporaryDirectory(prefix="corpus-") as corpus:
        words = [sys.executable, str(Path(__file__).resolve()), "--target", name, "--seconds", str(given.seconds)]
        done = subprocess.run(  # noqa: S603 - this very file
            [*words, "--found", str(found), "--inside", corpus], capture_output=True, text=True, errors="replace"
        )
    new = sorted(set(found.iterdir()) - before)
    runs = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("Done")), "")
    print(f"{name}: {runs or 'stopped'}" + (f", {len(new)} findings" if new else ""))
    for path in new:
        print(f"  python fuzz/run.py --target {name} --reproduce {path}")
    if done.returncode and not new:
        told = [line for line in done.stderr.splitlines() if not line.startswith("INFO:")]
        print("\n".join(told[-40:]), file=sys.stderr)
    if done.returncode:
        print(_traceback(done.stderr + done.stdout), file=sys.stderr)
    if not any(found.iterdir()):
        found.rmdir()
    return done.returncode == 0


def _traceback(text: str) -> str:
    """The uncaught exception in what the fuzzer wrote."""
    start = text.find("=== Uncaught Python exception")
    return text[start : start + 3000] if start >= 0 else ""


def _fuzz(name: str, seconds: int, corpus: Path, found: Path) -> int:
    """The process that fuzzes: never returns where something was found."""
    import atheris

    with atheris.instrument_imports(include=["pixelrouter"]):
        from fuzz.targets import TARGETS
        from pixelrouter import backends

        for each in backends.names():  # on demand later, and not instrumented then
            backends.load(each)
    target = TARGETS[name]
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    arguments = [
        *(sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-max_len={target.longest}"),
        *(f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MB}", f"-artifact_prefix={found}/", "-print_final_stats=1"),
    ]
    atheris.Setup(arguments, target.run)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
