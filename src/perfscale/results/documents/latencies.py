"""The documents of latencies: one for each object as its record comes, then those of quantiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.results.documents.measurements import (
    MIGRATION,
    VMI,
    Condition,
    Measurement,
    is_a,
    measurement_of,
)
from perfscale.results.documents.stamps import NamedDocument, Stamps, milliseconds
from perfscale.results.measure.latencies import ready_s
from perfscale.results.measure.samples import SamplesOf
from perfscale.results.model.operations import OperationOutcome
from perfscale.results.model.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from perfscale.results.documents.jobs import Jobs
    from perfscale.results.model.latency import LatencySummary
    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord

_VM: Final = "VirtualMachine"
_MIGRATE: Final = "migrate"


class _Owner(NamedTuple):
    """What the document of a child needs of what it was made for; the name is that of a VM."""

    replica: int | None
    origin_s: float | None
    vm_name: str | None
    vm_ready_s: float | None


@dataclass
class ChurnSpan:
    """When a job churned: from its first deletion to the last object of it that was ready."""

    began_s: float | None = None
    ended_s: float | None = None

    def take(self, record: ObjectRecord) -> None:
        """Count in what churn did to one object."""
        if record.replaced_in is not None and record.delete_requested_s is not None:
            began_s = self.began_s
            requested_s = record.delete_requested_s
            self.began_s = requested_s if began_s is None else min(began_s, requested_s)
        if record.round is not None:
            seen_s = record.created_s if record.ready_s is None else record.ready_s
            if seen_s is not None:
                self.ended_s = seen_s if self.ended_s is None else max(self.ended_s, seen_s)


@dataclass
class LatencyDocuments:
    """Makes them; the samples of quantiles take eight bytes each.

    Attributes:
        stamps: What all of them have.
        jobs: Which job each workload is.
        children: Whether records of children will come, which need to know their owners.
        churned: When each job churned, once all records have come.
    """

    stamps: Stamps
    jobs: Jobs
    children: bool
    churned: dict[str, ChurnSpan] = field(default_factory=dict)
    _samples: dict[tuple[str, Measurement], SamplesOf[str]] = field(default_factory=dict)
    _owners: dict[str, _Owner] = field(default_factory=dict)

    def of_objects(self, records: Iterable[ObjectRecord]) -> Iterator[NamedDocument]:
        """A document for each object that kube-burner measures; owners before their children."""
        for record in records:
            owner = self._owners.get(record.owner_uid or "") if record.replica is None else None
            origin_s = _origin_s(record, owner)
            self._remember(record, owner, origin_s)
            if record.round is not None or record.replaced_in is not None:
                job = self.jobs.name(record.workload)
                self.churned.setdefault(job, ChurnSpan()).take(record)
            measurement = measurement_of(record)
            is_created = record.uid is not None and record.made_by is None
            if measurement is not None and origin_s is not None and is_created:
                yield self._series(measurement, record, owner, origin_s)

    def of_operations(self, records: Iterable[OperationRecord]) -> Iterator[NamedDocument]:
        """A document for each migration that was sent: kube-burner has nothing for the others."""
        for record in records:
            if record.operation != _MIGRATE or record.sent_s is None:
                continue
            body: dict[str, Any] = {"timestamp": self.stamps.at(record.sent_s)}
            moments = [
                (each, record.milestones.get(each.quantile)) for each in MIGRATION.conditions
            ]
            done = record.outcome is OperationOutcome.DONE
            body |= self._measured(record.workload, MIGRATION, moments, record.sent_s, ready=done)
            body |= {"vmiName": record.name}
            yield self._named(MIGRATION, record.workload, record.namespace, record.iteration, body)

    def quantiles(self, ended_s: Mapping[str, float]) -> Iterator[NamedDocument]:
        """A document for each condition that somebody came to.

        Args:
            ended_s: When each job ended, in seconds since the run's start.
        """
        for (job, measurement), samples in self._samples.items():
            file = f"{measurement.quantiles}-{job}"
            for name, each in samples.items():
                known = _statistics(each.summarize())
                if known:
                    yield NamedDocument(
                        file,
                        {
                            "quantileName": name,
                            **known,
                            "timestamp": self.stamps.at(ended_s.get(job, 0.0)),
                            **self.stamps.common(measurement.quantiles),
                            "jobName": job,
                        },
                    )

    def _remember(self, record: ObjectRecord, owner: _Owner | None, origin_s: float | None) -> None:
        machine = is_a(record, VMI.group, _VM)
        if self.children and record.uid is not None:
            replica = record.replica if owner is None else owner.replica
            self._owners[record.uid] = _Owner(
                replica,
                origin_s,
                record.name if machine else None,
                ready_s(record) if machine else None,
            )
        if machine and origin_s is not None:
            condition = Condition("", "VMReady", ready_s)
            ready = record.outcome is Outcome.READY
            moments = [(condition, ready_s(record))]
            self._measured(record.workload, VMI, moments, origin_s, ready=ready)

    def _series(
        self, measurement: Measurement, record: ObjectRecord, owner: _Owner | None, origin_s: float
    ) -> NamedDocument:
        body: dict[str, Any] = {"timestamp": self.stamps.at(origin_s)}
        moments = [(each, each.reached_s(record)) for each in measurement.conditions]
        ready = record.outcome is Outcome.READY
        body |= self._measured(record.workload, measurement, moments, origin_s, ready=ready)
        if owner is not None and owner.vm_name is not None and measurement is VMI:
            body["vmName"] = owner.vm_name
            if owner.vm_ready_s is not None:
                body["vmReadyLatency"] = milliseconds(owner.vm_ready_s - origin_s)
        body[measurement.named] = record.name
        replica = record.replica if owner is None else owner.replica
        if replica is not None:
            body["replica"] = replica
        if record.round is not None:
            body["churnMetric"] = True
        return self._named(measurement, record.workload, record.namespace, record.iteration, body)

    def _measured(
        self,
        workload: str,
        measurement: Measurement,
        moments: Iterable[tuple[Condition, float | None]],
        origin_s: float,
        *,
        ready: bool,
    ) -> dict[str, int]:
        """Count the latencies of one, which last from ``origin_s``; those that there are."""
        job = self.jobs.name(workload)
        samples = self._samples.setdefault((job, measurement), SamplesOf())
        found: dict[str, int] = {}
        for condition, at_s in moments:
            if at_s is not None:
                found[condition.field] = milliseconds(at_s - origin_s)
                samples[condition.quantile].add(at_s - origin_s)
            elif condition.expected and not ready:
                samples[condition.quantile].add_missing()
        return found

    def _named(
        self,
        measurement: Measurement,
        workload: str,
        namespace: str | None,
        iteration: int,
        body: dict[str, Any],
    ) -> NamedDocument:
        if namespace is not None:
            body["namespace"] = namespace
        job = self.jobs.name(workload)
        body |= {"jobIteration": self.jobs.iteration(workload, iteration), "jobName": job}
        body |= self.stamps.common(measurement.series)
        return NamedDocument(f"{measurement.series}-{job}", body)


def _origin_s(record: ObjectRecord, owner: _Owner | None) -> float | None:
    """From when the latencies of a record count: its request; of a child, when it was first seen.

    The instance of a VM counts from when the VM does, as there.
    """
    if record.replica is not None:
        return record.sent_s
    if owner is not None and owner.vm_name is not None and is_a(record, VMI.group, VMI.kind):
        return owner.origin_s
    return record.created_s


def _statistics(latency: LatencySummary) -> dict[str, int]:
    statistics = {
        "P99": latency.p99,
        "P95": latency.p95,
        "P50": latency.p50,
        "min": latency.min,
        "max": latency.max,
        "avg": latency.mean,
    }
    return {key: milliseconds(value) for key, value in statistics.items() if value is not None}
