"""Each planted defect is found, and a clean cassette is clean."""

import base64
import io
import json
import subprocess
import sys
from datetime import date

import pytest
from PIL import Image

from pixelrouter.wire.cassette import Cassette
from pixelrouter.wire.lint import lint, main


def png():
    file = io.BytesIO()
    Image.effect_noise((16, 16), 50).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """One clean cassette with an image, in tmp_path/vendor/success."""
    scenario = tmp_path / "vendor" / "success"
    made = Cassette.documented(scenario, source="the contract", day=date(2026, 1, 2))
    answer = {"base64_images": [base64.b64encode(png()).decode()], "task_id": "4d3c2b1a-0000-4000-8000-000000000000"}
    made.append(
        "POST",
        "https://api.vendor.com/v2/x",
        b'{"prompt": "a potion"}',
        status=200,
        headers={"Content-Type": "application/json"},
        content=json.dumps(answer).encode(),
    )
    return scenario


def change(folder, edit):
    path = folder / "cassette.json"
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


def response(data):
    return data["exchanges"][0]["response"]


def test_a_clean_cassette_is_clean(folder, tmp_path, capsys):
    (folder / "README.md").write_text("What this is.")
    assert lint(tmp_path) == []
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


EDITS = {
    "version": (lambda d: d.update(version=2), "version"),
    "no origin": (lambda d: d.pop("origin"), "origin"),
    "strange origin": (lambda d: d.update(origin="imagined"), "origin"),
    "documented without source": (lambda d: d.pop("source"), "source and date"),
    "documented without date": (lambda d: d.update(date=None), "source and date"),
    "no exchange": (lambda d: d.update(exchanges=[]), "no exchange"),
    "unknown field": (lambda d: d.update(note="x"), "note"),
    "no method": (lambda d: d["exchanges"][0]["request"].pop("method"), "method"),
    "status": (lambda d: response(d).update(status=42), "status"),
    "two bodies": (lambda d: response(d).update(body_text="x"), "one form"),
    "path traversal": (lambda d: response(d).update(body={"$base64_file": "../x.png"}), "plain file name"),
    "vendor key": (lambda d: response(d)["body"].update(x="rdpk-0123456789ab"), "credential"),
    "signed address": (lambda d: response(d)["body"].update(x="https://h/i?a=1&Signature=abcd"), "signed address"),
    "key as name": (lambda d: response(d)["body"].update({"api_key": "9f86d081884c7d659a2feaa0c55ad015"}), "api_key"),
    "bearer": (lambda d: d["exchanges"][0]["request"]["body"].update(t="Bearer abcdefghij0123456789"), "credential"),
    "header": (lambda d: response(d)["headers"].update({"x-account-id": "7"}), "allow-list"),
    "token header": (lambda d: response(d)["headers"].update({"x-rd-token": "9f86d081884c7d65"}), "x-rd-token"),
    "missing file": (lambda d: response(d).update(body={"$base64_file": "gone.png"}), "gone.png, which does not exist"),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_planted_defect_is_found(folder, tmp_path, name):
    edit, expected = EDITS[name]
    change(folder, edit)
    findings = lint(tmp_path)
    assert any(expected in finding for finding in findings), findings
    assert main([str(tmp_path)]) == 1


def test_a_finding_does_not_repeat_the_secret(folder, tmp_path):
    change(folder, lambda d: response(d)["body"].update(x="rdpk-0123456789ab"))
    assert "0123456789" not in "".join(lint(tmp_path))


def test_defects_in_files_are_found(folder, tmp_path):
    [image] = folder.glob("*.png")
    whole = image.read_bytes()
    (folder / "forgotten.bin").write_bytes(b"x")
    assert any("forgotten.bin" in finding and "nothing" in finding for finding in lint(tmp_path))
    (folder / "forgotten.bin").unlink()
    image.write_bytes(whole[:-40])
    assert any("does not decode" in finding for finding in lint(tmp_path))
    image.write_bytes(whole + b"rdpk-0123456789ab")
    assert any("credential" in finding for finding in lint(tmp_path))
    image.write_bytes(b"GIF8")
    assert any("does not decode" in finding for finding in lint(tmp_path))
    image.write_bytes(whole)
    assert lint(tmp_path) == []


def test_a_huge_image_is_refused_before_it_is_decoded(folder, tmp_path):
    [image] = folder.glob("*.png")
    file = io.BytesIO()
    Image.new("1", (5000, 4000)).save(file, "PNG")
    image.write_bytes(file.getvalue())
    assert any("5000x4000" in finding for finding in lint(tmp_path))


def test_folders_without_cassettes_are_found(folder, tmp_path):
    stray = tmp_path / "vendor" / "no_balance"
    stray.mkdir()
    (stray / "0001-body.png").write_bytes(png())
    assert any("no_balance: holds files but no cassette.json" in finding for finding in lint(tmp_path))
    assert any("no cassette.json" in finding for finding in lint(tmp_path / "nowhere"))


def test_what_is_no_json_is_found(folder, tmp_path):
    (folder / "cassette.json").write_text("{")
    assert len(lint(tmp_path)) == 1


def test_as_a_command(folder, tmp_path):
    command = [sys.executable, "-m", "pixelrouter.wire.lint", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    (folder / "stray.txt").write_text("x")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "stray.txt" in done.stdout
    assert "1 finding" in done.stderr
