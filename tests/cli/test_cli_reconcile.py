"""``reconcile``: the table, the JSON, the exit codes, the images."""

import pytest

from pixelrouter.testing import PixelLabSimulator, ReplicateSimulator


@pytest.fixture
def vendor(home, monkeypatch):
    """Replicate's simulator."""
    with ReplicateSimulator() as simulator:
        monkeypatch.setenv("REPLICATE_API_TOKEN", simulator.keys[0])
        monkeypatch.setenv("PIXELROUTER_BACKENDS_REPLICATE_BASE_URL", simulator.url)
        monkeypatch.setenv("PIXELROUTER_BACKENDS_REPLICATE_POLL_S", "0")
        yield simulator


def lose(cli, fault, simulator, lag=0.0):
    simulator.fault(fault)
    simulator.list_lag = lag
    result = cli("generate", "a red potion", "--backend", simulator.vendor, "--size", "64")
    simulator.list_lag = 0.0
    return result


def test_nothing_to_reconcile(cli, cli_json, home):
    assert "No attempt of unknown outcome." in cli("reconcile").stderr
    assert cli_json("reconcile") == []


def test_a_found_job_is_collected_and_saved(cli, cli_json, vendor, home):
    lost = lose(cli, "lose_reply", vendor, lag=60)
    assert lost.exit_code == 7
    assert "pixelrouter reconcile" in lost.stderr
    (looked,) = cli_json("reconcile", "--dry-run", code=7)
    assert (looked["outcome"], looked["settled"]) == ("found", False)
    result = cli("reconcile", "-o", "art")
    assert result.exit_code == 0, result.output
    for word in ("attempt", "how sure", "found", "certain", "vendor's list", "nothing: the image is here"):
        assert word in result.stdout
    assert (home / "art" / "a-red-potion.png").exists()
    assert "a-red-potion.png" in result.stdout
    assert len(vendor.charges) == 1
    assert "certain, by the vendor's list" in cli("jobs", "--all").stdout
    (row,) = cli_json("jobs", "--all")
    assert row["evidence"]["outcome"] == "found"


def test_an_outcome_that_stays_open_is_exit_code_7(cli, cli_json, vendor):
    lose(cli, "lose_before", vendor)
    result = cli("reconcile")
    assert result.exit_code == 7
    assert "Reconcile again in" in result.stdout
    (row,) = cli_json("reconcile", code=7)
    assert (row["outcome"], row["settled"], row["files"]) == ("unknown", False, [])
    short = row["attempt"]["id"][:8]
    assert cli("reconcile", short).exit_code == 7
    assert "reconcile" in cli("jobs").stdout
    assert "pixelrouter reconcile" in cli("doctor").stdout
    assert cli("resume", short, "--not-charged").exit_code == 0
    assert cli("reconcile", short).exit_code == 2


def test_a_charge_told_by_the_balance(cli, cli_json, home, monkeypatch):
    with PixelLabSimulator() as simulator:
        monkeypatch.setenv("PIXELLAB_SECRET", simulator.keys[0])
        monkeypatch.setenv("PIXELROUTER_BACKENDS_PIXELLAB_BASE_URL", simulator.url)
        monkeypatch.setenv("PIXELROUTER_BACKENDS_PIXELLAB_POLL_S", "0")
        lost = lose(cli, "lose_reply", simulator)
        assert lost.exit_code == 6
        assert "likely charged" in lost.stderr
        assert "was charged" in lost.stderr
        assert "likely, by the balance" in cli("jobs", "--all").stdout


@pytest.mark.parametrize("arguments", [["--accept", "certain"], ["-o", "potion.png"], ["nothing-begins-so"]])
def test_wrong_usage(cli, arguments):
    assert cli("reconcile", *arguments).exit_code == 2
