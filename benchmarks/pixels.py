"""Figures of the post-processor: right sizes and colours, speed, memory, confidence, quantizers, and peers beside ours.

    python benchmarks/pixels.py                 # on a set drawn here
    python benchmarks/pixels.py --data FOLDER   # on a folder with manifest.json, NNNN.png and NNNN_t.png
    python benchmarks/pixels.py --peers         # other tools beside ours, where they are installed

Times are processor time of all threads together, so a tool gains nothing by using more cores, and ratios to what Pillow
needs to decode the same PNG in the same run.
docs/benchmarks.md says what each figure means.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pixels_fake import FAMILIES, Case, fake
from pixels_negatives import pictures, synthetic, varied
from pixels_peers import peers
from pixels_score import oklab_error, roc_auc, score
from pixels_set import NATIVE, drawn, from_folder, sprites

from pixelrouter.pixels import THRESHOLD, FinishSpec, detect_grid, finish, snap_image
from pixelrouter.pixels.color import Bytes
from pixelrouter.pixels.colors.coloring import color
from pixelrouter.pixels.grid import find_lattice
from pixelrouter.pixels.snap import snap

ROUNDS = 3  # of which the fastest counts
OURS = "pixelrouter, 32 colours"
Tool = Callable[[Image.Image], Image.Image]


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def finished(image: Image.Image, truth: Image.Image) -> Image.Image:
    """Grid, snap and 32 colours. The size is given, so that an image whose grid is not found is timed as well."""
    return finish(image, FinishSpec(size=truth.size, colors=32)).image


def stages(rgba: Bytes) -> None:
    """Grid, snap and 32 colours alone: no file, no counting for a report, no image objects."""
    color([snap(rgba, find_lattice(rgba))], FinishSpec(colors=32), [])


def png(case: Case) -> bytes:
    """The file it came from, or one that is written now."""
    if case.encoded:
        return case.encoded
    file = io.BytesIO()
    case.image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def decode_png(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, Iterable[object]]]) -> None:
    print(f"\n{title}")
    print(f"  {'':26s}" + "".join(f"{column:>10s}" for column in columns))
    for name, values in rows:
        cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in values)
        print(f"  {name:26s}" + "".join(f"{cell:>10s}" for cell in cells))


class Data:
    """The cases of one run: from a folder, or drawn."""

    def __init__(self, folder: Path | None, limit: int | None) -> None:
        self.folder, self.limit = folder, limit

    def cases(self, families: tuple[str, ...], limit: int | None = None) -> Iterable[Case]:
        limit = limit or self.limit
        return from_folder(self.folder, limit, families) if self.folder else drawn(limit, families)

    def large(self, limit: int | None = None) -> Iterable[Case]:
        """Those of about 1024 x 1024 pixels."""
        if not self.folder:
            return drawn(limit or self.limit, FAMILIES, side=1024)
        every = from_folder(self.folder, None, FAMILIES)
        seen: dict[str, int] = {}
        kept = []
        for case in every:
            area = case.image.width * case.image.height / 1024**2
            if 0.7 <= area <= 1.3 and seen.get(case.family, 0) < (limit or self.limit or 99):
                seen[case.family] = seen.get(case.family, 0) + 1
                kept.append(case)
        return kept


def accuracy(data: Data, tools: dict[str, Tool]) -> dict[str, Any]:
    """Per tool and family: shares of right sizes, near and exact cells."""
    found: dict[str, dict[str, list[tuple[float, float, float]]]] = {name: {} for name in tools}
    failed: dict[str, int] = dict.fromkeys(tools, 0)
    for case in data.cases(FAMILIES):
        for name, tool in tools.items():
            try:
                result = tool(case.image)
            except Exception as error:
                failed[name] += 1
                print(f"  {name} failed on {case.name} ({case.family}): {error!r:.100}", file=sys.stderr)
                result = Image.new("RGBA", (1, 1))
            s = score(result, case.truth, case.optional)
            found[name].setdefault(case.family, []).append((float(s.size), s.near, s.exact))
    out: dict[str, Any] = {}
    for name, families in found.items():
        every = [row for rows in families.values() for row in rows]
        rows = [*sorted(families.items()), ("all", every)]
        means = {family: np.mean(values, axis=0).tolist() for family, values in rows}
        out[name] = {"families": means, "images": len(every), "failed": failed[name]}
        title = f"{name}: right sizes, near and exact cells over {len(every)} images, {failed[name]} failures"
        table(title, ("size", "near", "exact"), means.items())
    if len(tools) > 1:
        names = [*sorted({family for values in found.values() for family in values}), "all"]
        rows = [(name, [out[name]["families"][family][0] for family in names]) for name in tools]
        table("Right sizes, tool beside tool", names, rows)
        table("The same: all families", ("size", "near", "exact"), [(n, out[n]["families"]["all"]) for n in tools])
    return out


def speed(data: Data) -> dict[str, Any]:
    """Ratios to Pillow's decode at 1024 x 1024, median of each family."""
    ratios: dict[str, list[tuple[float, ...]]] = {}
    for case in data.large():
        encoded = png(case)
        rgba = np.asarray(case.image.convert("RGBA"))
        times = []
        for _ in range(ROUNDS):
            decode = seconds(lambda encoded=encoded: decode_png(encoded))
            whole = seconds(lambda case=case: finished(case.image, case.truth))
            snap = seconds(lambda case=case: snap_image(case.image))
            core = seconds(lambda rgba=rgba: stages(rgba))
            times.append((decode, core, whole, snap))
        decode, core, whole, snap = np.min(times, axis=0)
        ratios.setdefault(case.family, []).append((core / decode, whole / decode, snap / decode, 1000 * decode))
    every = [row for rows in ratios.values() for row in rows]
    rows = {family: np.median(v, axis=0).tolist() for family, v in [*sorted(ratios.items()), ("all", every)]}
    title = f"Speed at about 1024 x 1024, times Pillow's decode of the same PNG ({len(every)} images, medians)"
    table(title, ("stages", "finish", "snap_image", "decode ms"), rows.items())
    return {"ratio_to_decode": rows, "images": len(every), "largest_finish": max(r[1] for r in every)}


