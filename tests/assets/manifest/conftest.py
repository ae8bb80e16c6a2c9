from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pixelrouter.assets.asset import Manifest
from pixelrouter.assets.manifest import load_manifest
from pixelrouter.errors import ConfigError

Read = Callable[..., Manifest]
Refused = Callable[[str], str]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The manifest of a text, in an empty folder."""

    def call(text: str, *, inputs: bool = True) -> Manifest:
        (tmp_path / "assets.toml").write_text(text, "utf-8")
        return load_manifest(tmp_path, inputs=inputs)

    return call


@pytest.fixture
def refused(read: Read) -> Refused:
    """What the error of a wrong text says."""

    def call(text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            read(text)
        return str(caught.value)

    return call
