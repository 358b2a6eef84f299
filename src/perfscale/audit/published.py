"""Results of the Go perfscale-audit, read back: alone, or as KubeVirt's CI collects them.

https://github.com/kubevirt/ci-performance-benchmarks has one file for each run of a job, with the
time of the run and the results for VMIs and for VMs, and one for each metric and week.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.config.reading.regular import read_regular
from perfscale.errors import ResultsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BYTES: Final = 8_000_000
"""A larger file is none of perfscale-audit's, which are some kilobytes."""
_DATE: Final = re.compile(
    r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)(?:[T_ -]?([0-2]\d)[:-]?([0-5]\d)(?:[:-]?([0-5]\d))?)?"
    r"(?!\d)"
)
_NO_NAME: Final = re.compile(r"\d+|data|artifacts|" + _DATE.pattern + r".*")
"""Folders that say which run a file is of, or nothing: not what was run."""
_WAITED_FOR: Final = "CreationToRunning"
"""In the name of every latency that is 0 only where nothing became ready."""


class _Value(msgspec.Struct):
    value: float


class _Results(msgspec.Struct):
    values: dict[str, _Value] | None = msgspec.field(name="Values", default=None)


class _Point(msgspec.Struct, rename="pascal"):
    value: float
    date: datetime


class _Week(msgspec.Struct, rename="pascal"):
    data_points: list[_Point]


class _File(msgspec.Struct):
    """What a file may hold of all that; what is not there is None."""

    values: dict[str, _Value] | None = msgspec.field(name="Values", default=None)
    vmi: _Results | None = msgspec.field(name="VMIResult", default=None)
    vm: _Results | None = msgspec.field(name="VMResult", default=None)
    week: _Week | None = msgspec.field(name="Data", default=None)
    created: datetime | None = msgspec.field(name="JobDirCreationTime", default=None)
    started: datetime | None = msgspec.field(name="startTime", default=None)
    ended: datetime | None = msgspec.field(name="endTime", default=None)
    timestamp: datetime | None = None
    date: datetime | None = None

    @property
    def is_result(self) -> bool:
        """Whether anything of a file of results is there; one without values has a time."""
        fields = (self.values, self.vmi, self.vm, self.week, self.created)
        return any(each is not None for each in fields)


_DECODER: Final = msgspec.json.Decoder(_File)


class PublishedResult(NamedTuple):
    """The results of one audit.

    Attributes:
        job: What was run, by the folder that the file is in.
        at: When; UTC where the file or its name has no zone.
        values: By the names of perfscale-audit.
    """

    job: str
    at: datetime
    values: dict[str, float]

    @property
    def nothing_measured(self) -> bool:
        """Whether there are latencies of readiness, and all of them are 0."""
        waits = [value for name, value in self.values.items() if _WAITED_FOR in name]
        return bool(waits) and not any(waits)


def read_published(path: Path) -> list[PublishedResult] | None:
    """The results in a file, which may have none; None if it is of something else.

    Raises:
        ResultsError: It cannot be read; or nothing tells from when it is.
    """
    file = _read(path)
    if file is None or not file.is_result:
        return None
    if file.week is not None:
        return list(_of_week(path, file.week))
    parts = {"": file.values}
    for name, result in (("vmi", file.vmi), ("vm", file.vm)):
        parts[name] = None if result is None else result.values
    found = {name: values for name, values in parts.items() if values}
    if not found:
        return []
    at = _moment(path, file)
    job = next(_names(path), "")
    return [
        PublishedResult(
            f"{job} {name}".strip(),
            at,
            {key: each.value for key, each in values.items() if math.isfinite(each.value)},
        )
        for name, values in found.items()
    ]


def _read(path: Path) -> _File | None:
    """The file; None if it is something else."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return _DECODER.decode(read_regular(path))
    except OSError as error:
        raise ResultsError(f"{path}: it cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        return None


def _of_week(path: Path, week: _Week) -> Iterator[PublishedResult]:
    """One metric over a week; the folders name it, and below which of a job's tests it was."""
    names = _names(path)
    metric, test, job = (next(names, "") for _ in range(3))
    for point in week.data_points:
        yield PublishedResult(f"{job} {test}".strip(), _aware(point.date), {metric: point.value})


def _names(path: Path) -> Iterator[str]:
    """The folders above a file, the nearest first, without those of one run."""
    return (
        folder.name
        for folder in path.absolute().parents
        if folder.name and not _NO_NAME.fullmatch(folder.name)
    )


def _moment(path: Path, file: _File) -> datetime:
    """When it was: by a field, or by the name of the file or else of the nearest folder.

    Raises:
        ResultsError: None of them has a date.
    """
    for moment in (file.created, file.started, file.ended, file.timestamp, file.date):
        if moment is not None:
            return _aware(moment)
    for each in (path.absolute(), *path.absolute().parents):
        for match in _DATE.finditer(each.name):
            try:
                return datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type] # six of them
            except ValueError:
                continue  # digits, and no date
    raise ResultsError(f"{path}: neither a field nor its name nor a folder has a date")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
