"""Run as a process of its own by pixels.py: what finishing one PNG needs above the decoded image, as JSON.

``resident`` bytes: the peak of the process while it finishes, less what it held before. ``traced`` bytes: the peak that
tracemalloc sees in a second pass (Python and numpy, not Pillow).
"""

from __future__ import annotations

import json
import resource
import sys
import tracemalloc
from pathlib import Path

from PIL import Image

from pixelrouter.pixels import FinishSpec, finish

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _kilobytes(field: str) -> int:
    return next(int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith(field))


def _peak() -> int:
    """Bytes. Linux tells the peak since it was last reset; elsewhere the peak of the process's life has to do."""
    if _STATUS.exists():
        return _kilobytes("VmHWM") * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    # The size is given, so that a grid that is not found is no error.
    spec = FinishSpec(size=(128, 128), colors=32)
    with Image.open(sys.argv[1]) as file:
        image = file.copy()
    # The first run loads modules and code; a small piece does that without raising the peak.
    finish(image.crop((0, 0, 128, 128)), spec)
    if _RESET.exists():
        _RESET.write_text("5")
    before = _kilobytes("VmRSS") * 1024 if _STATUS.exists() else _peak()
    finish(image, spec)
    resident = _peak() - before
    tracemalloc.start()
    finish(image, spec)
    traced = tracemalloc.get_traced_memory()[1]
    print(json.dumps({"resident": resident, "traced": traced, "pixels": image.width * image.height}))


if __name__ == "__main__":
    main()
