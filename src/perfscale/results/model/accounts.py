"""The counts that always add up.

``requested = ready + failed + unready + not_attempted + lost`` holds for every
workload, iteration and kind, whatever happened to the run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of a set of objects.

    Attributes:
        requested: Asked for by the workload.
        created: Accepted by the server.
        ready: Seen ready, and not failed.
        failed: Refused by the server, or failed after creation.
        unready: Created, and not seen ready while that was waited for.
        not_attempted: The run ended before their turn.
        deleted: Seen gone.
        leftover: Deletion was requested, and they were not seen gone.
        unknown: Of those that count as failed or not attempted: the journal ends before it
            shows whether they were created.
        lost: Found in the cluster after the generator was lost that had created them, and without
            a record: what became of them before nobody knows.
    """

    requested: int = 0
    created: int = 0
    ready: int = 0
    failed: int = 0
    unready: int = 0
    not_attempted: int = 0
    deleted: int = 0
    leftover: int = 0
    unknown: int = 0
    lost: int = 0

    def __add__(self, other: Accounts) -> Accounts:
        """Field by field."""
        return Accounts(
            *(getattr(self, name) + getattr(other, name) for name in Accounts.__slots__)
        )

    @property
    def balanced(self) -> bool:
        """Whether every requested object has exactly one outcome."""
        decided = self.ready + self.failed + self.unready
        return self.requested == decided + self.not_attempted + self.lost
