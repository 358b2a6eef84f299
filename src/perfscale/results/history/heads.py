"""What a list of runs says of each: read from two small files, of which most is passed over.

A thousand runs are listed while a person waits, so nothing is decoded that the list does not show.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from perfscale.config.reading.regular import read_regular
from perfscale.errors import ResultsError
from perfscale.results.files import RUN_FILE, SEARCH_FILE, SUMMARY_FILE
from perfscale.results.folder.latest import LATEST
from perfscale.results.model.client.health import Validity
from perfscale.results.model.document import SCHEMA_VERSION
from perfscale.results.model.run import RunOutcome, is_simulated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T = TypeVar("T", bound="_Part")

_ACCEPTED_SINCE: Final = 2
"""The schema version from which on ``achievedQps`` counts what the server accepted."""


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a document; other keys are passed over."""


class _Generator(_Part, frozen=True):
    verdict: Validity


class _Latency(_Part, frozen=True):
    p99: float | None = None


class _Kind(_Part, frozen=True):
    phases: dict[str, _Latency] = {}


class _Operation(_Part, frozen=True):
    operation: str
    kind: str
    effect: _Latency = _Latency()


class _Rate(_Part, frozen=True):
    achieved_qps: float | None = None


class _Workload(_Part, frozen=True):
    name: str
    rate: _Rate = _Rate()
    kinds: dict[str, _Kind] = {}
    operations: list[_Operation] = []


class ClusterHead(_Part, frozen=True):
    """Where a run went."""

    context: str | None = None
    server: str = ""
    version: str | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether it was a simulated one, which has another address each time."""
        return is_simulated(self.version)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "simulated" if self.is_simulated else self.context or self.server

    @property
    def identity(self) -> str:
        """The same for runs on the same cluster, whoever called it what."""
        return "simulated" if self.is_simulated else self.server


class _Run(_Part, frozen=True):
    run_id: str
    started_at: datetime
    cluster: ClusterHead = ClusterHead()
    source: str | None = None
    tags: dict[str, str] = {}
    note: str | None = None


class _Summary(_Part, frozen=True):
    schema_version: int
    run_id: str = ""
    started_at: datetime | None = None
    outcome: RunOutcome | None = None
    generator: _Generator | None = None
    cluster: ClusterHead = ClusterHead()
    workloads: list[_Workload] = []


@dataclass(frozen=True, slots=True)
class WorkloadHead:
    """One workload of a run.

    Attributes:
        accepted_qps: What the server accepted, a second; None if that is not known.
        ready_p99_s: 99 % of each kind were ready after so long, by kind; None if they were not.
        done_p99_s: The same of operations, by what was done to what: ``migrate of Kind``.
    """

    name: str
    accepted_qps: float | None
    ready_p99_s: Mapping[str, float | None]
    done_p99_s: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class RunHead:
    """What a list says of a run.

    Attributes:
        outcome: None as long as there is no summary: it goes on, or was killed.
        generator: Whether the numbers stand; None if that is not known.
        source: Its workload file.
    """

    folder: Path
    run_id: str
    started_at: datetime
    cluster: ClusterHead
    source: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    outcome: RunOutcome | None = None
    generator: Validity | None = None
    workloads: tuple[WorkloadHead, ...] = ()

    @property
    def subject(self) -> tuple[str, tuple[str, ...]]:
        """The cluster and the workloads: runs that have the same can be compared."""
        return self.cluster.identity, tuple(each.name for each in self.workloads)

    @property
    def came_to_its_end(self) -> bool:
        """Whether it did all that it was to do, well or not."""
        return self.outcome in {RunOutcome.PASSED, RunOutcome.FAILED}


class Skipped(NamedTuple):
    """A folder that is no run, or not one that can be read, and why."""

    folder: Path
    why: str


class Runs(NamedTuple):
    """The runs of a results folder, the newest first, and what else is there."""

    runs: list[RunHead]
    skipped: list[Skipped]


def list_runs(parent: Path) -> Runs:
    """The runs whose folders are in ``parent``; files there are passed over.

    Raises:
        ResultsError: It is no folder, or cannot be read.
    """
    runs: list[RunHead] = []
    skipped: list[Skipped] = []
    try:
        names = sorted(each.name for each in os.scandir(parent) if _may_be_run(each))
    except OSError as error:
        raise ResultsError(
            f"{parent}: the runs in it cannot be listed: {error.strerror or error}",
            hint="name the folder with the runs' folders, or set --results-dir",
        ) from error
    for name in names:
        try:
            runs.append(read_head(parent / name))
        except ResultsError as error:
            skipped.append(Skipped(parent / name, str(error)))
    runs.sort(key=lambda run: run.started_at, reverse=True)
    return Runs(runs, skipped)


def _may_be_run(entry: os.DirEntry[str]) -> bool:
    linked = entry.name == LATEST and entry.is_symlink()
    if linked or entry.name.startswith("."):
        return False
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def read_head(folder: Path) -> RunHead:
    """What a list says of the run in ``folder``.

    Raises:
        ResultsError: It is no run's, or a file in it cannot be understood.
    """
    run, summary = _read(folder / RUN_FILE, _RUN), _read(folder / SUMMARY_FILE, _SUMMARY)
    if summary is not None and summary.schema_version > SCHEMA_VERSION:
        raise ResultsError(f"its summary is of a newer perfscale ({summary.schema_version})")
    if run is None and (summary is None or summary.started_at is None):
        if (folder / SEARCH_FILE).exists():
            raise ResultsError(f"a search: perfscale runs {folder / 'steps'} lists its runs")
        raise ResultsError(f"not a run: it has no {RUN_FILE}")
    if run is None:
        run = _Run(summary.run_id, summary.started_at, summary.cluster)  # type: ignore[union-attr,arg-type] # the condition above
    started_at = run.started_at if run.started_at.tzinfo else run.started_at.replace(tzinfo=UTC)
    known = RunHead(folder, run.run_id, started_at, run.cluster, run.source, run.tags, run.note)
    return known if summary is None else _with_summary(known, summary)


def _with_summary(head: RunHead, summary: _Summary) -> RunHead:
    knows_accepted = summary.schema_version >= _ACCEPTED_SINCE
    return replace(
        head,
        outcome=summary.outcome,
        generator=None if summary.generator is None else summary.generator.verdict,
        workloads=tuple(
            WorkloadHead(
                each.name,
                each.rate.achieved_qps if knows_accepted else None,
                {
                    kind: measured.phases["Ready"].p99
                    for kind, measured in each.kinds.items()
                    if "Ready" in measured.phases
                },
                {f"{done.operation} of {done.kind}": done.effect.p99 for done in each.operations},
            )
            for each in summary.workloads
        ),
    )


_RUN: Final = msgspec.json.Decoder(_Run)
_SUMMARY: Final = msgspec.json.Decoder(_Summary)


def _read(path: Path, decoder: msgspec.json.Decoder[T]) -> T | None:
    """A document; None if it is not there."""
    try:
        return decoder.decode(read_regular(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ResultsError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path.name} is broken: {error}") from error
