"""What became of the documents that were sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from perfscale.config.reading.source import clip
from perfscale.config.wording import counted

_MOST_REASONS: Final = 20
"""Reasons that are told apart; a message may name its document."""
_REASON: Final = 300
_OTHER: Final = "other reasons"


@dataclass
class IndexTally:
    """Counts.

    Attributes:
        created: Documents that were not there before.
        updated: Those that were, with the same content.
        failures: Those that the server refused, by its reason.
        retries: Requests that were sent again.
    """

    created: int = 0
    updated: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    retries: int = 0

    @property
    def failed(self) -> int:
        """How many were refused."""
        return self.failures.total()

    def fail(self, reason: str) -> None:
        """Count one that was refused."""
        shown = clip(reason, _REASON)
        known = shown in self.failures or len(self.failures) < _MOST_REASONS
        self.failures[shown if known else _OTHER] += 1

    def __str__(self) -> str:
        """As in ``106 documents indexed (100 new, 6 there before), 2 refused``."""
        indexed = self.created + self.updated
        known = f" ({self.created} new, {self.updated} there before)" if self.updated else ""
        refused = f", {self.failed} refused" if self.failed else ""
        return f"{counted(indexed, 'document')} indexed{known}{refused}"

    def describe_failures(self) -> list[str]:
        """A sentence for each reason, the most frequent first."""
        return [
            f"{counted(count, 'document')} refused: {reason}"
            for reason, count in self.failures.most_common()
        ]
