"""Sets a sprite in motion as pixel artists do: rows leave or double, feet lift, the whole hops, leans and turns.

A sprite is an array (height, width) of colour numbers, 0 being empty. Every picture is made of its own pixels, at its
own size, and stays inside the canvas; the last one leads back to the first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pixelrouter.backends.procedural.pen import bbox
from pixelrouter.backends.procedural.rng import Ints

# How a body is built: which of its rows may leave or double without hurting the face above or the feet below.
_SOFT = (0.45, 0.9)


@dataclass(frozen=True)
class Pose:
    """One moment of a motion.

    ``up``, ``right`` and ``lean`` (how far the top goes right) in pixels. ``squash`` rows leave the body, or double if
    negative. ``foot`` -1 lifts the left one, 1 the right one. ``turn`` is the part of its width that is seen, negative
    for the mirror image. ``size`` scales it.
    """

    up: float = 0.0
    right: float = 0.0
    lean: float = 0.0
    squash: float = 0.0
    foot: int = 0
    turn: float = 1.0
    size: float = 1.0


@dataclass(frozen=True)
class Action:
    """A motion: ``pose(t, unit)`` for t in 0..1; ``unit`` is a sixteenth of the sprite's height in pixels, at least 1.

    ``room`` (above, aside): the parts of the canvas that it wants free. ``ms``: how long the whole takes.
    """

    pose: Callable[[float, float], Pose]
    room: tuple[float, float] = (0.0, 0.0)
    ms: int = 600


def _wave(t: float) -> float:
    return math.sin(2 * math.pi * t)


def _breathe(t: float, unit: float) -> Pose:
    return Pose(squash=unit * (1 - math.cos(2 * math.pi * t)) / 2)


def _walk(t: float, unit: float) -> Pose:
    swing = _wave(t + 0.25)
    foot = 0 if abs(swing) < 0.5 else 1 if swing > 0 else -1
    return Pose(up=unit * abs(swing), foot=foot, lean=-unit * swing)


def _run(t: float, unit: float) -> Pose:
    step = _walk(t, unit * 1.5)
    return Pose(up=step.up, foot=step.foot, lean=unit * 1.5)


def _jump(t: float, unit: float) -> Pose:
    if t < 0.2 or t > 0.85:
        return Pose(squash=unit * (1.6 if t > 0 else 0.6))
    flight = (t - 0.2) / 0.65
    high = 4 * flight * (1 - flight)
    return Pose(up=unit * 4.5 * high, squash=-unit * 0.7 * (1 - high))


def _bounce(t: float, unit: float) -> Pose:
    high = abs(math.sin(math.pi * t))
    return Pose(up=unit * 3.5 * high, squash=unit * 1.8 * max(0.0, 1 - 2.5 * high))


def _attack(t: float, unit: float) -> Pose:
    if t < 0.25:
        return Pose(right=-unit * 1.2 * t / 0.25, lean=-unit * 1.2 * t / 0.25)
    if t < 0.6:
        return Pose(right=unit * 3, lean=unit * 2, squash=unit * 0.5)
    back = (1 - t) / 0.4
    return Pose(right=unit * 2 * back, lean=unit * back)


def _spin(t: float, unit: float) -> Pose:
    return Pose(turn=math.cos(2 * math.pi * t))


def _hover(t: float, unit: float) -> Pose:
    return Pose(up=unit * 1.2 * (1 - math.cos(2 * math.pi * t)) / 2 + unit * 0.5)


def _sway(t: float, unit: float) -> Pose:
    return Pose(lean=unit * 2 * _wave(t + 0.25))


def _shake(t: float, unit: float) -> Pose:
    return Pose(right=unit * 1.2 * (1 if round(8 * t + 0.01) % 2 else -1) * (1 - 0.5 * t))


def _pulse(t: float, unit: float) -> Pose:
    return Pose(size=1 - 0.16 * (1 - math.cos(2 * math.pi * t)) / 2)


def _dance(t: float, unit: float) -> Pose:
    swing = _wave(t + 0.25)
    return Pose(
        lean=unit * 2 * swing, up=unit * (1 - abs(swing)), foot=0 if abs(swing) < 0.5 else 1 if swing > 0 else -1
    )


ACTIONS: Mapping[str, Action] = {
    "idle": Action(_breathe, ms=900),
    "walk": Action(_walk, (0.06, 0.05)),
    "run": Action(_run, (0.1, 0.08), 420),
    "jump": Action(_jump, (0.28, 0.0), 700),
    "bounce": Action(_bounce, (0.22, 0.0)),
    "attack": Action(_attack, (0.0, 0.14), 450),
    "spin": Action(_spin, ms=700),
    "hover": Action(_hover, (0.1, 0.0), 900),
    "sway": Action(_sway, (0.0, 0.1), 900),
    "shake": Action(_shake, (0.0, 0.08), 400),
    "pulse": Action(_pulse, ms=700),
    "dance": Action(_dance, (0.06, 0.1)),
}
FLOW = "flow"  # for tiles: the picture moves across itself, as water does
_STEMS = {
    "idle": "idle idling breathe breathes breathing stand stands standing rest resting",
    "walk": "walk walks walking step steps stepping march marching",
    "run": "run runs running sprint sprinting",
    "jump": "jump jumps jumping leap leaps leaping",
    "bounce": "bounce bounces bouncing hop hops hopping",
    "attack": "attack attacks attacking strike strikes striking hit hits hitting slash slashing lunge stab stabbing",
    "spin": "spin spins spinning turn turns turning rotate rotates rotating twirl",
    "hover": "hover hovers hovering float floats floating fly flies flying bob bobs bobbing",
    "sway": "sway sways swaying wave waves waving swing swings swinging lean",
    "shake": "shake shakes shaking hurt tremble trembles trembling vibrate rattle",
    "pulse": "pulse pulses pulsing beat beats beating throb glow glows flicker flickers",
    "dance": "dance dances dancing",
    FLOW: "flow flows flowing scroll scrolls scrolling ripple ripples",
}
WORDS: Mapping[str, str] = {word: name for name, words in _STEMS.items() for word in words.split()}


def action_in(text: str) -> str | None:
    """The first motion that the words name, or None."""
    return next((WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS), None)


def animate(sprite: Ints, name: str, frames: int) -> list[Ints]:
    """The pictures of a motion, all of the sprite's own size."""
    if name == FLOW:
        width = sprite.shape[1]
        return [np.roll(sprite, round(step * width / frames), axis=1) for step in range(frames)]
    if not sprite.any():
        return [sprite] * frames
    _, _, top, bottom = bbox(sprite > 0)
    unit = max(1.0, (bottom - top + 1) / 16)
    return [_posed(sprite, ACTIONS[name].pose(step / frames, unit)) for step in range(frames)]


