"""Why objects failed or were not ready: equal reasons together, however many objects."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfscale.results.records import Outcome

if TYPE_CHECKING:
    from perfscale.results.records import ObjectRecord

_VARYING: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
"""UIDs and numbers: objects that differ in nothing else have failed for the same reason."""
_MOST_REASONS: Final = 40
_EXAMPLES: Final = 3
_UNKNOWN: Final = "no reason is known"
_OTHERS: Final = "other reasons"


@dataclass(slots=True)
class Failure:
    """Objects of one kind with one outcome, for one reason.

    Attributes:
        kind: Their kind.
        outcome: ``failed`` or ``unready``.
        reason: As the first of them has it.
        count: How many they are.
        examples: The first few, as ``namespace/name``.
    """

    kind: str
    outcome: str
    reason: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Failures:
    """Groups objects by what became of them; the number of groups is bounded."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], Failure] = {}

    def add(self, record: ObjectRecord) -> None:
        """Look at one object."""
        if record.outcome not in {Outcome.FAILED, Outcome.UNREADY}:
            return
        reason = record.error or _UNKNOWN
        same = _VARYING.sub("#", reason.replace(record.name, "#"))
        new = (record.kind, record.outcome, same) not in self._groups
        if new and len(self._groups) >= _MOST_REASONS:
            reason = same = _OTHERS
        group = self._groups.setdefault(
            (record.kind, record.outcome, same), Failure(record.kind, record.outcome, reason)
        )
        group.count += 1
        if len(group.examples) < _EXAMPLES:
            group.examples.append("/".join(filter(None, (record.namespace, record.name))))

    def found(self) -> list[Failure]:
        """The groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)
