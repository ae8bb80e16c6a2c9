"""What the caller gets: finished pixel art, and the attempts that led to it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pixelrouter.errors import InvalidRequest
from pixelrouter.types.capability import Licence
from pixelrouter.types.job import Ticket
from pixelrouter.types.layout import Layout
from pixelrouter.types.money import Cost, CostSource, Money
from pixelrouter.types.report import Report
from pixelrouter.types.request import GenerationRequest

if TYPE_CHECKING:
    from PIL.Image import Image

_LABEL = 60  # characters of a name in a file name
State = Literal["reserved", "sending", "accepted", "settled", "released", "unknown"]


@dataclass(frozen=True)
class Attempt:
    """One row of the ledger: one try at one backend."""

    id: str
    key: str
    backend: str
    model: str | None
    state: State
    held: Money
    charged: Money | None = None
    cost_source: CostSource = "unknown"
    seed: int | None = None
    ticket: Ticket | None = None
    error: str | None = None
    raws: tuple[str, ...] = ()  # content hashes in the store
    created_at: float = 0.0  # seconds since the epoch
    updated_at: float = 0.0
    prompt: str = ""
    run: str = ""
    vendor_request: str | None = None  # the vendor's own id of the request, to complain with
    quoted: Cost | None = None  # what the request was expected to cost, kept beside the bill
    unit_price: Money | None = None  # of one billable unit, where the vendor bills units
    names: tuple[str, ...] = ()  # of the raws: views, tiles
    notes: tuple[str, ...] = ()  # what the backend says about the raws
    sent_at: float | None = None  # when its bytes were let go
    asset: str = ""  # what it is for, in the caller's words
    tags: tuple[str, ...] = ()
    style_group: str = ""  # the set of sprites that it belongs to
    evidence: Mapping[str, Any] = field(default_factory=dict)  # how a lost outcome was found out, and how surely

    @property
    def cost(self) -> Cost:
        """What is booked: the charge when settled, the held amount while the money may still be spent, else zero."""
        if self.state == "settled":
            return Cost(self.charged if self.charged is not None else self.held, self.cost_source)
        if self.state == "released":
            return Cost(Money(0, self.held.unit), "reported")
        return Cost(self.held, self.cost_source)

    def as_dict(self) -> dict[str, Any]:
        data = {k: getattr(self, k) for k in ("id", "key", "backend", "model", "state", "seed", "error", "prompt")}
        return {
            **data,
            "held": str(self.held.amount),
            "charged": None if self.charged is None else str(self.charged.amount),
            "unit": self.held.unit,
            "cost_source": self.cost_source,
            "quoted": self.quoted and self.quoted.as_dict(),
            "ticket": self.ticket and self.ticket.id,
            "raws": list(self.raws),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "run": self.run,
            "asset": self.asset,
            "tags": list(self.tags),
            "style_group": self.style_group,
            "evidence": dict(self.evidence),
            "vendor_request": self.vendor_request,
        }


@dataclass(frozen=True)
class PixelArt:
    """Finished pixel art: images of exactly the size asked for, and the whole story of how they came to be.

    ``indexed`` holds the images in PIL mode "P"; :attr:`image` and :attr:`images` are the same in RGBA. ``cost`` is
    what this call cost (zero when ``reused``), ``paid`` what the images cost when they were bought. ``names`` are those
    of views, frames and tiles; ``durations`` the milliseconds of frames; ``licence`` the terms on the images.
    """

    indexed: tuple[Image, ...]
    palette: tuple[str, ...]
    cost: Cost
    paid: Cost
    backend: str
    model: str | None
    seed: int | None
    attempts: tuple[Attempt, ...]
    reports: tuple[Report, ...]
    raws: tuple[str, ...] = ()
    key: str = ""
    reused: bool = False
    notes: tuple[str, ...] = ()
    request: GenerationRequest | None = None
    names: tuple[str, ...] = ()
    durations: tuple[int, ...] = ()
    licence: Licence | None = None
    layout: Layout = field(default_factory=Layout)  # how the raws were cut
    native: bool = False  # whether the backend draws 1x pixels

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """Every image, RGBA."""
        return tuple(image.convert("RGBA") for image in self.indexed)

    @property
    def image(self) -> Image:
        """The first image, RGBA."""
        return self.images[0]

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` in pixels."""
        return self.indexed[0].size

    def __getitem__(self, name: str) -> Image:
        """The image of that name, RGBA. Raises KeyError with the names there are."""
        if not name or name not in self.names:
            raise KeyError(f"{name!r} is none of: {', '.join(filter(None, self.names)) or 'no names'}")
        return self.images[self.names.index(name)]

    @property
    def views(self) -> dict[str, Image]:
        """The named images by name, RGBA."""
        return {name: image for name, image in zip(self.names, self.images, strict=False) if name}

    def sheet(self, columns: int | None = None) -> Image:
        """All images on one RGBA sheet, row by row; ``columns`` None: as square as it goes."""
        from PIL import Image

        count = len(self.indexed)
        across = columns or next(side for side in range(1, count + 1) if side * side >= count)
        width, height = self.size
        sheet = Image.new("RGBA", (width * across, height * -(-count // across)))
        for at, image in enumerate(self.images):
            sheet.paste(image, (at % across * width, at // across * height))
        return sheet

    def save_animation(self, path: str | Path, *, scale: int = 1, milliseconds: int = 150) -> Path:
        """Write the images as one looping GIF, APNG or WebP, by the ending of ``path`` (.gif, .png, .apng, .webp).

        ``milliseconds`` holds where the vendor set no times. Every pixel, frame and time is kept exactly, but a GIF
        counts in steps of 10 ms. Raises InvalidRequest for another ending and for a scale below 1.
        """
        _check_scale(scale)
        import numpy as np

        from pixelrouter.formats import save

        target = Path(path)
        times = [time or milliseconds for time in self.durations] or milliseconds
        save([np.asarray(image).repeat(scale, 0).repeat(scale, 1) for image in self.images], target, times)
        return target

    @property
    def report(self) -> Report:
        """What finishing did to the first image."""
        return self.reports[0]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything worth knowing about these images, without repeats."""
        return tuple(dict.fromkeys([*self.notes, *(w for r in self.reports for w in r.warnings)]))

    def save(self, path: str | Path, *, scale: int = 1, index: int | None = None) -> list[Path]:
        """Write the images as indexed PNG, enlarged by a whole ``scale`` without smoothing.

        One image goes to ``path``; of several, ``potion.png`` becomes ``potion-1.png``, ``potion-2.png`` …, or
        ``potion-south.png`` … where they have names, unless ``index`` picks one. Each file is written beside its place
        and moved there, so none is ever half written.
        Returns the paths. Raises InvalidRequest for a scale below 1 or a name that does not end in ``.png``.
        """
        target = Path(path)
        _check_scale(scale)
        if target.suffix.lower() != ".png":
            raise InvalidRequest(f"{target.name!r} does not end in .png.", hint="Pixel art is saved as indexed PNG.")
        chosen = list(enumerate(self.indexed, 1)) if index is None else [(index + 1, self.indexed[index])]
        several = len(chosen) > 1
        paths = []
        for number, image in chosen:
            label = self._file_label(number) if several else ""
            name = target.with_stem(f"{target.stem}-{label}") if several else target
            name.parent.mkdir(parents=True, exist_ok=True)
            big = image if scale == 1 else image.resize((image.width * scale, image.height * scale), 0)
            part = name.with_name(f".{name.name}.part")
            try:
                big.save(part, format="PNG", optimize=True)
                part.replace(name)
            finally:
                part.unlink(missing_ok=True)
            paths.append(name)
        return paths

    def _file_label(self, number: int) -> str:
        """What tells image ``number`` (from 1) from the others in a file name: its own name, if all have one.

        A vendor may have chosen it, so letters, digits and ``.-_`` are all that is left of it.
        """
        labels = [re.sub(r"[^\w.-]+", "-", name)[:_LABEL].strip(".-") for name in self.names]
        if len({label.casefold() for label in labels}) == len(self.indexed) and all(labels):
            return labels[number - 1]
        return str(number)

    def as_dict(self) -> dict[str, Any]:
        """Everything but the pixels, JSON-ready."""
        return {
            "backend": self.backend,
            "model": self.model,
            "size": list(self.size),
            "n": len(self.indexed),
            "seed": self.seed,
            "palette": list(self.palette),
            "cost": self.cost.as_dict(),
            "paid": self.paid.as_dict(),
            "reused": self.reused,
            "key": self.key,
            "raws": list(self.raws),
            "names": list(self.names),
            "durations": list(self.durations),
            "licence": self.licence and {"name": self.licence.name, "commercial": self.licence.use},
            "attempts": [a.as_dict() for a in self.attempts],
            "reports": [r.as_dict() for r in self.reports],
            "warnings": list(self.warnings),
        }

    def with_(self, **changes: Any) -> PixelArt:
        """A copy with fields replaced."""
        return replace(self, **changes)

    def _repr_png_(self) -> bytes:
        """The first image enlarged, for notebooks."""
        scale = max(1, 256 // max(self.size))
        buffer = io.BytesIO()
        self.indexed[0].resize((self.size[0] * scale, self.size[1] * scale), 0).save(buffer, format="PNG")
        return buffer.getvalue()


def _check_scale(scale: int) -> None:
    if scale < 1 or scale > 64:
        raise InvalidRequest(f"scale={scale} is outside 1..64.", hint="Enlarge by a whole factor, 8 for instance.")
