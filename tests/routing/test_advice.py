"""What is said about attempts that ended without an image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pixelrouter.routing.recovering.advice import advice
from pixelrouter.types import Attempt, Money, Ticket

PAID = Attempt("a" * 32, "k", "pixellab", "pixflux", "settled", Money(8480), charged=Money(8480))


@pytest.mark.parametrize("kind", ["ResultExpired", "ChargedWithoutImage"])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        (replace(PAID, vendor_request="r-7", ticket=Ticket("job-7")), "the vendor's id r-7"),
        (replace(PAID, ticket=Ticket("job-7")), "the vendor's id job-7"),
        (PAID, "compare the vendor's bill"),
    ],
)
def test_a_complaint_names_what_there_is_to_name(kind: str, row: Attempt, words: str) -> None:
    told = advice(replace(row, error=f"{kind}: gone"), worked_on=False)
    assert words in told
    assert "None" not in told
    assert "--fresh" in told
