"""The Retro Diffusion styles that the simulator serves, with the limits and prices that the vendor publishes.

Source: the vendor's own API notes and price list, as of September 2026. This table is on purpose not the one of the
backend: the simulator is the judge of the backend, and a judge that reads the accused's notes finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

PriceClass = Literal["fast", "plus", "low_res", "flat"]


@dataclass(frozen=True)
class Style:
    """One style. Sizes are pixels a side; ``fixed`` styles take one size only and quietly correct any other."""

    id: str
    model: str | None  # as the selector's required_model; None where the vendor sends null
    tab: str
    low: int
    high: int
    max_images: int = 16
    references: int = 0
    needs_image: bool = False
    prompt_optional: bool = False
    price: PriceClass = "flat"
    flat_usd: float = 0.0
    fixed: bool = False
    square: bool = False
    multiple: int = 1
    frames: int = 0  # 0: a still
    grid: tuple[int, int] | None = None  # columns and rows of the sprite sheet or tileset
    frame_ms: int = 150
    takes_frames_duration: bool = False
    result_model: str = ""
    alias: bool = False  # answers under another style's model, and is left out of the selector

    def cost(self, width: int, height: int, n: int) -> float:
        """The price of ``n`` images in USD, rounded to 3 decimals after multiplying."""
        area = width * height
        each = {
            "fast": max(0.015, (area + 100_000) / 6_000_000),
            "plus": max(0.025, (area + 50_000) / 2_000_000),
            "low_res": max(0.02, (area + 13_700) / 600_000),
            "flat": self.flat_usd,
        }[self.price]
        return round(each * n, 3)

    def selector_item(self) -> dict[str, Any]:
        """The style as GET /styles/selector lists it, nulls included."""
        return {
            "prompt_style": self.id,
            "name": self.id.split("__")[1].replace("_", " ").title(),
            "description": f"The style {self.id}.",
            "group_id": self.id.split("__")[0].replace("_", " ").title().replace("Rd", "RD"),
            "required_model": self.model,
            "required_tab": self.tab,
            "min_width": self.low,
            "max_width": self.high,
            "min_height": self.low,
            "max_height": self.high,
            "max_number_of_images": self.max_images,
            "require_input_image": True if self.needs_image else None,
            "supports_reference_images": self.references > 0,
            "supports_frames_duration": self.takes_frames_duration,
            "prompt_requirement": "optional" if self.prompt_optional else "required",
            "example_prompt": None,
        }


IMAGE, ANIMATION, ADVANCED, TILESET = "tab:image", "tab:animation", "tab:advanced-animation", "tab:tileset"
_LOW_RES_SIZES = {"classic": (32, 192), "skill_icon": (32, 192), "topdown_item": (16, 96)}
_LOW_RES_SIZES |= dict.fromkeys(("low_res", "mc_item", "mc_texture"), (16, 128))


def _named(prefix: str, names: str, model: str | None, tab: str, low: int, high: int, **more: Any) -> Iterator[Style]:
    for name in names.split():
        yield Style(f"{prefix}__{name}", model, tab, low, high, result_model=model or prefix, **more)


def _pro() -> Iterator[Style]:
    pro: dict[str, Any] = {"model": "rd_pro", "tab": IMAGE, "flat_usd": 0.18, "references": 9}
    small = "default painterly fantasy horror scifi simple isometric topdown platformer"
    yield from _named("rd_pro", small, low=12, high=256, **pro)
    yield from _named("rd_pro", "dungeon_map spritesheet fps_weapon typography", low=64, high=256, max_images=4, **pro)
    yield from _named("rd_pro", "hexagonal_tiles ui_panel inventory_items", low=256, high=256, max_images=4, **pro)
    yield from _named("rd_pro", "pixelate", low=16, high=256, needs_image=True, prompt_optional=True, **pro)
    yield from _named("rd_pro", "edit", low=64, high=256, max_images=4, needs_image=True, **pro)


def _fast_plus_mini() -> Iterator[Style]:
    plus = (
        "default retro watercolor textured cartoon ui_element item_sheet character_turnaround environment "
        "isometric isometric_asset topdown_map topdown_asset"
    )
    fast = "simple detailed retro game_asset portrait texture ui item_sheet character_turnaround no_style 1_bit"
    yield from _named("rd_plus", plus, "rd_plus", IMAGE, 64, 384, price="plus")
    yield from _named("rd_fast", "default", "rd_fast", IMAGE, 64, 384, price="fast", max_images=15)
    yield from _named("rd_fast", fast, "rd_fast", IMAGE, 64, 384, price="fast")
    for name, (low, high) in _LOW_RES_SIZES.items():
        yield from _named("rd_plus", name, "rd_plus", IMAGE, low, high, price="low_res")
        yield from _named("rd_mini", name, "rd_plus", IMAGE, low, high, price="low_res", alias=True)
    for name in ("low_res", "mc_item", "mc_texture"):
        yield from _named("rd_fast", name, "rd_fast", IMAGE, 16, 128, price="low_res")
        yield from _named("rd_mini", f"fast_{name}", "rd_fast", IMAGE, 16, 128, price="low_res", alias=True)


def _animations() -> Iterator[Style]:
    advanced: dict[str, Any] = {"model": None, "tab": ADVANCED, "low": 32, "high": 256, "max_images": 1}
    advanced |= {"needs_image": True, "frames": 8}
    timed = {**advanced, "takes_frames_duration": True}
    name = "rd_advanced_animation"
    yield from _named(name, "walking idle jump crouch attack destroy", flat_usd=0.14, **timed)
    yield from _named(name, "custom_action", flat_usd=0.25, **{**timed, "frames": 10})
    yield from _named(name, "subtle_motion", flat_usd=0.25, **timed)
    yield from _named(name, "rotate", flat_usd=0.10, multiple=8, prompt_optional=True, grid=(3, 3), **advanced)

    def fixed(style: str, side: int, usd: float, frames: int, **more: Any) -> Iterator[Style]:
        settings = {"max_images": 1, "fixed": True, "flat_usd": usd, "frames": frames, **more}
        return _named("rd_animation", style, None, ANIMATION, side, side, **settings)

    yield from fixed("four_angle_walking four_angle_walking_idle", 48, 0.07, 16, grid=(4, 4))
    yield from fixed("small_sprites", 32, 0.07, 20, grid=(5, 4), max_images=16)
    yield from fixed("any_animation", 64, 0.25, 8, references=9)
    yield from fixed("8_dir_rotation", 80, 0.25, 8, references=5, grid=(3, 3))
    # The vendor lists no price for these three; the plain animation price stands in.
    yield from fixed("big_animation", 128, 0.07, 8, references=9)
    yield from fixed("battle_sprites", 64, 0.07, 56)
    yield from fixed("large_walking_idle", 64, 0.07, 16, grid=(4, 4))
    vfx = {"flat_usd": 0.07, "max_images": 1, "square": True, "frames": 16, "frame_ms": 200}
    yield from _named("rd_animation", "vfx", None, ANIMATION, 24, 96, **vfx)


def _tiles() -> Iterator[Style]:
    sets = {"flat_usd": 0.10, "max_images": 1, "grid": (4, 5)}
    yield from _named("rd_tile", "tileset tileset_advanced", None, TILESET, 16, 32, **sets)
    yield from _named("rd_tile", "single_tile", None, TILESET, 16, 64, price="low_res")
    more = {"needs_image": True, "prompt_optional": True}
    yield from _named("rd_tile", "tile_variation", None, TILESET, 16, 128, price="low_res", **more)
    yield from _named("rd_tile", "tile_object", None, TILESET, 16, 96, price="low_res")
    yield from _named("rd_tile", "scene_object", None, TILESET, 64, 384, price="plus")


STYLES: dict[str, Style] = {
    style.id: style for family in (_pro, _fast_plus_mini, _animations, _tiles) for style in family()
}

# The real selector lets internal experiments out: opaque ids, a group of their own, model null.
LEAKED: tuple[dict[str, Any], ...] = tuple(
    {
        **STYLES["rd_pro__default"].selector_item(),
        "prompt_style": leaked,
        "name": "Copy",
        "group_id": "Testing",
        "required_model": None,
    }
    for leaked in ("rd_pro__default_copy_1790000000001_copy_2", "animation:rd_animated_sim_4by4_000000001")
)


def selector(model: str | None, tab: str | None) -> dict[str, Any]:
    """The body of GET /styles/selector. As with the vendor, a model filter keeps the styles whose model is null."""
    items = [style.selector_item() for style in STYLES.values() if not style.alias] + [dict(item) for item in LEAKED]
    if model:
        items = [item for item in items if item["required_model"] in (model, None)]
    if tab:
        items = [item for item in items if item["required_tab"] == tab]
    models = [model] if model else ["rd_fast", "rd_plus", "rd_pro", "rd_mini"]
    tabs = [tab] if tab else [IMAGE, ANIMATION, ADVANCED, TILESET]
    return {"styles": items, "models": models, "tabs": tabs}
