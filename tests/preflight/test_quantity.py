"""Quantities: read as Kubernetes writes them, summed exactly, written so that people know them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.preflight.quota.quantity import format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("100m", "0.1"),
        ("1", "1"),
        (2, "2"),
        (0.5, "0.5"),
        (".5", "0.5"),
        ("1.5Gi", "1610612736"),
        ("90Mi", "94371840"),
        ("1k", "1000"),
        ("12e6", "12000000"),
        ("12E6", "12000000"),
        ("12E", "12000000000000000000"),
        ("5u", "0.000005"),
        ("+3", "3"),
    ],
)
def test_a_quantity_is_read_exactly(written: object, amount: str) -> None:
    assert parse_quantity(written) == Decimal(amount)


@pytest.mark.parametrize("written", ["", "1 Gi", "1gi", "Gi", "ten", "1Mib", "1e", None, True, []])
def test_what_is_no_quantity_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(written)


@pytest.mark.parametrize(
    ("written", "binary", "shown"),
    [
        ("2000m", False, "2"),
        ("1500m", False, "1500m"),
        ("0.0001", False, "0.0001"),
        ("2048Mi", True, "2Gi"),
        ("9000Mi", True, "9000Mi"),
        ("1000", True, "1000"),
        ("2048", False, "2048"),
        ("0", True, "0"),
    ],
)
def test_a_sum_is_shown_in_the_largest_unit_that_fits(
    written: str, binary: bool, shown: str
) -> None:
    assert format_quantity(parse_quantity(written), binary=binary) == shown


@given(st.integers(0, 10**15), st.booleans())
def test_what_is_shown_reads_as_the_same_amount(thousandths: int, binary: bool) -> None:
    amount = Decimal(thousandths) / 1000
    assert parse_quantity(format_quantity(amount, binary=binary)) == amount
