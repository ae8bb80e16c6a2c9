"""Which pictures come into the set, and on which side of it: size, blanks, duplicates, the split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from pixelrouter.dataset.buckets import Size
from pixelrouter.dataset.captions import Found
from pixelrouter.dataset.record import Aside
from pixelrouter.dataset.spec import DatasetSpec


@dataclass(frozen=True)
class Candidate:
    """One picture at 1x that may come into the set. ``first``: the hash that decides its side, its file's first."""

    source: str
    part: str
    native: str
    size: Size
    palette: tuple[str, ...]
    transparent: bool
    pixels: str
    mirrored: str
    method: str
    confidence: float
    period: tuple[float, float]
    source_size: Size
    warnings: tuple[str, ...] = ()
    caption: Found = field(default_factory=lambda: Found("", ""))
    first: str = ""

    @property
    def either(self) -> str:
        """One hash for the picture and its mirror image."""
        return min(self.pixels, self.mirrored)


def choose(candidates: Sequence[Candidate], spec: DatasetSpec) -> tuple[list[Candidate], list[Aside]]:
    """The pictures that come into the set, in their order, and the others with the reason.

    Of duplicates the first one with a caption stays, else the first.
    """
    asides = [_unfit(one, spec) for one in candidates]
    fit = [one for one, aside in zip(candidates, asides, strict=True) if aside is None]
    kept = fit if spec.dedupe == "none" else list(_best(fit, spec).values())
    stays = {(one.source, one.part) for one in kept}
    best = _best(fit, spec)
    double = [one for one in fit if (one.source, one.part) not in stays]
    asides += [
        replace(_aside(one, "duplicate", f"The same pixels as {twin.native}."), of=twin.native)
        for one in double
        for twin in [best[_identity(one, spec)]]
    ]
    return [one for one in fit if (one.source, one.part) in stays], [aside for aside in asides if aside]


def _identity(one: Candidate, spec: DatasetSpec) -> str:
    return one.either if spec.dedupe == "flipped" else one.pixels


def _best(candidates: Iterable[Candidate], spec: DatasetSpec) -> dict[str, Candidate]:
    best: dict[str, Candidate] = {}
    for one in candidates:
        rival = best.setdefault(_identity(one, spec), one)
        if _told(one) and not _told(rival):
            best[_identity(one, spec)] = one
    return best


def _told(one: Candidate) -> bool:
    """Whether somebody wrote a caption: a file's name is none."""
    return one.caption.source not in ("", "name")


def _unfit(one: Candidate, spec: DatasetSpec) -> Aside | None:
    by = f"{one.size[0]}x{one.size[1]} pixels at 1x"
    if len(one.palette) < 2 and not (one.palette and one.transparent):
        return _aside(one, "blank", "It shows nothing: one colour everywhere.")
    if one.method == "snap" and one.confidence < spec.min_confidence:
        return _aside(one, "unsure grid", f"Confidence {one.confidence:.2f}, asked for {spec.min_confidence:.2f}.")
    if min(one.size) < spec.min_size:
        return _aside(one, "too small", f"{by}, and the least is {spec.min_size}.")
    if spec.max_size is not None and max(one.size) > spec.max_size:
        return _aside(one, "too large", f"{by}, and the most is {spec.max_size}.")
    if spec.placement(one.size) is None:
        factors = f" when enlarged by {' or '.join(map(str, spec.factors))}" if spec.factors else ""
        return _aside(one, "too large", f"{by} fit into no bucket of resolution {spec.resolution}{factors}.")
    return None


def _aside(one: Candidate, why: str, detail: str) -> Aside:
    return Aside(one.source, one.part, why, detail, round(one.confidence, 4), native=one.native)


def split_of(one: Candidate, spec: DatasetSpec) -> str:
    """The side, "train" or "validation": by the hash of pixels, mirrored or not: new pictures move no others.

    All pictures of one file are on one side: frames of one animation look too much alike to validate each other.
    """
    return "validation" if int((one.first or one.either)[:8], 16) < spec.validation * 2**32 else "train"


def together(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The pictures of one file, with what decides their side."""
    return [replace(one, first=candidates[0].either) for one in candidates]
