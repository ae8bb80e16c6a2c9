"""docs/testing.md does what it says: its script and its tests run, and its options are the plugin's."""

from __future__ import annotations

import re

import pytest

from pixelrouter.testing.plugin.session import Marked
from tests.testing.plugin.conftest import ROOT, Run

PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")
BLOCKS = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_script_and_its_tests_run(pytester: pytest.Pytester, here: Run) -> None:
    for block in BLOCKS[:2]:
        name = block.splitlines()[0].removeprefix("# ")
        (pytester.path / name).write_text(block)
    here().assert_outcomes(passed=3)


def test_the_marker_is_described_whole() -> None:
    (block,) = [block for block in BLOCKS if "spend_guard" in block]
    named = re.findall(r"(\w+)=", block.split("(", 1)[1])
    assert {*named, "there", "mistake"} == set(Marked.__dataclass_fields__)


@pytest.mark.slow
def test_every_option_is_on_the_page(here: Run) -> None:
    text = "\n".join(here("--help").outlines)
    for option in {*re.findall(r"--pixelrouter-[\w-]+", text), *re.findall(r"\bpixelrouter_\w+", text)}:
        if not option.startswith("pixelrouter_recording"):
            assert option in PAGE, option
    for option in re.findall(r"--pixelrouter-[\w-]+", PAGE):
        assert option in text
