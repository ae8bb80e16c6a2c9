"""Pictures made to use up memory or time: decoded, or refused with one clear error, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pixelrouter.errors import UnreadableImage
from pixelrouter.pixels.decode import FORMATS, decode
from tests.hostile.pictures import BOUND, MIB, PICTURES

ROOT = Path(__file__).resolve().parents[2]
READ = {
    "png as large as is read", "png of one bit", "png, pixels bomb", "png of many texts", "apng", "jpeg, progressive",
    "webp of 1500 frames", "webp as large as is read", "jpeg on its side", "png with a program behind it",
}  # fmt: skip
QUICK = (
    "png that declares 100,000 a side", "gif whose frames outgrow it", "svg", "eps", "pdf", "tiff",
    "bmp", "ico", "png with a program behind it", "webp that declares too much", "jpeg on its side",
    "gif of wide frames", "jpeg of fill bytes",
)  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_what_is_refused_and_what_is_read(name: str) -> None:
    data = PICTURES[name]()
    if name not in READ:
        with pytest.raises(UnreadableImage):
            decode(data)
    else:
        assert decode(data).image.size in {(8, 6), (6, 8)}


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_memory_is_bounded(name: str) -> None:
    command = [sys.executable, "-m", "tests.hostile.pictures", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    _, most, _, came = done.stdout.split("\t")
    assert int(most) * MIB < BOUND, done.stdout
    assert came.startswith("refused") == (name not in READ), came


def test_no_other_program_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow hands EPS to Ghostscript and other files to other programs: it is asked for four formats only."""
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    for name in ("eps", "pdf", "svg", "tiff"):
        with pytest.raises(UnreadableImage, match="not a picture"):
            decode(PICTURES[name]())
    assert set(FORMATS) == {"PNG", "GIF", "WEBP", "JPEG"}
