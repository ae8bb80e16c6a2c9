"""costs, jobs, resume, doctor, backends: against the free backend and the Retro Diffusion simulator."""

import pytest

from pixelrouter.testing import RetroDiffusionSimulator


@pytest.fixture
def vendor(home, monkeypatch):
    """The simulator, configured as Retro Diffusion."""
    with RetroDiffusionSimulator() as simulator:
        monkeypatch.setenv("RETRODIFFUSION_API_KEY", simulator.keys[0])
        monkeypatch.setenv("PIXELROUTER_BACKENDS_RETRODIFFUSION_BASE_URL", simulator.url)
        monkeypatch.setenv("PIXELROUTER_BACKENDS_RETRODIFFUSION_POLL_S", "0")
        yield simulator


def buy(cli, *args):
    return cli("generate", "a red potion", "--backend", "retrodiffusion", "--size", "64", *args)


def test_a_fresh_ledger_is_empty(cli, cli_json):
    assert cli_json("costs") == cli_json("jobs") == cli_json("resume") == []
    assert "Nothing was spent yet." in cli("costs").stderr
    assert "No unfinished jobs." in cli("jobs").stderr
    assert "No attempts." in cli("jobs", "--all").stderr
    assert "No job to collect." in cli("resume").stderr


def test_costs_add_up_what_the_vendor_charged(cli, cli_json, vendor):
    bought = buy(cli)
    assert bought.exit_code == 0, bought.output
    assert buy(cli).exit_code == 0
    (charge,) = vendor.charges
    for by, group in (("backend", "retrodiffusion"), ("day", None), ("run", None)):
        (row,) = [row for row in cli_json("costs", "--by", by) if row["spent"] != "0"]
        assert row["spent"] == str(charge.money.amount)
        assert group in (None, row["group"])
    assert str(charge.money) in cli("costs").stdout
    assert str(charge.money) in bought.stderr


def test_a_cap_stops_the_purchase(cli, vendor):
    result = buy(cli, "--max-usd", "0.000001")
    assert result.exit_code == 4
    assert "money: nothing was charged" in result.stderr
    assert vendor.charges == []


def test_a_wrong_key_is_refused(cli, vendor, monkeypatch):
    monkeypatch.setenv("RETRODIFFUSION_API_KEY", "rdpk-wrong-wrong-wrong")
    result = buy(cli)
    assert result.exit_code == 5
    assert "wrong-wrong" not in result.output


def test_a_job_that_takes_too_long_is_listed(cli, cli_json, vendor):
    vendor.fault("job_stuck")
    late = buy(cli, "--timeout", "0.3")
    assert late.exit_code == 8, late.output
    assert "held" in late.stderr
    (job,) = cli_json("jobs")
    assert job["id"][:12] in cli("jobs").stdout


