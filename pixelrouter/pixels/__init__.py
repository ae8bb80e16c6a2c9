"""The post-processor: from whatever a vendor returned to real pixel art. Pure functions, no network."""

from pixelrouter.pixels.alpha.matte import rembg_matte
from pixelrouter.pixels.animation import Written, finish_animation, save_animation
from pixelrouter.pixels.batch.batch import BatchReport, FileResult, Step, finish_folder
from pixelrouter.pixels.batch.executors import Executor, InProcess, Processes, RayCluster
from pixelrouter.pixels.check import CheckReport, Finding, Rule, annotate, check
from pixelrouter.pixels.colors.indexed import to_indexed
from pixelrouter.pixels.colors.palette import BuiltIn, built_ins, resolve_palette
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

__all__ = [
    "ALGORITHM",
    "THRESHOLD",
    "TILEABLE",
    "BatchReport",
    "BuiltIn",
    "CheckReport",
    "Cut",
    "Decoded",
    "Executor",
    "Explanation",
    "FileResult",
    "Finding",
    "FinishSpec",
    "Finished",
    "Grid",
    "InProcess",
    "Joint",
    "Packed",
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
    "finish",
    "finish_animation",
    "finish_folder",
    "finish_many",
    "finish_sheet",
    "jitter",
    "make_seamless",
    "pack",
    "pad",
    "preview",
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
]
