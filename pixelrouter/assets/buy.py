"""Between a build and the router: what it is asked for each candidate, and what goes into the lock of what came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrouter.assets.asset import Asset, Manifest
from pixelrouter.assets.keys import ASSET
from pixelrouter.assets.lock import Candidate, Price, Terms
from pixelrouter.assets.planning import Plan, Step
from pixelrouter.assets.render import plain_layout, render
from pixelrouter.errors import PixelRouterError
from pixelrouter.routing.keys import derived_seed
from pixelrouter.types import Attempt, Cost, PixelArt, Quote

if TYPE_CHECKING:
    from pixelrouter.assets.shelf import RawSource
    from pixelrouter.routing.router import PixelRouter

_PRICELESS = frozenset({"prompt", "seed", "asset", "tags", "images", "mask", "action", "upper", "style_group"})
_PLAIN = ("prompt", "size", "task", "transparent", "model", "strength", "views", "action", "frames", "tiles", "upper")


def arguments(
    asset: Asset, number: int, wish: str, images: Mapping[str, bytes | Path], *, restyle: bool = False
) -> dict[str, Any]:
    """The router's arguments for one candidate. ``images`` are those that the asset names.

    Every candidate is a purchase of its own with a seed of its own, so more of them can be had later without buying the
    first ones again; and a purchase that a crash cut off is the same request when it is asked for again.
    """
    given: dict[str, Any] = {name: getattr(asset, name) for name in _PLAIN}
    given |= {
        "seed": seed_of(asset, number, wish),
        "options": asset.options,
        "images": [images[image] for image in asset.images],
        "mask": images[asset.mask] if asset.mask else None,
        "colors": asset.colors,
        "palette": asset.palette,
        **asset.finishing,
        "min_score": asset.min_score,
        "commercial": asset.commercial,
        "asset": asset.name,
        "tags": asset.tags,
    }
    given |= {"backend": asset.backend} if asset.backend else {"route": asset.route}
    if asset.style and asset.sticky:
        given |= {"style_group": asset.style, "restyle": restyle}
    return {name: value for name, value in given.items() if value is not None}


def seed_of(asset: Asset, number: int, wish: str) -> int | None:
    """The seed of a candidate, from 1: the manifest's own and those after it, else derived from the wish.

    The first one has the router's seed, so that an asset that was drawn by a script before is not bought again.
    """
    if asset.seed is not None:
        return (asset.seed + number - 1) % 2**31
    return None if number == 1 else derived_seed(wish, number) or 1  # 0 means "random" to some vendors


class Buyer:
    """Asks a router for the candidates of a plan."""

    def __init__(self, router: PixelRouter, manifest: Manifest, raws: RawSource, *, restyle: bool = False) -> None:
        self._router, self._manifest, self._raws, self._restyle = router, manifest, raws, restyle
        self._prices: dict[str, Quote] = {}
        self.drawn: dict[str, tuple[Asset, Candidate]] = {}  # by name: what other assets may start from

    def know(self, plan: Plan) -> None:
        """Remember what the styles of a plan keep to, as the lock has it: this machine's ledger may not know."""
        if self._restyle:
            return
        for step in plan.steps:
            style = step.asset.style
            if step.kept and style and step.asset.sticky and step.asset.backend is None:
                one = step.kept[0]
                self._router.keep_style(style, step.asset.task, one.backend, one.model)

    def quote(self, step: Step, number: int) -> Quote:
        """The price of one candidate. Vendors are asked once for each kind of request, not once an asset."""
        asset = step.asset
        given = arguments(asset, number, step.wish or asset.name, self._images(asset, blank=True))
        if step.wish is not None and (paid := self._router.paid(**given)) is not None:
            return paid
        # Two requests that differ in words, seeds and the content of pictures cost the same.
        alike = {name: value for name, value in given.items() if name not in _PRICELESS}
        kind = repr((sorted(alike.items(), key=lambda pair: pair[0]), len(asset.images)))
        if kind not in self._prices:
            self._prices[kind] = self._router.quote(**given)
        return self._prices[kind]

    def wish(self, step: Step, number: int) -> dict[str, Any]:
        """The router's arguments for one candidate. Raises StoreError where a picture to start from is not there."""
        return arguments(
            step.asset, number, step.wish or "", self._images(step.asset, blank=False), restyle=self._restyle
        )

    def _images(self, asset: Asset, *, blank: bool) -> dict[str, bytes | Path]:
        """``blank``: a picture that is still to be drawn is stood for by a clear one, which is enough for a price."""
        images: dict[str, bytes | Path] = {}
        for image in (*asset.images, *((asset.mask,) if asset.mask else ())):
            if not image.startswith(ASSET):
                images[image] = self._manifest.folder / image
            elif (name := image.removeprefix(ASSET)) in self.drawn:
                images[image] = self._picture(*self.drawn[name])
            elif blank:
                from pixelrouter.routing.pictures import blank as clear

                images[image] = clear(self._manifest.assets[name].size)
        return images

    def _picture(self, asset: Asset, candidate: Candidate) -> bytes:
        """The first image of another asset, as PNG."""
        from pixelrouter.assets.deliver import png_bytes

        return png_bytes(render(asset, candidate, self._raws).sprite.frames[0])


def candidate_of(art: PixelArt, number: int) -> Candidate:
    """What the lock keeps of a purchase."""
    row: Attempt = art.attempts[-1]
    licence = art.licence
    return Candidate(
        number=number,
        key=art.key,
        backend=art.backend,
        model=art.model,
        seed=art.seed,
        raws=art.raws,
        cost=price_of(art.paid),
        attempt=row.id,
        job=row.ticket.id if row.ticket and row.ticket.id else None,
        request=row.vendor_request,
        raw_names=row.names,
        layout=plain_layout(art.layout),
        native=art.native,
        licence=Terms(licence.name, licence.commercial, licence.url, licence.checked) if licence else None,
        bought=datetime.fromtimestamp(row.created_at, UTC).isoformat(timespec="seconds") if row.created_at else "",
        confidence=round(min((report.confidence for report in art.reports), default=0.0), 3),
        warnings=art.warnings,
    )


def price_of(cost: Cost) -> Price:
    """A cost as the lock has it."""
    return Price(str(cost.money.amount), cost.money.unit, cost.source)


def told(name: str, error: PixelRouterError) -> PixelRouterError:
    """The error, which says whose it is."""
    if not error.message.startswith(f"{name}: "):
        error.message = f"{name}: {error.message}"
    return error
