"""The fixtures in real runs of pytest: what a user's tests see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from pixelrouter.testing import RetroDiffusionSimulator
from tests.testing.plugin.conftest import ROOT, Run

slow = pytest.mark.slow  # each starts a pytest of its own

FAKE = """
    import subprocess, sys, asyncio
    import pytest
    from pixelrouter import AsyncPixelRouter, PixelRouter, errors

    def build():
        with PixelRouter(backend="retrodiffusion", state="never-here") as router:
            return router.generate("a red potion", size=32)

    def test_a_script_with_a_router_of_its_own(fake_pixelrouter, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        art = build()
        assert art.size == (32, 32)
        assert art.cost.money.micros == 25000
        assert not (tmp_path / "never-here").exists()
        (call,) = fake_pixelrouter.calls
        assert (call.prompt, call.size, call.backends) == ("a red potion", (32, 32), ("retrodiffusion",))
        assert build().reused
        fake_pixelrouter.fail_next(errors.OutOfCredit)
        with pytest.raises(errors.OutOfCredit):
            fake_pixelrouter.generate("other", size=32, backend="retrodiffusion")

    def test_a_program(fake_pixelrouter, tmp_path):
        code = "import sys; from pixelrouter.cli import main; main()"
        command = [sys.executable, "-c", code, "generate", "a coin", "--size", "16", "--backend", "fal",
                   "-o", str(tmp_path / "coin.png")]
        fake_pixelrouter.fail_next(errors.RateLimited("not now"))
        failed = subprocess.run(command, capture_output=True, text=True)
        assert failed.returncode and "not now" in failed.stderr
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "coin.png").exists()
        assert [call.prompt for call in fake_pixelrouter.calls] == ["a coin", "a coin"]

    @pytest.mark.pixelrouter(backend="retrodiffusion", model="rd_plus__default", max_usd=0.01)
    def test_marked(fake_pixelrouter):
        for router in (fake_pixelrouter, PixelRouter()):
            with pytest.raises(errors.OverBudget), router:
                router.generate("a knight", size=64)

    def test_nothing_is_left_over(fake_pixelrouter):
        assert fake_pixelrouter.calls == []

    def test_awaited(fake_async_pixelrouter):
        async def script():
            await fake_async_pixelrouter.generate("a slime", size=16)
            async with AsyncPixelRouter(backend="fal") as router:
                return (await router.generate("a slime", size=16)).backend
        assert asyncio.run(script()) == "fal"
        assert len(fake_async_pixelrouter.calls) == 2

    def test_without(tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with PixelRouter(state="mine") as router:
            router.generate("a slime", size=16)
        assert (tmp_path / "mine").exists()
"""


@slow
def test_the_fake_in_a_real_run(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(FAKE)
    run().assert_outcomes(passed=6)


def test_the_entry_point_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"pixelrouter": "pixelrouter.testing.plugin"}


def test_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, pixelrouter.testing.plugin;"
        "print([m for m in ('httpx', 'httpcore', 'numpy', 'PIL', 'pydantic', 'tenacity', 'typer', 'asyncio')"
        " if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.strip() == "[]"


RECORDED = """
    import pytest
    from pixelrouter import PixelRouter

    {mark}
    def test_potion(pixelrouter_replay):
        art = pixelrouter_replay.generate("{prompt}", size=32, seed=7, backend="retrodiffusion")
        assert art.size == (32, 32)
        {more}
"""
OWN_ROUTER = """
        with PixelRouter(backend="retrodiffusion") as own:
            assert own.generate("{prompt}", size=32, seed=7).reused
"""
RECORD = ("--pixelrouter-mode", "record-missing", "--pixelrouter-max-usd", "1")


def write(pytester: pytest.Pytester, prompt: str = "a red potion", mark: str = "", more: str = "pass") -> Path:
    pytester.makepyfile(test_art=RECORDED.format(prompt=prompt, mark=mark, more=more))
    return pytester.path / "recordings" / "test_art" / "test_potion"


@pytest.fixture
def recorded(
    pytester: pytest.Pytester, here: Run, vendor: RetroDiffusionSimulator, at_vendor: dict[str, str]
) -> Callable[..., Path]:
    """Makes the recording of the test that :func:`write` writes."""

    def record(**arguments: str) -> Path:
        folder = write(pytester, **arguments)
        here(*RECORD, env=at_vendor).assert_outcomes(passed=1)
        assert vendor.paid_posts == 1
        return folder

    return record


def test_recorded_once_it_replays_without_key_or_vendor(
    recorded: Callable[..., Path], here: Run, vendor: RetroDiffusionSimulator
) -> None:
    folder = recorded()
    assert json.loads((folder / "cassette.json").read_text())["origin"] == "recorded"
    vendor.__exit__(None, None, None)
    here(env={"CI": "true"}).assert_outcomes(passed=1)


@slow
def test_a_router_that_the_test_makes_replays_too(
    pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run
) -> None:
    recorded()
    write(
        pytester, more='assert PixelRouter(backend="retrodiffusion").generate("a red potion", size=32, seed=7).reused'
    )
    here().assert_outcomes(passed=1)


@slow
def test_another_request_is_a_miss_that_says_how_to_record(
    pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run
) -> None:
    recorded()
    write(pytester, prompt="a blue potion")
    result = here()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*CassetteMiss*", "*prompt: recorded 'a red potion', asked 'a blue potion'*"])
    result.stdout.fnmatch_lines(["*pytest 'test_art.py::test_potion' --pixelrouter-mode rewrite*"])


@slow
def test_without_a_recording_it_says_how_to_make_one(pytester: pytest.Pytester, here: Run) -> None:
    folder = write(pytester)
    result = here()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*There is no cassette at *", "*--pixelrouter-mode record-missing*"])
    assert not folder.exists()


@slow
def test_record_missing_sends_only_what_is_missing(
    pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run, at_vendor: dict[str, str], vendor
) -> None:
    folder = recorded()
    here(*RECORD, env=at_vendor).assert_outcomes(passed=1)
    assert vendor.paid_posts == 1
    before = len(json.loads((folder / "cassette.json").read_text())["exchanges"])
    write(pytester, prompt="a blue potion")
    here(*RECORD, env=at_vendor).assert_outcomes(passed=1)
    assert vendor.paid_posts == 2
    assert len(json.loads((folder / "cassette.json").read_text())["exchanges"]) > before


@slow
def test_rewrite_keeps_the_old_recording_until_the_test_has_passed(
    pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run, at_vendor: dict[str, str]
) -> None:
    folder = recorded()
    old = (folder / "cassette.json").read_bytes()
    write(pytester, prompt="a blue potion", more="assert False")
    rewrite = ("--pixelrouter-mode", "rewrite", "--pixelrouter-max-usd", "1")
    here(*rewrite, env=at_vendor).assert_outcomes(failed=1)
    assert (folder / "cassette.json").read_bytes() == old
    write(pytester, prompt="a blue potion")
    here(*rewrite, env=at_vendor).assert_outcomes(passed=1)
    text = (folder / "cassette.json").read_text()
    assert "a blue potion" in text
    assert "a red potion" not in text
    assert [path.name for path in folder.parent.iterdir()] == ["test_potion"]
    here().assert_outcomes(passed=1)


@slow
def test_live_asks_the_vendor_and_records_nothing(
    pytester: pytest.Pytester, here: Run, at_vendor: dict[str, str], vendor: RetroDiffusionSimulator
) -> None:
    folder = write(pytester)
    here("--pixelrouter-mode", "live", "--pixelrouter-max-usd", "1", env=at_vendor).assert_outcomes(passed=1)
    assert vendor.paid_posts == 1
    assert not folder.exists()


@slow
def test_the_marker_names_the_recording_and_the_backend(
    pytester: pytest.Pytester, here: Run, at_vendor: dict[str, str]
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pixelrouter(recording="art/shared", backend="retrodiffusion")
        @pytest.mark.parametrize("size", [16, 32])
        def test_a(pixelrouter_replay, size):
            assert pixelrouter_replay.generate("a coin", size=size).backend == "retrodiffusion"

        @pytest.mark.pixelrouter(recordin="typo")
        def test_b():
            pass
        """
    )
    result = here(*RECORD, env=at_vendor)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*@pytest.mark.pixelrouter has no argument 'recordin'*"])
    assert (pytester.path / "art" / "shared" / "cassette.json").exists()
    here("-k", "test_a").assert_outcomes(passed=2)


