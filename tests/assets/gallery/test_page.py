from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

from pixelrouter.assets.asset import Asset
from pixelrouter.assets.gallery import Gallery, gather, page
from pixelrouter.assets.gallery.page import data, embedded
from tests.assets.gallery.game import Game


def test_the_policy_allows_exactly_its_own_style_and_script(game: Game) -> None:
    html = page(gather(game.manifest, game.lock, game.draw))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1].replace("&#x27;", "'")  # type: ignore[index]  # it is there
    for tag in ("style", "script"):
        text = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(text) == 1
        wanted = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{wanted}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_names_no_address_but_the_terms_it_tells(game: Game) -> None:
    html = page(gather(game.manifest, game.lock, game.draw))
    assert set(re.findall(r"https?://[^\s\"'`<>\\]+", html)) == {"https://astropulse.gitbook.io/retro-diffusion"}
    assert not re.findall(r"<(?:link|img|script)[^>]+(?:src|href)=\"(?!data:)", html)


def test_hostile_words_end_no_script() -> None:
    words = "</script><script>alert(1)</script><!--"
    text = embedded({"name": words})
    assert "<" not in text
    assert json.loads(text) == {"name": words}
    html = page(Gallery(words, ()))
    assert html.count("</script>") == 2
    assert "<title>&lt;/script&gt;" in html


def test_the_same_input_gives_the_same_page(game: Game) -> None:
    assert page(gather(game.manifest, game.lock, game.draw)) == page(gather(game.manifest, game.lock, game.draw))


def test_what_a_candidate_tells(game: Game) -> None:
    told = data(gather(game.manifest, game.lock, game.draw))
    assert told["totals"] == {"usd": "$0.22", "generations": "3 generations"}
    assert told["styles"][1] == {"name": "heroes", "totals": {"generations": "3 generations"}}
    shot = next(card for card in told["cards"] if card["name"] == "potion-red")["shots"][1]
    picture = shot.pop("picture")
    assert shot == {
        "number": 2,
        "backend": "retrodiffusion",
        "model": "rd_plus__default",
        "seed": "102",
        "cost": "$0.022",
        "source": "reported",
        "confidence": 0.94,
        "native": False,
        "warnings": [],
        "problem": "",
        "job": "job-81f2",
        "request": "",
        "bought": "2026-11-20T09:12:44Z",
        "licence": "Retro Diffusion",
        "commercial": True,
        "terms": "https://astropulse.gitbook.io/retro-diffusion",
        "checked": "2026-11-02",
    }
    assert set(picture["colors"]) <= set(game.assets["potion-red"].palette or ())


def test_secrets_in_prompts_stay_out(game: Game) -> None:
    prompt = "a sword, Authorization: Bearer rdpk-0123456789abcdef0123456789abcdef"
    manifest = replace(game.manifest, assets={"sword": Asset("sword", prompt, (32, 32))})
    assert "rdpk-0123456789abcdef" not in page(gather(manifest, game.lock, game.draw))
