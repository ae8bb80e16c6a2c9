"""What the gallery tells, gathered from manifest, lock and store: cards of assets, each with its candidates."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Literal

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.lock import Candidate, Lock, Locked, Price
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import PixelRouterError, redact
from pixelrouter.types import VIEW_NAMES, Money

Kind = Literal["still", "film", "views", "set"]
#: Free: a locked candidate as a sprite, and what finishing warns of. Raises StoreError where its raw image is missing.
Draw = Callable[[Asset, Candidate], tuple[Sprite, Sequence[str]]]
Counted = Callable[[int, int], None]  # shots done, of how many

STATES = {
    "unpicked": "several candidates, and nobody has chosen yet",
    "warnings": "what would be used has warnings",
    "changed": "the manifest asks for something else by now",
    "missing": "not bought yet, or its raw images are not in the store",
    "hand": "a person has changed its files; builds leave them alone",
}
_VIEWS = frozenset(name for names in VIEW_NAMES.values() for name in names)


@dataclass(frozen=True, slots=True)
class Picture:
    """One candidate, finished: its sheet as PNG, and how the page cuts and plays it.

    ``clips`` are the rows that play on their own, or the views: ``((name, frame numbers), ...)``. ``times`` are
    milliseconds a frame. ``colors`` are those in use, as "#rrggbb", without the clear one.
    """

    png: bytes
    size: tuple[int, int]
    count: int
    columns: int
    kind: Kind
    clips: tuple[tuple[str, tuple[int, ...]], ...]
    names: tuple[str, ...]
    times: tuple[int, ...]
    loop: bool
    tags: tuple[tuple[str, int, int, str], ...]
    colors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shot:
    """One candidate on the page. ``picture`` is None where it cannot be drawn, and ``problem`` says why."""

    candidate: Candidate
    picture: Picture | None
    problem: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One asset on the page. ``pick`` is the number that builds use, 0 without any; ``by`` is who chose it."""

    asset: Asset
    shots: tuple[Shot, ...]
    pick: int = 0
    by: str = ""
    states: tuple[str, ...] = ()
    reasons: str = ""  # why a build would do it anew

    @property
    def used(self) -> Shot | None:
        """The shot that builds use."""
        return next((shot for shot in self.shots if shot.candidate.number == self.pick), None)

    @property
    def approved(self) -> bool:
        """Whether it is what its siblings are to be compared with: chosen, or without any other to choose."""
        used = self.used
        return used is not None and used.picture is not None and (bool(self.by) or len(self.shots) == 1)


@dataclass(frozen=True, slots=True)
class Gallery:
    """The whole page. ``gone`` are assets of the lock that the manifest has no more."""

    title: str
    cards: tuple[Card, ...]
    gone: tuple[str, ...] = ()


def gather(
    manifest: Manifest,
    lock: Lock,
    draw: Draw,
    *,
    changed: Mapping[str, str] | None = None,
    counted: Counted | None = None,
) -> Gallery:
    """What the page tells. ``changed``: why a build would do an asset anew, by name. Free, no network."""
    total = sum(len(lock.assets[name].candidates) for name in manifest.assets if name in lock.assets)
    cards, done = [], 0
    for name, asset in manifest.assets.items():
        locked, shots = lock.assets.get(name), []
        for candidate in locked.candidates if locked else ():
            shots.append(_shot(asset, candidate, draw))
            done += 1
            if counted:
                counted(done, total)
        cards.append(_card(asset, locked, tuple(shots), (changed or {}).get(name)))
    title = manifest.project.name or manifest.folder.absolute().name
    return Gallery(title, tuple(cards), tuple(sorted(set(lock.assets) - set(manifest.assets))))


