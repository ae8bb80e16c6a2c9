"""Builds the game's art. Run it as often as you like: what is there and right is left alone, and never paid for again.

python build_art.py             # with the free backend of pixelrouter.toml
python build_art.py 0.50        # with a vendor: it may cost half a dollar at most
"""

from __future__ import annotations

import sys
from pathlib import Path

from pixelrouter import assets

HERE = Path(__file__).parent


def build(folder: Path = HERE, max_usd: str | None = None) -> assets.Built:
    """Draw what is missing. Raises what pixelrouter raises: nothing is spent above ``max_usd``."""
    return assets.build(folder / "assets.toml", max_usd=max_usd).raise_first()


if __name__ == "__main__":
    built = build(max_usd=sys.argv[1] if len(sys.argv) > 1 else None)
    print(f"{len(built.written)} files written, {', '.join(map(str, built.spent.values())) or 'nothing'} spent")
