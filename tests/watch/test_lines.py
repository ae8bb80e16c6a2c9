"""The adapters for logs: one line an event, whatever stands in it."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pixelrouter.types import Attempt, Cost, Money
from pixelrouter.watch import Event, JsonLines, Logging

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = 'a "quoted"\npotion \x1b[31m %s %(x)s \ud800'


def row(**changes: Any) -> Attempt:
    fields: dict[str, Any] = {"state": "settled", "charged": Money(5), "error": None, **changes}
    return Attempt(
        "a1b2", "key", "fal", "m\n1", held=Money(5), prompt=HOSTILE, quoted=Cost(Money(4), "listed"), **fields
    )


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (Event("attempt.sending", 1.0, attempt=row(state="sending", charged=None)), "DEBUG"),
        (Event("attempt.settled", 1.0, attempt=row()), "INFO"),
        (Event("attempt.settled", 1.0, attempt=row(error=f"ResultExpired: {HOSTILE}")), "WARNING"),
        (Event("attempt.unknown", 1.0, attempt=row(state="unknown", charged=None)), "WARNING"),
        (Event("call.failed", 1.0, "call", details={"message": HOSTILE, "error": "X"}), "ERROR"),
        (Event("somebody.elses", 1.0), "DEBUG"),
    ],
)
def test_a_line_is_one_line_of_the_right_level(caplog: pytest.LogCaptureFixture, event: Event, level: str) -> None:
    caplog.set_level(logging.DEBUG, "pixelrouter")
    Logging().notice(event)
    (record,) = caplog.records
    assert record.levelname == level
    assert record.message.startswith(event.name)
    assert "\n" not in record.message
    assert "\x1b" not in record.message
    assert record.pixelrouter == event.as_dict()  # type: ignore[attr-defined]  # a field of our own
    json.dumps(record.pixelrouter)  # type: ignore[attr-defined]  # a field of our own


def test_json_lines_go_to_a_stream_or_a_file(tmp_path: Path) -> None:
    stream, file = io.StringIO(), tmp_path / "events.jsonl"
    event = Event("attempt.settled", 1.5, "call", "fal", row())
    for target in (stream, file, str(file)):
        JsonLines(target).notice(event)
    JsonLines(file, prompts=True).notice(event)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert lines[:2] == [json.loads(stream.getvalue())] * 2 == [event.as_dict()] * 2
    assert lines[0]["attempt"]["charged"] == "0.000005"
    assert "prompt" not in lines[0]["attempt"]
    assert lines[2]["attempt"]["prompt"] == HOSTILE


def test_json_lines_are_on_stderr_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    JsonLines().notice(Event("call.started", 1.0))
    assert json.loads(capsys.readouterr().err)["event"] == "call.started"


def test_the_command_line_keeps_events_apart_from_data(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pixelrouter", "generate", "a potion", "--size", "16", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PIXELROUTER_OBSERVE": "logging,jsonl"},
    )  # fmt: skip
    data = json.loads(result.stdout)
    lines = result.stderr.splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert told[-1]["details"]["attempts"] == [data["attempts"][-1]["id"]]
    assert [line.split()[0] for line in lines if not line.startswith("{")] == [
        event["event"] for event in told if event["event"] in ("call.started", "attempt.settled", "call.finished")
    ]
