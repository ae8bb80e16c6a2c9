"""Provenance in a file: read back by Pillow, by an XML parser and by exiftool; nothing else in the file changes."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, PngImagePlugin

from pixelrouter.assets.lock import Candidate, Locked, Pick, Price, Terms
from pixelrouter.assets.provenance import embed, facts_of, read_provenance, source_type
from pixelrouter.errors import InvalidRequest, UnreadableImage

SCHEME = "http://cv.iptc.org/newscodes/digitalsourcetype/"
FACTS = {
    "asset": "potion",
    "key": "k" * 16,
    "pixels": "p" * 16,
    "source": "trainedAlgorithmicMedia",
    "backend": "retrodiffusion",
    "model": "rd_fast",
    "seed": 7,
    "licence": {"name": "RD terms", "commercial": True, "url": None},
    "prompt": "the secret boss, dying",
}


def png(**extra: Any) -> bytes:
    image = Image.new("P", (12, 8), 1)
    image.putpalette([0, 0, 0, 200, 40, 50, 20, 16, 32])
    image.paste(2, (2, 2, 6, 6))
    image.paste(0, (8, 0, 12, 8))
    image.info["transparency"] = 0
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **extra)
    return buffer.getvalue()


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """A reader of our own for the test, which trusts nothing of the product's."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    out, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        out.append((kind, body))
        at += 12 + length
    return out


def itxt(data: bytes, keyword: bytes) -> list[str]:
    found = [body for kind, body in chunks(data) if kind == b"iTXt" and body.startswith(keyword + b"\0")]
    return [body[len(keyword) + 5 :].decode() for body in found]


def xmp_value(packet: str) -> list[str]:
    tree = ET.fromstring(packet)
    space = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
    return [
        node.attrib[f"{space}DigitalSourceType"] for node in tree.iter() if f"{space}DigitalSourceType" in node.attrib
    ]


def test_pillow_reads_both_records_and_the_same_pixels() -> None:
    before = png()
    after = embed(before, FACTS, "minimal")
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        new.load()
        assert (new.mode, new.size, new.getpalette(), new.info["transparency"]) == (
            old.mode,
            old.size,
            old.getpalette(),
            old.info["transparency"],
        )
        assert new.tobytes() == old.tobytes()
        assert isinstance(new, PngImagePlugin.PngImageFile)
        assert new.text["Software"] == "pixelrouter"
        assert json.loads(new.text["pixelrouter"]) == {
            name: FACTS[name] for name in ("asset", "key", "pixels", "source")
        }
        assert xmp_value(new.info["xmp"].decode()) == [SCHEME + "trainedAlgorithmicMedia"]
    assert len(after) - len(before) < 700


def test_what_is_new_lies_before_the_pixels_and_all_else_is_untouched() -> None:
    extra = PngImagePlugin.PngInfo()
    extra.add_text("Author", "Ada")
    before = png(pnginfo=extra)
    after = embed(before, FACTS, "full")
    kinds = [kind for kind, _ in chunks(after)]
    assert kinds.index(b"iTXt") < kinds.index(b"IDAT")
    assert kinds.index(b"PLTE") < kinds.index(b"IDAT")
    assert [chunk for chunk in chunks(after) if chunk in chunks(before)] == chunks(before)


def test_the_same_again_gives_the_same_bytes_and_a_new_record_takes_the_place_of_the_old() -> None:
    once = embed(png(), FACTS, "full")
    assert embed(png(), dict(reversed(FACTS.items())), "full") == once
    assert embed(once, FACTS, "full") == once
    edited = embed(once, {**FACTS, "source": "compositeWithTrainedAlgorithmicMedia"}, "minimal")
    (record,) = itxt(edited, b"pixelrouter")
    assert json.loads(record)["source"] == "compositeWithTrainedAlgorithmicMedia"
    assert xmp_value(*itxt(edited, b"XML:com.adobe.xmp")) == [SCHEME + "compositeWithTrainedAlgorithmicMedia"]
    assert embed(edited, {}, "none") == png()


def test_levels_say_no_more_than_they_should() -> None:
    minimal, full = embed(png(), FACTS, "minimal"), embed(png(), FACTS, "full")
    for secret in (b"retrodiffusion", b"rd_fast", b"RD terms", b"secret boss"):
        assert secret not in minimal
    assert b"secret boss" not in full
    found = read_provenance(full)
    assert found is not None
    assert {name: found[name] for name in ("backend", "model", "seed", "licence")} == {
        name: FACTS[name] for name in ("backend", "model", "seed", "licence")
    }
    with_prompt = read_provenance(embed(png(), FACTS, "full", prompts=True))
    assert with_prompt is not None
    assert with_prompt["prompt"] == FACTS["prompt"]


