"""Settings: where they are found, who wins, and what a mistake says."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from pixelrouter.backends.protocol import BackendSettings
from pixelrouter.config import Options, credential, load_settings
from pixelrouter.errors import ConfigError, redact

DOC = Path(__file__).parents[1] / "docs" / "configuration.md"


@pytest.fixture
def game(tmp_path):
    """A game's folder with a config file."""
    folder = tmp_path / "game"
    (folder / "scripts").mkdir(parents=True)
    (folder / "pixelrouter.toml").write_text(
        'backend = "retrodiffusion"\ncolors = 8\nmax_usd = 0.1\nstate = "cache"\n\n'
        '[backends.retrodiffusion]\nmodel = "rd_fast__default"\n'
    )
    return folder


def refusal(start, env=None, overrides=None):
    with pytest.raises(ConfigError) as caught:
        load_settings(start=start, env=env or {}, overrides=overrides)
    return str(caught.value)


def write(folder, text, name="pixelrouter.toml"):
    (folder / name).write_text(text)
    return folder


# --- finding the file -------------------------------------------------------------------------------------------------


def test_the_file_is_found_by_walking_up(game):
    settings = load_settings(start=game / "scripts", env={})
    assert settings.config_file == game / "pixelrouter.toml"
    assert settings.candidates() == ("retrodiffusion",)


def test_without_any_config_the_free_backend_is_used(tmp_path):
    settings = load_settings(start=tmp_path, env={})
    assert settings.candidates() == ("procedural",)
    assert settings.config_dir is None
    assert settings.state_dir.name == "pixelrouter"


def test_pyproject_is_read_where_it_has_our_section(tmp_path):
    write(tmp_path, '[project]\nname = "game"\n[tool.pixelrouter]\ncolors = 4\n', "pyproject.toml")
    settings = load_settings(start=tmp_path, env={})
    assert settings.colors == 4
    assert settings.origin("colors") == "pyproject.toml:4"
    write(tmp_path, "colors = 5\n")
    assert load_settings(start=tmp_path, env={}).colors == 5


def test_a_pyproject_without_our_section_is_passed_by(game):
    for text in ('[project]\nname = "game"\n', 'dependencies = ["pixelrouter"]\n', "broken ["):
        write(game / "scripts", text, "pyproject.toml")
        assert load_settings(start=game / "scripts", env={}).config_dir == game


def test_the_variable_names_a_file_outright(game, tmp_path):
    settings = load_settings(start=tmp_path, env={"PIXELROUTER_CONFIG": "game/pixelrouter.toml"})
    assert settings.config_dir == game
    assert "PIXELROUTER_CONFIG names nowhere.toml" in refusal(game, {"PIXELROUTER_CONFIG": "nowhere.toml"})
    write(tmp_path, "[tool.other]\n", "pyproject.toml")
    assert "has no [tool.pixelrouter]" in refusal(tmp_path, {"PIXELROUTER_CONFIG": "pyproject.toml"})


# --- who wins ---------------------------------------------------------------------------------------------------------


def test_argument_beats_environment_beats_file_beats_default(game):
    def colors(env, overrides=None):
        settings = load_settings(start=game, env=env, overrides=overrides)
        return settings.colors, settings.origin("colors")

    assert colors({}) == (8, "pixelrouter.toml:2")
    assert colors({"PIXELROUTER_COLORS": "16"}) == (16, "environment PIXELROUTER_COLORS")
    assert colors({"PIXELROUTER_COLORS": "16"}, {"colors": 32}) == (32, "argument")
    assert colors({"PIXELROUTER_COLORS": " "}, {"colors": None}) == (8, "pixelrouter.toml:2")
    assert load_settings(start=game, env={}).origin("policy") == "default"


