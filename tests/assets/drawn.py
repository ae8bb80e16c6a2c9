"""A game for the tests: a manifest, pictures drawn here, and the lock and files that a build makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixelrouter.assets.deliver import files_of, out_folder, save
from pixelrouter.assets.keys import exporting_key, finishing_key, wish_key
from pixelrouter.assets.lock import Candidate, Lock, Locked, Pick, Price, Terms, write_lock
from pixelrouter.assets.manifest import load_manifest
from pixelrouter.assets.planning import Contents, drawn
from pixelrouter.assets.render import sprite_of
from pixelrouter.pixels import to_indexed

PALETTE = ("#1a1c2c", "#b13e53", "#ef7d57", "#ffcd75", "#38b764", "#3b5dc9", "#f4f4f4", "#566c86")
INK, RED, ORANGE, YELLOW, GREEN, BLUE, WHITE, GREY = (tuple(bytes.fromhex(color[1:])) for color in PALETTE)


def canvas(width: int = 32, height: int = 32, color: tuple[int, ...] | None = None) -> np.ndarray:
    """``(h, w, 4)``, clear or of one colour."""
    rgba = np.zeros((height, width, 4), dtype=np.uint8)
    if color is not None:
        rgba[:] = (*color, 255)
    return rgba


def box(rgba: np.ndarray, left: int, top: int, right: int, bottom: int, color: tuple[int, ...]) -> None:
    rgba[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = (*color, 255)


def potion(height: int = 32) -> np.ndarray:
    rgba = canvas(32, height)
    box(rgba, 13, 4, 19, 10, GREY)
    box(rgba, 9, 10, 23, 28, INK)
    box(rgba, 10, 11, 22, 27, RED)
    box(rgba, 12, 13, 15, 18, ORANGE)
    return rgba


def walker(step: int, *, dy: int = 0, taller: int = 0, dx: int = 0) -> np.ndarray:
    """One frame of a walk, as an animator draws it: legs swing, the body bobs by a pixel, a foot is on the ground."""
    rgba = canvas()
    bob = (0, 1, 0, 1)[step % 4]
    stride = (5, 2, 5, 2)[step % 4]
    top = 6 + bob + dy - taller
    box(rgba, 12 + dx, top, 20 + dx, top + 7, ORANGE)  # head
    box(rgba, 14 + dx, top + 2, 16 + dx, top + 4, INK)
    box(rgba, 11 + dx, top + 7, 21 + dx, 21 + dy, BLUE)  # body
    swing = (2, 0, -2, 0)[step % 4]
    box(rgba, 9 + dx, 14 + swing + dy, 11 + dx, 19 + swing + dy, ORANGE)  # arm
    lift = 2 if step % 2 else 0
    box(rgba, 16 - stride + dx, 21 + dy, 16 - stride + 3 + dx, 29 + dy, INK)  # the leg that stands
    box(rgba, 16 + stride - 3 + dx, 21 + dy, 16 + stride + dx, 29 - lift + dy, GREY)  # the one that swings
    return rgba


def walk(**wrong: Any) -> list[np.ndarray]:
    """Four frames, mirrored legs in the last two, so that no two are the same."""
    frames = [walker(step) for step in range(4)]
    if wrong:
        frames[2] = walker(2, **wrong)
    return frames


def bricks(width: int = 16) -> np.ndarray:
    """A wall that repeats: courses of four pixels, every other one shifted by half a brick."""
    rgba = canvas(width, 16, RED)
    for course in range(4):
        rgba[course * 4 + 3] = (*INK, 255)
        rgba[course * 4 : course * 4 + 3, (course % 2 * 4 + 3) % 8 :: 8] = (*INK, 255)
    return rgba


def slope() -> np.ndarray:
    """A picture that does not repeat: dark above, light below."""
    rgba = canvas(16, 16)
    for row in range(16):
        rgba[row] = (*(INK, GREY, BLUE, WHITE)[row // 4], 255)
    return rgba


def candidate(number: int = 1, **changes: Any) -> Candidate:
    one = Candidate(
        number,
        f"key{number}",
        "retrodiffusion",
        "rd_fast",
        number,
        (f"{number:064x}",),
        Price("0.0173", source="reported"),
        licence=Terms("RD terms", True, "https://example.org/terms", "2026-11-01"),
        bought="2026-11-20T10:00:00Z",
        confidence=0.97,
    )
    return replace(one, **changes)


def game(
    folder: Path,
    manifest: str,
    pictures: Mapping[str, Sequence[np.ndarray]],
    *,
    candidates: Mapping[str, Sequence[Candidate]] | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    picks: Mapping[str, Pick] | None = None,
) -> Lock:
    """Write ``assets.toml``, and lock and files as a build of ``pictures`` does. Frames are ``(h, w, 4)``."""
    (folder / "assets.toml").write_text(manifest)
    made = load_manifest(folder / "assets.toml")
    out = out_folder(made.project, made.folder)
    locked: dict[str, Locked] = {}
    contents = Contents(made)
    for name, frames in pictures.items():
        asset = made.assets[name]
        bought = tuple((candidates or {}).get(name) or (candidate(),))
        pick = (picks or {}).get(name) or Pick(bought[0].number)
        one = Locked(wish_key(asset, contents), bought, pick, "", exporting_key(asset, made.project, out), "1")
        one = replace(one, finishing=finishing_key(asset, one.picked), size=asset.size)
        tall = np.concatenate(list(frames))
        colors = np.unique(tall[tall[..., 3] > 0][:, :3], axis=0)
        images = [to_indexed(frame, colors) for frame in frames]
        words = [f"#{bytes(color).hex()}" for color in colors]
        sprite = sprite_of(asset, images, words, (names or {}).get(name, ()))
        files, pixels = files_of(sprite, asset, one, made.project)
        saved = save(files, pixels, made.folder, out, {}, force=True)
        contents.picked[name] = drawn(one.picked)
        locked[name] = replace(one, outputs=saved.outputs, palette=tuple(words))
    lock = Lock(assets=locked)
    write_lock(made.lock_path, lock)
    return lock


def repaint(path: Path, rgba: np.ndarray, **options: Any) -> None:
    """Save a picture over another, as an artist does."""
    Image.fromarray(rgba).save(path, **options)