def test_words_beyond_ascii_survive() -> None:
    found = read_provenance(embed(png(), {**FACTS, "asset": "größe-剣"}, "minimal"))
    assert found is not None
    assert found["asset"] == "größe-剣"


def test_an_artists_own_metadata_stays(tmp_path: Path) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/png"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    theirs = PngImagePlugin.PngInfo()
    theirs.add_itxt("XML:com.adobe.xmp", packet)
    theirs.add_text("Software", "Aseprite")
    before = png(pnginfo=theirs)
    after = embed(before, FACTS, "minimal")
    (mixed,) = itxt(after, b"XML:com.adobe.xmp")
    assert xmp_value(mixed) == [SCHEME + "trainedAlgorithmicMedia"]
    assert 'dc:format="image/png"' in mixed
    assert [body for kind, body in chunks(after) if kind == b"tEXt"] == [b"Software\0Aseprite"]
    assert embed(after, FACTS, "minimal") == after
    assert sorted(chunks(embed(after, {}, "none"))) == sorted(chunks(before))


def test_moving_pictures_keep_moving() -> None:
    frames = [Image.new("P", (6, 6), at) for at in range(3)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=80)
    with Image.open(io.BytesIO(embed(buffer.getvalue(), FACTS, "minimal"))) as film:
        assert film.n_frames == 3
        film.seek(2)
        assert film.convert("RGB").getpixel((0, 0)) == (0, 255, 0)


def test_read_back_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "potion.png"
    file.write_bytes(embed(png(), FACTS, "minimal"))
    assert read_provenance(file) == {
        **{name: FACTS[name] for name in ("asset", "key", "pixels", "source")},
        "digital_source_type": SCHEME + "trainedAlgorithmicMedia",
    }
    file.write_bytes(png())
    assert read_provenance(file) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"GIF89a", "no PNG"), (png()[:-20], "cut off"), (png().replace(b"PLTE", b"PLTF", 1), "checksum")],
)
def test_what_is_no_png_is_an_error(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableImage, match=words):
        embed(data, FACTS)
    with pytest.raises(UnreadableImage, match=words):
        read_provenance(data)


def test_a_record_that_is_no_json_is_told() -> None:
    broken = PngImagePlugin.PngInfo()
    broken.add_itxt("pixelrouter", "[1")
    with pytest.raises(UnreadableImage, match="no JSON"):
        read_provenance(png(pnginfo=broken))
    with pytest.raises(UnreadableImage, match="cannot be read"):
        read_provenance("nowhere.png")
    with pytest.raises(InvalidRequest, match="minimal"):
        embed(png(), FACTS, "most")  # type: ignore[arg-type]  # that is what is tested


def test_source_types_are_the_iptcs() -> None:
    assert source_type("fal") == "trainedAlgorithmicMedia"
    assert source_type("some-plugin") == "trainedAlgorithmicMedia"
    assert source_type("fal", hand=True) == "compositeWithTrainedAlgorithmicMedia"
    assert source_type("fal", edited=True) == "compositeWithTrainedAlgorithmicMedia"
    assert source_type("procedural") == "algorithmicMedia"
    assert source_type("procedural", hand=True) == "humanEdits"


def test_facts_are_those_of_the_picked_candidate() -> None:
    candidates = tuple(
        Candidate(number, f"key{number}", "fal", "flux", number, ("raw",), Price("0.01"), licence=Terms("T", True))
        for number in (1, 2)
    )
    locked = Locked("wish", candidates, Pick(2, "ada"), "f", "e", "1")
    facts = facts_of("hero", locked, pixels="abc", hand=True)
    assert facts["key"] == "key2"
    assert facts["source"] == "compositeWithTrainedAlgorithmicMedia"
    assert facts["licence"] == {"name": "T", "commercial": True, "url": None}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_exiftool_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "potion.png"
    file.write_bytes(embed(png(), FACTS, "full"))
    told = subprocess.run(["exiftool", "-j", "-G", "-all", "-validate", file], capture_output=True, check=True)
    (found,) = json.loads(told.stdout)
    assert found["XMP:DigitalSourceType"] == SCHEME + "trainedAlgorithmicMedia"
    assert found["PNG:Software"] == "pixelrouter"
    assert json.loads(found["PNG:Pixelrouter"])["asset"] == "potion"
    assert found["ExifTool:Validate"].startswith("OK")
