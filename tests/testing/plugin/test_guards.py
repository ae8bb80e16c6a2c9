"""Money and network: what may not happen in a test run fails the test, even where the code swallows the error."""

from __future__ import annotations

import json
import os

import pytest

from pixelrouter.testing import RetroDiffusionSimulator
from tests.testing.plugin.conftest import Run

slow = pytest.mark.slow  # each starts a pytest of its own

PAYS = """
    import pytest
    from pixelrouter import AsyncPixelRouter, PixelRouter
    from pixelrouter.errors import PixelRouterError

    def buy(tmp_path, **options):
        with PixelRouter(state=tmp_path / "s", backend="replicate", **options) as router:
            return router.generate("a red potion", size=64)
"""


def test_a_purchase_fails_the_test_that_makes_it(pytester: pytest.Pytester, here: Run, monkeypatch) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_" + "0" * 37)
    pytester.makepyfile(
        PAYS
        + """
    def test_it(tmp_path):
        buy(tmp_path)

    def test_swallowed(tmp_path):
        with pytest.raises(PixelRouterError, match="Nothing was sent"):
            buy(tmp_path)

    def test_skipped(tmp_path):
        try:
            buy(tmp_path)
        except PixelRouterError:
            pytest.skip("no network")

    @pytest.mark.xfail
    def test_hoped_for(tmp_path):
        buy(tmp_path)

    def test_recording_by_hand(tmp_path):
        with pytest.raises(PixelRouterError):
            buy(tmp_path, cassette=tmp_path / "c", cassette_mode="record")

    def test_falling_back(tmp_path):
        with PixelRouter(state=tmp_path / "s", route=["replicate", "procedural"]) as router:
            assert router.generate("a red potion", size=64).backend == "procedural"

    def test_in_a_thread(tmp_path):
        import threading
        def work():
            try:
                buy(tmp_path)
            except PixelRouterError:
                pass
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def test_awaited(tmp_path):
        import asyncio
        async def work():
            async with AsyncPixelRouter(state=tmp_path / "s", backend="replicate") as router:
                await router.generate("a red potion", size=64)
        with pytest.raises(PixelRouterError):
            asyncio.run(work())

    def test_in_a_program(tmp_path):
        import subprocess, sys
        code = ("from pixelrouter import PixelRouter; PixelRouter(state='s', backend='replicate')"
                ".generate('a red potion', size=64)")
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)

    def test_free(tmp_path):
        with PixelRouter(state=tmp_path / "s") as router:
            router.generate("a red potion", size=32)
        """
    )
    result = here("-rA")
    result.assert_outcomes(failed=9, passed=1)
    result.stdout.fnmatch_lines(["*was about to pay: a request to https://api.replicate.com/v1/*"])


@slow
def test_the_guard_can_be_left_out(pytester: pytest.Pytester, here: Run, monkeypatch) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_" + "0" * 37)
    pytester.makepyfile(
        PAYS
        + """
    import httpx

    class Answers(httpx.HTTPTransport):  # a real transport, by its class; it answers by itself
        def handle_request(self, request):
            return httpx.Response(401, json={"detail": "no"})

    def once(tmp_path):
        with pytest.raises(PixelRouterError) as caught:
            buy(tmp_path, transport=Answers())
        return type(caught.value).__name__

    def test_guarded(tmp_path):
        once(tmp_path)

    @pytest.mark.pixelrouter(spend_guard=False)
    def test_unguarded(tmp_path):
        assert once(tmp_path) == "AuthFailed"
        """
    )
    here().assert_outcomes(passed=1, failed=1)
    here("-o", "pixelrouter_spend_guard=false").assert_outcomes(passed=2)


@slow
def test_simulators_on_this_machine_may_be_paid(
    pytester: pytest.Pytester, here: Run, vendor: RetroDiffusionSimulator, at_vendor: dict[str, str]
) -> None:
    pytester.makepyfile(LIMITED.replace("pixelrouter_replay, ", "").replace("pixelrouter_replay", "PixelRouter()"))
    here("-k", "0", env=at_vendor).assert_outcomes(passed=1, deselected=3)
    assert vendor.paid_posts == 1


CONNECTS = """
    import asyncio, socket, threading
    import pytest

    PUBLIC = ("192.0.2.1", 9)  # RFC 5737: nobody's

    def by_socket():
        with socket.socket() as s:
            s.settimeout(0.01)
            s.connect(PUBLIC)

    def by_datagram():
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(b"x", PUBLIC)

    def by_name():
        socket.create_connection(("example.invalid", 80), 0.01)

    def by_loop():
        async def go():
            await asyncio.wait_for(asyncio.open_connection(*PUBLIC), 0.01)
        asyncio.run(go())

    def by_thread():
        thread = threading.Thread(target=swallow, args=(by_socket,))
        thread.start()
        thread.join()

    def swallow(way):
        try:
            way()
        except Exception:
            pass

    WAYS = [by_socket, by_datagram, by_name, by_loop, by_thread]

    def to_loopback():
        with socket.create_server(("127.0.0.1", 0)) as server:
            with socket.create_connection(server.getsockname()):
                pass
"""


