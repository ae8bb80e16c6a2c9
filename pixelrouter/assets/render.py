"""From a locked candidate to a sprite: raw bytes through the post-processor. Free, offline, the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.lock import Candidate
from pixelrouter.assets.shelf import RawSource
from pixelrouter.assets.sprite import Sprite
from pixelrouter.errors import UnreadableImage
from pixelrouter.types import GenerationRequest, Layout, Report

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Rendered:
    """A sprite, and what finishing did to each of its images."""

    sprite: Sprite
    reports: tuple[Report, ...]

    @property
    def confidence(self) -> float:
        """How surely the images lay on a pixel grid, 0..1: the least of them."""
        return min((report.confidence for report in self.reports), default=0.0)


def render(asset: Asset, candidate: Candidate, raws: RawSource, *, pixels_per_unit: int | None = None) -> Rendered:
    """The finished sprite of one candidate. Raises StoreError where a raw is missing, UnreadableImage, QualityRejected
    where the asset's own policy turns it down.
    """
    from pixelrouter.routing.cutting import finish_spec, finished_images

    spec = finish_spec(request_of(asset), asset.finishing, native=candidate.native)
    layout = layout_of(candidate.layout)
    done, names, times = finished_images(
        candidate.raws[: layout.raws], candidate.raw_names, layout, spec, asset.views, raws.get
    )
    if not done:
        raise UnreadableImage(f"{asset.name}: no image can be made of candidate {candidate.number}.")
    sprite = sprite_of(
        asset,
        [one.indexed for one in done],
        tuple(dict.fromkeys(color for one in done for color in one.palette)),
        names,
        times,
        pixels_per_unit,
    )
    return Rendered(sprite, tuple(one.report for one in done))


def request_of(asset: Asset) -> GenerationRequest:
    """What the asset asks of the post-processor."""
    return GenerationRequest(
        prompt=asset.prompt,
        width=asset.size[0],
        height=asset.size[1],
        task=asset.task,
        transparent=asset.transparent,
        colors=asset.colors,
        palette=asset.palette,
    )


def sprite_of(
    asset: Asset,
    images: Sequence[Image],
    palette: Sequence[str],
    names: Sequence[str] = (),
    durations: Sequence[int] = (),
    pixels_per_unit: int | None = None,
) -> Sprite:
    """The sprite of finished images, with the asset's own wishes for times, loops and tags."""
    if asset.fps and len(images) > 1:
        durations = steady_times(asset.fps, len(images))
    elif len(images) == 1:
        durations = ()
    return Sprite(
        name=asset.name,
        frames=alike(images, palette),
        palette=tuple(palette),
        task=asset.task,
        names=tuple(names) if any(names) else (),
        durations=tuple(durations),
        loop=asset.loop,
        tags=tuple(tag for tag in asset.frame_tags if tag.first < len(images)),
        pivot=asset.pivot,
        pixels_per_unit=pixels_per_unit,
    )


def steady_times(fps: float, count: int) -> tuple[int, ...]:
    """Whole milliseconds of ``count`` frames whose sum is as exact as it can be: 12 a second are 83, 84, 83 …"""
    ends = [round(1000 * frame / fps) for frame in range(count + 1)]
    return tuple(max(1, end - start) for start, end in pairwise(ends))


def alike(images: Sequence[Image], palette: Sequence[str]) -> tuple[Image, ...]:
    """The images with one palette and one meaning of each index: index 0 is clear in all of them, or in none."""
    if len(images) == 1:
        return (images[0],)
    import numpy as np

    from pixelrouter.pixels import to_indexed

    tall = np.concatenate([np.asarray(image.convert("RGBA")) for image in images])
    colors = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in palette], dtype=np.uint8)
    whole = to_indexed(tall, colors.reshape(-1, 3))
    width, height = images[0].size
    return tuple(whole.crop((0, at * height, width, (at + 1) * height)) for at in range(len(images)))


def plain_layout(layout: Layout) -> dict[str, Any]:
    """A layout as the lock has it: only what differs from the default."""
    plain = {one.name: getattr(layout, one.name) for one in fields(Layout)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in plain.items()
        if value != getattr(Layout(), name)
    }


def layout_of(plain: Mapping[str, Any]) -> Layout:
    """The layout that the lock describes."""
    known: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in plain.items()}
    return Layout(**known)
