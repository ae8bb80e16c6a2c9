"""Batches: whole folders, resumed, with bad files among good ones; the same bytes whoever does the work."""

import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelrouter.errors import InvalidRequest, UnreadableImage, WorkerDied
from pixelrouter.pixels import FinishSpec, InProcess, Processes, RayCluster, finish, finish_folder
from pixelrouter.pixels.batch.batch import target_names
from pixelrouter.pixels.batch.job import common_palette
from pixelrouter.pixels.batch.journal import NAME

HERE = InProcess()
SPEC = FinishSpec(colors=16)
RED, GREEN, BLUE = (200, 30, 40), (40, 180, 60), (30, 60, 210)


def sprite(seed, colors=(RED, GREEN, BLUE), side=12, scale=7):
    """A sprite of the given colours, enlarged."""
    pick = np.random.default_rng(seed).integers(0, len(colors), (side, side))
    small = Image.fromarray(np.array(colors, dtype=np.uint8)[pick])
    return small.resize((side * scale, side * scale), Image.Resampling.NEAREST)


@pytest.fixture
def art(tmp_path):
    """A folder with three images, one of them two folders down, a broken one, and files that are no images."""
    folder = tmp_path / "art"
    (folder / "units" / "far").mkdir(parents=True)
    (folder / ".git").mkdir()
    sprite(1).save(folder / "b.png")
    sprite(2).save(folder / "a.webp", lossless=True)
    sprite(3).save(folder / "units" / "far" / "orc.png")
    sprite(4).save(folder / ".git" / "hidden.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    (folder / "notes.txt").write_text("no image")
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def images(folder):
    return {name: data for name, data in contents(folder).items() if name != NAME}


def test_a_folder_keeps_its_structure_and_a_bad_file_stops_nothing(art, tmp_path):
    out = tmp_path / "out"
    report = finish_folder(art, out, SPEC, HERE)
    assert [r.source.relative_to(art).as_posix() for r in report.results] == [
        "a.webp",
        "b.png",
        "broken.png",
        "units/far/orc.png",
    ]
    assert set(images(out)) == {"a.png", "b.png", "units/far/orc.png"}
    ((bad, error),) = report.errors.items()
    assert bad.name == "broken.png"
    assert isinstance(error, UnreadableImage)
    assert (report.finished, report.skipped) == (3, 0)
    assert [path.name for path in report.ignored] == ["notes.txt"]
    alone = finish(art / "b.png", SPEC)
    with Image.open(out / "b.png") as image:
        assert image.mode == "P"
        assert image.convert("RGBA").tobytes() == alone.image.tobytes()
    assert report.results[1].report == alone.report
    assert json.loads(json.dumps(report.as_dict()))["results"][2]["error"]["type"] == "UnreadableImage"


def test_a_second_run_does_only_what_changed(art, tmp_path):
    out = tmp_path / "out"
    first = finish_folder(art, out, SPEC, HERE)
    before = contents(out)
    again = finish_folder(art, out, SPEC, HERE)
    assert (again.finished, again.skipped, len(again.errors)) == (0, 3, 1)
    assert contents(out) == before
    assert [r.report for r in again.results] == [r.report for r in first.results]
    assert [r.palette for r in again.results] == [r.palette for r in first.results]

    sprite(9).save(art / "b.png")  # another source
    (out / "a.png").write_bytes(before["a.png"][:50])  # a damaged result
    third = finish_folder(art, out, SPEC, HERE)
    assert {r.source.name: r.skipped for r in third.results if not r.error} == {
        "a.webp": False,
        "b.png": False,
        "orc.png": True,
    }
    assert (out / "a.png").read_bytes() == before["a.png"]
    assert (out / "b.png").read_bytes() != before["b.png"]

    (out / "a.png").unlink()
    assert finish_folder(art, out, SPEC, HERE).finished == 1
    assert finish_folder(art, out, FinishSpec(colors=2), HERE).finished == 3
    assert finish_folder(art, out, FinishSpec(colors=2), HERE, scale=2).finished == 3


def test_an_interruption_keeps_what_is_done(art, tmp_path):
    out = tmp_path / "out"

    def interrupt(step):
        if step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish_folder(art, out, SPEC, HERE, interrupt)
    assert set(images(out)) == {"a.png", "b.png"}
    report = finish_folder(art, out, SPEC, HERE)
    assert (report.finished, report.skipped) == (1, 2)


def test_a_journal_that_was_cut_off_still_counts(art, tmp_path):
    out = tmp_path / "out"
    finish_folder(art, out, SPEC, HERE)
    journal = out / NAME
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"\n".join([*lines[:-1], lines[-1][:40]]))
    report = finish_folder(art, out, SPEC, HERE)
    assert (report.finished, report.skipped) == (1, 2)
    assert len(journal.read_bytes().splitlines()) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: bytes(range(256)) * 20,
        lambda data: b'[1]\n"x"\n7\nnull\n{}\n{"name":[1],"files":[1],"sum":2}\n' + b"[" * 100_000,
        lambda data: data.replace(b'"files":{', b'"files":[1],"f":{'),
        lambda data: data.replace(b'"report":{', b'"report":7,"r":{'),
        lambda data: data.replace(b'"colors":{"#', b'"colors":{"0'),
        lambda data: data.replace(b'"palette":["#', b'"palette":["#0'),
    ],
)
def test_a_damaged_journal_is_written_anew(art, tmp_path, damage):
    out = tmp_path / "out"
    finish_folder(art, out, SPEC, HERE, shared_palette=True)
    journal = out / NAME
    whole = journal.read_bytes()
    assert damage(whole) != whole
    journal.write_bytes(damage(whole))
    finish_folder(art, out, SPEC, HERE, shared_palette=True)
    assert journal.read_bytes() == whole


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_where_there_is_no_room_every_file_says_so(art, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / NAME).symlink_to("/dev/full")
    report = finish_folder(art, out, SPEC, HERE)
    assert [type(error).__name__ for error in report.errors.values()].count("StoreError") == 3
    assert len(report.errors) == 4


