"""Every reader of every backend, fed with anything: errors of ours or a valid value, and never less than the bill."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import judge, mutants
from fuzz.readers import answers, readers, vendors
from fuzz.targets import TARGETS
from pixelrouter.errors import JobFailed, Refused, UnexpectedAnswer
from pixelrouter.types import Delivery, HttpResponse, Quote, Ticket
from pixelrouter.types.strict_json import MOST_DEPTH, MOST_DIGITS, MOST_VALUES, parse

EVERY = [reader for vendor in vendors() for reader in readers(vendor)]
UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(mutants.WEIRD)


def names_in(vendor):
    """The names that a vendor's documented answers use: junk with those names in it goes deeper into a reader."""
    found = set()

    def walk(value):
        for name in value if isinstance(value, dict) else ():
            found.add(name)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(item)

    for answer in answers(vendor):
        try:
            walk(json.loads(answer.content))
        except ValueError:
            continue
    return sorted(found)


def junk(vendor):
    names = st.sampled_from(names_in(vendor)) | st.text(max_size=5)
    return st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=20
    )


def response(status, body, headers=()):
    return HttpResponse(status, {"content-type": "application/json", **dict(headers)}, body, "https://x.invalid/")


def each_example(count):
    """The same test with few examples by default and with many in the gate."""
    return [pytest.param(count, id="some"), pytest.param(count * 60, id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize("vendor", vendors())
def test_every_kind_of_reader_is_there_and_understands_something(vendor):
    kinds = {reader.kind for reader in readers(vendor)}
    assert {"submit", "poll"} <= kinds
    assert all(any(each.good for each in readers(vendor) if each.kind == kind) for kind in ("submit", "poll"))


@pytest.mark.parametrize("count", each_example(40))
@pytest.mark.parametrize("vendor", vendors())
def test_documented_answers_spoilt(vendor, count):
    @settings(max_examples=count, **UNHURRIED)
    @given(st.sampled_from(readers(vendor)), st.data())
    def run(reader, data):
        good = data.draw(st.sampled_from(reader.good or answers(vendor)))
        judge.check(reader, mutants.spoil(good, lambda most: data.draw(st.integers(0, most - 1))))

    run()


@pytest.mark.parametrize("count", each_example(30))
@pytest.mark.parametrize("vendor", vendors())
def test_junk_with_the_vendors_own_names(vendor, count):
    @settings(max_examples=count, **UNHURRIED)
    @given(
        st.sampled_from(readers(vendor)),
        junk(vendor),
        st.sampled_from(mutants.STATUSES),
        st.lists(st.sampled_from(mutants.HEADERS), max_size=3),
    )
    def run(reader, value, status, headers):
        judge.check(reader, response(status, mutants.render(value), headers))

    run()


@pytest.mark.parametrize("count", each_example(30))
def test_bytes(count):
    @settings(max_examples=count, **UNHURRIED)
    @given(st.sampled_from(EVERY), st.binary(max_size=300), st.sampled_from(mutants.STATUSES))
    def run(reader, body, status):
        judge.check(reader, response(status, body))

    run()


# fmt: off
BOMBS = {
    "arrays, 100,000 deep": b"[" * 100_000,
    "arrays, 100,000 deep, closed": b"[" * 100_000 + b"]" * 100_000,
    "objects, 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep inside a good place": b'{"status":"succeeded","output":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep as an error": b'{"detail":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "as deep as is read": b'{"output":' + b"[" * (MOST_DEPTH - 1) + b"]" * (MOST_DEPTH - 1) + b"}",
    "a million lists": b'{"images":[' + b"[]," * MOST_VALUES + b"1]}",
    "3,000 errors": b'{"detail":[' + b'{"msg":"x","loc":["a"]},' * 3_000 + b'{"msg":"x"}]}',
    "a number of a million digits": b'{"balance_cost":' + b"9" * 1_000_000 + b"}",
    "a fraction of a million digits": b'{"balance_cost":0.' + b"9" * 1_000_000 + b"}",
    "an exponent of twenty digits": b'{"balance_cost":1e99999999999999999999}',
    "100,000 quotes": b'"' + b'\\"' * 100_000,
    "words without end": b'{"detail":"' + b"a b " * 100_000 + b'"}',
    "nothing but escapes": b'{"image":"data:,' + b"%41" * 1_500_000 + b'"}',
    "letters after brackets": b"[]" * 200 + b"x" * 100_000,
    "quotes after brackets": b"[]" * 200 + b'\\"' * 100_000,
    "utf-16": '{"detail":"x"}'.encode("utf-16"),
    "a bom": b"\xef\xbb\xbf{}",
    "nothing": b"",
}
# fmt: on


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_json(name):
    for vendor in vendors():
        for kind in ("submit", "poll", "quote", "find", "balance", "catalogue"):
            reader = next((each for each in readers(vendor) if each.kind == kind), None)
            for status in (200, 422) if kind == "submit" else (200,) if reader else ():
                judge.check(reader, response(status, BOMBS[name]))


def nested(depth):
    return b'["[[[\\"[[[",' + b"[" * (depth - 1) + b"]" * depth


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (nested(MOST_DEPTH + 1), "nested deeper than 100"),
        (b"[" + b"1," * MOST_VALUES + b"1]", "more than 1,000,000 values"),
        (b'["\\ud800"' + b',"' * 10 + b"\\/" * MOST_VALUES, "more than 1,000,000 escapes"),
        (b"1" * (MOST_DIGITS + 1), "more than 1000 digits"),
        (b"0." + b"1" * MOST_DIGITS, "more than 1000 digits"),
    ],
)
def test_json_past_a_bound_is_refused_and_says_which(body, why):
    with pytest.raises(UnexpectedAnswer, match=why):
        response(200, body).json()


def test_json_up_to_the_bounds_is_read():
    assert parse(b"1" * MOST_DIGITS) == int("1" * MOST_DIGITS)
    assert len(parse(b"[" + b"1," * (MOST_VALUES - 1) + b"1]")) == MOST_VALUES
    assert parse(nested(MOST_DEPTH))[0] == '[[["[[['


@pytest.mark.parametrize("error", [Refused, JobFailed])
def test_a_vendors_code_is_redacted_too(error):
    assert "hush" not in str(error("no", code="https://x.test/?sig=hush").as_dict())


def test_what_says_two_things_says_nothing():
    with pytest.raises(UnexpectedAnswer, match="twice with two values"):
        response(200, b'{"balance_cost": 5, "x": {}, "balance_cost": 0.01}').json()
    assert response(200, b'{"a": 1, "a": 1.0}').json() == {"a": 1}


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_is_not():
    assert parse(b'["\\ud800", "\\udc00x", "\\ud83d\\ude00", "\\\\ud800"]') == ["�", "�x", "😀", "\\ud800"]


# --- never less than the bill -----------------------------------------------------------------------------------------

PNG = "iVBORw0KGgo="
AMOUNTS = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False) | st.integers(0, 10**6).map(Decimal)
STRANGE = st.decimals(allow_nan=False, allow_infinity=False) | st.integers(-(10**12), 10**12).map(Decimal)


