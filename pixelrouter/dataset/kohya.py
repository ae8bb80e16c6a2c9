"""``dataset.toml``: the set as kohya-ss/sd-scripts takes it (``--dataset_config``), with the settings it was made for.

Keys as in its ``docs/config_README-en.md``, read in November 2026. With these settings every file has exactly the size
of a bucket, which the trainer then does not resize.
"""

from __future__ import annotations

import json

from pixelrouter.dataset.spec import DatasetSpec

CONFIG = "dataset.toml"


def config(spec: DatasetSpec) -> str:
    """The file's text. Paths in it are relative: the trainer is started in the set's folder."""
    folder = "/".join(part for part in ("train", spec.folder) if part)
    lines = [
        "# For kohya-ss/sd-scripts: --dataset_config dataset.toml, started in this folder.",
        "[general]",
        'caption_extension = ".txt"',
        "",
        "[[datasets]]",
        f"resolution = {spec.resolution}",
        f"enable_bucket = {str(not spec.square).lower()}",
        "bucket_no_upscale = false",
        f"bucket_reso_steps = {spec.bucket_step}",
        f"min_bucket_reso = {spec.min_bucket}",
        f"max_bucket_reso = {spec.largest}",
        "",
        "[[datasets.subsets]]",
        f"image_dir = {_text(folder)}",
        f"num_repeats = {spec.repeats or 1}",
    ]
    if spec.trigger:
        lines += [f"class_tokens = {_text(spec.trigger)}", "keep_tokens = 1"]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