def test_the_longest_name_that_a_disk_takes(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    name = "n" * 251 + ".png"
    Image.new("RGB", (4, 4), "#3060a0").save(source / name)
    assert not finish_folder(source, tmp_path / "out", FinishSpec(size=(4, 4)), HERE).errors
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == [name]


def test_processes_give_the_same_bytes_in_the_same_order(art, tmp_path):
    steps = []
    one = finish_folder(art, tmp_path / "one", SPEC, HERE, shared_palette=True, explain=tmp_path / "one" / "pages")
    two = finish_folder(
        art, tmp_path / "two", SPEC, Processes(2), steps.append, shared_palette=True, explain=tmp_path / "two" / "pages"
    )
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert [r.source for r in one.results] == [r.source for r in two.results]
    assert [s.done for s in steps if s.stage == "finish"] == [1, 2, 3, 4]
    assert {s.total for s in steps} == {4}


class Falls(Processes):
    """Processes of which one is killed while it works on the first file."""

    def map(self, function, items):
        return super().map(crash_on_b, items)


def crash_on_b(job):
    import os

    from pixelrouter.pixels.batch.job import make

    if job.name == "b.png":
        os.abort()
    return make(job)


def test_a_crash_is_an_error_of_its_file(art, tmp_path):
    report = finish_folder(art, tmp_path / "out", SPEC, Falls(2))
    kinds = {path.name: type(error) for path, error in report.errors.items()}
    assert kinds == {"b.png": WorkerDied, "broken.png": UnreadableImage}
    assert set(images(tmp_path / "out")) == {"a.png", "units/far/orc.png"}
    assert finish_folder(art, tmp_path / "out", SPEC, HERE).finished == 1


def test_a_shared_palette_is_the_same_in_every_file(tmp_path):
    art, out = tmp_path / "art", tmp_path / "out"
    art.mkdir()
    shades = [(RED, GREEN), (GREEN, BLUE), (BLUE, (250, 240, 200))]
    for number, colors in enumerate(shades):
        sprite(number, colors).save(art / f"{number}.png")
    report = finish_folder(art, out, SPEC, HERE, shared_palette=True)
    assert set(report.palette) == {"#c81e28", "#28b43c", "#1e3cd2", "#faf0c8"}
    found = set()
    for number, colors in enumerate(shades):
        with Image.open(out / f"{number}.png") as image:
            found.add(bytes(image.getpalette()))
            assert {c for _, c in image.convert("RGB").getcolors()} == set(colors)
    assert len(found) == 1
    assert finish_folder(art, out, SPEC, HERE, shared_palette=True).skipped == 3

    few = finish_folder(art, out, FinishSpec(colors=2), HERE, shared_palette=True)
    assert len(few.palette) == 2
    assert {r.palette for r in few.results} == {few.palette}


def test_shades_that_look_alike_become_one_in_a_common_palette():
    counts = {"#c81e28": 500, "#c91e28": 30, "#c81f29": 20, "#1e3cd2": 80}
    assert set(common_palette(counts, FinishSpec(colors=3), clear=False)) == {"#c81e28", "#1e3cd2"}
    assert len(common_palette(counts, FinishSpec(colors=4), clear=False)) == 4  # they fit as they are
    many = {f"#{n * 60:06x}": 1 for n in range(400)}
    assert len(common_palette(many, FinishSpec(colors=256), clear=True)) <= 255
    assert common_palette({}, SPEC, clear=False) == ()


def test_names_of_results():
    def names(*sources):
        from pathlib import Path

        return [path.as_posix() for path in target_names([Path(source) for source in sources])]

    assert names("a.jpg", "b.PNG", "x/a.gif") == ["a.png", "b.png", "x/a.png"]
    assert names("a.jpg", "a.png") == ["a.jpg.png", "a.png"]
    assert names("A.png", "a.png") == ["A.png", "a.png-2.png"]  # one file on a disk that ignores case


def test_moving_pictures_stay_moving(tmp_path):
    art, out = tmp_path / "art", tmp_path / "out"
    art.mkdir()
    frames = [sprite(number) for number in range(3)]
    frames[0].save(art / "walk.gif", save_all=True, append_images=frames[1:], duration=120, loop=0)
    report = finish_folder(art, out, SPEC, HERE)
    assert [path.name for path in report.results[0].files] == ["walk.gif"]
    with Image.open(out / "walk.gif") as image:
        assert (image.n_frames, image.size) == (3, (12, 12))
    assert finish_folder(art, out, SPEC, HERE).skipped == 1


def test_results_inside_the_source_folder_are_no_sources(art):
    for expected in (3, 0):
        report = finish_folder(art, art / "out", SPEC, HERE, explain=art / "pages")
        assert (report.finished, len(report.results)) == (expected, 4)


def test_places_that_cannot_be(art, tmp_path):
    with pytest.raises(InvalidRequest, match="overwrite"):
        finish_folder(art, art, SPEC, HERE)
    with pytest.raises(InvalidRequest, match="not a folder"):
        finish_folder(art / "b.png", tmp_path / "out", SPEC, HERE)
    (tmp_path / "out").write_text("a file")
    report = finish_folder(art, tmp_path / "out", SPEC, HERE)
    assert len(report.errors) == 4
    assert (tmp_path / "out").read_text() == "a file"


def test_a_bomb_is_an_error(tmp_path):
    art = tmp_path / "art"
    art.mkdir()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    (art / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))
    (error,) = finish_folder(art, tmp_path / "out", SPEC, HERE).errors.values()
    assert isinstance(error, UnreadableImage)