def peer_speed(data: Data, tools: dict[str, Tool], limit: int) -> dict[str, float]:
    """Median ratio to Pillow's decode of every tool, on the same images."""
    ratios: dict[str, list[float]] = {name: [] for name in (OURS, *tools)}
    for case in data.large(limit):
        encoded = png(case)
        decode = min(seconds(lambda encoded=encoded: decode_png(encoded)) for _ in range(ROUNDS))
        whole = min(seconds(lambda case=case: finished(case.image, case.truth)) for _ in range(ROUNDS))
        ratios[OURS].append(whole / decode)
        for name, tool in tools.items():
            try:
                ratios[name].append(seconds(lambda tool=tool, case=case: tool(case.image)) / decode)
            except Exception as error:
                print(f"  {name} failed on {case.name} ({case.family}): {error!r:.100}", file=sys.stderr)
    medians = {name: float(np.median(values)) for name, values in ratios.items() if values}
    count = max(len(v) for v in ratios.values())
    rows = [(name, [value]) for name, value in sorted(medians.items(), key=lambda item: item[1])]
    table(f"Speed beside other tools, times Pillow's decode ({count} images, medians)", ("ratio",), rows)
    return medians


def _grown(side: int) -> Case:
    """A noisy, warped scene of ``side`` pixels whose cells are 8 pixels wide: larger pictures have more of them."""
    scene = dict(sprites())["scene"].convert("RGB")
    cells = side // 8
    art = Image.new("RGBA", (cells, cells))
    for y in range(0, cells, scene.height):
        for x in range(0, cells, scene.width):
            art.paste(scene, (x, y))
    return fake(art, "d2_noise", np.random.default_rng(1), side, "grown")


def growth(largest: int) -> list[dict[str, float]]:
    """Time and memory from 512 x 512 up: bytes a source pixel above the decoded image, milliseconds a megapixel."""
    rows = []
    for side in (s for s in (512, 1024, 2048, 4096) if s <= largest):
        case = _grown(side)
        image, encoded = case.image, png(case)
        decode = min(seconds(lambda encoded=encoded: decode_png(encoded)) for _ in range(ROUNDS))
        whole = min(seconds(lambda case=case: finished(case.image, case.truth)) for _ in range(ROUNDS))
        megapixels = image.width * image.height / 1e6
        row = {"side": side, "ratio": whole / decode, "ms": 1000 * whole, "ms_per_mp": 1000 * whole / megapixels}
        rows.append(row | _memory(encoded))
    table(
        "Growth: time, and bytes a source pixel above the decoded image (a process of its own)",
        ("x decode", "ms", "ms / Mpx", "resident", "traced"),
        [
            (f"{r['side']} x {r['side']}", [r["ratio"], r["ms"], r["ms_per_mp"], r["resident"], r["traced"]])
            for r in rows
        ],
    )
    if len(rows) > 1:
        span = np.log([r["side"] ** 2 for r in rows])
        exponent = float(np.polyfit(span, np.log([r["ms"] for r in rows]), 1)[0])
        print(f"  time grows with pixels to the power of {exponent:.2f} (1 is linear)")
        rows[0]["exponent"] = exponent
    return rows


def _memory(encoded: bytes) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.png"
        path.write_bytes(encoded)
        command = [sys.executable, str(Path(__file__).with_name("pixels_memory.py")), str(path)]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {key: answer[key] / answer["pixels"] for key in ("resident", "traced")}


