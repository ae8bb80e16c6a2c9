"""Training sets of pixel art: native 1x, few colours, enlarged by whole factors into buckets, with captions.

Nothing is interpolated, and :func:`verify` proves it from the files.
"""

from pixelrouter.dataset.buckets import Placement, bucket_sizes, place
from pixelrouter.dataset.prepare import prepare
from pixelrouter.dataset.record import Aside, Dataset, Picture
from pixelrouter.dataset.spec import DatasetSpec
from pixelrouter.dataset.verify import Problem, Verified, verify

__all__ = [
    "Aside",
    "Dataset",
    "DatasetSpec",
    "Picture",
    "Placement",
    "Problem",
    "Verified",
    "bucket_sizes",
    "place",
    "prepare",
    "verify",
]