def bill_of(vendor, amount):
    """Answers that name a bill of ``amount`` dollars, and the readers of them."""
    told = str(amount)
    if vendor == "retrodiffusion":
        body = f'{{"balance_cost":{told},"base64_images":["{PNG}"]}}'
        kinds = {"submit": body, "quote": f'{{"balance_cost":{told}}}'}
    else:
        image = f'"image":{{"type":"base64","base64":"{PNG}"}}'
        kinds = {"submit": f'{{"usage":{{"type":"usd","usd":{told}}},{image}}}'}
    for reader in readers(vendor):
        if reader.kind in kinds:
            yield reader, response(200, kinds[reader.kind].encode())


@pytest.mark.parametrize("vendor", ["pixellab", "retrodiffusion"])
def test_the_cost_is_never_below_what_the_answer_says(vendor):
    @settings(max_examples=60, **UNHURRIED)
    @given(AMOUNTS)
    def run(amount):
        for reader, answer in bill_of(vendor, amount):
            value = judge.check(reader, answer)
            if isinstance(value, Quote) or (isinstance(value, Delivery) and value.cost is not None):
                assert value.cost.money.amount >= amount
            else:  # nothing that could be read as a bill: what is held stays booked
                assert amount == 0 or not isinstance(value, Quote | Ticket)

    run()


@pytest.mark.parametrize("vendor", ["pixellab", "retrodiffusion"])
def test_a_bill_that_cannot_be_is_no_bill(vendor):
    @settings(max_examples=60, **UNHURRIED)
    @given(STRANGE.filter(lambda amount: not 0 <= amount <= 10**6))
    def run(amount):
        for reader, answer in bill_of(vendor, amount):
            value = judge.check(reader, answer)
            assert not isinstance(value, Quote)
            assert not isinstance(value, Delivery) or value.cost is None

    run()


@settings(max_examples=60, **UNHURRIED)
@given(st.decimals(0, 10**6, allow_nan=False, allow_infinity=False))
def test_fals_units_are_read_as_they_are(units):
    reader = next(each for each in readers("fal") if each.kind == "poll" and "status" not in each.call.request.url)
    answer = response(200, b'{"images":[{"url":"https://v3.fal.media/a.png"}]}', {"x-fal-billable-units": str(units)})
    value = judge.check(reader, answer)
    assert isinstance(value, Delivery)
    assert value.units == units


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_of_the_fuzzers_passes(name):
    seeds = list(TARGETS[name].seeds())
    assert seeds
    for seed in seeds:
        TARGETS[name].run(seed)