def test_a_nearer_backend_replaces_a_farther_route(tmp_path):
    write(tmp_path, 'route = ["retrodiffusion", "procedural"]\n')
    assert load_settings(start=tmp_path, env={}).candidates() == ("retrodiffusion", "procedural")
    settings = load_settings(start=tmp_path, env={"PIXELROUTER_BACKEND": "procedural"})
    assert settings.candidates() == ("procedural",)
    assert settings.origin("route") == "default"
    settings = load_settings(start=tmp_path, env={}, overrides={"route": ("procedural", "fal")})
    assert settings.candidates() == ("procedural", "fal")


def test_every_option_can_be_set_by_a_variable(tmp_path):
    sample = {
        "backend": "fal",
        "size": "32x48",
        "colors": "4",
        "palette": "#ff0000,#00ff00",
        "transparent": "true",
        "policy": "reject",
        "min_score": "80",
        "timeout_s": "5",
        "on_unknown": "spend_again",
        "strategy": "fastest",
        "ledger": "postgresql://build@db/game",
        "lease_s": "30",
        "observe": "logging,otel",
        "state": "s",
        "project": "p",
        "run": "r",
        "cassette": "c",
        "cassette_mode": "record",
        "max_usd": "0.1",
        "max_usd_per_run": "0.2",
        "max_usd_per_day": "0.3",
        "max_usd_per_project": "0.4",
        "max_generations": "1",
        "max_generations_per_run": "2",
        "max_generations_per_day": "3",
        "max_generations_per_project": "4",
    }
    assert {*sample, "route", "stand_in"} == set(Options.model_fields)
    settings = load_settings(start=tmp_path, env={f"PIXELROUTER_{k.upper()}": v for k, v in sample.items()})
    assert settings.size == "32x48"
    assert settings.palette == ("#ff0000", "#00ff00")
    assert settings.transparent is True
    assert settings.observe == ("logging", "otel")
    assert settings.max_usd == Decimal("0.1")
    assert settings.state_dir == tmp_path / "s"
    for key in sample:
        assert settings.origin(key) == f"environment PIXELROUTER_{key.upper()}"
    assert load_settings(start=tmp_path, env={"PIXELROUTER_ROUTE": "a, b"}).route == ("a", "b")


def test_a_stand_in_keeps_away_from_every_real_ledger_and_recording(game):
    real = {"ledger": "postgresql://build@db/game", "state": "mine", "cassette": "c"}
    env = {f"PIXELROUTER_{key.upper()}": value for key, value in real.items()} | {"PIXELROUTER_STAND_IN": "fake"}
    for overrides in ({}, real):
        settings = load_settings(start=game, env=env, overrides=overrides)
        assert settings.state_dir == game / "fake" / "state"
        assert (settings.ledger, settings.cassette) == (None, None)


def test_paths_are_relative_to_the_place_that_names_them(game):
    assert load_settings(start=game / "scripts", env={}).state_dir == game / "cache"
    settings = load_settings(start=game / "scripts", env={"PIXELROUTER_STATE": "mine"})
    assert settings.state_dir == game / "scripts" / "mine"
    write(game, 'palette = "game.hex"\n')
    assert load_settings(start=game / "scripts", env={}).palette == "game.hex"  # might be a built-in name
    write(game, "ff0000\n", "game.hex")
    assert load_settings(start=game / "scripts", env={}).palette == str(game / "game.hex")
    assert load_settings(start=game, env={}).state_dir == game / ".pixelrouter"


def test_money_is_exact(tmp_path):
    for text in ("0.1", '"0.1"'):
        write(tmp_path, f"max_usd = {text}\n")
        assert load_settings(start=tmp_path, env={}).max_usd == Decimal("0.1")


