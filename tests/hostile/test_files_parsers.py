"""Config files, palettes, cassettes, catalogues and journals that somebody else wrote: an error of ours, and soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrouter import PixelRouter
from pixelrouter.config import Options, load_settings
from pixelrouter.errors import ConfigError, PixelRouterError, UnknownPalette
from pixelrouter.files import read_bounded
from pixelrouter.pixels import resolve_palette
from pixelrouter.pixels.batch.journal import NAME, Journal
from pixelrouter.routing.collecting.collect import Collector
from pixelrouter.routing.pricing.quotes import Quotes
from pixelrouter.wire.cassette import Cassette
from pixelrouter.wire.lint import lint

DEEP = 100_000
SLOW = (pytest.mark.slow,)
ROOT = Path(__file__).resolve().parents[2]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

# --- config ---

CONFIGS: dict[str, bytes] = {
    "a deep list": b"size = " + b"[" * DEEP,
    "a deep table": b"size = " + b"{a=" * (DEEP // 2),
    "a deep key": b"a." * DEEP + b"b = 1",
    "a deep header": b"[" + b"a." * DEEP + b"b]",
    "NUL": b"size = \x0032",
    "UTF-16": "size = 32".encode("utf-16"),
    "Latin-1": b"project = '\xff'",
    "half a character": b'project = "\xed\xa0\x80"',
    "half a character, escaped": b'project = "\\ud800"',
    "a number of 5000 digits": b"size = " + b"9" * 5000,
    "2 MB": b"#" * 2_000_000,
    "not a number": b"max_usd = nan",
    "a day as a size": b"size = 1979-05-27",
    "a list of sections": b"backends = [1]",
    "a text as a section": b"backends.fal = 'x'",
    "NUL in a folder": b'state = "a\\u0000b"',
    "NUL in a name": b'project = "a\\u0000b"',
    "a list in a list": b"route = [['fal']]",
    "infinite money": b"max_usd = inf",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_file_of_a_stranger(name: str, tmp_path: Path) -> None:
    for file, start in (("pixelrouter.toml", b""), ("pyproject.toml", b"[tool.pixelrouter]\n")):
        (tmp_path / file).write_bytes(start + CONFIGS[name])
        with pytest.raises(ConfigError) as caught:
            load_settings(start=tmp_path, env={})
        assert file in str(caught.value) or "nested" in str(caught.value)
        assert len(str(caught.value)) < 2000
        (tmp_path / file).unlink()


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    (tmp_path / "pixelrouter.toml").write_bytes(b"\xef\xbb\xbfsize = 24\r\ncolors = 4\r\n")
    settings = load_settings(start=tmp_path, env={})
    assert (settings.size, settings.colors, settings.origin("colors")) == (24, 4, "pixelrouter.toml:2")


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling", "loop", "device"])
def test_something_else_under_the_files_name_is_no_missing_file(kind: str, tmp_path: Path) -> None:
    """Passing it over in silence would pass over the caps in it."""
    file = tmp_path / "pixelrouter.toml"
    {
        "folder": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
        "dangling": lambda: file.symlink_to("gone"),
        "loop": lambda: file.symlink_to(file),
        "device": lambda: file.symlink_to("/dev/zero"),
    }[kind]()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(start=tmp_path, env={})
    with pytest.raises(ConfigError):
        load_settings(start=tmp_path, env={"PIXELROUTER_CONFIG": str(file)})


VALUES = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\0"), max_size=12),
    JSON.map(lambda value: json.dumps(value)),
    st.sampled_from(["[" * DEEP, '{"a":' * DEEP, "[" + "9" * 5000 + "]", "9" * 5000, "NaN", "[NaN]", ',"', "," * 10_000,
                     "~nobody/x", "1e999999999", "\udcff", "[\udcff]", "true", "-0", "x" * 100_000]),
)  # fmt: skip


@given(
    values=st.dictionaries(
        st.sampled_from([*sorted(Options.model_fields), "backends_fal_model", "backends_fal_timeout_s", "config"]),
        VALUES,
        min_size=1,
        max_size=2,
    )
)
@settings(max_examples=80, deadline=None)
def test_variables_of_any_kind(values: dict[str, str]) -> None:
    env = {f"PIXELROUTER_{name.upper()}": value for name, value in values.items()}
    with suppress(PixelRouterError):
        load_settings(start=Path("/"), env=env)


@given(text=st.one_of(st.text(max_size=60), st.binary(max_size=60), JSON.map(lambda value: f"size = {value!r}")))
@settings(max_examples=60, deadline=None)
def test_config_files_of_any_kind(text: str | bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("game")
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    (folder / "pixelrouter.toml").write_bytes(data)
    with suppress(ConfigError):
        load_settings(start=folder, env={})


# --- palettes ---

PALETTES: dict[str, bytes] = {
    "numbers.gpl": "GIMP Palette\n\u00b2 \u0661 3 x".encode(),
    "long.gpl": b"GIMP Palette\n" + b"9" * 5000 + b" 1 1",
    "numbers.pal": "JASC-PAL\n0100\n1\n\u00b2 1 1".encode(),
    "nul.hex": bytes(100),
    "wide.hex": "ff0000".encode("utf-16"),
    "line.hex": b"f" * 1_000_000,
    "much.hex": b"ff0000\n" * 200_000,
    "many.hex": b"\n".join(b"%06x" % n for n in range(1000)),
    "bytes.txt": b"\xff" * 1000,
    "none.png": b"\x89PNG",
}


@pytest.mark.parametrize("name", PALETTES)
def test_a_palette_of_a_stranger(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PALETTES[name])
    with pytest.raises(UnknownPalette) as caught:
        resolve_palette(tmp_path / name)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("suffix", [".hex", ".gpl", ".pal", ".txt"])
def test_a_palette_that_is_no_file(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"device{suffix}").symlink_to("/dev/zero")
    (tmp_path / f"folder{suffix}").mkdir()
    for name in ("pipe", "device", "folder", "none", "a\0b", "x" * 5000):
        with pytest.raises(UnknownPalette):
            resolve_palette(tmp_path / f"{name}{suffix}")


def endless() -> Any:
    while True:
        yield "#fff"


@given(
    value=st.one_of(
        JSON,
        st.lists(st.text(max_size=9), max_size=4),
        st.lists(st.tuples(st.integers(), st.floats(), st.none())),
        st.sampled_from(["\0.hex", "x" * 10_000, {"a": 1}, [object()], [[1, 2, 10**400]], ("#fff",) * 100_000]),
    )
)
@settings(deadline=None)
def test_palettes_of_any_kind(value: Any) -> None:
    with suppress(UnknownPalette):
        resolve_palette(value)


def test_a_list_of_colors_without_an_end() -> None:
    with pytest.raises(UnknownPalette, match="more than"):
        resolve_palette(endless())


@given(data=st.binary(max_size=200), kind=st.sampled_from(["hex", "gpl", "pal", "txt", "png"]))
@settings(max_examples=60, deadline=None)
def test_palette_files_of_any_kind(data: bytes, kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("palette") / f"p.{kind}"
    file.write_bytes({"gpl": b"GIMP Palette\n", "pal": b"JASC-PAL\n0100\n1\n"}.get(kind, b"") + data)
    with suppress(UnknownPalette):
        resolve_palette(file)


# --- cassettes ---


def cassette(folder: Path, data: bytes) -> Cassette:
    folder.mkdir(exist_ok=True)
    (folder / "cassette.json").write_bytes(data)
    return Cassette(folder)


def recorded(**request: Any) -> bytes:
    exchange = {"request": {"method": "GET", "path": "/a", **request}, "response": {"status": 200}}
    return json.dumps({"version": 1, "origin": "recorded", "exchanges": [exchange]}).encode()


CASSETTES: dict[str, bytes] = {
    "deep": b"[" * DEEP,
    "a deep body": recorded(body=None).replace(b"null", b"[" * DEEP + b"]" * DEEP),
    "UTF-16": recorded().decode().encode("utf-16"),
    "a number of 5000 digits": b'{"version": ' + b"9" * 5000 + b"}",
    "a file above": recorded(body_file="../x"),
    "a file from the root": recorded(body={"$base64_file": "/etc/passwd"}),
    "a prefix that is no text": recorded(body={"$base64_file": "a", "prefix": 5}),
    "half a character": recorded(path="\ud800"),
    "too many": b'{"version":1,"origin":"recorded","exchanges":['
    + b",".join([b'{"request":{"method":"GET","path":"/a"},"response":{"status":200}}'] * 10_001)
    + b"]}",
    "a file that is not there": recorded(body_file="nope"),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW * (name == "too many")) for name in CASSETTES])
def test_a_cassette_of_a_stranger(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        cassette(tmp_path / "c", CASSETTES[name])
    assert len(str(caught.value)) < 5000
    assert lint(tmp_path / "c")


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "device"])
@pytest.mark.parametrize("name", ["cassette.json", "body.bin"])
def test_something_else_in_the_place_of_a_cassettes_file(kind: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"secret")
    folder = tmp_path / "c"
    folder.mkdir()
    if name == "body.bin":
        (folder / "cassette.json").write_bytes(recorded(body_file="body.bin"))
    {
        "pipe": lambda: os.mkfifo(folder / name),
        "link": lambda: (folder / name).symlink_to(tmp_path / "elsewhere"),
        "folder": (folder / name).mkdir,
        "device": lambda: (folder / name).symlink_to("/dev/zero"),
    }[kind]()
    with pytest.raises(ConfigError):
        Cassette(folder)
    assert lint(folder)


@given(
    request=st.dictionaries(st.sampled_from(["method", "path", "query", "body", "body_text", "x"]), JSON, max_size=3)
)
@settings(max_examples=60, deadline=None)
def test_cassettes_of_any_kind(request: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("cassette")
    with suppress(PixelRouterError):
        found = cassette(folder, recorded(**request))
        found.find("GET", "http://h/a?b=1", b"{}")
        raise found.miss("POST", "http://h/b", b"[1]")
    lint(folder)


# --- what is kept between runs ---

KEPT: dict[str, bytes] = {
    "deep": b"[" * DEEP,
    "a list": b"[]",
    "numbers": b'{"fetched_at": "now", "models": 5}',
    "another type": b'{"fetched_at": 1e308, "models": [[]]}',
    "noise": bytes(range(256)) * 10,
    "none": b"",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_catalogue_that_cannot_be_read_is_fetched_again(name: str, tmp_path: Path) -> None:
    with PixelRouter(state=tmp_path, backend="procedural") as router:
        workshop = router._open()
        quotes = Quotes(tmp_path, Collector(workshop.ledger, workshop.store), live=False)
        (tmp_path / "fal.json").write_bytes(KEPT[name])
        assert quotes._cached("fal") is None
        (tmp_path / "fal.json").unlink()
        os.mkfifo(tmp_path / "fal.json")
        assert quotes._cached("fal") is None


@given(st.lists(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())), max_size=4))
@settings(max_examples=40, deadline=None)
def test_journals_of_any_kind(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, NAME).write_bytes(b"\n".join(lines))
        journal = Journal(Path(folder))
        assert journal.find("a.png", source="s", key="k") is None
        journal.close()


def test_bounded_reading_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(11))
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    for name in ("large", ".", "none", "a\0b"):
        for _ in range(5):
            with pytest.raises(OSError, match=r"."):
                read_bounded(tmp_path / name, 10)
    assert not before or len(list(Path("/proc/self/fd").iterdir())) == before
    assert read_bounded(tmp_path / "large", 11) == bytes(11)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["palette", "config", "cassette"])
def test_gigabytes_are_not_read(what: str, tmp_path: Path) -> None:
    """In a process that may have half a gigabyte of memory more than it has."""
    names: dict[str, tuple[str, str]] = {
        "palette": ("a.hex", "from pixelrouter.pixels import resolve_palette; resolve_palette('a.hex')"),
        "config": ("pixelrouter.toml", "from pixelrouter.config import load_settings; load_settings()"),
        "cassette": ("cassette.json", "from pixelrouter.wire.cassette import Cassette; Cassette('.')"),
    }
    file, code = names[what]
    with (tmp_path / file).open("wb") as opened:
        opened.truncate(3 << 30)
    limit = "import resource, numpy, httpx; resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30));"
    done = subprocess.run(
        [sys.executable, "-c", f"{limit} {code}"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "pixelrouter.errors." in done.stderr
    assert "MemoryError" not in done.stderr
