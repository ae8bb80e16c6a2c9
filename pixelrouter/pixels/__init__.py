"""The post-processor: from whatever a vendor returned to real pixel art. Pure functions, no network."""

from pixelrouter.pixels.batch import BatchReport, finish_folder
from pixelrouter.pixels.check import CheckReport, check
from pixelrouter.pixels.decode import Decoded, decode
from pixelrouter.pixels.executors import Executor, InProcess, Processes, RayCluster
from pixelrouter.pixels.explain import Explanation, explain
from pixelrouter.pixels.finish import Finished, finish, finish_many
from pixelrouter.pixels.grid import THRESHOLD, detect_grid
from pixelrouter.pixels.indexed import to_indexed
from pixelrouter.pixels.palette import BuiltIn, built_ins, resolve_palette
from pixelrouter.pixels.sheet import Cut, cut
from pixelrouter.pixels.snap import snap_image
from pixelrouter.pixels.spec import ALGORITHM, FinishSpec

__all__ = [
    "ALGORITHM",
    "THRESHOLD",
    "BatchReport",
    "BuiltIn",
    "CheckReport",
    "Cut",
    "Decoded",
    "Executor",
    "Explanation",
    "FinishSpec",
    "Finished",
    "InProcess",
    "Processes",
    "RayCluster",
    "built_ins",
    "check",
    "cut",
    "decode",
    "detect_grid",
    "explain",
    "finish",
    "finish_folder",
    "finish_many",
    "resolve_palette",
    "snap_image",
    "to_indexed",
]