@slow
def test_the_awaited_replay(pytester: pytest.Pytester, here: Run, at_vendor: dict[str, str]) -> None:
    pytester.makepyfile(
        """
        import asyncio

        def test_a(async_pixelrouter_replay):
            art = asyncio.run(async_pixelrouter_replay.generate("a coin", size=16, backend="retrodiffusion"))
            assert art.size == (16, 16)
        """
    )
    here(*RECORD, env=at_vendor).assert_outcomes(passed=1)
    here().assert_outcomes(passed=1)


@slow
def test_a_replay_never_sleeps(pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run) -> None:
    """Accepted, running, done: the pauses that were asked for when it was recorded are over."""
    folder = recorded()
    data = json.loads((folder / "cassette.json").read_text())
    polls = [each for each in data["exchanges"] if each["request"]["method"] == "GET"]
    running = json.loads(json.dumps(polls[0]))
    running["response"] = {
        "status": 503, "headers": {"retry-after": "20"}, "body_text": "",
    }  # fmt: skip
    data["exchanges"].insert(data["exchanges"].index(polls[0]), running)
    (folder / "cassette.json").write_text(json.dumps(data))
    write(pytester)
    pytester.makeconftest(
        """
        import time
        import pytest

        slept = []

        @pytest.fixture(autouse=True)
        def pauses(monkeypatch):
            real = time.sleep
            monkeypatch.setattr(time, "sleep", lambda s: (slept.append(s), real(s)))
            yield
            assert len(slept) >= 2 and max(slept) <= 0.001, slept
        """
    )
    here().assert_outcomes(passed=1)