def test_settings_are_frozen(game):
    settings = load_settings(start=game, env={})
    with pytest.raises(ValidationError):
        settings.max_usd = Decimal(100)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colours = 8\n", ["pixelrouter.toml:1", "'colours'", "Did you mean 'colors'?"]),
        ("\ncolors = 'many'\n", ["pixelrouter.toml:2", "colors = 'many'", "integer"]),
        ("colors = true\n", ["pixelrouter.toml:1", "colors", "not true or false"]),
        ("colors = 0\n", ["pixelrouter.toml:1", "colors = 0"]),
        ("size = 'big'\n", ["pixelrouter.toml:1", "'big' is not a size"]),
        ("size = 5000\n", ["pixelrouter.toml:1", "1..1024"]),
        ("max_usd = -1\n", ["pixelrouter.toml:1", "max_usd = -1"]),
        ("max_usd = inf\n", ["pixelrouter.toml:1", "finite"]),
        ("max_usd_per_project = true\n", ["pixelrouter.toml:1", "not true or false"]),
        ("route = []\n", ["pixelrouter.toml:1", "at least one"]),
        ("route = ['a', 'a']\n", ["pixelrouter.toml:1", "once"]),
        ("policy = 'hope'\n", ["pixelrouter.toml:1", "'resample'"]),
        ("backend = 'a'\nroute = ['b']\n", ["pixelrouter.toml:1 and pixelrouter.toml:2", "both set", "Keep one"]),
        ("backends = 'fal'\n", ["pixelrouter.toml:1", "should be a table"]),
        ("[backends]\nfal = 3\n", ["pixelrouter.toml:2", "backends.fal should be a table"]),
        ("colors = 8\nsize = = 3\n", ["pixelrouter.toml:2", "not valid TOML"]),
    ],
)
def test_a_mistake_in_the_file_names_line_key_and_fix(tmp_path, text, says):
    message = refusal(write(tmp_path, text))
    for part in says:
        assert part in message


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "pixelrouter.toml").write_bytes(b"colors = \xff\xfe")
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("PIXELROUTER_MAXUSD", "PIXELROUTER_MAX_USD?"),
        ("PIXELROUTER_COLOURS", "PIXELROUTER_COLORS?"),
        ("PIXELROUTER_MAX_USD_PER_DAYS", "PIXELROUTER_MAX_USD_PER_DAY?"),
        ("PIXELROUTER_BACKEND_FAL_MODEL", "PIXELROUTER_BACKENDS_FAL_MODEL?"),
    ],
)
def test_a_variable_that_is_nearly_right_is_an_error(tmp_path, variable, meant):
    assert f"Did you mean {meant}" in refusal(tmp_path, {variable: "1"})


def test_a_variable_of_another_program_is_ignored(tmp_path):
    load_settings(start=tmp_path, env={"PIXELROUTER_IMAGE_TAG": "1", "PIXELROUTER_RUN_ID": "1", "MAX_USD": "x"})


def test_bad_variables_and_arguments_say_so(tmp_path):
    assert "environment PIXELROUTER_COLORS: colors = 'x'" in refusal(tmp_path, {"PIXELROUTER_COLORS": "x"})
    assert "argument: there is no option 'colour'" in refusal(tmp_path, {}, {"colour": 3})
    assert "[1, oops" in refusal(tmp_path, {"PIXELROUTER_MAX_USD": "[1, oops"})


# --- backends ---------------------------------------------------------------------------------------------------------


def test_a_backends_section_is_merged_with_variables_and_arguments(game):
    env = {
        "PIXELROUTER_BACKENDS_RETRODIFFUSION_BASE_URL": "http://127.0.0.1:8000/",
        "PIXELROUTER_BACKENDS_RETRODIFFUSION_DELIVERY_HOSTS": "a.example, b.example",
        "PIXELROUTER_BACKENDS_RETRODIFFUSION_POLL_S": "0.5",
    }
    overrides = {"backends": {"retrodiffusion": {"poll_s": 0}}}
    settings = load_settings(start=game, env=env, overrides=overrides)
    section = settings.backend_settings("retrodiffusion", BackendSettings)
    assert section.base_url == "http://127.0.0.1:8000"
    assert section.delivery_hosts == ("a.example", "b.example")
    assert section.model == "rd_fast__default"
    assert section.poll_s == 0
    assert settings.origin("backends.retrodiffusion.model") == "pixelrouter.toml:7"
    assert settings.backend_settings("procedural", BackendSettings) == BackendSettings()


