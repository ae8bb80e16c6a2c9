"""Check cassettes before they are committed: ``python -m pixelrouter.wire.lint [FOLDER]``.

One line a finding on stdout, exit status 1 if there are any. Checked: the format; that each says where it is from; that
nothing in it is or looks like a credential; that headers are on the allow-list; that the files it refers to exist, that
it refers to every file beside it, and that images decode.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pixelrouter.errors import redact
from pixelrouter.files import read_bounded
from pixelrouter.wire.bodies import extension
from pixelrouter.wire.cassette import FILE, MAX_BYTES, CassetteFile
from pixelrouter.wire.scrub import HEADERS, scrub_text

_BESIDE = frozenset({FILE, "README.md"})
_IMAGES = frozenset({".png", ".gif", ".jpg", ".webp"})
_MOST_PIXELS = 4096 * 4096
# Fields that hold credentials in somebody's API.
_CREDENTIAL = re.compile(r"(?i)authorization|cookie|password|secret|api[-_]?key|(?:^|[-_])token$|^x-.*token")
_OPAQUE_BITS = 3.0  # per character; words stay below it at these lengths, random keys and hex above


def lint(folder: Path) -> list[str]:
    """Every finding in the cassettes below ``folder``, as ``path: what is wrong``."""
    cassettes = sorted(path.parent for path in folder.rglob(FILE))
    findings = [f"{path}: {what}" for path, what in _strays(folder, cassettes)]
    if not cassettes and not findings:
        findings.append(f"{folder}: there is no {FILE} below this folder")
    for each in cassettes:
        findings += [f"{each / FILE}: {what}" for what in _cassette(each)]
    return findings


def _strays(folder: Path, cassettes: list[Path]) -> Iterator[tuple[Path, str]]:
    """Scenario folders (the innermost ones) without a cassette."""
    for path in sorted(folder.rglob("*")):
        innermost = path.is_dir() and not any(child.is_dir() for child in path.iterdir())
        if innermost and path.name != "__pycache__" and path not in cassettes and any(path.iterdir()):
            yield path, f"holds files but no {FILE}"


def _cassette(folder: Path) -> Iterator[str]:
    try:
        raw = read_bounded(folder / FILE, MAX_BYTES)
    except OSError as error:
        yield f"cannot be read: {error.strerror or error}"
        return
    try:
        data = json.loads(raw)
        file = CassetteFile.model_validate_json(raw)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in problem["loc"])
            yield f"{place}: {problem['msg']}" if place else problem["msg"]
        return
    except (ValueError, RecursionError) as error:
        yield f"is no JSON: {error}"
        return
    if not file.exchanges:
        yield "holds no exchange"
    yield from _secrets("", data)
    for number, each in enumerate(file.exchanges, 1):
        for name in each.response.headers:
            if name not in HEADERS:
                yield f"exchange {number}: the header {name!r} is not on the allow-list"
    yield from _files(folder, file)


def _secrets(place: str, value: Any) -> Iterator[str]:
    """Findings name the place, never the value."""
    match value:
        case str():
            if scrub_text(value) != value:
                yield f"{place}: holds something that looks like a credential or a signed address"
            elif _CREDENTIAL.search(place.rpartition(".")[2]) and _opaque(value):
                yield f"{place}: looks like a credential"
        case dict():
            for name, item in value.items():
                yield from _secrets(f"{place}.{name}" if place else name, item)
        case list():
            for index, item in enumerate(value):
                yield from _secrets(f"{place}[{index}]", item)


def _opaque(text: str) -> bool:
    """Whether the text has the randomness of a key: Shannon entropy per character."""
    counts = Counter(text)
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return len(text) >= 16 and " " not in text.removeprefix("Bearer ") and bits > _OPAQUE_BITS


def _files(folder: Path, file: CassetteFile) -> Iterator[str]:
    named = Counter(file.files())
    there = {path.name: path for path in folder.iterdir() if path.is_file() and path.name not in _BESIDE}
    for name in named:
        if name not in there:
            yield f"refers to the file {name}, which does not exist"
    for name, path in sorted(there.items()):
        if name not in named:
            yield f"the file {name} beside it is referred to by nothing"
            continue
        if path.is_symlink():
            yield f"the file {name} is a link"
            continue
        try:
            data = read_bounded(path, MAX_BYTES)
        except OSError as error:
            yield f"the file {name} cannot be read: {error.strerror or error}"
            continue
        text = data.decode("latin-1")
        if redact(text) != text:
            yield f"the file {name} holds something that looks like a credential"
        if path.suffix in _IMAGES or extension(data):
            yield from (f"the file {name} {why}" for why in _image(data))


def _image(data: bytes) -> Iterator[str]:
    from PIL import Image  # here: only the lint needs to look into images

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MOST_PIXELS:
                yield f"declares {image.width}x{image.height} pixels, which is no sprite"
            else:
                image.load()
    except Exception as error:  # noqa: BLE001  # Pillow's plugins raise whatever their parsers trip over
        yield f"does not decode as an image ({type(error).__name__})"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 if all is well, 1 with one line a finding."""
    parser = argparse.ArgumentParser(prog="python -m pixelrouter.wire.lint", description="Check recorded responses.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("cassettes"), help="default: cassettes")
    folder: Path = parser.parse_args(arguments).folder
    findings = lint(folder)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings in {len(list(folder.rglob(FILE)))} cassettes", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
