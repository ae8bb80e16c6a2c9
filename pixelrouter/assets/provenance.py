"""Where a picture comes from, in a few bytes of its own file.

Two records: an iTXt chunk ``pixelrouter`` with JSON, which leads back to the lock, and the IPTC's digital source type
in XMP, which other programs read. Both are unsigned; whoever wants to can take them out. A signed manifest (C2PA) would
make a sprite of 100 bytes a file of 10 kB.

Sources: IPTC Digital Source Type vocabulary, http://cv.iptc.org/newscodes/digitalsourcetype/ as of 17 September 2024;
IPTC Photo Metadata Standard 2025.1 (property ``Iptc4xmpExt:DigitalSourceType``); XMP Specification Part 3 (the keyword
``XML:com.adobe.xmp``). Read on 22 November 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pixelrouter.assets.asset import Provenance
from pixelrouter.assets.lock import Locked
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.files import read_bounded
from pixelrouter.formats.png import Chunk, international, read_chunks, read_text, text, write_chunks

KEYWORD = "pixelrouter"
SOFTWARE = "pixelrouter"  # without its version: a new one must not change files
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MAX_BYTES = 1 << 28

SourceType = Literal[
    "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia", "humanEdits"
]

#: Backends that draw by rule, not by a model that was trained on pictures.
NOT_GENERATIVE = frozenset({"procedural"})

_MINIMAL = ("asset", "key", "pixels", "source")
_FULL = (*_MINIMAL, "backend", "model", "seed", "licence")
_XMP = "XML:com.adobe.xmp"
_SPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_PROPERTY = "Iptc4xmpExt:DigitalSourceType"
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="r"?>'
)
_VALUES = re.compile(rf"""({_PROPERTY}\s*=\s*["'])[^"']*|(<{_PROPERTY}>)[^<]*""")
_OURS = re.compile(rf'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_SPACE}" {_PROPERTY}="[^"]*"/>')


def generative(backend: str) -> bool:
    """Whether a backend's pictures come from a trained model. One that is not known is taken for one that is."""
    return backend not in NOT_GENERATIVE


def source_type(backend: str, *, hand: bool = False, edited: bool = False) -> SourceType:
    """The IPTC's word for a picture by ``backend``; ``hand``: a person has changed it; ``edited``: the model worked on
    a picture that was there already.
    """
    if not generative(backend):
        return "humanEdits" if hand else "algorithmicMedia"
    return "compositeWithTrainedAlgorithmicMedia" if hand or edited else "trainedAlgorithmicMedia"


def facts_of(
    name: str, locked: Locked, *, pixels: str | None = None, hand: bool = False, edited: bool = False, prompt: str = ""
) -> dict[str, Any]:
    """What :func:`embed` may write of an asset: the facts of its picked candidate.

    ``pixels`` is the hash of the picture's decoded pixels; ``hand`` and ``edited`` as for :func:`source_type`.
    """
    picked = locked.picked
    licence = picked.licence
    return {
        "asset": name,
        "key": picked.key,
        "pixels": pixels,
        "source": source_type(picked.backend, hand=hand, edited=edited),
        "backend": picked.backend,
        "model": picked.model,
        "seed": picked.seed,
        "licence": licence and {"name": licence.name, "commercial": licence.commercial, "url": licence.url},
        "prompt": prompt,
    }


def embed(png: bytes, facts: Mapping[str, Any], level: Provenance = "minimal", *, prompts: bool = False) -> bytes:
    """The PNG with its provenance; what an earlier call wrote is replaced, everything else stays as it is.

    ``level`` "minimal" writes asset, key, pixel hash and digital source type; "full" adds backend, model, seed and
    licence; "none" takes out what was written. The prompt is written only with ``prompts``. Facts that are missing or
    None are left out. The same input gives the same bytes. Raises UnreadableImage for what is no PNG, InvalidRequest
    for another level.
    """
    if level not in ("none", "minimal", "full"):
        raise InvalidRequest(f"There is no provenance {level!r}.", hint='Use "none", "minimal" or "full".')
    chunks = read_chunks(png)
    packet = _packet(chunks)
    rest = [chunk for chunk in chunks if not _is_ours(chunk) and not (packet and _keyword(chunk) == _XMP)]
    if level == "none":
        plain = _OURS.sub("", packet) if packet else ""
        new = [international(_XMP, plain)] if plain and plain != _PACKET else []
    else:
        record = _record(facts, level, prompts=prompts)
        new = [] if any(_keyword(chunk) == "Software" for chunk in rest) else [text("Software", SOFTWARE)]
        new.append(
            international(KEYWORD, json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":")))
        )
        if packet or not any(_keyword(chunk) == _XMP for chunk in rest):
            new.append(international(_XMP, _with_source(packet or _PACKET, record.get("source"))))
    at = next((number for number, chunk in enumerate(rest) if chunk.kind == b"IDAT"), len(rest) - 1)
    return write_chunks([*rest[:at], *new, *rest[at:]])


def read_provenance(source: bytes | str | Path) -> dict[str, Any] | None:
    """What a PNG says of itself: the record, and ``digital_source_type`` as its XMP has it. None where it says nothing.

    Raises UnreadableImage for what is no PNG, and where the record is no JSON.
    """
    name = "The file" if isinstance(source, bytes) else str(source)
    try:
        data = source if isinstance(source, bytes) else read_bounded(Path(source), MAX_BYTES)
    except OSError as error:
        raise UnreadableImage(f"{name} cannot be read: {error.strerror or error}.") from None
    found: dict[str, Any] = {}
    texts = [pair for chunk in read_chunks(data, name) if (pair := read_text(chunk))]
    for keyword, value in texts:
        if keyword == KEYWORD:
            found |= _parsed(value, name)
        elif keyword == _XMP and (match := _VALUES.search(value)):
            found["digital_source_type"] = re.split(r"""["'>]""", match[0])[-1]
    return found or None


def _parsed(value: str, name: str) -> dict[str, Any]:
    try:
        record = json.loads(value)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise UnreadableImage(f"{name} has a provenance record that is no JSON object.", hint="Build it again.")
    return record


def _record(facts: Mapping[str, Any], level: Provenance, *, prompts: bool) -> dict[str, Any]:
    names = (*(_FULL if level == "full" else _MINIMAL), *(("prompt",) if prompts else ()))
    return {name: facts[name] for name in names if facts.get(name) not in (None, "")}


def _with_source(packet: str, source: str | None) -> str:
    """The XMP packet with the digital source type in it, in place of the one that is there."""
    if source is None:
        return packet
    if _VALUES.search(packet):
        return _VALUES.sub(lambda found: f"{found[1] or found[2]}{VOCABULARY}{source}", packet)
    line = f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_SPACE}" {_PROPERTY}="{VOCABULARY}{source}"/>'
    return packet.replace("</rdf:RDF>", f"{line}</rdf:RDF>", 1)


def _packet(chunks: Iterable[Chunk]) -> str | None:
    """The XMP packet, where it can be changed: not compressed, and with a place for one more property."""
    found = (pair[1] for chunk in chunks if (pair := read_text(chunk)) and pair[0] == _XMP)
    packet = next(found, None)
    return packet if packet and "</rdf:RDF>" in packet else None


def _is_ours(chunk: Chunk) -> bool:
    return _keyword(chunk) == KEYWORD or read_text(chunk) == ("Software", SOFTWARE)


def _keyword(chunk: Chunk) -> str | None:
    """The keyword of a text chunk, None of any other."""
    if chunk.kind not in (b"tEXt", b"iTXt", b"zTXt"):
        return None
    return chunk.data.partition(b"\0")[0].decode("latin-1")
