"""A game's build script: run it as often as you like, it pays for each sprite once.

Choose the vendor in pixelrouter.toml (or PIXELROUTER_BACKEND); this file does not change.
"""

import sys
from pathlib import Path

from pixelrouter import PixelRouter

SPRITES = {
    "potion": {"prompt": "a red potion in a round bottle", "size": 32},
    "sword": {"prompt": "an iron sword", "size": 32},
    "coin": {"prompt": "a gold coin", "size": 16},
    "slime": {"prompt": "a green slime", "size": 24},
}

out = Path(sys.argv[1] if len(sys.argv) > 1 else "art")
failed = 0
with PixelRouter() as router:
    names = list(SPRITES)
    # One budget for the whole build, results as they come.
    for result in router.generate_many(SPRITES.values(), max_usd=1.00, transparent=True, palette="pico-8"):
        name = names[result.index]
        if result.art is None:
            print(f"{name}: {result.error}", file=sys.stderr)
            failed += 1
            continue
        result.art.save(out / f"{name}.png")
        print(f"{name}: {result.art.backend}, {result.art.cost}{', reused' if result.art.reused else ''}")
sys.exit(1 if failed else 0)
