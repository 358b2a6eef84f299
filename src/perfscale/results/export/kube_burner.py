"""A run's instances as documents of kube-burner, for the dashboards that read those.

The names are those of kube-burner 1.x, whose ``vmiLatency`` measurement has a
document for each instance and one for each quantile:
https://github.com/kube-burner/kube-burner/blob/main/pkg/measurements/vmi_latency.go
Its local indexer writes a file for each of the two and each job, a JSON array,
which is what is written here; a workload is a job. Latencies are whole
milliseconds. What is not known, or was not reached, is left out: there are no
numbers that stand for nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from perfscale.errors import ResultsError
from perfscale.results.files import CHILDREN_FILE, OBJECTS_FILE, RUN_FILE, AtomicFile
from perfscale.results.measure.samples import SamplesOf
from perfscale.results.model.records import ObjectRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.results.model.latency import LatencySummary

_FOLDER: Final = "kube-burner"
_LATENCIES: Final = "vmiLatencyMeasurement"
_QUANTILES: Final = "vmiLatencyQuantilesMeasurement"
_VM: Final = "VirtualMachine"
_VMI: Final = "VirtualMachineInstance"
_GROUP: Final = "kubevirt.io"
_PATH: Final = ("Pending", "Scheduling", "Scheduled", "Running")


class _Run(msgspec.Struct, frozen=True, rename={"run_id": "runId", "started_at": "startedAt"}):
    """What of ``run.json`` matters here."""

    run_id: str
    started_at: datetime


def export_kube_burner(folder: Path) -> tuple[Path, ...]:
    """Write the documents of a run's instances beside its other files.

    Args:
        folder: The run's, with its records.

    Returns:
        The files, two for each workload that had instances.

    Raises:
        ResultsError: The records cannot be read, or the documents not written.
    """
    try:
        run = msgspec.json.decode((folder / RUN_FILE).read_bytes(), type=_Run)
        (folder / _FOLDER).mkdir(exist_ok=True)
        with ExitStack() as stack:
            export = _Export(run, folder / _FOLDER, stack)
            for record in _read(folder / OBJECTS_FILE):
                export.add_object(record)
            if (folder / CHILDREN_FILE).exists():
                for record in _read(folder / CHILDREN_FILE):
                    export.add_child(record)
            return export.finish()
    except OSError as error:
        raise ResultsError(f"{error.filename}: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise ResultsError(f"{folder}: its files do not describe a run: {error}") from error


def _read(path: Path) -> Iterator[ObjectRecord]:
    decoder = msgspec.json.Decoder(ObjectRecord)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)


def _is_a(record: ObjectRecord, kind: str) -> bool:
    """Whether it is of that kind of KubeVirt, and not of one of the same name elsewhere."""
    known = record.kind in (kind, f"{kind}.{_GROUP}")
    return known and (not record.api_version or record.api_version.startswith(f"{_GROUP}/"))


class _Workload:
    """One workload's documents: those of instances are written as they come."""

    def __init__(self, name: str, run: _Run, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.samples: SamplesOf[str] = SamplesOf()
        self._common = {"uuid": run.run_id, "jobName": name}
        self._epoch = run.started_at.astimezone(UTC)
        self._file = file
        self._separator = b"[\n"

    def add(self, instance: ObjectRecord, owner: ObjectRecord | None = None) -> None:
        """Write the document of an instance, which was requested with its owner if it has one."""
        requested = owner or instance
        origin_s = requested.sent_s if requested.sent_s is not None else instance.created_s
        if origin_s is None or instance.uid is None:
            return
        reached = {"Created": instance.created_s, "Ready": instance.ready_s}
        reached |= {phase: instance.phases_s.get(phase) for phase in _PATH}
        document: dict[str, Any] = {"timestamp": self._stamp(origin_s), "metricName": _LATENCIES}
        for name, at_s in reached.items():
            if at_s is not None:
                document[f"vmi{name}Latency"] = _milliseconds(at_s - origin_s)
                self.samples[f"VMI{name}"].add(at_s - origin_s)
            elif instance.outcome is not Outcome.READY:
                self.samples[f"VMI{name}"].add_missing()
        if owner is not None and _is_a(owner, _VM):
            document["vmName"] = owner.name
            if owner.ready_s is not None:
                document["vmReadyLatency"] = _milliseconds(owner.ready_s - origin_s)
        document |= {
            "vmiName": instance.name,
            "namespace": instance.namespace,
            "jobIteration": instance.iteration,
            "replica": requested.replica,
            **self._common,
        }
        self._write(document)

    def quantiles(self) -> list[dict[str, Any]]:
        """The documents of the quantiles."""
        return [self._quantile(name, each.summarize()) for name, each in self.samples.items()]

    def close(self) -> None:
        """Write the end of the array."""
        self._file.write(b"[]\n" if self._separator == b"[\n" else b"\n]\n")

    def _quantile(self, name: str, latency: LatencySummary) -> dict[str, Any]:
        statistics = {
            "P99": latency.p99,
            "P95": latency.p95,
            "P50": latency.p50,
            "min": latency.min,
            "max": latency.max,
            "avg": latency.mean,
        }
        known = {
            key: _milliseconds(value) for key, value in statistics.items() if value is not None
        }
        return {
            "quantileName": name,
            **known,
            "timestamp": self._stamp(0.0),
            "metricName": _QUANTILES,
            **self._common,
        }

    def _write(self, document: dict[str, Any]) -> None:
        self._file.write(self._separator + msgspec.json.encode(document))
        self._separator = b",\n"

    def _stamp(self, at_s: float) -> str:
        stamp = (self._epoch + timedelta(seconds=at_s)).isoformat(timespec="milliseconds")
        return stamp.replace("+00:00", "Z")


class _Export:
    """All of them; the files take their places when ``stack`` ends without an error."""

    def __init__(self, run: _Run, folder: Path, stack: ExitStack) -> None:
        self._run = run
        self._folder = folder
        self._stack = stack
        self._workloads: dict[str, _Workload] = {}
        self._owners: dict[str, ObjectRecord] = {}

    def add_object(self, record: ObjectRecord) -> None:
        """Take an object of the run."""
        if _is_a(record, _VMI):
            self._of(record.workload).add(record)
            return
        if record.uid is not None:
            self._owners[record.uid] = record
        if _is_a(record, _VM) and record.sent_s is not None:
            samples = self._of(record.workload).samples["VMReady"]
            if record.outcome is Outcome.READY and record.ready_s is not None:
                samples.add(record.ready_s - record.sent_s)
            else:
                samples.add_missing()

    def add_child(self, record: ObjectRecord) -> None:
        """Take a child."""
        if _is_a(record, _VMI):
            self._of(record.workload).add(record, self._owners.get(record.owner_uid or ""))

    def finish(self) -> tuple[Path, ...]:
        """Write the quantiles."""
        paths: list[Path] = []
        for name, workload in self._workloads.items():
            workload.close()
            path = self._folder / f"{_QUANTILES}-{name}.json"
            file = self._stack.enter_context(AtomicFile(path)).file
            file.write(msgspec.json.format(msgspec.json.encode(workload.quantiles()), indent=2))
            file.write(b"\n")
            paths += (workload.path, path)
        return tuple(paths)

    def _of(self, name: str) -> _Workload:
        workload = self._workloads.get(name)
        if workload is None:
            path = self._folder / f"{_LATENCIES}-{name}.json"
            file = self._stack.enter_context(AtomicFile(path)).file
            workload = self._workloads[name] = _Workload(name, self._run, path, file)
        return workload


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
