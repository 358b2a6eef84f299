"""Where the time of slow objects went: what was found out of each, and what it adds up to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class WaitCause(StrEnum):
    """What an object was waiting for, in the order in which that comes."""

    UNSEEN = "unseen"
    """No controller had acted upon it: no instance or pod of it had been made."""
    SCHEDULING = "scheduling"
    """Its pod had no node."""
    IMAGE_PULL = "imagePull"
    """An image of its pod was being pulled, or could not be."""
    VOLUMES = "volumes"
    """A volume was being made, bound, attached or mounted."""
    LAUNCHER_START = "launcherStart"
    """Its pod had a node, and its containers were not started for none of these reasons."""
    GUEST = "guest"
    """The domain, its guest, or what runs in the pod, was starting."""
    UNKNOWN = "unknown"
    """It cannot be said."""


WORDS: Final = {
    WaitCause.UNSEEN: "not yet seen by a controller",
    WaitCause.SCHEDULING: "waiting to be scheduled",
    WaitCause.IMAGE_PULL: "image pull",
    WaitCause.VOLUMES: "volumes",
    WaitCause.LAUNCHER_START: "launcher start",
    WaitCause.GUEST: "guest",
    WaitCause.UNKNOWN: "unknown",
}
"""What to call each for a person."""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which an object waited for one thing.

    Attributes:
        cause: For what.
        began_s: Seconds since the run's start, and likewise below.
        ended_s: The next segment begins there.
        precision_s: How far off either end may be; 0 where both are as the run itself saw them.
        source: What says so: timestamps, an event, or why it is not known.
    """

    cause: WaitCause
    began_s: float
    ended_s: float
    precision_s: float
    source: str

    @property
    def lasted_s(self) -> float:
        """Its length in seconds."""
        return self.ended_s - self.began_s


class KeptCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of an object, or of what was made for it, as it was last seen.

    Attributes:
        of: Whose: kind and name.
        since: The server's timestamp of its last change; None if it has none.
    """

    of: str
    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: str | None = None


class KeptEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the cluster about an object, or about what was made for it.

    Attributes:
        of: About what: kind and name.
        first: The server's timestamp of its first occurrence; None if it has none.
        last: The same of its last.
        count: How often it came.
    """

    of: str
    type: str
    reason: str
    message: str
    first: str | None
    last: str | None
    count: int = 1


class KeptPod(msgspec.Struct, frozen=True, kw_only=True):
    """A pod that was made for an object, as it was last seen."""

    name: str
    node: str | None
    phase: str
    created: str | None


class AttributedObject(msgspec.Struct, frozen=True, kw_only=True):
    """A slow or unready object, and where its time went.

    Attributes:
        ready: Whether it became ready; otherwise its time counts until it was last looked at.
        sent_s: When its create request was sent, in seconds since the run's start.
        until_s: When it was ready, or last looked at.
        segments: What it waited for; they follow each other from ``sent_s`` to ``until_s``
            without a gap.
        notes: Why something is not known, and what else a person should know.
        looks: How often the cluster was asked about it.
    """

    kind: str
    namespace: str | None
    name: str
    uid: str
    workload: str
    iteration: int
    ready: bool
    sent_s: float
    until_s: float
    segments: tuple[Segment, ...]
    conditions: tuple[KeptCondition, ...] = ()
    events: tuple[KeptEvent, ...] = ()
    pods: tuple[KeptPod, ...] = ()
    notes: tuple[str, ...] = ()
    looks: int = 1

    @property
    def lasted_s(self) -> float:
        """Seconds from its create request until it was ready, or was last looked at."""
        return self.until_s - self.sent_s

    @property
    def causes(self) -> dict[WaitCause, float]:
        """Seconds by cause, those that it had, in their order."""
        return add_up(self.segments)


class AttributionCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What finding it out took.

    Attributes:
        limit: Most objects that are kept.
        requests: Requests that were sent for it.
        passed_over: Slow objects that had to make room for slower ones, or found none.
        problems: What could not be found out, one sentence each.
    """

    limit: int
    requests: int = 0
    passed_over: int = 0
    problems: tuple[str, ...] = ()


class AttributionResult(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a run's slowest and unready objects went.

    Attributes:
        objects: The slowest first.
        counts: What finding it out took.
    """

    objects: tuple[AttributedObject, ...]
    counts: AttributionCounts

    @property
    def causes(self) -> dict[WaitCause, float]:
        """Seconds by cause of all objects together, those that there were, in their order."""
        return add_up(segment for each in self.objects for segment in each.segments)


def add_up(segments: Iterable[Segment]) -> dict[WaitCause, float]:
    """Seconds by cause, in the order of causes."""
    total: dict[WaitCause, float] = {}
    for each in segments:
        total[each.cause] = total.get(each.cause, 0.0) + each.lasted_s
    return {cause: total[cause] for cause in WaitCause if cause in total}


def merge_attribution(
    objects: Iterable[AttributedObject], counts: Iterable[AttributionCounts]
) -> AttributionResult:
    """What one generator has found out, or several of a run: the slowest of all are kept."""
    each = tuple(counts)
    limit = max(one.limit for one in each)
    found = slowest_first(objects)
    total = AttributionCounts(
        limit=limit,
        requests=sum(one.requests for one in each),
        passed_over=sum(one.passed_over for one in each) + len(found[limit:]),
        problems=tuple(dict.fromkeys(problem for one in each for problem in one.problems)),
    )
    return AttributionResult(objects=found[:limit], counts=total)


def slowest_first(objects: Iterable[AttributedObject]) -> tuple[AttributedObject, ...]:
    """Objects in the order in which they are shown."""
    return tuple(sorted(objects, key=lambda each: -each.lasted_s))
