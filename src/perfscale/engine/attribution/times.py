"""When things happened, by the server's timestamps, on the run's own clock. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results import ClockOffset

_FRACTION: Final = re.compile(r"\.\d+")
_SEEN_LATE_S: Final = 1.0
"""How much later than its timestamp something is seen at most, for the two to be of one moment:
KubeVirt stamps a phase before it writes it, under load by up to a second or two."""


class Mark(NamedTuple):
    """A moment, in seconds since the run's start, and how far off it may be."""

    at_s: float
    precision_s: float
    source: str


@dataclass(frozen=True, slots=True)
class OwnTimes:
    """What the run's own watches saw of an instance, in seconds since the run's start.

    Attributes:
        created_s: When it was first seen; None if it was not watched.
        phases_s: When it was first seen in each phase.
    """

    created_s: float | None
    phases_s: Mapping[str, float]


NOTHING_SEEN: Final = OwnTimes(None, {})


@dataclass(frozen=True, slots=True)
class ServerClock:
    """Puts the server's timestamps onto the run's clock.

    Args:
        started_at: The run's start on our wall clock, UTC.
        offset: How far the server's clock is ahead of ours; None if that is not known: then
            it is taken to be the same.
    """

    started_at: datetime
    offset: ClockOffset | None

    def mark(self, stamp: str | None, source: str) -> Mark | None:
        """The moment of a timestamp; None where it is none.

        A timestamp in whole seconds was made at any time within its second: the moment is the
        middle of it, and half a second is a part of the precision.
        """
        if stamp is None:
            return None
        try:
            stamped_s = (datetime.fromisoformat(stamp) - self.started_at).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
        half_s = 0.0 if _FRACTION.search(stamp) else 0.5
        offset_s = self.offset.offset_s if self.offset else 0.0
        unsure_s = self.offset.uncertainty_s if self.offset else 0.0
        return Mark(stamped_s + half_s - offset_s, half_s + unsure_s, source)


def refined(stamped: Mark | None, seen_s: float | None, what: str) -> Mark | None:
    """When something happened: as it was seen, if that agrees with its timestamp.

    What a watch showed later than that came late, and the timestamp counts.
    """
    if seen_s is None:
        return stamped
    if stamped is not None and abs(seen_s - stamped.at_s) > stamped.precision_s + _SEEN_LATE_S:
        return stamped
    return Mark(seen_s, 0.0, f"{what}, as the run's watch showed it")
