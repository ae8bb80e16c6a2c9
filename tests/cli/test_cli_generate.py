"""generate and quote: files, JSON, reuse, and mistakes that are told before anything is paid."""

import json
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from pixelrouter.cli.files import slug
from pixelrouter.errors import IncompleteDelivery
from pixelrouter.types import Cost, Money


def test_a_sprite_is_saved_and_its_path_is_the_output(cli, home):
    result = cli("generate", "a red potion", "--size", "32", "-o", "art/potion.png")
    assert result.exit_code == 0
    assert result.stdout == "art/potion.png\n"
    assert result.stderr.startswith("procedural | ")
    with Image.open(home / "art" / "potion.png") as image:
        assert image.size == (32, 32)
        assert image.mode == "P"


def test_json_says_everything(cli_json, home):
    data = cli_json(
        "generate", "a red potion", "--size", "16x24", "--colors", "8", "--n", "2", "--scale", "2", "-o", "p.png"
    )
    assert data["files"] == ["p-1.png", "p-2.png"]
    assert data["size"] == [16, 24]
    assert data["cost"] == {"amount": "0", "unit": "usd", "source": "reported"}
    for file, report in zip(data["files"], data["reports"], strict=True):
        assert report["colors_after"] <= 8
        with Image.open(home / file) as image:
            assert image.size == (32, 48)


def test_the_same_command_again_reuses(cli):
    first = cli("generate", "a red potion")
    again = cli("generate", "a red potion")
    assert again.stdout == first.stdout == "a-red-potion.png\n"
    assert "reused, nothing paid" not in first.stderr
    assert "reused, nothing paid" in again.stderr


def test_without_a_name_nothing_is_overwritten(cli, home):
    (home / "slime.png").write_text("mine")
    assert cli("generate", "slime", "--quiet").stdout == "slime-2.png\n"
    assert cli("generate", "slime", "--quiet", "--seed", "5").stdout == "slime-3.png\n"
    assert cli("generate", "slime", "--quiet").stdout == "slime-2.png\n"
    assert (home / "slime.png").read_text() == "mine"


def test_a_palette_is_kept(cli_json):
    data = cli_json("generate", "a sword", "--palette", "#000000,#ffffff,#808080")
    assert set(data["palette"]) <= {"#000000", "#ffffff", "#808080"}


def test_quiet_leaves_only_the_path(cli):
    result = cli("generate", "a tree", "-q", "-o", "t.png")
    assert (result.stdout, result.stderr) == ("t.png\n", "")


def test_a_dry_run_shows_the_request_and_sends_nothing(cli, cli_json, home, monkeypatch):
    monkeypatch.setenv("RETRODIFFUSION_API_KEY", "rdpk-0123456789ab")
    result = cli("generate", "a knight", "--backend", "retrodiffusion", "--dry-run")
    assert result.exit_code == 0
    assert "POST https://api.retrodiffusion.ai/" in result.stdout
    assert "[redacted]" in result.stdout
    assert '"prompt": "a knight"' in result.stdout
    assert "0123456789abcdef" not in result.output
    (request,) = cli_json("generate", "a knight", "--backend", "retrodiffusion", "--dry-run")
    assert request["body"]["prompt"] == "a knight"
    assert cli_json("jobs", "--all") == []
    assert not list(home.glob("*.png"))


