"""What the game expects of its vendor, held against a recorded answer: no key, no network, no waiting."""

import pytest


@pytest.mark.pixelrouter(recording="recordings/potion", backend="retrodiffusion")
def test_a_potion_is_small_and_stands_on_nothing(pixelrouter_replay):
    potion = pixelrouter_replay.generate(
        "a red potion in a round bottle", size=32, seed=7, model="rd_fast__low_res", colors=16
    )
    assert potion.size == (32, 32)
    assert len(potion.palette) <= 16
    assert potion.attempts[0].state == "settled"