def _pixels(value: float) -> int:
    # Rounded first, so that the last bit of a sine cannot move a pixel on another machine.
    return math.floor(round(value, 6) + 0.5)


def _posed(sprite: Ints, pose: Pose) -> Ints:
    """The sprite in a pose; what would leave the canvas moves or bends less."""
    body = _squashed(sprite, _pixels(pose.squash))
    body = _lifted(body, pose.foot)
    body = _scaled(body, round(pose.turn * pose.size, 6), round(pose.size, 6))
    body = _leaning(body, _pixels(pose.lean))
    left, right, top, bottom = bbox(body > 0)
    height, width = body.shape
    across = min(max(_pixels(pose.right), -left), width - 1 - right)
    down = min(max(-_pixels(pose.up), -top), height - 1 - bottom)
    return _shifted(body, down, across)


def _shifted(body: Ints, down: int, right: int) -> Ints:
    """Moved; what is drawn must stay inside, so nothing comes round the border."""
    return np.roll(body, (down, right), axis=(0, 1))


def _rows_to_spare(sprite: Ints, top: int, bottom: int, count: int) -> list[int]:
    """The ``count`` rows of the body, no two side by side where possible, that differ least from the row below."""
    height = bottom - top + 1
    first, last = top + round(height * _SOFT[0]), top + round(height * _SOFT[1])
    rows = range(first, max(first + 1, min(last, bottom)))
    cost = {
        row: (int((sprite[row] != sprite[row + 1]).sum()) if row < bottom else sprite.shape[1], row) for row in rows
    }
    chosen: list[int] = []
    for apart in (1, 0):
        for row in sorted(rows, key=cost.__getitem__):
            if len(chosen) < count and row not in chosen and all(abs(row - other) > apart for other in chosen):
                chosen.append(row)
    return chosen


