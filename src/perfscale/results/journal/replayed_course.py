"""What happened beside the objects and operations of a run, while its journal is played again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perfscale.results.journal.entries import (
    AttributionEntry,
    BlindEntry,
    EndEntry,
    GeneratorEntry,
    HookEntry,
    LostEntry,
    OutageEntry,
    TotalsEntry,
    WarningEntry,
)
from perfscale.results.journal.merging import merge_outages, merge_totals
from perfscale.results.measure.blindness import BlindSpans
from perfscale.results.measure.stages import StageLog
from perfscale.results.model.course.attribution import AttributionResult, merge_attribution
from perfscale.results.model.run import Totals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from perfscale.results.journal.entries import AnyEntry, StageEntry
    from perfscale.results.journal.objects import ObjectLife
    from perfscale.results.journal.operations import OperationLife
    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.course.attribution import AttributedObject, AttributionCounts
    from perfscale.results.model.course.hooks import HookRecord
    from perfscale.results.model.interruptions import OutageRecord


class ReplayedCourse:
    """Takes the entries that are about no object, operation or iteration, in their order.

    Args:
        is_shared: Whether several generators have written the journal.

    Attributes:
        blind: Times in which nothing was seen; all of them have an end after `close`.
        end: How the run ended; None if the journal does not say.
        stage_log: What was done when.
        stages: What was done last, by workload that went on; for None, by the run as a whole.
        last_s: When the last thing in the journal happened.
        lost: Entries that the journal could not take.
    """

    def __init__(self, *, is_shared: bool) -> None:
        self._is_shared = is_shared
        self._totals: dict[int | None, Totals] = {}
        self._spans: dict[int, int] = {}
        self._generators: dict[int, GeneratorRecord] = {}
        self._outages: dict[tuple[float, str, str], OutageRecord] = {}
        self._hooks: dict[int, HookRecord] = {}
        self._attributed: dict[str, AttributedObject] = {}
        self._attribution_counts: dict[int | None, AttributionCounts] = {}
        self.blind = BlindSpans()
        self.end: EndEntry | None = None
        self.stage_log = StageLog()
        self.stages: dict[str | None, StageEntry] = {}
        self.last_s = 0.0
        self.lost = 0

    def take(self, entry: AnyEntry) -> None:
        """Take the next of them."""
        match entry:
            case TotalsEntry():
                self._totals[entry.shard] = entry.totals
                self.reach(entry.at_s)
            case WarningEntry():
                self.reach(entry.at_s)
            case LostEntry():
                self.lost += entry.count
            case EndEntry():
                self.end = entry
            case _:
                self._take_seen(entry)

    def _take_seen(self, entry: AnyEntry) -> None:
        """Take what the generator saw of itself, of the server and of hooks."""
        match entry:
            case BlindEntry():
                # Of several generators, the numbers have gaps.
                self.blind.put(self._spans.setdefault(entry.n, len(self._spans)), entry.span)
                self.reach(entry.span.began_s)
            case OutageEntry():
                outage = entry.outage
                self._outages[outage.began_s, outage.what, outage.name] = outage
                self.reach(outage.ended_s)
            case GeneratorEntry():
                self._generators[entry.generator.shard] = entry.generator
            case AttributionEntry() | HookEntry():
                self._take_found(entry)

    def _take_found(self, entry: AttributionEntry | HookEntry) -> None:
        """Take an entry in whose place a later one may come."""
        if isinstance(entry, HookEntry):
            self._hooks[entry.hook.n] = entry.hook
            self.reach(entry.hook.ended_s or entry.hook.began_s)
            return
        self._attributed.pop(entry.uid, None)
        if entry.object is not None:
            self._attributed[entry.uid] = entry.object
        self._attribution_counts[entry.shard] = entry.counts
        self.reach(entry.at_s)

    def enter(self, entry: StageEntry, going_on: Collection[str]) -> None:
        """Note the stage of a workload, or of the run; workloads that are over have none."""
        if entry.workload is None:
            going_on = ()
        self.stages = {name: stage for name, stage in self.stages.items() if name in going_on}
        self.stages[entry.workload] = entry
        self.stage_log.enter(entry.at_s, entry.stage, entry.workload, entry.round)
        self.reach(entry.at_s)

    def reach(self, at_s: float) -> None:
        """Something happened then."""
        self.last_s = max(self.last_s, at_s)

    def reach_ends(self, lives: Iterable[ObjectLife | OperationLife]) -> None:
        """All that is known of these has happened."""
        for life in lives:
            self.reach(max(life.times_s(), default=0.0))

    def close(self) -> None:
        """Give an end to times in which nothing was seen."""
        self.blind.close(self.last_s if self.end is None else self.end.duration_s)

    @property
    def is_cut(self) -> bool:
        """Whether things may have happened that are not in the journal."""
        return self.end is None or self.lost > 0

    @property
    def totals(self) -> Totals:
        """The last that were written, of all generators together."""
        if self.end is not None:
            return self.end.totals
        return merge_totals(self._totals, self._generators)

    @property
    def generators(self) -> tuple[GeneratorRecord, ...]:
        """Those of the run, where there are several, with what each saw of itself last."""
        return tuple(
            msgspec.structs.replace(each, vitals=self._totals.get(shard, Totals()).vitals)
            for shard, each in sorted(self._generators.items())
        )

    @property
    def outages(self) -> tuple[OutageRecord, ...]:
        """When the API server was gone, or what it calls."""
        outages = sorted(self._outages.values())
        return tuple(merge_outages(outages) if self._is_shared else outages)

    @property
    def attribution(self) -> AttributionResult | None:
        """Where the time of slow objects went; None if nothing was looked at."""
        if not self._attribution_counts:
            return None
        return merge_attribution(self._attributed.values(), self._attribution_counts.values())

    @property
    def hooks(self) -> tuple[HookRecord, ...]:
        """Those that had begun; one that had not ended has no end."""
        return tuple(self._hooks.values())
