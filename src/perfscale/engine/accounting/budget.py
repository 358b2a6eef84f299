"""How many failures a run may have before it is stopped."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailureBudget:
    """A number of objects, or a share of all that the run requests.

    Attributes:
        count: Objects that may fail; None where a share is given.
        percent: Share of the requested objects that may fail, 0 to 100.
    """

    count: int | None = None
    percent: float | None = None

    @classmethod
    def parse(cls, text: str) -> FailureBudget:
        """Read ``10`` or ``5%``.

        Raises:
            ValueError: It is neither; the message says what is accepted.
        """
        number = text.strip().removesuffix("%").strip()
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if text.strip().endswith("%") and 0 <= value <= 100:
            return cls(percent=value)
        if number.isdecimal() and not text.strip().endswith("%"):
            return cls(count=int(number))
        raise ValueError(
            f"{text!r} is neither a number of objects nor a percentage, as in 10 or 5%"
        )

    def allows(self, failed: int, requested: int) -> bool:
        """Whether a run with so many failures goes on."""
        if self.count is not None:
            return failed <= self.count
        return failed * 100 <= (self.percent or 0.0) * requested

    def __str__(self) -> str:
        """As it was written."""
        return f"{self.percent:g}%" if self.count is None else str(self.count)
