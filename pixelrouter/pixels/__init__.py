"""The post-processor: from whatever a vendor returned to real pixel art. Pure functions, no network.

Names are loaded when they are first used, so that a palette or a wish costs neither numpy nor Pillow.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelrouter.pixels.alpha.matte import rembg_matte
    from pixelrouter.pixels.animation import Written, finish_animation, save_animation
    from pixelrouter.pixels.batch.batch import BatchReport, FileResult, Step, finish_folder
    from pixelrouter.pixels.batch.executors import Executor, InProcess, Processes, RayCluster
    from pixelrouter.pixels.check import CheckReport, Finding, Rule, annotate, check
    from pixelrouter.pixels.colors.extract import Covered, Extracted, extract_palette, in_ramps
    from pixelrouter.pixels.colors.indexed import to_indexed
    from pixelrouter.pixels.colors.palette import BuiltIn, built_ins, find_built_in, resolve_palette
    from pixelrouter.pixels.colors.palettes.files import PALETTE_FORMATS, read_palette, write_palette
    from pixelrouter.pixels.colors.palettes.value import Palette
    from pixelrouter.pixels.decode import Decoded, decode
    from pixelrouter.pixels.explain.explain import Explanation, explain
    from pixelrouter.pixels.finish import Finished, finish, finish_many
    from pixelrouter.pixels.grid import THRESHOLD, detect_grid
    from pixelrouter.pixels.sheets.frames import Registered, jitter, pad, register, trim, trim_together
    from pixelrouter.pixels.sheets.pack import Packed, pack
    from pixelrouter.pixels.sheets.sheet import Cut, cut, finish_sheet
    from pixelrouter.pixels.sheets.slice import Slicing, slice_boxes, slice_sheet
    from pixelrouter.pixels.snap import snap_image
    from pixelrouter.pixels.spec import ALGORITHM, FinishSpec
    from pixelrouter.pixels.tiles.seam import TILEABLE, Seam, make_seamless, preview, seam_score
    from pixelrouter.pixels.tiles.wang import Joint, WangReport, check_wang, wang_map
    from pixelrouter.types import Grid, Report

_HOMES = {
    "rembg_matte": "pixels.alpha.matte",
    "Written": "pixels.animation",
    "finish_animation": "pixels.animation",
    "save_animation": "pixels.animation",
    "BatchReport": "pixels.batch.batch",
    "FileResult": "pixels.batch.batch",
    "Step": "pixels.batch.batch",
    "finish_folder": "pixels.batch.batch",
    "Executor": "pixels.batch.executors",
    "InProcess": "pixels.batch.executors",
    "Processes": "pixels.batch.executors",
    "RayCluster": "pixels.batch.executors",
    "CheckReport": "pixels.check",
    "Finding": "pixels.check",
    "Rule": "pixels.check",
    "annotate": "pixels.check",
    "check": "pixels.check",
    "Covered": "pixels.colors.extract",
    "Extracted": "pixels.colors.extract",
    "extract_palette": "pixels.colors.extract",
    "in_ramps": "pixels.colors.extract",
    "to_indexed": "pixels.colors.indexed",
    "BuiltIn": "pixels.colors.palette",
    "built_ins": "pixels.colors.palette",
    "find_built_in": "pixels.colors.palette",
    "resolve_palette": "pixels.colors.palette",
    "PALETTE_FORMATS": "pixels.colors.palettes.files",
    "read_palette": "pixels.colors.palettes.files",
    "write_palette": "pixels.colors.palettes.files",
    "Palette": "pixels.colors.palettes.value",
    "Decoded": "pixels.decode",
    "decode": "pixels.decode",
    "Explanation": "pixels.explain.explain",
    "explain": "pixels.explain.explain",
    "Finished": "pixels.finish",
    "finish": "pixels.finish",
    "finish_many": "pixels.finish",
    "THRESHOLD": "pixels.grid",
    "detect_grid": "pixels.grid",
    "Registered": "pixels.sheets.frames",
    "jitter": "pixels.sheets.frames",
    "pad": "pixels.sheets.frames",
    "register": "pixels.sheets.frames",
    "trim": "pixels.sheets.frames",
    "trim_together": "pixels.sheets.frames",
    "Packed": "pixels.sheets.pack",
    "pack": "pixels.sheets.pack",
    "Cut": "pixels.sheets.sheet",
    "cut": "pixels.sheets.sheet",
    "finish_sheet": "pixels.sheets.sheet",
    "Slicing": "pixels.sheets.slice",
    "slice_boxes": "pixels.sheets.slice",
    "slice_sheet": "pixels.sheets.slice",
    "snap_image": "pixels.snap",
    "ALGORITHM": "pixels.spec",
    "FinishSpec": "pixels.spec",
    "TILEABLE": "pixels.tiles.seam",
    "Seam": "pixels.tiles.seam",
    "make_seamless": "pixels.tiles.seam",
    "preview": "pixels.tiles.seam",
    "seam_score": "pixels.tiles.seam",
    "Joint": "pixels.tiles.wang",
    "WangReport": "pixels.tiles.wang",
    "check_wang": "pixels.tiles.wang",
    "wang_map": "pixels.tiles.wang",
    "Grid": "types",
    "Report": "types",
}

__all__ = [
    "ALGORITHM",
    "PALETTE_FORMATS",
    "THRESHOLD",
    "TILEABLE",
    "BatchReport",
    "BuiltIn",
    "CheckReport",
    "Covered",
    "Cut",
    "Decoded",
    "Executor",
    "Explanation",
    "Extracted",
    "FileResult",
    "Finding",
    "FinishSpec",
    "Finished",
    "Grid",
    "InProcess",
    "Joint",
    "Packed",
    "Palette",
    "Processes",
    "RayCluster",
    "Registered",
    "Report",
    "Rule",
    "Seam",
    "Slicing",
    "Step",
    "WangReport",
    "Written",
    "annotate",
    "built_ins",
    "check",
    "check_wang",
    "cut",
    "decode",
    "detect_grid",
    "explain",
    "extract_palette",
    "find_built_in",
    "finish",
    "finish_animation",
    "finish_folder",
    "finish_many",
    "finish_sheet",
    "in_ramps",
    "jitter",
    "make_seamless",
    "pack",
    "pad",
    "preview",
    "read_palette",
    "register",
    "rembg_matte",
    "resolve_palette",
    "save_animation",
    "seam_score",
    "slice_boxes",
    "slice_sheet",
    "snap_image",
    "to_indexed",
    "trim",
    "trim_together",
    "wang_map",
    "write_palette",
]


class _Names(ModuleType):
    """A package whose functions are not hidden by its modules of the same name: ``decode`` is both."""

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"pixelrouter.{_HOMES[name]}"), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Importing a module writes it into its package, which is the one thing left out here."""
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return __all__


sys.modules[__name__].__class__ = _Names