def confidence(data: Data) -> dict[str, Any]:
    """The area under the ROC curve, and what the threshold costs."""
    positive = [(case.family, detect_grid(case.image).confidence) for case in data.cases(FAMILIES)]
    photos, note = pictures()
    kinds = {
        "pictures": [detect_grid(image).confidence for _, image in photos],
        "pictures, varied": [detect_grid(image).confidence for photo in photos for _, image in list(varied(photo))[1:]],
        "drawn by rule": [detect_grid(image).confidence for _, image in synthetic()],
    }
    inside = np.array([value for _, value in positive])
    rows = []
    out: dict[str, Any] = {"threshold": THRESHOLD, "auc": {}}
    every = np.array([value for values in kinds.values() for value in values])
    for name, values in [*kinds.items(), ("all", every)]:
        if len(values):
            auc = roc_auc(inside, np.asarray(values))
            refused = float((np.asarray(values) < THRESHOLD).mean())
            out["auc"][name] = auc
            rows.append((name, [len(values), auc, refused, float(np.max(values))]))
    table(f"Confidence against images without a grid ({note})", ("images", "AUC", "refused", "highest"), rows)
    kept = [(f, np.array([v for g, v in positive if g == f])) for f in sorted({f for f, _ in positive})]
    rows = [(f, [len(v), float((v < THRESHOLD).mean()), float(v.min()), float(np.median(v))]) for f, v in kept]
    rows.append(
        ("all", [len(inside), float((inside < THRESHOLD).mean()), float(inside.min()), float(np.median(inside))])
    )
    table(f"Enlarged pixel art refused at the threshold {THRESHOLD}", ("images", "refused", "lowest", "median"), rows)
    out["positives_refused"] = float((inside < THRESHOLD).mean())
    out["negatives_refused"] = float((every < THRESHOLD).mean())
    return out


def natives(data: Data) -> dict[str, Any]:
    """1x art has to come back as it is."""
    changed = []
    count = 0
    for case in data.cases((NATIVE,)):
        count += 1
        before = np.asarray(case.image.convert("RGBA"))
        after = np.asarray(snap_image(case.image))
        clear = before[..., 3:] == 0  # hidden colours do not count
        if before.shape != after.shape or not np.array_equal(np.where(clear, 0, before), np.where(clear, 0, after)):
            changed.append(case.name)
    print(
        f"\nArt that is 1x already: {count - len(changed)} of {count} unchanged"
        + (f"; changed: {changed}" if changed else "")
    )
    return {"images": count, "changed": changed}


def colors(data: Data) -> dict[str, Any]:
    """Mean OKLab error of either quantizer on the truths, at 8, 16 and 32 colours."""
    truths = {case.name: case.truth for case in data.cases(("a_int",), 99)}
    out: dict[str, dict[str, float]] = {}
    for quantizer in ("own", "imagequant"):
        try:
            out[quantizer] = {str(n): _quantizer_error(truths, quantizer, n) for n in (8, 16, 32)}
        except Exception as error:
            print(f"\n{quantizer}: left out ({error})")
    rows = [(name, values.values()) for name, values in out.items()]
    table(
        f"Quantizers: mean OKLab error over {len(truths)} truths (smaller is better)",
        ("8", "16", "32"),
        [(name, [f"{v:.5f}" for v in values]) for name, values in rows],
    )
    return out


def _quantizer_error(truths: dict[str, Image.Image], quantizer: str, limit: int) -> float:
    errors = []
    for truth in truths.values():
        spec = FinishSpec(size=truth.size, colors=limit, quantizer=quantizer, merge=0, native=True)
        errors.append(oklab_error(finish(truth, spec).image, truth))
    return float(np.mean(errors))


SECTIONS = ("accuracy", "speed", "growth", "confidence", "natives", "colors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with manifest.json; without it a set is drawn")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="which figures")
    parser.add_argument("--limit", type=int, help="images a family, at most")
    parser.add_argument("--largest", type=int, default=4096, help="largest side in growth (default 4096)")
    parser.add_argument("--peers", action="store_true", help="other tools beside ours, where they are installed")
    parser.add_argument(
        "--peer-speed-images", type=int, default=3, help="images a family for the peers' speed (default 3)"
    )
    parser.add_argument("--json", type=Path, help="write every figure to this file as well")
    wish = parser.parse_args()
    data = Data(wish.data, wish.limit)
    tools: dict[str, Tool] = {"pixelrouter": snap_image}
    if wish.peers:
        others, notes = peers()
        tools |= others
        print("\n".join(notes))
    figures: dict[str, Any] = {"data": str(wish.data) if wish.data else "drawn"}
    if "accuracy" in wish.only:
        figures["accuracy"] = accuracy(data, tools)
    if "speed" in wish.only:
        figures["speed"] = speed(data)
        if wish.peers:
            figures["peer_speed"] = peer_speed(data, tools, wish.peer_speed_images)
    if "growth" in wish.only:
        figures["growth"] = growth(wish.largest)
    if "confidence" in wish.only:
        figures["confidence"] = confidence(data)
    if "natives" in wish.only:
        figures["natives"] = natives(data)
    if "colors" in wish.only:
        figures["colors"] = colors(data)
    if wish.json:
        wish.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
