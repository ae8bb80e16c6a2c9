"""Every error becomes one message, the truth about money, and the exit code that the manual names."""

import re
from pathlib import Path

import pytest

from pixelrouter import errors as e
from pixelrouter.cli.app import app
from pixelrouter.cli.exits import CODES, MEANINGS, exit_code, worst
from pixelrouter.cli.output import money_line, printable
from pixelrouter.types import Money

MANUAL = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
TEN_CENTS = Money.of("0.1")


def every_error(kind=e.PixelRouterError):
    return [kind, *(sub for child in kind.__subclasses__() for sub in every_error(child))]


def made(kind):
    if kind is e.OverBudget:
        return kind("m", scope="call", quote=TEN_CENTS, left=TEN_CENTS)
    return kind("m", errors=[]) if kind is e.AllFailed else kind("m")


@pytest.mark.parametrize("kind", [k for k in every_error() if k.__module__ == e.__name__])
def test_every_error_has_a_documented_code_of_its_own(kind):
    code = exit_code(made(kind))
    assert code in MEANINGS
    assert (code == 1) == (kind is e.PixelRouterError)
    assert money_line(made(kind))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (e.UnknownPalette("m"), 2),
        (e.MissingKey("m"), 3),
        (e.RateLimited("m"), 5),
        (e.IncompleteDelivery("m"), 6),
        (e.OutcomeUnknown("m"), 7),
        (e.StillRunning("m"), 8),
        (e.DeadlineExceeded("m"), 10),
        (KeyboardInterrupt(), 130),
        (ValueError("m"), 1),
    ],
)
def test_codes(error, code):
    assert exit_code(error) == code


def test_the_first_failure_decides():
    assert worst([]) == 0
    assert worst([e.StillRunning("m"), e.AuthFailed("m")]) == 8


def test_the_manual_has_the_same_table():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", MANUAL, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == MEANINGS
    assert set(CODES.values()) | {0, 2} == set(MEANINGS)


def test_the_manual_has_every_command_and_option():
    commands = {command.name for command in app.registered_commands}
    assert commands == set(re.findall(r"^\| `([a-z][\w-]*)` \|", MANUAL, re.MULTILINE))
    from typer.main import get_command

    for command in get_command(app).commands.values():
        for parameter in command.params:
            for option in [*parameter.opts, *parameter.secondary_opts]:
                assert not option.startswith("--") or option in MANUAL, f"{command.name} {option}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (e.InvalidRequest("m"), "nothing was charged"),
        (e.ResultExpired("m", charged=TEN_CENTS), "$0.10 was charged"),
        (e.ChargedWithoutImage("m"), "the request was charged"),
        (e.JobFailed("m", charged=Money(0)), "nothing was charged"),
        (e.JobFailed("m", charged=TEN_CENTS), "$0.10 was charged"),
        (e.JobFailed("m"), "does not say"),
        (e.OutcomeUnknown("m", held=TEN_CENTS), "$0.10 is held"),
        (e.StillRunning("m"), "held"),
        (e.AllFailed("m", errors=[e.AuthFailed("a"), e.JobFailed("b", charged=TEN_CENTS)]), "$0.10 was charged"),
        (e.StoreError("m"), "pixelrouter costs"),
    ],
)
def test_the_money_line_tells_the_truth(error, words):
    assert words in money_line(error)


@pytest.fixture
def failing(monkeypatch):
    """Makes ``generate`` raise."""
    from pixelrouter import PixelRouter

    def fail(error):
        def generate(*_, **__):
            raise error

        monkeypatch.setattr(PixelRouter, "generate", generate)

    return fail


def test_an_error_shows_message_hint_and_money(cli, failing):
    failing(e.OutcomeUnknown("The answer was lost.", held=TEN_CENTS, hint="Run pixelrouter jobs."))
    result = cli("generate", "x")
    assert result.exit_code == 7
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "error: The answer was lost.",
        "hint:  Run pixelrouter jobs.",
        "money: $0.10 is held until the outcome is known",
    ]


def test_ctrl_c_says_how_to_collect(cli, cli_json, failing):
    failing(KeyboardInterrupt())
    result = cli("generate", "x")
    assert result.exit_code == 130
    assert "pixelrouter resume" in result.stderr
    assert cli_json("generate", "x", code=130)["error"]["exit_code"] == 130


def test_a_bug_shows_its_traceback_without_secrets(cli, failing):
    failing(RuntimeError("boom with rdpk-0123456789ab"))
    result = cli("generate", "x")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "a bug in pixelrouter" in result.stderr
    assert "0123456789abcdef" not in result.output


def test_a_vendors_message_cannot_steer_the_terminal(cli, failing):
    failing(e.ContentRefused("no \x1b[2J\x07 way"))
    assert "\x1b" not in cli("generate", "x").stderr
    assert printable("a\tb\n\u9f8d") == "a\tb\n\u9f8d"