# Ray leaves sockets and log files to the garbage collector, and warns of settings of its own.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_ray_cluster_gives_the_same_bytes(art, tmp_path):
    pytest.importorskip("ray", reason="the extra ray is not installed")
    for number in range(8):
        sprite(number).save(art / f"more-{number}.png")
    one = finish_folder(art, tmp_path / "one", SPEC, HERE, shared_palette=True)
    two = finish_folder(art, tmp_path / "two", SPEC, RayCluster(jobs=2), shared_palette=True)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert one.palette == two.palette
    assert {type(e) for e in two.errors.values()} == {UnreadableImage}


def script(folder, code):
    """A script as a user starts it."""
    import os
    import subprocess
    import sys
    from pathlib import Path

    (folder / "build.py").write_text(code)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "build.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_the_manuals_script_runs_and_one_without_a_guard_says_so(art, tmp_path):
    from pathlib import Path

    manual = (Path(__file__).parents[2] / "docs" / "batch.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", manual, re.DOTALL)
    done = script(tmp_path, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 finished, 0 unchanged ('#")
    assert "broken.png The image breaks off" in done.stdout

    unguarded = script(tmp_path, code.replace('if __name__ == "__main__":', "if True:").replace('"out"', '"other"'))
    assert unguarded.returncode == 1
    assert "A worker process could not start" in unguarded.stderr