def test_mistakes_in_a_section_name_the_place_and_hide_values(tmp_path):
    write(tmp_path, '[backends.fal]\nmodle = "x"\napi_key = "hunter2hunter2"\nbase_url = "ftp://me:secret@x"\n')
    settings = load_settings(start=tmp_path, env={"PIXELROUTER_BACKENDS_FAL_TIMEOUT_S": "soon"})
    with pytest.raises(ConfigError) as caught:
        settings.backend_settings("fal", BackendSettings)
    message = str(caught.value)
    assert "pixelrouter.toml:2: [backends.fal] there is no key 'modle'." in message
    assert "Did you mean 'model'?" in message
    assert "Keys are read from the environment" in message
    assert "pixelrouter.toml:4: [backends.fal] base_url: must start with http" in message
    assert "environment PIXELROUTER_BACKENDS_FAL_TIMEOUT_S: [backends.fal] timeout_s" in message
    assert "hunter2" not in message
    assert "secret" not in message


def test_sections_and_variables_of_unknown_backends_are_refused(tmp_path):
    settings = load_settings(start=write(tmp_path, "[backends.fall]\nmodel = 'x'\n"), env={})
    with pytest.raises(ConfigError, match=r"pixelrouter.toml:2: \[backends.fall\].*Did you mean 'fal'"):
        settings.check_backend_names(["fal", "procedural"])
    settings = load_settings(start=tmp_path.parent, env={"PIXELROUTER_BACKENDS_FALL_BASE_URL": "x"})
    with pytest.raises(ConfigError, match="Did you mean 'PIXELROUTER_BACKENDS_FAL_BASE_URL'"):
        settings.check_backend_names(["fal", "procedural"])
    load_settings(start=tmp_path, env={"PIXELROUTER_BACKENDS_FALL_MODEL": "x"}).check_backend_names(["fall"])


# --- credentials ------------------------------------------------------------------------------------------------------


def test_the_first_variable_that_is_set_wins():
    key, name = credential(["A_KEY", "B_KEY"], {"A_KEY": " \n", "B_KEY": " sekret-value-1\n"})
    assert name == "B_KEY"
    assert key is not None
    assert key.get_secret_value() == "sekret-value-1"
    assert credential(["A_KEY"], {}) == (None, None)


def test_a_credential_is_redacted_from_then_on(tmp_path):
    settings = load_settings(start=tmp_path, env={"A_KEY": "sekret-value-2"})
    key, _ = settings.credential(["A_KEY"])
    assert "sekret" not in repr(key) + repr(settings)
    assert redact("Bearer: sekret-value-2") == "Bearer: [redacted]"


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "smart\u201cquote"])
def test_a_credential_no_header_can_carry_is_refused_without_showing_it(value):
    with pytest.raises(ConfigError) as caught:
        credential(["A_KEY"], {"A_KEY": value})
    assert "A_KEY" in str(caught.value)
    assert value not in str(caught.value)


# --- the manual -------------------------------------------------------------------------------------------------------


def test_the_manual_lists_every_option_with_its_variable_and_default():
    rows = re.findall(r"^\| `(\w+)` \| `(PIXELROUTER_\w+)` \| (.+?) \|", DOC.read_text("utf-8"), re.MULTILINE)
    assert [row[0] for row in rows] == list(Options.model_fields)
    for key, variable, default in rows:
        assert variable == f"PIXELROUTER_{key.upper()}"
        value = Options.model_fields[key].default
        if key != "state":
            assert default == (
                "none" if value is None else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
            )


def test_the_manual_lists_every_key_of_a_section():
    text = DOC.read_text("utf-8").split("## Backends")[1]
    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == list(BackendSettings.model_fields)


def test_the_manuals_example_is_valid(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    tomllib.loads(example)
    settings = load_settings(start=write(tmp_path, example), env={})
    assert settings.candidates() == ("retrodiffusion", "procedural")
    assert settings.max_usd_per_day == Decimal(5)
    assert settings.backend_settings("retrodiffusion", BackendSettings).timeout_s == 90
