"""The fuzzers run, and a crash is saved with the line that runs it again."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.run import TARGET_NAMES
from fuzz.targets import TARGETS

RUN = Path(__file__).resolve().parents[2] / "fuzz" / "run.py"
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="needs atheris: pip install 'pixelrouter[fuzz]' (Linux, Python below 3.14)",
)


def run(*words):
    return subprocess.run([sys.executable, str(RUN), *words], capture_output=True, text=True, timeout=300)


def test_the_runner_names_every_target():
    assert set(TARGET_NAMES) == set(TARGETS)


def test_a_saved_input_is_run_again_without_atheris(tmp_path):
    saved = tmp_path / "crash"
    saved.write_bytes(b"size = 32\n")
    done = run("--target", "config", "--reproduce", str(saved))
    assert (done.returncode, done.stdout) == (0, "Nothing wrong with it.\n")


@needs_atheris
@pytest.mark.slow
@pytest.mark.parametrize("target", TARGET_NAMES)
def test_a_few_seconds_find_nothing(target, tmp_path):
    done = run("--target", target, "--seconds", "5", "--found", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{target}: Done" in done.stdout


@needs_atheris
@pytest.mark.slow
def test_what_is_found_is_saved_with_the_line_that_runs_it_again(tmp_path):
    """A target that a small change of its seed breaks."""
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(RUN.parents[1])!r})\n"
        "import fuzz.targets as t\n"
        "def crash(data):\n"
        "    assert b'size' not in data, 'found it'\n"
        "t.TARGETS['config'] = t.Target(crash, t.TARGETS['config'].seeds)\n"
        f"sys.argv[0] = {str(RUN)!r}\n"
        "import fuzz.run as r\n"
        "r.__file__ = __file__\n"
        "sys.exit(r.main())\n"
    )
    words = [sys.executable, str(broken), "--target", "config", "--seconds", "5", "--found", str(tmp_path / "found")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "found it" in done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "--reproduce" in line]
    saved = Path(line.rpartition(" ")[2])
    assert b"size" in saved.read_bytes()