def test_resume_saves_what_became_ready(cli, cli_json, home, vendor, slow):
    late = buy(cli, "--timeout", "0.3")
    assert late.exit_code == 8, late.output
    slow.advance(7200)
    result = cli("resume", "-o", "late", "--scale", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout == "late/a-red-potion.png\n"
    assert (home / "late" / "a-red-potion.png").is_file()
    assert len(slow.charges) == 1
    assert cli_json("jobs") == []


@pytest.fixture
def slow(vendor, monkeypatch):
    """A vendor whose jobs take an hour."""
    with RetroDiffusionSimulator(job_seconds=3600) as simulator:
        monkeypatch.setenv("PIXELROUTER_BACKENDS_RETRODIFFUSION_BASE_URL", simulator.url)
        yield simulator


@pytest.mark.parametrize(
    ("word", "state", "booked"), [("--charged", "settled", "spent"), ("--not-charged", "released", None)]
)
def test_an_unclear_attempt_is_closed_by_the_persons_word(cli, cli_json, vendor, monkeypatch, word, state, booked):
    monkeypatch.setenv("PIXELROUTER_BACKENDS_RETRODIFFUSION_API_VERSION", "v1")
    vendor.fault("lose_reply")
    lost = buy(cli)
    assert lost.exit_code == 7, lost.output
    assert "is held" in lost.stderr
    (job,) = cli_json("jobs")
    assert job["state"] == "unknown"
    closed = cli("resume", job["id"], word)
    assert closed.exit_code == 0
    assert f"is {state}" in closed.stderr
    (row,) = cli_json("costs")
    assert row["held"] == "0"
    assert (row["spent"] != "0") == (booked == "spent")
    assert cli_json("jobs") == []


def test_a_failed_job_tells_what_it_cost(cli, vendor):
    vendor.fault("job_failed")
    result = buy(cli)
    assert result.exit_code == 6
    assert "money: " in result.stderr


def test_what_came_of_a_short_delivery_is_saved(cli, home, vendor):
    vendor.fault("fewer_images")
    result = buy(cli, "--n", "3", "-o", "p.png")
    assert result.exit_code == 6, result.output
    assert result.stdout.split() == ["p-1.png", "p-2.png"]
    assert "was charged" in result.stderr


def test_jobs_lists_history(cli, cli_json):
    cli("generate", "a red potion in a very long bottle that nobody would ever finish reading")
    assert cli_json("jobs") == []
    (job,) = cli_json("jobs", "--all")
    shown = cli("jobs", "--all").stdout
    assert job["id"][:12] in shown
    assert job["state"] == "settled"
    assert "finish reading" not in shown


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["resume", "abc", "--all"], "not both"),
        (["resume", "--charged"], "need the ID"),
        (["resume", "-o", "x.png"], "name a folder"),
        (["resume", "abc"], "'abc'"),
        (["resume", "abc", "--charged"], "'abc'"),
        (["costs", "--by", "moon"], "moon"),
        (["jobs", "--limit", "0"], "limit"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_usage(cli, args, says):
    result = cli(*args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_backends_shows_which_key_is_set_but_not_the_key(cli, cli_json, monkeypatch):
    rows = {row["name"]: row for row in cli_json("backends")}
    assert rows["procedural"]["configured"] is True
    assert rows["retrodiffusion"]["configured"] is False
    monkeypatch.setenv("RD_API_KEY", "rdpk-0123456789ab")
    shown = cli("backends").stdout
    assert "yes (RD_API_KEY)" in shown
    assert "0123456789" not in shown


def test_doctor(cli, cli_json, monkeypatch):
    assert all(check["ok"] for check in cli_json("doctor"))
    assert "FAIL" not in cli("doctor").stdout
    monkeypatch.setenv("PIXELROUTER_BACKEND", "retrodiffusion")
    result = cli("doctor")
    assert result.exit_code == 3
    assert "Set RETRODIFFUSION_API_KEY" in result.stdout


def test_the_models_of_a_backend_are_listed_with_their_limits(cli, cli_json):
    rows = cli_json("backends", "replicate")
    fast = next(row for row in rows if row["id"] == "rd-fast/default")
    assert {"image", "edit"} <= set(fast["tasks"])
    assert (fast["min_width"], fast["max_width"], fast["max_n"]) == (64, 384, 10)
    assert {"licence", "commercial_use", "seeds", "alpha", "palettes", "native", "max_references"} <= set(fast)
    assert "rd-fast/default" in cli("backends", "replicate").stdout
    assert cli("backends", "nobody").exit_code == 3


def test_a_backend_whose_packages_are_missing_is_not_called_ready(cli, cli_json, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest))
    row = next(row for row in cli_json("backends") if row["name"] == "diffusers")
    assert not row["configured"]
    assert "torch" in row["lacks"]
    assert "pixelrouter[local]" in cli("backends").stdout
    check = next(check for check in cli_json("doctor") if check["check"] == "backend diffusers")
    assert check["ok"]  # not chosen, so no fault
    monkeypatch.setenv("PIXELROUTER_BACKEND", "diffusers")
    check = next(check for check in cli_json("doctor", code=3) if check["check"] == "backend diffusers")
    assert not check["ok"]
    assert "pixelrouter[local]" in check["fix"]
