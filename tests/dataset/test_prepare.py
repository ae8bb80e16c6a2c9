"""From a folder to a training set, and again."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixelrouter.dataset import Dataset, DatasetSpec, prepare, verify
from pixelrouter.dataset.places import flat_names
from pixelrouter.errors import InvalidRequest, UnreadableImage
from pixelrouter.pixels import FinishSpec, InProcess, Slicing
from tests.dataset.art import contents, enlarged, photo, sprite

HERE = InProcess()
SMALL = {"resolution": 256, "bucket_step": 32, "min_bucket": 128, "max_bucket": 512}  # quick to write


def spec(**wishes: Any) -> DatasetSpec:
    return DatasetSpec(**{**SMALL, **wishes})


def made(source: Path, out: Path, **wishes: Any) -> Dataset:
    dataset = prepare(source, out, spec(**wishes), HERE)
    assert verify(out).problems == ()
    return dataset


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Sprites enlarged in different ways, one of them two folders down; a photo, a broken file, one that is none."""
    folder = tmp_path / "art"
    (folder / "units" / "far").mkdir(parents=True)
    enlarged(sprite(1, clear=True), 8).save(folder / "potion.png")
    enlarged(sprite(2, (32, 48)), 7.3).save(folder / "wizard.png")
    enlarged(sprite(3), 9).convert("RGB").save(folder / "units" / "far" / "orc.jpg", quality=92)
    photo().save(folder / "photo.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    (folder / "notes.md").write_text("no image")
    (folder / "potion.txt").write_text("a red potion\n")
    return folder


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.array(image.convert("RGBA"))


def test_a_folder_becomes_a_training_set(art: Path, tmp_path: Path) -> None:
    before = contents(art)
    out = tmp_path / "set"
    dataset = made(art, out)
    assert contents(art) == before
    assert [one.file for one in dataset.pictures] == ["train/potion.png", "train/units-far-orc.png", "train/wizard.png"]
    assert {one.source: one.why for one in dataset.aside} == {"broken.png": "unreadable", "photo.png": "no grid"}
    assert isinstance(dataset.errors["broken.png"], UnreadableImage)
    assert dataset.ignored == ("notes.md",)
    assert (out / "rejected" / "photo.png").is_file()
    for one in dataset.pictures:
        file, native = pixels(out / one.file), pixels(out / one.native)
        assert file.shape[1::-1] == one.bucket
        left, top, right, bottom = one.box
        clear = native[..., 3] == 0
        native[clear] = 255  # the ground is white
        middle = file[top : bottom : one.factor, left : right : one.factor]
        np.testing.assert_array_equal(middle, native)
        np.testing.assert_array_equal(file[top:bottom, left:right], native.repeat(one.factor, 0).repeat(one.factor, 1))
        assert len(np.unique(file.reshape(-1, 4), axis=0)) == one.colors <= 32
    original = np.asarray(sprite(1, clear=True))
    np.testing.assert_array_equal(pixels(out / "1x" / "potion.png"), original)


def test_a_second_run_writes_nothing_and_the_bytes_do_not_depend_on_who_works(art: Path, tmp_path: Path) -> None:
    dataset = made(art, tmp_path / "set")
    assert dataset.changed > 0
    first = contents(tmp_path / "set")
    assert prepare(art, tmp_path / "set", spec(), HERE).changed == 0
    assert contents(tmp_path / "set") == first
    prepare(art, tmp_path / "other", spec(), HERE)
    assert contents(tmp_path / "other") == first


@pytest.mark.slow
def test_processes_make_the_same_bytes(art: Path, tmp_path: Path) -> None:
    prepare(art, tmp_path / "set", spec(), HERE)
    prepare(art, tmp_path / "other", spec())
    assert contents(tmp_path / "other") == contents(tmp_path / "set")


def test_only_what_changed_is_made_again(art: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "set"
    made(art, out)
    times = {name: (out / name).stat().st_mtime_ns for name in contents(out)}
    enlarged(sprite(9), 8).save(art / "new.png")
    (art / "wizard.png").unlink()
    dataset = made(art, out)
    assert [Path(one.file).stem for one in dataset.pictures] == ["new", "potion", "units-far-orc"]
    assert not (out / "train" / "wizard.png").exists()
    assert not (out / "1x" / "wizard.png").exists()
    for name in ("1x/potion.png", "train/potion.png", "train/potion.txt", "train/units-far-orc.png"):
        assert (out / name).stat().st_mtime_ns == times[name]
    # Another size needs no finishing, another number of colours does.
    natives = {name: data for name, data in contents(out).items() if name.startswith("1x/")}
    monkeypatch.setattr("pixelrouter.dataset.job.finish", None)
    dataset = made(art, out, resolution=512, max_bucket=512)
    assert {one.bucket for one in dataset.pictures} == {(512, 512)}
    assert {name: data for name, data in contents(out).items() if name.startswith("1x/")} == natives
    failed = prepare(art, out, spec(finish=FinishSpec(colors=4, policy="reject")), HERE)
    assert failed.pictures == ()
    assert {one.why for one in failed.aside} == {"failed", "unreadable"}


def test_a_damaged_file_of_the_set_is_made_again(art: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    made(art, out)
    first = contents(out)
    (out / "train" / "potion.png").write_bytes(b"gone")
    (out / "1x" / "wizard.png").unlink()
    assert made(art, out).changed == 2
    assert contents(out) == first


def test_a_set_is_written_only_where_nothing_is_lost(art: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "train").mkdir(parents=True)
    with pytest.raises(InvalidRequest, match="not made by this command"):
        prepare(art, tmp_path / "mine", spec(), HERE)
    with pytest.raises(InvalidRequest, match="could be overwritten"):
        prepare(art, tmp_path, spec(), HERE)
    with pytest.raises(InvalidRequest, match="could be overwritten"):
        prepare(art, art, spec(), HERE)
    with pytest.raises(InvalidRequest, match="not a folder"):
        prepare(art / "potion.png", tmp_path / "set", spec(), HERE)
    inside = made(art, art / "set")  # the set itself is not read
    assert made(art, art / "set").pictures == inside.pictures


def test_a_record_that_names_other_files_removes_none(art: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "set", tmp_path / "victim.png"
    victim.write_text("mine")
    made(art, out)
    record = json.loads((out / "dataset.json").read_text("utf-8"))
    record["pictures"][0]["file"] = "../victim.png"
    (out / "dataset.json").write_text(json.dumps(record))
    made(art, out)
    assert victim.read_text() == "mine"


FEW = {("auto", "auto"), ("ground", "#ff00ff"), ("edge", "none"), ("border", "auto")}


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize(
    ("pad", "ground", "colors"),
    [
        pytest.param(pad, ground, colors, marks=() if (pad, ground) in FEW and colors == 4 else pytest.mark.slow)
        for pad in ("auto", "ground", "border", "edge")
        for ground in ("auto", "#ff00ff", "none")
        for colors in (4, 8)
        if (pad, ground) != ("ground", "none")
    ],
)
def test_no_file_has_more_colours_than_asked_for(
    tmp_path: Path, clear: bool, colors: int, pad: str, ground: str
) -> None:
    (tmp_path / "art").mkdir()
    sprite(4, (21, 13), 8, clear=clear).save(tmp_path / "art" / "one.png")
    finish = FinishSpec(colors=colors, policy="reject")
    (one,) = made(tmp_path / "art", tmp_path / "set", finish=finish, pad=pad, ground=ground).pictures
    file = pixels(tmp_path / "set" / one.file)
    seen = {tuple(color) for color in np.unique(file.reshape(-1, 4), axis=0).tolist()}
    visible = {color for color in seen if color[3]}
    assert len(visible) == one.colors <= colors
    assert ((0, 0, 0, 0) in seen) == (ground == "none" and clear)
    white = (255, 0, 255, 255) if ground == "#ff00ff" else (255, 255, 255, 255)
    assert (white in visible) == (ground != "none" and (clear or pad == "ground"))
    assert one.waste > 0  # there is padding, so that all this says something
    if pad == "edge" and not clear:
        np.testing.assert_array_equal(file[0], file[one.box[1]])


def test_a_palette_bounds_the_file_too(tmp_path: Path) -> None:
    (tmp_path / "art").mkdir()
    sprite(4, (21, 13), 8, clear=True).save(tmp_path / "art" / "one.png")
    finish = FinishSpec(palette=("#102030", "#ffccaa", "#00aa55"), policy="reject")
    (one,) = made(tmp_path / "art", tmp_path / "set", finish=finish).pictures
    file = pixels(tmp_path / "set" / one.file)
    colors = {tuple(color) for color in np.unique(file.reshape(-1, 4), axis=0)[:, :3].tolist()}
    assert colors <= {(16, 32, 48), (255, 204, 170), (0, 170, 85)}
    assert tuple(file[0, 0, :3]) == (255, 204, 170)  # the lightest of the palette


def test_duplicates_are_told_of_and_the_one_with_a_caption_stays(tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    image = sprite(1)
    image.save(art / "a.png")
    enlarged(image, 8).save(art / "b.png")
    image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(art / "c.png")
    (art / "b.txt").write_text("a thing")
    exact = made(art, tmp_path / "exact")
    assert [one.source for one in exact.pictures] == ["b.png", "c.png"]
    assert [(one.source, one.why, one.of) for one in exact.aside] == [("a.png", "duplicate", "1x/b.png")]
    named = made(art, tmp_path / "named", names=True).pictures  # a file's name is nothing that somebody wrote
    assert [(one.source, one.caption) for one in named] == [("b.png", "a thing"), ("c.png", "c")]
    flipped = made(art, tmp_path / "flipped", dedupe="flipped")
    assert [one.source for one in flipped.pictures] == ["b.png"]
    assert len(made(art, tmp_path / "all", dedupe="none").pictures) == 3


def test_blank_and_too_small_and_too_large_are_set_aside(tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    Image.new("RGB", (32, 32), "black").save(art / "black.png")
    Image.new("RGBA", (32, 32)).save(art / "clear.png")
    sprite(1, (6, 20)).save(art / "slim.png")
    sprite(2, (40, 20)).save(art / "wide.png")
    sprite(3, (200, 150)).save(art / "huge.png")
    enlarged(sprite(4), 8).save(art / "good.png")
    dataset = made(art, tmp_path / "set", max_size=190, min_size=8)
    whys = {one.source: one.why for one in dataset.aside}
    assert whys == {"black.png": "blank", "clear.png": "blank", "slim.png": "too small", "huge.png": "too large"}
    eight = made(art, tmp_path / "set", factors=(8,))
    assert {one.source: one.factor for one in eight.pictures} == {"good.png": 8, "wide.png": 8}
    assert {one.source for one in eight.aside if one.why == "too large"} == {"huge.png"}


def test_policy_resample_takes_what_has_no_grid_and_says_so(tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    photo().save(art / "photo.png")
    assert made(art, tmp_path / "none").pictures == ()
    (one,) = made(art, tmp_path / "set", finish=FinishSpec(policy="resample"), resample_size=40).pictures
    assert (one.size, one.method) == ((40, 30), "resample")
    assert any("not true pixel art" in text for text in one.warnings)


def test_min_confidence_is_a_stricter_gate(tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    enlarged(sprite(3), 7.3).convert("RGB").save(art / "orc.jpg", quality=60)
    (one,) = made(art, tmp_path / "set").pictures
    assert 0 < one.confidence < 1
    strict = prepare(art, tmp_path / "set", spec(min_confidence=1.0), HERE)
    assert [row.why for row in strict.aside] == ["unsure grid"]
    assert strict.warnings == ("No picture came into the set.",)


def test_the_split_stays_when_images_come_and_keeps_mirror_images_together(tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    for seed in range(6):
        image = sprite(seed, (10, 10), 4)
        image.save(art / f"s{seed}.png")
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(art / f"t{seed}.png")
    whole = made(art, tmp_path / "set", validation=0.4)
    sides = {one.source: one.split for one in whole.pictures}
    assert set(sides.values()) == {"train", "validation"}
    assert all(sides[f"s{seed}.png"] == sides[f"t{seed}.png"] for seed in range(6))
    for seed in range(0, 6, 2):
        (art / f"s{seed}.png").unlink()
    fewer = made(art, tmp_path / "set", validation=0.4)
    assert all(one.split == sides[one.source] for one in fewer.pictures)
    assert all((tmp_path / "set" / one.file).is_file() for one in fewer.pictures)


def test_frames_and_sheets(tmp_path: Path) -> None:
    art = tmp_path / "art"
    art.mkdir()
    frames = [enlarged(sprite(seed, (12, 12), 5), 6).convert("RGB") for seed in (1, 2, 3)]
    frames[0].save(art / "walk.gif", save_all=True, append_images=frames[1:], duration=100)
    assert [one.part for one in made(art, tmp_path / "first").pictures] == [""]
    every = made(art, tmp_path / "all", frames="all", validation=0.5)
    assert [one.native for one in every.pictures] == ["1x/walk.1.png", "1x/walk.2.png", "1x/walk.3.png"]
    assert len({one.split for one in every.pictures}) == 1
    (art / "walk.gif").unlink()
    sheet = Image.new("RGBA", (3 * 16, 16))
    for at in range(3):
        sheet.paste(sprite(at, (12, 12), 5), (16 * at + 2, 2))
    enlarged(sheet, 6).save(art / "sheet.png")
    cut = made(art, tmp_path / "cut", slicing=Slicing(by="gutters"))
    assert [one.size for one in cut.pictures] == [(12, 12)] * 3
    for at, one in enumerate(cut.pictures):
        np.testing.assert_array_equal(pixels(tmp_path / "cut" / one.native), np.asarray(sprite(at, (12, 12), 5)))


def test_without_enlarging_files_are_the_pictures_at_1x(art: Path, tmp_path: Path) -> None:
    made(art, tmp_path / "set")
    dataset = made(art, tmp_path / "set", upscale=False)
    assert {(one.factor, one.bucket == one.size) for one in dataset.pictures} == {(1, True)}
    assert not (tmp_path / "set" / "dataset.toml").exists()


def test_margins_are_trimmed_on_request(art: Path, tmp_path: Path) -> None:
    sizes = {one.source: one.size for one in made(art, tmp_path / "set", trim=True).pictures}
    assert sizes["potion.png"] == (22, 22)


def test_repeats_name_the_folder_as_the_trainer_reads_it(art: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    made(art, out)
    dataset = made(art, out, repeats=10, trigger="my pix/art")
    assert {Path(one.file).parent.as_posix() for one in dataset.pictures} == {"train/10_my pix-art"}
    assert not (out / "train" / "potion.png").exists()
    settings = tomllib.loads((out / "dataset.toml").read_text("utf-8"))
    (subset,) = settings["datasets"][0]["subsets"]
    assert subset["image_dir"] == "train/10_my pix-art"
    assert (subset["num_repeats"], subset["class_tokens"]) == (10, "my pix/art")
    wanted = {
        "enable_bucket": True,
        "resolution": 256,
        "bucket_reso_steps": 32,
        "min_bucket_reso": 128,
        "max_bucket_reso": 512,
    }
    assert {name: settings["datasets"][0][name] for name in wanted} == wanted
    made(art, out, square=True)
    assert tomllib.loads((out / "dataset.toml").read_text("utf-8"))["datasets"][0]["enable_bucket"] is False


def test_names_of_files_never_meet() -> None:
    assert flat_names(["a/b.png", "a-b.png", "A-B.gif", "c.1.png", "c.gif", "d.jpg", "d.png", "e.gif", "e.x.png"]) == {
        "a/b.png": "a-b",
        "a-b.png": "a-b-2",
        "A-B.gif": "A-B-3",
        "c.1.png": "c.1",
        "c.gif": "c-2",
        "d.jpg": "d",
        "d.png": "d-2",
        "e.gif": "e",
        "e.x.png": "e.x",
    }
    assert flat_names(["c.gif", "c.1.png"])["c.1.png"] == "c.1-2"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"resolution": 500}, "resolution"),
        ({"min_bucket": 100}, "Buckets"),
        ({"max_bucket": 128}, "Buckets"),
        ({"factors": (0,)}, "factors"),
        ({"finish": FinishSpec(size=(8, 8), policy="reject")}, "own size"),
        ({"finish": FinishSpec(policy="reroute")}, "policy"),
        ({"finish": FinishSpec(colors=1, policy="reject")}, "colors"),
        ({"pad": "stretch"}, "pad"),
        ({"ground": "blau"}, "blau"),
        ({"ground": "none", "pad": "ground"}, "no ground"),
        ({"validation": 1.0}, "validation"),
        ({"caption": "{txt}"}, "template"),
        ({"caption": "{text"}, "template"),
        ({"trigger": "a\nb"}, "one line"),
        ({"repeats": 0}, "repeats"),
        ({"min_size": 9, "max_size": 8}, "between"),
    ],
)
def test_wrong_wishes_are_told(wishes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        spec(**wishes)


def test_the_page_needs_nothing_and_runs_nothing(art: Path, tmp_path: Path) -> None:
    (art / "potion.txt").write_text('<script>alert("x")</script> & more')
    made(art, tmp_path / "set")
    page = (tmp_path / "set" / "dataset.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'src="http' not in page
    for words in ("potion", "wizard", "no grid", "unreadable", "image-rendering: pixelated"):
        assert words in page