def picture(sprite: Sprite) -> Picture:
    """A finished sprite as the page shows it."""
    buffer = BytesIO()
    sheet = sprite.sheet
    sheet.save(buffer, "PNG", optimize=True)
    kind = _kind(sprite)
    return Picture(
        buffer.getvalue(),
        sprite.size,
        len(sprite.frames),
        sprite.columns,
        kind,
        _clips(sprite, kind),
        sprite.names,
        sprite.times if kind == "film" else (),
        sprite.loop,
        tuple((tag.name, tag.first, tag.last, tag.direction) for tag in sprite.tags),
        _colors(sprite),
    )


def command(name: str) -> str:
    """What a person types before a number to pick; empty for a name that must not be pasted into a terminal."""
    return f"pixelrouter pick {'-- ' if name.startswith('-') else ''}{shlex.quote(name)}" if name.isprintable() else ""


def totals(prices: Iterable[Price]) -> Mapping[str, str]:
    """Prices added up by unit, ready to read; dollars and generations never mix. ``unknown`` counts those without."""
    sums: dict[str, Money] = {}
    unknown = 0
    for price in prices:
        money = Money.of(Decimal(price.amount), price.unit)
        sums[price.unit] = sums.get(price.unit, Money(0, price.unit)) + money
        unknown += price.source == "unknown"
    told = {unit: amount(sums[unit]) for unit in sorted(sums, reverse=True)}
    return told | ({"unknown": str(unknown)} if unknown else {})


def amount(money: Money) -> str:
    """Money as one says it: "1 generation"."""
    return "1 generation" if money == Money.of(1, "generations") else str(money)


def clean(text: str) -> str:
    """A stranger's words without credentials, and without characters that steer the text (bidi, control)."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in redact(text))


def _shot(asset: Asset, candidate: Candidate, draw: Draw) -> Shot:
    try:
        sprite, warnings = draw(asset, candidate)
        return Shot(candidate, picture(sprite), "", tuple(dict.fromkeys([*candidate.warnings, *warnings])))
    except PixelRouterError as error:  # one lost image does not hide the others
        return Shot(candidate, None, str(error), candidate.warnings)


def _card(asset: Asset, locked: Locked | None, shots: tuple[Shot, ...], changed: str | None) -> Card:
    if locked is None or not shots:
        return Card(asset, (), states=("missing",))
    card = Card(asset, shots, locked.picked.number, locked.pick.by)
    used = [card.used] if locked.pick.by else shots
    found = {
        "unpicked": len(shots) > 1 and not locked.pick.by,
        "warnings": any(shot.warnings for shot in used if shot),
        "changed": changed is not None,
        "missing": any(shot.picture is None for shot in shots),
        "hand": bool(locked.hand),
    }
    return Card(asset, shots, card.pick, card.by, tuple(state for state in STATES if found[state]), changed or "")


def _kind(sprite: Sprite) -> Kind:
    if sprite.moves:
        return "film"
    if len(sprite.frames) == 1:
        return "still"
    return "views" if sprite.names and set(sprite.names) <= _VIEWS else "set"


def _clips(sprite: Sprite, kind: Kind) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Films of several rows ("south/0") play row by row; a view is a clip of one frame."""
    everything = range(len(sprite.frames))
    if kind == "views":
        return tuple((sprite.names[at], (at,)) for at in everything)
    if kind == "film" and any("/" in name for name in sprite.names):
        rows: dict[str, list[int]] = {}
        for at in everything:
            rows.setdefault(sprite.frame_name(at).rpartition("/")[0], []).append(at)
        return tuple((name, tuple(frames)) for name, frames in rows.items())
    return (("", tuple(everything)),)


def _colors(sprite: Sprite) -> tuple[str, ...]:
    """The colours in use, in the palette's order."""
    used = {index for frame in sprite.frames for index, pixels in enumerate(frame.histogram()) if pixels}
    clear = sprite.frames[0].info.get("transparency")
    palette = sprite.frames[0].getpalette("RGB") or []
    channels = (palette[3 * index : 3 * index + 3] for index in sorted(used) if index != clear)
    return tuple(dict.fromkeys("#{:02x}{:02x}{:02x}".format(*color) for color in channels if len(color) == 3))
