"""How long the diffusers backend takes on this machine: loading, then one image, then a batch.

    python benchmarks/local.py                      # the default preset, on the best device
    python benchmarks/local.py klein --size 64 -n 4
    python benchmarks/local.py /models/my-sdxl --device cpu --cpu-ok

It never downloads: a preset whose weights are not here says so.
"""

from __future__ import annotations

import argparse
import time

from pixelrouter import GenerationRequest, PixelRouterError
from pixelrouter.backends.diffusers import Backend, DiffusersSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="pixel-art-xl", help="preset or folder")
    parser.add_argument("--size", type=int, default=32, help="side of the sprite")
    parser.add_argument("-n", type=int, default=4, help="images in the batch")
    parser.add_argument("--device", default="auto", choices=("auto", "cuda", "mps", "cpu"))
    parser.add_argument("--cpu-ok", action="store_true", help="allow a full-size model on the CPU")
    given = parser.parse_args()
    backend = Backend(DiffusersSettings(device=given.device, cpu_ok=given.cpu_ok), None)

    def drawn(label: str, n: int, seed: int) -> None:
        wish = GenerationRequest(
            prompt="a red potion", width=given.size, height=given.size, n=n, seed=seed, model=given.model
        )
        start = time.perf_counter()
        delivery = backend.generate(wish, lambda _: None)
        print(f"{label:24} {time.perf_counter() - start:8.2f} s   {delivery.notes[0]}")

    try:
        drawn("load + 1 image", 1, 1)
        drawn("1 image", 1, 2)
        drawn(f"batch of {given.n}", given.n, 3)
    except PixelRouterError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