def test_quote_is_free_and_says_who_named_the_price(cli, cli_json):
    assert "$0.00" in cli("quote", "a red potion").stdout
    assert cli_json("quote", "a red potion")["backend"] == "procedural"
    cli("generate", "a red potion")
    assert "paid for already" in cli("quote", "a red potion").stdout
    assert cli_json("quote", "a red potion")["reused"] is True


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--size", "big"], 2, "is not a size"),
        (["--size", "0"], 2, "outside 1..1024"),
        (["--colors", "999"], 2, "256"),
        (["--max-usd", "nan"], 2, "max-usd"),
        (["--timeout", "inf"], 2, "finite"),
        (["--policy", "hope"], 2, "policy='hope' is unknown"),
        (["--dither", "bayer16"], 2, "bayer16"),
        (["--mode", "improve"], 2, "improve"),
        (["--origin", "here"], 2, "is not X,Y"),
        (["--merge", "2"], 2, "merge"),
        (["--min-score", "101"], 2, "min-score"),
        (["--palette", "nope"], 2, "no palette called 'nope'"),
        (["--option", "strength"], 2, "is not KEY=VALUE"),
        (["--option", "a=1", "--option", "a=2"], 2, "given twice"),
        (["--option", "nonsense=1"], 2, "nonsense"),
        (["--backend", "a", "--route", "b"], 2, "use one of them"),
        (["--backend", "procedurall"], 3, "Did you mean 'procedural'?"),
        (["--backend", "retrodiffusion"], 3, "RETRODIFFUSION_API_KEY"),
        (["-o", "potion.jpg"], 2, "does not end in .png"),
        (["-o", "folder.png"], 2, "is a folder"),
        (["-o", "pixelrouter.toml/potion.png"], 2, "is a file, not a folder"),
        (["--scale", "0"], 2, "scale"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing_behind(cli, cli_json, home, args, code, says):
    (home / "folder.png").mkdir()
    result = cli("generate", "a red potion", *args)
    assert result.exit_code == code, result.output
    assert says in " ".join(result.stderr.replace("\u2502", " ").split())
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert [file.name for file in home.glob("**/*.png")] == ["folder.png"]
    assert cli_json("jobs", "--all") == []


def test_an_error_is_json_when_asked(cli_json):
    error = cli_json("generate", "x", "--size", "0", code=2)["error"]
    assert error["type"] == "InvalidRequest"
    assert error["money"] == "no"
    assert error["exit_code"] == 2


def test_the_error_says_whether_money_moved(cli):
    assert "money: nothing was charged" in cli("generate", "x", "--backend", "retrodiffusion").stderr


def test_a_mistake_in_the_config_names_the_line(cli, home):
    (home / "pixelrouter.toml").write_text("\ncolours = 3\n")
    result = cli("generate", "x")
    assert result.exit_code == 3
    assert "pixelrouter.toml:2" in result.stderr
    assert "'colors'" in result.stderr


def test_an_image_that_cannot_be_saved_is_not_lost(cli, home, monkeypatch):
    monkeypatch.setattr(
        "pixelrouter.types.PixelArt.save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    result = cli("generate", "a tree", "-o", "t.png")
    assert result.exit_code == 11
    assert "No space left" in result.stderr
    assert "is kept and reused" in result.stderr


def test_of_a_delivery_that_came_short_the_rest_is_saved(cli, cli_json, home, monkeypatch):
    from pixelrouter import PixelRouter

    def short(self, prompt, **wish):
        art = real(self, prompt, **{**wish, "n": 1})
        raise IncompleteDelivery("2 images were paid for, 1 came.", art=art, charged=Money.of("0.05"))

    real = PixelRouter.generate
    monkeypatch.setattr(PixelRouter, "generate", short)
    result = cli("generate", "a tree", "--n", "2", "-o", "t.png")
    assert result.exit_code == 6
    assert result.stdout == "t.png\n"
    assert (home / "t.png").is_file()
    assert "money: $0.05 was charged" in result.stderr
    data = cli_json("generate", "a tree", "--n", "2", "-o", "t.png", code=6)
    assert data["files"] == ["t.png"]
    assert data["error"]["type"] == "IncompleteDelivery"


def test_every_option_reaches_the_router(cli, monkeypatch):
    from pixelrouter import PixelRouter

    seen = {}
    monkeypatch.setattr(PixelRouter, "dry_run", lambda _, prompt, **wish: seen.update(wish) or [])
    args = "--size 8x9 --colors 4 --palette pico-8 --opaque --seed 3 --n 2 --policy reject --pixel-size 2.5 --route a,b"
    finishing = (
        "--mode convert --origin 1.5,2 --dither bayer4 --one-bit --merge 0.02 --quantizer own --pad-palette"
        " --matte key --holes --no-despill --min-score 80"
    )
    more = [
        "--model",
        "m",
        "--option",
        "strength=0.5",
        "--option",
        "note=a=b",
        "--max-usd",
        "0.25",
        "--timeout",
        "9",
        "--fresh",
        "--reference",
        "one.png",
        "--reference",
        "two.png",
        "--commercial",
        "--max-generations",
        "3",
        "--on-unknown",
        "spend_again",
        *finishing.split(),
        *[
            "--strategy",
            "cheapest",
            "--style-group",
            "heroes",
            "--restyle",
            "--asset",
            "potion",
            "--tag",
            "red",
            "--tag",
            "small",
        ],
    ]
    assert cli("generate", "x", *args.split(), *more, "--dry-run").exit_code == 0
    expected = {
        "size": "8x9",
        "colors": 4,
        "palette": "pico-8",
        "transparent": False,
        "seed": 3,
        "n": 2,
        "policy": "reject",
    }
    expected |= {
        "pixel_size": 2.5,
        "route": ["a", "b"],
        "backend": None,
        "model": "m",
        "max_usd": 0.25,
        "timeout_s": 9.0,
        "images": [Path("one.png"), Path("two.png")],
        "commercial": True,
        "max_generations": 3.0,
        "on_unknown": "spend_again",
        "mode": "convert",
        "origin": (1.5, 2.0),
        "dither": "bayer4",
        "one_bit": True,
        "merge": 0.02,
        "quantizer": "own",
        "pad_palette": True,
        "matte": "key",
        "holes": True,
        "despill": False,
        "min_score": 80.0,
        "strategy": "cheapest",
        "style_group": "heroes",
        "restyle": True,
        "asset": "potion",
        "tags": ["red", "small"],
    }
    assert seen == {**expected, "fresh": True, "options": {"strength": 0.5, "note": "a=b"}}


def test_an_image_that_scores_too_low_is_not_saved_and_says_that_trying_again_is_free(cli, cli_json, home):
    args = ("generate", "a knight", "--min-score", "100", "-o", "knight.png")
    result = cli(*args)
    assert result.exit_code == 6
    assert "below min_score=100" in result.stderr
    assert "free" in result.stderr
    assert "money: nothing was charged" in result.stderr
    assert not (home / "knight.png").exists()
    error = cli_json(*args, code=6)["error"]
    assert (error["type"], len(error["stored"]), error["charged"]) == ("QualityRejected", 1, "$0.00")
    assert cli("generate", "a knight", "--min-score", "80", "-o", "knight.png").exit_code == 0


def test_the_choices_that_help_names_are_those_of_the_post_processor():
    from pixelrouter.cli import options as o
    from pixelrouter.pixels import spec

    for name in ("Policy", "Mode", "Dither", "Matte", "Quantizer"):
        (option,) = getattr(o, name).__metadata__
        assert option.metavar == "|".join(get_args(getattr(spec, name)))


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a Red potion!", "a-red-potion"),
        ("../../etc/passwd", "etc-passwd"),
        ("\u5251", "sprite"),
        ("", "sprite"),
        ("word " * 40, "word-word-word-word-word-word-word-word-word"),
        ("x" * 300, "x" * 48),
    ],
)
def test_a_prompt_makes_a_safe_file_name(prompt, name):
    assert slug(prompt) == name


def test_the_summary_names_the_cost_and_its_source(cli, monkeypatch):
    from pixelrouter import PixelRouter

    real = PixelRouter.generate
    cost = Cost(Money.of("0.015"), "quoted")
    monkeypatch.setattr(
        PixelRouter, "generate", lambda self, prompt, **wish: real(self, prompt, **wish).with_(cost=cost)
    )
    assert "$0.015 (quoted)" in cli("generate", "a tree").stderr


def test_json_is_all_there_is_on_stdout(cli):
    result = cli("generate", "a tree", "--json")
    assert json.loads(result.stdout)["backend"] == "procedural"
    assert result.stderr == ""
