"""What a template's values weigh, and how much work it may do, in whichever language it is.

The unit is about a byte, or a nanosecond or ten. A count is the same on every machine,
however busy.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from typing import Final

from perfscale.templates.bounds.amplifiers import TooMuchError

MAX_WEIGHT: Final = 4_000_000
"""Of any one value; a list, a number or a reference weighs 16, a text its characters.
etcd takes objects of 1.5 MiB at the most."""
MAX_WORK: Final = 20_000_000
"""Of one rendering, in all: half a second or so."""
STEP: Final = 16
"""What an element of a list weighs, and a step of the template."""
CALL: Final = 60 * STEP
_BYTE: Final = 8
_MAX_BITS: Final = 65_536

_COLLECTIONS: Final = (list, tuple, set, frozenset, KeysView, ValuesView, ItemsView)
_TOO_MUCH: Final = (
    "this makes the template too much work: its texts, lists or loops are larger than those of "
    "any manifest"
)
TOO_LARGE: Final = (
    "this gives a text or a list that is larger than any manifest: "
    f"the bound is {MAX_WEIGHT:,} characters, or {MAX_WEIGHT // STEP:,} elements"
)


class Budget:
    """The count of what a rendering has done.

    Attributes:
        spent: The count, in a list, so that several can share it.
    """

    spent: list[int]

    def spend(self, work: int) -> None:
        """Count work that is about to be done.

        Raises:
            TooMuchError: It is more than a template may do.
        """
        self.spent[0] += work
        if self.spent[0] > MAX_WORK:
            raise TooMuchError(_TOO_MUCH)

    def weigh(self, value: object) -> int:
        """Count a value, with all that is in it, and return its weight.

        Raises:
            TooMuchError: It is heavier than a value may be.
        """
        # Nearly all values are short texts and numbers.
        if type(value) is str and len(value) < MAX_WEIGHT:
            weight = STEP + len(value)
        else:
            weight = STEP if type(value) is int and value < MAX_WORK else weight_of(value)
        self.spent[0] += weight
        if self.spent[0] > MAX_WORK:
            raise TooMuchError(_TOO_MUCH)
        return weight


def weight_of(value: object) -> int:
    """The weight of a value; of one that is in several places as often as it is there.

    Raises:
        TooMuchError: It is heavier than a value may be.
    """
    total, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        total += STEP
        if isinstance(each, (str, bytes)):
            total += len(each)
        elif isinstance(each, int):
            check_bits(each.bit_length())
            total += each.bit_length() // _BYTE
        elif isinstance(each, range):
            total += len(each) * STEP
        elif isinstance(each, (dict, Mapping)):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, _COLLECTIONS):
            waiting += each
        if total + len(waiting) * STEP > MAX_WEIGHT:
            raise TooMuchError(TOO_LARGE)
    return total


def check_bits(bits: float) -> None:
    """Raise `TooMuchError` for an integer of so many bits that nobody writes it."""
    if bits > _MAX_BITS:
        raise TooMuchError("the number would have too many digits")
