"""What does not need numpy or Pillow does not load them: a build with nothing to do has to start fast."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pixelrouter import pixels

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "PIL", "pydantic", "rich", "typer")
ASKED = {
    "the module": "import pixelrouter.pixels.colors.palette",
    "a built-in palette": "from pixelrouter.pixels import resolve_palette; assert len(resolve_palette('pico-8')) == 16",
    "a list of colours": "from pixelrouter.pixels import resolve_palette; assert resolve_palette(['#ff8800'])",
    "a text file": "from pixelrouter.pixels import resolve_palette; assert resolve_palette('a.hex') == ('#ff8800',)",
    "a finishing spec": "from pixelrouter.pixels import FinishSpec; FinishSpec((16, 16), palette='db32')",
}


@pytest.mark.parametrize("what", ASKED)
def test_palettes_load_nothing_heavy(what: str, tmp_path: Path) -> None:
    (tmp_path / "a.hex").write_text("ff8800\n")
    code = f"import sys; {ASKED[what]}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported_whatever_was_loaded_before() -> None:
    """Four functions have the name of their module, which importing it must not put in their place."""
    code = (
        "import sys, types\n"
        "import pixelrouter.pixels.check.checking, pixelrouter.pixels.explain.explain, pixelrouter.pixels.finish\n"
        "import pixelrouter.pixels.decode\n"
        "from pixelrouter.pixels import *\n"
        "from pixelrouter import pixels\n"
        "print([n for n in pixels.__all__ if isinstance(globals()[n], types.ModuleType)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
    assert not any(isinstance(getattr(pixels, name), ModuleType) for name in pixels.__all__)
    assert dir(pixels) == sorted(pixels.__all__)


def test_a_name_that_is_not_there_is_said_so() -> None:
    with pytest.raises(AttributeError, match=r"'pixelrouter\.pixels' has no attribute 'nothing'"):
        pixels.nothing  # type: ignore[attr-defined]  # noqa: B018  # what is tested
