"""What the preflight has to say, collected so that it is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.errors import PreflightError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_NAMES: Final = 5


class Findings:
    """Problems, and the ways out of them."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._hints: dict[str, None] = {}

    def add(self, problems: Iterable[Problem], *, hint: str | None = None) -> None:
        """Take problems; the hint counts only if there are any."""
        before = len(self._problems)
        self._problems += problems
        if hint is not None and len(self._problems) > before:
            self._hints[hint] = None

    def add_error(self, error: UsageError) -> None:
        """Take what would have been raised alone."""
        self.add([Problem(str(error))], hint=error.hint)

    def raise_if_any(self) -> None:
        """End the preflight if there is anything to say.

        Raises:
            PreflightError: Every problem.
        """
        if self._problems:
            raise PreflightError(self._problems, hint="; ".join(self._hints) or None)


def few(names: Sequence[str]) -> str:
    """The first few of many names."""
    shown = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
