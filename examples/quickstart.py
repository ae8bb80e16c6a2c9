"""The smallest whole program: one sprite, saved at 1x and at 8x."""

import sys
from pathlib import Path

from pixelrouter import PixelRouter

out = Path(sys.argv[1] if len(sys.argv) > 1 else "art")
with PixelRouter() as router:
    art = router.generate("a red potion in a round bottle", size=32, colors=16)
    print(*art.save(out / "potion.png"), *art.save(out / "potion-8x.png", scale=8))
    print(f"{art.backend}: {art.size[0]}x{art.size[1]}, {len(art.palette)} colours, {art.cost}")
