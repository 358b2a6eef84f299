"""Amounts as Kubernetes writes them: ``100m``, ``1.5Gi``, ``12e6``.

The client library brings no reader for them, and sums of them must be exact.
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

K = TypeVar("K")

_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL: Final = {
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}  # fmt: skip
_QUANTITY: Final = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<power>[+-]?\d{1,3}))?"
)


def parse_quantity(value: object) -> Decimal:
    """The amount that a quantity stands for, exactly.

    Raises:
        ValueError: It is not a quantity.
    """
    match = _QUANTITY.fullmatch(str(value))  # a number where YAML made one of it
    if match is None:
        raise ValueError(f"{value!r} is not a quantity")
    number, suffix, power = match["number"], match["suffix"] or "", match["power"]
    if power is not None:
        return Decimal(number).scaleb(int(power))
    if suffix in _BINARY:
        return Decimal(number) * Decimal(1024) ** _BINARY[suffix]
    return Decimal(number).scaleb(_DECIMAL[suffix])


def sum_up(several: Iterable[Mapping[K, Decimal]]) -> dict[K, Decimal]:
    """The sums of amounts of the same key."""
    total: dict[K, Decimal] = {}
    for amounts in several:
        for key, amount in amounts.items():
            total[key] = total.get(key, Decimal(0)) + amount
    return total


def format_quantity(amount: Decimal, *, binary: bool) -> str:
    """An amount for people to read, exact.

    Args:
        amount: What ``parse_quantity`` gives, or a sum of it.
        binary: Whether to count in 1024s, as is done for memory and storage.
    """
    if amount != amount.to_integral_value():
        thousandths = amount * 1000
        if thousandths == thousandths.to_integral_value():
            return f"{thousandths.to_integral_value():f}m"
        return f"{amount.normalize():f}"
    whole = int(amount)
    if binary and whole:
        for suffix, power in reversed(_BINARY.items()):
            if whole % 1024**power == 0:
                return f"{whole // 1024**power}{suffix}"
    return str(whole)
