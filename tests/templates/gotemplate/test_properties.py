"""Integers and formatting, for any values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from perfscale.templates.gotemplate import parse

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INT64 | FLOATS.filter(lambda x: abs(x) < 1e15) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def render(text: str, **variables: Any) -> str:
    return parse(text, file="t.yaml").render(variables)


def wrapped(number: int) -> int:
    return int.from_bytes((number % 2**64).to_bytes(8, "big"), "big", signed=True)


@given(INT64, INT64)
def test_sums_differences_and_products_wrap_around(a: int, b: int) -> None:
    found = render("{{ add .a .b }} {{ sub .a .b }} {{ mul .a .b }} {{ add1 .a }}", a=a, b=b)
    assert found.split() == [str(wrapped(each)) for each in (a + b, a - b, a * b, a + 1)]


@given(INT64, INT64.filter(bool))
def test_division_truncates_and_the_remainder_has_the_sign_of_the_dividend(a: int, b: int) -> None:
    quotient, remainder = map(int, render("{{ div .a .b }} {{ mod .a .b }}", a=a, b=b).split())
    assert quotient == wrapped(abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1))
    assert remainder == abs(a) % abs(b) * (-1 if a < 0 else 1)


@given(INT64, INT64)
def test_comparisons_are_those_of_integers(a: int, b: int) -> None:
    found = render(
        "{{ eq .a .b }} {{ ne .a .b }} {{ lt .a .b }} {{ le .a .b }} {{ gt .a .b }} {{ ge .a .b }}",
        a=a,
        b=b,
    )
    expected = [a == b, a != b, a < b, a <= b, a > b, a >= b]
    assert found.split() == [str(each).lower() for each in expected]


@given(INT64)
def test_an_integer_and_its_text_are_the_same_number(a: int) -> None:
    assert render('{{ .a }} {{ printf "%d" .a }} {{ int64 (toString .a) }}', a=a) == f"{a} {a} {a}"
    assert render('{{ printf "%x %o %b" .a .a .a }}', a=a) == f"{a:x} {a:o} {a:b}"


@given(st.integers(-(10**6), 10**6), st.integers(0, 30), st.sampled_from(["", "-", "0", "+", " "]))
def test_fields_of_integers_are_as_wide_as_the_format_says(a: int, width: int, flag: str) -> None:
    python = f"%{flag}{width or ''}d"
    assert render(f'{{{{ printf "{python}" .a }}}}', a=a) == python % a


@given(FLOATS)
def test_a_printed_float_is_the_same_number(value: float) -> None:
    assert float(render("{{ .x }}", x=value)) == value


@given(FLOATS.filter(lambda x: abs(x) < 1e15), st.integers(0, 6), st.sampled_from("fe"))
def test_a_float_with_a_precision_is_rounded_correctly(x: float, digits: int, verb: str) -> None:
    python = f"%.{digits}{verb}"
    assert render(f'{{{{ printf "{python}" .x }}}}', x=x) == python % x


@given(VALUES)
@example(["\\b", "\\f", "\b\f"])
def test_json_of_a_value_is_the_value(value: Any) -> None:
    assert json.loads(render("{{ toJson .x }}", x=value)) == value
    assert json.loads(render("{{ toPrettyJson .x }}", x=value)) == value


@given(VALUES)
def test_a_value_is_true_where_it_is_not_empty(value: Any) -> None:
    assert render("{{ if .x }}true{{ else }}false{{ end }}", x=value) == str(bool(value)).lower()
    assert render("{{ not .x }} {{ empty .x }}", x=value) == " ".join([str(not value).lower()] * 2)


@given(TEXTS)
def test_a_text_is_printed_as_it_is(text: str) -> None:
    assert render('{{ .x }}{{ printf "%s%v" .x .x }}', x=text) == text * 3


@given(st.text("ab,-é "), st.sampled_from([",", "-", "a", "é"]))
def test_what_is_split_can_be_joined(text: str, separator: str) -> None:
    assert render("{{ splitList .s .x | join .s }}", x=text, s=separator) == text


@given(TEXTS)
def test_what_is_encoded_can_be_decoded(text: str) -> None:
    assert render("{{ b64enc .x | b64dec }}{{ b32enc .x | b32dec }}", x=text) == text * 2


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-7, 7))
def test_steps_are_those_of_a_range(start: int, stop: int, step: int) -> None:
    expected = range(start, stop, step) if step and (stop < start) == (step < 0) else range(0)
    found = render("{{ untilStep .a .b .c | toJson }}", a=start, b=stop, c=step)
    assert json.loads(found) == list(expected)
