"""A vendor is one file and one cassette folder: the plugin in examples/, installed beside us, with no edit of ours."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "examples" / "acme_backend"
PAGE = ROOT / "docs" / "backends.md"
KEY = "acme-simulated-1"
Run = Callable[..., subprocess.CompletedProcess[str]]


def installed(site: Path) -> dict[str, str]:
    """The environment of a Python that has the plugin: its metadata as an installer writes it, its code where it is."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"acme_backend-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [line for group, points in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return python_path(site, PLUGIN, ROOT)


def python_path(*places: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places)), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def python(tmp_path: Path) -> Run:
    """Runs this Python in a folder of its own, the plugin installed."""
    env = installed(tmp_path / "site")
    (tmp_path / "game").mkdir()
    (tmp_path / "game" / "pixelrouter.toml").write_text('project = "test"\n')

    def run(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *args], env=env | more, cwd=tmp_path / "game", capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip

    return run


@contextmanager
def simulator(env: dict[str, str]) -> Iterator[str]:
    """The vendor as a program; its address. It has to end well when told to stop."""
    command = [sys.executable, "-m", "pixelrouter.testing.simulator", "acme"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert re.fullmatch(rf"http://127\.0\.0\.1:\d+ is a acme simulator\..*ACME_API_KEY={KEY}\n", said)
            yield said.split()[0]
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def passed(result: subprocess.CompletedProcess[str]) -> int:
    """How many tests passed; none may have failed or broken."""
    assert result.returncode == 0, result.stdout + result.stderr
    found = re.search(r"(\d+) passed", result.stdout)
    assert found, result.stdout
    return int(found[1])


CONTRACT = ("-m", "pytest", "--pyargs", "pixelrouter.testing.contract", "-k", "acme", "-p", "no:cacheprovider")


@pytest.mark.slow
def test_the_contract_holds_for_a_plugin(python: Run) -> None:
    """And buys for real: a backend without a simulator would only be looked at."""
    result = python(*CONTRACT, "-rs")
    assert passed(result) > 140
    assert "skipped" not in result.stdout


@pytest.mark.slow
def test_the_contract_sees_a_backend_that_guesses_in_the_cheap_direction(python: Run, tmp_path: Path) -> None:
    """The same plugin with one line changed: what a gateway says is taken for a refusal. It must not pass."""
    shadow = tmp_path / "shadow" / "acme_backend"
    shadow.mkdir(parents=True)
    source = (PLUGIN / "acme_backend" / "__init__.py").read_text("utf-8")
    broken = source.replace("        return errors.UnexpectedAnswer(\n", "        return errors.Refused(\n")
    assert broken != source
    (shadow / "__init__.py").write_text(broken, "utf-8")
    (shadow / "simulator.py").write_text((PLUGIN / "acme_backend" / "simulator.py").read_text("utf-8"), "utf-8")
    path = os.pathsep.join(map(str, (tmp_path / "site", shadow.parent, ROOT)))
    wanted = "acme and (bad_gateway or server_error or no_refusal)"
    result = python(*CONTRACT[:-4], "-k", wanted, *CONTRACT[-2:], PYTHONPATH=path)
    assert result.returncode == 1
    assert "test_a_fault_never_buys_twice[bad_gateway_html-acme]" in result.stdout
    assert "usd: booked 0, charged 40000" in result.stdout  # the judge's own words


def test_the_plugins_own_tests(python: Run) -> None:
    tests = (str(PLUGIN / "tests" / f"test_{name}.py") for name in ("answers", "cassettes"))
    assert passed(python("-m", "pytest", "-p", "no:cacheprovider", *tests)) > 40


def test_the_command_line_knows_it(python: Run) -> None:
    result = python("-m", "pixelrouter", "backends", "--json")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["acme"]["kind"] == "remote"
    assert set(rows["acme"]["tasks"]) == {"image", "views"}
    assert "retrodiffusion" in rows


def test_generate_buys_once_from_the_simulator_that_the_environment_names(python: Run, tmp_path: Path) -> None:
    with simulator(python_path(tmp_path / "site", PLUGIN, ROOT)) as url:
        env = {"PIXELROUTER_BACKENDS_ACME_BASE_URL": url, "PIXELROUTER_BACKENDS_ACME_POLL_S": "0", "ACME_API_KEY": KEY}
        command = ("-m", "pixelrouter", "generate", "a red potion", "--size", "32", "--backend", "acme")
        for reused in (False, True):
            result = python(*command, "-o", "potion.png", "--json", **env)
            assert result.returncode == 0, result.stderr
            assert json.loads(result.stdout)["reused"] is reused
            assert KEY not in result.stdout + result.stderr
        with Image.open(tmp_path / "game" / "potion.png") as image:
            assert (image.mode, image.size) == ("P", (32, 32))
        with urllib.request.urlopen(f"{url}/_sim/state", timeout=20) as answer:
            state = json.load(answer)
        assert (len(state["charges"]), state["charged_micros"]) == (1, 40_000)
        left = python("-m", "pixelrouter", "balance", "acme", "--json", **env)
        assert json.loads(left.stdout) == {"acme": {"amount": "9.96", "unit": "usd"}}


def test_nothing_of_ours_knows_the_vendor() -> None:
    """Zero other edits: the plugin's name stands in no file of the package and in none of our cassettes."""
    ours = [ROOT / "pixelrouter", ROOT / "cassettes"]
    files = [
        path for folder in ours for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert len(files) > 100
    assert [path for path in files if b"acme" in path.read_bytes().lower() and path.suffix != ".png"] == []


def test_the_backend_is_one_file_that_sends_nothing() -> None:
    """Its imports are those of a backend of ours: types, errors, the protocol, pydantic, the standard library."""
    tree = ast.parse((PLUGIN / "acme_backend" / "__init__.py").read_text("utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    foreign = {name for name in modules if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"pydantic", "pixelrouter", "pixelrouter.backends.protocol", "pixelrouter.types"}
    assert {"socket", "http", "urllib.request", "time", "logging"}.isdisjoint(modules)


# --- docs/backends.md and the plugin's README ---


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def bare(text: str) -> str:
    """Code without indentation of the whole and without blank lines: a method's excerpt is still the method's."""
    return "\n".join(line.strip() for line in textwrap.dedent(text).splitlines() if line.strip())


def test_the_guides_python_is_the_plugins_own_or_runs(python: Run) -> None:
    """Every block is an excerpt of the plugin, word for word ("..." leaves lines out), or a program that prints."""
    plugin = "\n".join(bare(path.read_text("utf-8")) for path in sorted(PLUGIN.rglob("*.py")))
    programs, excerpts = [], 0
    for code in blocks(PAGE, "python"):
        if "print(" in code:
            programs.append(code)
            continue
        for part in re.split(r"^\s*\.\.\.$", code, flags=re.MULTILINE):
            excerpts += 1
            assert bare(part) in plugin, f"not in the plugin:\n{part}"
    assert excerpts > 12
    outputs = re.findall(r"prints\n\n```\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(programs) == len(outputs) > 0
    for code, output in zip(programs, outputs, strict=True):
        result = python("-c", code)
        assert (result.stdout, result.stderr) == (output, "")


def test_the_guides_config_is_the_plugins_own() -> None:
    project = (PLUGIN / "pyproject.toml").read_text("utf-8")
    found = blocks(PAGE, "toml")
    assert found
    for text in found:
        tomllib.loads(text)
        assert text in project


def test_the_guides_name_files_and_members_that_exist() -> None:
    for page in (PAGE, PLUGIN / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), target
    from pixelrouter.backends.protocol import RemoteBackend

    members = {name for name in vars(RemoteBackend) if not name.startswith("_") and callable(vars(RemoteBackend)[name])}
    text = PAGE.read_text("utf-8")
    assert [name for name in sorted(members) if f"`{name}" not in text] == []


@pytest.mark.slow
def test_types_are_strict_and_fit_the_protocol(tmp_path: Path) -> None:
    fits = tmp_path / "fits.py"
    fits.write_text(
        "from acme_backend import Backend\nfrom pixelrouter.backends.protocol import RemoteBackend\n\n"
        "made: type[RemoteBackend] = Backend\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(fits)]
    env = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, (PLUGIN, ROOT)))}
    result = subprocess.run(
        [*command, str(PLUGIN / "acme_backend")], env=env, cwd=ROOT, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
def test_installed_by_pip_it_keeps_the_contract(tmp_path: Path) -> None:
    """The real thing: built by its build backend, installed into a folder, found by its entry points alone."""
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(target), str(PLUGIN)], check=True, timeout=300)
    names = {path.name for path in target.iterdir()}
    assert {"acme_backend", "acme_backend-0.1.0.dist-info"} <= names
    assert {path.name for path in (target / "acme_backend").iterdir() if path.is_file()} == {
        *("__init__.py", "simulator.py", "py.typed"),
    }
    result = subprocess.run(
        [sys.executable, *CONTRACT], env=python_path(target, ROOT), cwd=tmp_path, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert passed(result) > 140
