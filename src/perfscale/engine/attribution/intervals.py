"""A time that is divided without a gap, and parts of it that are given to other causes. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.engine.attribution.times import Mark
from perfscale.results import Segment, WaitCause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

ALWAYS: Final = Mark(-math.inf, 0.0, "")
"""The beginning of a part that begins with what it is a part of."""
NEVER: Final = Mark(math.inf, 0.0, "")
"""The end of one that ends with it."""


class Part(NamedTuple):
    """From when to when a cause held, and in the place of which others it counts."""

    cause: WaitCause
    began: Mark
    ended: Mark
    source: str
    instead_of: Collection[WaitCause]


class Stage(NamedTuple):
    """What is waited for until a moment; None if that is not known, or has not come.

    ``is_pending`` says that it had not come when it was last looked at.
    """

    cause: WaitCause
    ended: Mark | None
    is_pending: bool = False


class Span(NamedTuple):
    """A segment with the precision of either end."""

    cause: WaitCause
    began: Mark
    ended: Mark
    source: str


class Window(NamedTuple):
    """The time that is divided.

    Attributes:
        is_over: Whether what was waited for came at its end.
        looked_s: When the stages were last looked at.
    """

    began: Mark
    until: Mark
    is_over: bool
    looked_s: float


def divided(stages: Iterable[Stage], window: Window) -> list[Span]:
    """A time, by the stages that follow each other in it.

    What lies between two known moments is the stage's whose end the later one is. If there are
    several, whose own ends are not known, it is theirs only where they are of one cause; it is
    the first one's until it was last looked at, if that had not ended then. All else is unknown.
    """
    spans: list[Span] = []
    position, open_ones = window.began, list[Stage]()
    for stage in stages:
        open_ones.append(stage)
        if stage.ended is None:
            continue
        at_s = min(max(stage.ended.at_s, position.at_s), window.until.at_s)
        reached = stage.ended._replace(at_s=at_s)
        spans += _filled(open_ones, position, reached, _pending_until(window, reached))
        position, open_ones = reached, []
    pending_s = _pending_until(window, window.until) if window.is_over else window.looked_s
    spans += _filled(open_ones, position, window.until, pending_s)
    return [each for each in spans if each.ended.at_s > each.began.at_s]


def _pending_until(window: Window, ended: Mark) -> float:
    """Until when a stage before a moment is known to have been pending; what ended it came then."""
    return window.looked_s if window.looked_s < ended.at_s else -math.inf


def _filled(stages: Sequence[Stage], began: Mark, ended: Mark, pending_s: float) -> Iterator[Span]:
    """The time between two known moments; there may be no stages at all at its end."""
    causes = dict.fromkeys(each.cause for each in stages)
    if len(causes) == 1:
        yield Span(stages[0].cause, began, ended, ended.source)
        return
    if stages and stages[0].is_pending and pending_s > began.at_s:
        looked = Mark(min(pending_s, ended.at_s), 0.0, "")
        yield Span(stages[0].cause, began, looked, "not over when it was last looked at")
        began = looked
    yield Span(WaitCause.UNKNOWN, began, ended, "no timestamp of what came between")


def painted(spans: Iterable[Span], part: Part) -> list[Span]:
    """The same time, in which a part that counts in the place of some causes does."""
    found: list[Span] = []
    for span in spans:
        began = max(span.began, part.began, key=_at)
        ended = min(span.ended, part.ended, key=_at)
        if span.cause not in part.instead_of or ended.at_s <= began.at_s:
            found.append(span)
            continue
        if began.at_s > span.began.at_s:
            found.append(span._replace(ended=began))
        found.append(Span(part.cause, began, ended, part.source))
        if ended.at_s < span.ended.at_s:
            found.append(span._replace(began=ended))
    return found


def _at(mark: Mark) -> float:
    return mark.at_s


def segments_of(spans: Iterable[Span]) -> tuple[Segment, ...]:
    """Spans as results keep them; neighbours of one cause are one."""
    found: list[Segment] = []
    for span in spans:
        precision_s = max(span.began.precision_s, span.ended.precision_s)
        segment = Segment(
            cause=span.cause,
            began_s=span.began.at_s,
            ended_s=span.ended.at_s,
            precision_s=round(precision_s, 6),
            source=span.source,
        )
        if found and found[-1].cause is span.cause:
            before = found.pop()
            segment = Segment(
                cause=span.cause,
                began_s=before.began_s,
                ended_s=segment.ended_s,
                precision_s=max(before.precision_s, segment.precision_s),
                source=before.source if before.source == segment.source else segment.source,
            )
        found.append(segment)
    return tuple(found)