def _squashed(sprite: Ints, rows: int) -> Ints:
    """``rows`` rows fewer, or more if negative; the feet stay where they are."""
    if rows == 0:
        return sprite
    _, _, top, bottom = bbox(sprite > 0)
    height = sprite.shape[0]
    if rows > 0:
        keep = np.setdiff1d(np.arange(height), _rows_to_spare(sprite, top, bottom, min(rows, (bottom - top) // 3)))
    else:
        double = _rows_to_spare(sprite, top, bottom, min(-rows, top))
        keep = np.sort(np.concatenate([np.arange(height), np.array(double, dtype=np.int64)]))[len(double) :]
    out = np.zeros_like(sprite)
    out[height - len(keep) :] = sprite[keep]
    return out


def _feet(sprite: Ints) -> tuple[int, int, int] | None:
    """(first row, middle column, lowest row) of two feet, where the sprite stands on two that do not touch."""
    left, right, top, bottom = bbox(sprite > 0)
    first = None
    split = (left + right + 1) / 2
    for row in range(bottom, top, -1):
        solid = np.flatnonzero(sprite[row] > 0)
        gaps = np.flatnonzero(np.diff(solid) > 1)
        if len(gaps) != 1:
            break
        middle = (solid[gaps[0]] + solid[gaps[0] + 1] + 1) / 2
        if abs(middle - split) > (right - left + 1) * 0.2:
            break
        first = row
    if first is None:
        return None
    # Where the gap is shallow the hem above it moves along, so that a lifted foot shows.
    first = min(first, bottom - max(1, round((bottom - top + 1) * 0.1)))
    return first, int(split), bottom


def _lifted(sprite: Ints, foot: int) -> Ints:
    """One foot higher, by a sixteenth of the height; a sprite without two feet rocks instead."""
    if foot == 0:
        return sprite
    feet = _feet(sprite)
    if feet is None:
        return sprite
    first, middle, bottom = feet
    _, _, top, _ = bbox(sprite > 0)
    high = min(max(1, round((bottom - top + 1) / 14)), bottom - first)
    half = slice(0, middle) if foot < 0 else slice(middle, sprite.shape[1])
    out = sprite.copy()
    out[first : bottom + 1 - high, half] = sprite[first + high : bottom + 1, half]
    out[bottom + 1 - high : bottom + 1, half] = 0
    return out


def _scaled(sprite: Ints, across: float, down: float) -> Ints:
    """Scaled about its foot and its middle column, mirrored if ``across`` is negative; at least two columns remain."""
    if across == 1 and down == 1:
        return sprite
    left, right, top, bottom = bbox(sprite > 0)
    part = sprite[top : bottom + 1, left : right + 1]
    high, wide = part.shape
    new_wide, new_high = max(min(2, wide), _pixels(wide * abs(across))), max(1, _pixels(high * down))
    if (wide - new_wide) % 2 and new_wide < wide:
        new_wide += 1  # the same parity keeps the middle column in the middle
    columns = ((np.arange(new_wide) * 2 + 1) * wide) // (new_wide * 2)
    rows = ((np.arange(new_high) * 2 + 1) * high) // (new_high * 2)
    if across < 0:
        columns = columns[::-1]
    out = np.zeros_like(sprite)
    at, above = left + (wide - new_wide) // 2, bottom + 1 - new_high
    out[above : bottom + 1, at : at + new_wide] = part[np.ix_(rows, columns)]
    return out


def _leaning(sprite: Ints, lean: int) -> Ints:
    """Sheared: the foot stays, the top goes ``lean`` pixels to the right, as far as the canvas lets it."""
    if lean == 0:
        return sprite
    _, _, top, bottom = bbox(sprite > 0)
    out = np.zeros_like(sprite)
    for row in range(top, bottom + 1):
        solid = np.flatnonzero(sprite[row] > 0)
        if len(solid) == 0:
            continue
        shift = _pixels(lean * (bottom - row) / max(1, bottom - top))
        shift = min(max(shift, -int(solid[0])), sprite.shape[1] - 1 - int(solid[-1]))
        out[row] = np.roll(sprite[row], shift)
    return out