@slow
def test_guarded_tests_reach_nobody(pytester: pytest.Pytester, here: Run) -> None:
    pytester.makepyfile(
        CONNECTS
        + """
    @pytest.mark.pixelrouter
    @pytest.mark.parametrize("way", WAYS)
    def test_marked(way):
        swallow(way)

    def test_with_a_fixture(fake_pixelrouter):
        swallow(by_socket)

    @pytest.mark.pixelrouter
    def test_loopback():
        to_loopback()

    @pytest.mark.parametrize("way", [by_socket, by_thread])
    def test_unguarded(way):
        swallow(way)
        """
    )
    result = here("-rA")
    result.assert_outcomes(failed=6, passed=3)
    result.stdout.fnmatch_lines(["*was about to use the network (192.0.2.1:9), which is blocked*"])
    result.stdout.fnmatch_lines(["*(the name example.invalid)*"])
    here("-o", "pixelrouter_block_network=true").assert_outcomes(failed=8, passed=1)
    here("-o", "pixelrouter_block_loopback=true", "-k", "test_loopback").assert_outcomes(failed=1)


@slow
@pytest.mark.parametrize("mode", ["record-missing", "rewrite", "live"])
def test_paying_needs_a_limit_and_in_ci_a_second_word(pytester: pytest.Pytester, here: Run, mode: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = here("--pixelrouter-mode", mode)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--pixelrouter-max-usd*"])
    limited = ("--pixelrouter-mode", mode, "--pixelrouter-max-usd", "1")
    in_ci = here(*limited, env={"CI": "true"})
    assert in_ci.ret == pytest.ExitCode.USAGE_ERROR
    in_ci.stderr.fnmatch_lines(["*PIXELROUTER_ALLOW_SPEND=1*"])
    here(*limited, env={"CI": "true", "PIXELROUTER_ALLOW_SPEND": "1"}).assert_outcomes(passed=1)
    here(*limited, env={"CI": "false"}).assert_outcomes(passed=1)


@slow
def test_the_mode_is_taken_from_the_nearest_place(pytester: pytest.Pytester, here: Run) -> None:
    pytester.makepyfile("def test_it(): pass")
    pytester.makeini("[pytest]\npixelrouter_mode = live\n")
    assert here().ret == pytest.ExitCode.USAGE_ERROR
    here(env={"PIXELROUTER_TEST_MODE": "replay"}).assert_outcomes(passed=1)
    here("--pixelrouter-mode", "replay", env={"PIXELROUTER_TEST_MODE": "live"}).assert_outcomes(passed=1)
    assert here(env={"PIXELROUTER_TEST_MODE": "once"}).ret == pytest.ExitCode.USAGE_ERROR
    bad = here("--pixelrouter-mode", "live", "--pixelrouter-max-usd", "much")
    assert bad.ret == pytest.ExitCode.USAGE_ERROR


LIMITED = """
    import pytest
    from pixelrouter import PixelRouter

    @pytest.mark.parametrize("number", range(4))
    def test_it(pixelrouter_replay, number):
        pixelrouter_replay.generate(f"potion {number}", size=32, backend="retrodiffusion")
"""


@slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_limit_holds_for_the_whole_run(
    pytester: pytest.Pytester, run: Run, vendor: RetroDiffusionSimulator, at_vendor: dict[str, str], workers: tuple
) -> None:
    """A sprite is $0.025: under $0.06 two fit, whoever draws them."""
    pytester.makepyfile(LIMITED)
    paid = run("--pixelrouter-mode", "record-missing", "--pixelrouter-max-usd", "0.06", *workers, env=at_vendor)
    paid.assert_outcomes(passed=2, failed=2)
    assert vendor.paid_posts == 2
    run(*workers).assert_outcomes(passed=2, failed=2)


@slow
def test_a_test_can_be_given_less(
    pytester: pytest.Pytester, here: Run, vendor: RetroDiffusionSimulator, at_vendor: dict[str, str]
) -> None:
    pytester.makepyfile(LIMITED.replace("    @pytest", "    @pytest.mark.pixelrouter(max_usd=0.01)\n    @pytest", 1))
    result = here("--pixelrouter-mode", "live", "--pixelrouter-max-usd", "1", env=at_vendor)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["*OverBudget*"])
    assert vendor.paid_posts == 0


@slow
def test_a_router_beside_the_fixture_may_not_pay_even_then(pytester: pytest.Pytester, here: Run, monkeypatch) -> None:
    """Its ledger is another one, which the run's limit does not reach."""
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_" + "0" * 37)
    pytester.makepyfile(
        PAYS
        + """
    import httpx

    class Answers(httpx.HTTPTransport):
        def handle_request(self, request):
            return httpx.Response(401, json={"detail": "no"})

    def test_it(pixelrouter_replay, tmp_path):
        with pytest.raises(PixelRouterError, match="test run"):
            buy(tmp_path, transport=Answers())
        """
    )
    result = here("--pixelrouter-mode", "live", "--pixelrouter-max-usd", "1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*was about to pay*"])


@slow
def test_workers_carry_their_notes_home(pytester: pytest.Pytester, run: Run) -> None:
    folder = pytester.path / "recordings" / "test_workers_carry_their_notes_home" / "test_a"
    folder.mkdir(parents=True)
    data = {"version": 1, "origin": "recorded", "source": "x", "date": "2020-01-01", "exchanges": []}
    (folder / "cassette.json").write_text(json.dumps(data))
    pytester.makepyfile("def test_a(pixelrouter_replay): pass")
    result = run("-n", "1", "--pixelrouter-unused")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["expired: recordings/*/test_a was recorded on 2020-01-01"])
    result.stdout.no_fnmatch_line("unused:*")


@slow
def test_nothing_is_left_in_the_environment(pytester: pytest.Pytester, here: Run, monkeypatch) -> None:
    pytester.makepyfile("def test_a(pixelrouter_replay, fake_pixelrouter): pass\ndef test_b(): pass")
    before = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    here().assert_outcomes(passed=2)
    assert {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"} == before
