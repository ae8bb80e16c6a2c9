"""What the libraries raise, as errors for a person. Classes count by their names, so the ones here bear those."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pixelrouter.backends.diffusers.failures import explain
from pixelrouter.errors import ConfigError, InvalidRequest, JobFailed, PixelRouterError
from pixelrouter.types import Money


def named(name: str, base: type[Exception] = Exception, text: str = "", **attributes: Any) -> Exception:
    """An exception of a class of that name, as the library has it."""
    error = type(name, (base,), {})(text)
    error.__dict__.update(attributes)
    return error


def caused(outer: Exception, *inner: Exception) -> Exception:
    """``outer``, raised from the first of ``inner``, raised from the next …"""
    for error, cause in zip((outer, *inner), inner, strict=False):
        error.__cause__ = cause
    return outer


REPO = named("RepositoryNotFoundError", OSError)
GATED = type("GatedRepoError", (type(REPO),), {})("401")
MISSING = named("LocalEntryNotFoundError", FileNotFoundError)


def http(status: int) -> Exception:
    return named("HfHubHTTPError", OSError, response=SimpleNamespace(status_code=status))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (caused(OSError("not fully cached locally"), GATED), ConfigError, "gated.*hf auth login"),
        (caused(OSError("not a valid model identifier"), ValueError(), REPO), ConfigError, "no repository a/b"),
        (MISSING, ConfigError, "not on this machine.*DIFFUSERS_DOWNLOAD=true"),
        (caused(OSError("couldn't connect"), MISSING), ConfigError, "not on this machine"),
        (caused(OSError(), named("OfflineModeIsEnabled", ConnectionError)), ConfigError, "HF_HUB_OFFLINE"),
        (caused(OSError(), named("ConnectError")), JobFailed, "cannot be reached.*Check the network"),
        (caused(OSError(), http(429)), JobFailed, r"busy \(429\)"),
        (caused(OSError(), http(503)), JobFailed, r"busy \(503\)"),
        (caused(OSError(), http(401)), ConfigError, "refuses the token"),
        (
            caused(OSError(), named("SafetensorError", text="header too large")),
            ConfigError,
            "damaged.*header too large",
        ),
        (RuntimeError("size mismatch for x"), ConfigError, "another size of the model"),
        (OSError("Error no file named model.bin found"), ConfigError, "lacks weights"),
        (named("OutOfMemoryError", RuntimeError, "CUDA out of memory. Tried"), JobFailed, "offload = 'model'"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), JobFailed, "Out of memory"),
        (RuntimeError("MPS backend out of memory (…)"), JobFailed, "Out of memory"),
        (ModuleNotFoundError("No module named 'peft'", name="peft"), ConfigError, r"needs peft.*pixelrouter\[local\]"),
        (ValueError("whatever"), ConfigError, "a/b cannot be used .loading.: ValueError: whatever"),
    ],
)
def test_the_cause_is_found_and_explained(error: Exception, kind: type[PixelRouterError], said: str) -> None:
    with pytest.raises(kind, match=f"(?s){said}"):
        raise explain(error, "loading", "a/b")


def test_the_chain_may_be_a_context_and_may_loop() -> None:
    outer, inner = OSError("outer"), GATED
    outer.__context__, inner.__context__ = inner, outer
    assert "gated" in str(explain(outer, "loading", "a/b"))


def test_a_failed_drawing_was_free() -> None:
    error = explain(IndexError("index 3"), "drawing 1 at 64x64 with", "klein")
    assert isinstance(error, JobFailed)
    assert error.charged == Money(0)


def test_a_download_that_broke_off_is_no_missing_download() -> None:
    assert isinstance(explain(caused(MISSING, named("ConnectError")), "finding", "a/b", download=True), JobFailed)


def test_an_error_of_our_own_stays_itself() -> None:
    ours = InvalidRequest("no")
    assert explain(caused(RuntimeError(), ours), "drawing", "x") is ours
