"""Why objects failed or were not ready: equal reasons together, however many objects.

The terminal, the page and ``junit.xml`` all have their reasons from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfscale.config import counted
from perfscale.results.model.records import Outcome

if TYPE_CHECKING:
    from perfscale.results.model.records import ObjectRecord

_VARYING: Final = re.compile(
    r"""
    [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}               # a UID
    | \b(?=[a-f]*[0-9])[0-9a-f]{8,}\b                       # a hash
    | (?<=[\w#]-)[bcdfghjklmnpqrstvwxz2456789]{5,10}(?![\w]) # a suffix that the server made up
    | \d+
    """,
    re.VERBOSE,
)
"""What differs between objects that failed for the same reason: numbers, UIDs, and the ends of
names that controllers have generated. Their alphabet, without vowels, is that of
https://pkg.go.dev/k8s.io/apimachinery/pkg/util/rand#SafeEncodeString"""
_NAME: Final = "<name>"
_MOST_REASONS: Final = 40
_MOST_SENTENCES: Final = 5
_EXAMPLES: Final = 3
_OTHERS: Final = "other reasons"


@dataclass(slots=True)
class Failure:
    """Objects of one kind that are in one state for one reason.

    Attributes:
        kind: Their kind.
        state: What became of them, such as ``failed`` or ``unready``.
        reason: As the first of them has it; None if none is known.
        count: How many they are.
        examples: The first few, as ``namespace/name``.
        shared: The reason without the object's own name, where all have the same.
    """

    kind: str
    state: str
    reason: str | None
    count: int = 0
    examples: list[str] = field(default_factory=list)
    shared: str | None = None

    def __str__(self) -> str:
        """As in ``37 Pod failed: exceeded quota``."""
        what = f"{self.count} {self.kind} {self.state}"
        if self.reason is None:
            return what
        if self.count == 1 or self.shared is not None:
            return f"{what}: {self.reason if self.count == 1 else self.shared}"
        return f"{what}, for example: {self.reason}"


class Failures:
    """Groups objects by what became of them and why; the number of groups is bounded."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str | None], Failure] = {}

    def add(self, record: ObjectRecord) -> None:
        """Look at one object; one that is well counts for nothing."""
        if record.outcome in {Outcome.FAILED, Outcome.UNREADY}:
            self.count(
                record.kind, record.outcome, record.error, name=record.name, where=record.namespace
            )

    def count(
        self, kind: str, state: str, reason: str | None, *, name: str, where: str | None = None
    ) -> None:
        """Count an object that is in a state for a reason.

        Args:
            kind: Its kind.
            state: What became of it.
            reason: Why, as far as that is known.
            name: Its own, which makes no reason different.
            where: Its namespace, if it has one.
        """
        shared = None if reason is None else _without_name(reason, name)
        same = None if shared is None else _VARYING.sub("#", shared)
        if (kind, state, same) not in self._groups and len(self._groups) >= _MOST_REASONS:
            reason = shared = same = _OTHERS
        group = self._groups.setdefault(
            (kind, state, same), Failure(kind, state, reason, shared=shared)
        )
        group.count += 1
        if group.shared != shared:
            group.shared = None
        if len(group.examples) < _EXAMPLES:
            group.examples.append("/".join(filter(None, (where, name))))

    def found(self) -> list[Failure]:
        """The groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)

    def sentences(self) -> list[str]:
        """One for each of the largest groups, and one for the rest."""
        groups = self.found()
        named, others = groups[:_MOST_SENTENCES], groups[_MOST_SENTENCES:]
        sentences = [str(group) for group in named]
        if others:
            rest = sum(group.count for group in others)
            sentences.append(f"{rest} more, for {counted(len(others), 'other reason')}")
        return sentences


def _without_name(reason: str, name: str) -> str:
    """Put ``<name>`` where the whole name stands: it may be a single letter."""
    return re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", _NAME, reason)