@slow
def test_old_recordings_are_told_and_fail_only_where_that_is_asked_for(
    pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run
) -> None:
    folder = recorded()
    path = folder / "cassette.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "date": "2025-01-01"}))
    result = here(env={"CI": "true"})
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["expired: recordings/test_art/test_potion was recorded on 2025-01-01"])
    strict = here("--pixelrouter-strict-expiry")
    strict.assert_outcomes(errors=1)
    strict.stdout.fnmatch_lines(["*has expired. Record it again.*"])
    here("--pixelrouter-strict-expiry", "-o", "pixelrouter_expires=never").assert_outcomes(passed=1)
    write(pytester, mark='@pytest.mark.pixelrouter(expires="36500d")')
    here("--pixelrouter-strict-expiry").assert_outcomes(passed=1)
    write(pytester)
    path.write_text(json.dumps({**data, "date": "2025-01-01", "origin": "documented", "source": "its contract"}))
    told = here("--pixelrouter-strict-expiry", "-v")
    told.assert_outcomes(passed=1)
    told.stdout.fnmatch_lines(["documented: recordings/test_art/test_potion was written from a contract*"])
    told.stdout.no_fnmatch_line("expired:*")


@slow
def test_recordings_that_nobody_uses_are_listed(
    pytester: pytest.Pytester, recorded: Callable[..., Path], here: Run
) -> None:
    folder = recorded()
    other = folder.with_name("test_gone")
    other.mkdir()
    (other / "cassette.json").write_bytes((folder / "cassette.json").read_bytes())
    result = here("--pixelrouter-unused")
    result.stdout.fnmatch_lines(["unused: recordings/test_art/test_gone"])
    result.stdout.no_fnmatch_line("unused: *test_potion")
    here().stdout.no_fnmatch_line("unused:*")
