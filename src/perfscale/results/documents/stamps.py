"""What all documents of a run have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from perfscale.errors import ResultsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.model.document import Summary


class NamedDocument(NamedTuple):
    """A document, and the name of the file that kube-burner's local indexer would put it into."""

    file: str
    body: dict[str, Any]


class Stamps:
    """The run's id, its tags, its cluster, and its time as documents write it.

    Args:
        summary: Of the run.
        tags: Those of the run, which are what user metadata is there.
    """

    def __init__(self, summary: Summary, tags: Mapping[str, str]) -> None:
        self._epoch = self.instant(summary.started_at).astimezone(UTC)
        self.uuid = summary.run_id
        known = {"k8sVersion": summary.cluster.version, "totalNodes": summary.cluster.nodes}
        self.metadata: dict[str, Any] = dict(tags)
        self.metadata |= {key: value for key, value in known.items() if value is not None}
        self._common: dict[str, Any] = {"uuid": self.uuid}
        if self.metadata:
            self._common["metadata"] = self.metadata

    def at(self, seconds: float) -> str:
        """A moment, in seconds since the run's start, as RFC 3339 in UTC."""
        return self.moment(self._epoch + timedelta(seconds=seconds))

    @staticmethod
    def instant(text: str) -> datetime:
        """A time that a file of the run has as text.

        Raises:
            ResultsError: It is none.
        """
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            raise ResultsError(f"the run's files have {text!r} where a time should be") from error

    @staticmethod
    def moment(moment: datetime) -> str:
        """A moment as RFC 3339 in UTC, in milliseconds."""
        text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")

    def common(self, metric: str) -> dict[str, Any]:
        """The fields that each document of a metric has."""
        return {"metricName": metric, **self._common}


def milliseconds(seconds: float) -> int:
    """As documents write latencies."""
    return round(seconds * 1000)
