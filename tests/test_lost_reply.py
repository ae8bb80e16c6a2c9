"""The script that counts paid POSTs on a lost reply counts right: for a plain client, and for our own rows."""

from __future__ import annotations

import http.client
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = str(Path(__file__).resolve().parent.parent / "benchmarks")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import lost_reply

    yield lost_reply
    for name in ("lost_reply", "lost_reply_clients"):
        sys.modules.pop(name, None)


def test_the_server_counts_posts_and_idempotency_keys(script: Any) -> None:
    for mode in ("drop", "502"):
        with script.counting(mode) as server:
            for headers in ({}, {"Idempotency-Key": "a"}, {"Idempotency-Key": "a"}, {}):
                client = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
                client.request("POST", "/v1/images", body=b"{}", headers=headers)
                if mode == "drop":
                    with pytest.raises(http.client.RemoteDisconnected):
                        client.getresponse()
                else:
                    assert client.getresponse().status == 502
                client.close()
            assert len(server.keys) == 4
            assert server.charges == 3


def test_a_row_that_cannot_be_had_says_why(script: Any, tmp_path: Path) -> None:
    row = script.Row("nobody", note="cannot be installed: no such package")
    assert "cannot be installed" in script.table([row])


@pytest.mark.slow
@pytest.mark.parametrize("vendor", ["retrodiffusion", "retrodiffusion v1", "replicate", "fal", "pixellab"])
def test_what_pixelrouter_sends_is_charged_once(script: Any, vendor: str) -> None:
    row = script.ours(vendor)
    assert set(row.outcomes) == set(script.MODES)
    for outcome in row.outcomes.values():
        assert outcome.charges == 1
        assert outcome.posts == (2 if vendor == "retrodiffusion" else 1)  # there, under the first one's key
