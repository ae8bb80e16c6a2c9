"""Pictures that commands write: PNG files of pixels that are true already, indexed where that loses nothing."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrouter.errors import InvalidRequest, StoreError

if TYPE_CHECKING:
    from PIL.Image import Image


def save_picture(image: Image, path: Path, *, scale: int = 1) -> Path:
    """Write an RGBA image as PNG, every pixel enlarged by ``scale``, and return the path. Raises StoreError."""
    import numpy as np
    from PIL.Image import Resampling

    from pixelrouter.pixels import to_indexed

    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Resampling.NEAREST)
    rgba = np.asarray(image)
    visible = np.unique(rgba[rgba[..., 3] > 0], axis=0)
    hidden = (rgba[..., 3] == 0).any()
    fits = len(visible) + hidden <= 256 and (visible[:, 3] == 255).all() and not rgba[rgba[..., 3] == 0].any()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (to_indexed(rgba, visible[:, :3]) if fits else image).save(path, "PNG")
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def save_json(data: Any, path: Path) -> Path:
    """Write data as JSON, and return the path. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be saved: {error.strerror or error}.", hint="Choose another place with -o.")


def images_in(sources: list[Path], *, deep: bool = False) -> list[Path]:
    """Files as they are, patterns as what they match, folders as the pictures in them (``deep``: and below), by name.

    A file that two of them mean is there once. Raises InvalidRequest where one means none.
    """
    return list(dict.fromkeys(file for source in sources for file in _files(source, deep=deep)))


def is_pattern(source: Path) -> bool:
    """Whether a source is a pattern that no shell has expanded."""
    return glob.has_magic(str(source)) and not source.exists()


def matches(pattern: Path) -> list[Path]:
    """The files that match, by name. Raises InvalidRequest where none does."""
    files = [Path(match) for match in glob.glob(str(pattern), recursive=True) if Path(match).is_file()]  # noqa: PTH207  # Path.glob takes no absolute pattern
    if not files:
        raise InvalidRequest(f"No file matches {pattern}.", hint="'art/*.png' looks into art, 'art/**/*.png' below it.")
    return sorted(files)


def _files(source: Path, *, deep: bool) -> list[Path]:
    from pixelrouter.pixels.batch.batch import ENDINGS

    if is_pattern(source):
        return matches(source)
    if not source.is_dir():
        return [source]
    found = sorted(file for file in source.glob("**/*" if deep else "*") if file.suffix.lower() in ENDINGS)
    hidden = [file for file in found if any(part.startswith(".") for part in file.relative_to(source).parts)]
    visible = [file for file in found if file.is_file() and file not in hidden]
    if not visible:
        raise InvalidRequest(f"No image lies in {source}.", hint=f"Looked for {', '.join(ENDINGS)}.")
    return visible


def places(files: list[Path], output: Path | None, suffix: str) -> dict[Path, Path]:
    """Where each file's result goes: ``-o FILE.png`` for one, NAME.png in a folder, else NAME-suffix.png beside it.

    Raises InvalidRequest before any work where a place cannot be written or would overwrite a source.
    """
    from pixelrouter.cli.files import check_target

    one = len(files) == 1 and output is not None and output.suffix != "" and not output.is_dir()
    out: dict[Path, Path] = {}
    for file in files:
        name = f"{file.stem}.png" if output else f"{file.stem}-{suffix}.png"
        place = output if one and output is not None else (output or file.parent) / name
        check_target(place)
        if place.absolute() in {source.absolute() for source in files}:
            raise InvalidRequest(f"{place} would overwrite its own source.", hint="Choose another place with -o.")
        if place in out.values():
            raise InvalidRequest(f"Two files would be saved as {place}.", hint="Do it in two calls.")
        out[file] = place
    return out
