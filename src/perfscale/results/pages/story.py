"""One pass over a run's records, from which everything on its page is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perfscale.results.pages.failures import Failures
from perfscale.results.pages.rates import Rates
from perfscale.results.pages.slowest import Slowest
from perfscale.results.pages.timeline import Instants, Presence, Progress
from perfscale.results.samples import Samples

if TYPE_CHECKING:
    from perfscale.results.reading import RunFiles


class KindKey(NamedTuple):
    """A kind among the objects, or among their children."""

    kind: str
    children: bool


class Story:
    """What the records of a run tell, in memory that does not grow with plots.

    Args:
        run: The run.

    Attributes:
        instants: The instants of ``presence`` and ``progress``.
        presence: Objects by phase over time, for each kind.
        progress: Objects sent, created, ready and gone over time.
        rates: Creates and deletions a second.
        slowest: Those that took longest.
        failures: Why objects failed or were not ready.
        samples: The samples of each latency.

    Raises:
        ResultsError: The records cannot be read, with file and line.
    """

    def __init__(self, run: RunFiles) -> None:
        duration_s = float(run.summary["durationSeconds"])
        self.instants = Instants(duration_s)
        self.presence: dict[KindKey, Presence] = {}
        self.progress = Progress(self.instants)
        self.rates = Rates(duration_s)
        self.slowest = Slowest()
        self.failures = Failures()
        self.samples = Samples(run.paths)
        self._read(run)

    def _read(self, run: RunFiles) -> None:
        for record in run.objects():
            self._presence(record.kind, children=False).add(record)
            self.progress.add(record)
            self.rates.add(record)
            self.slowest.add(record)
            self.failures.add(record)
            self.samples.add(record)
        for record in run.children():
            self._presence(record.kind, children=True).add(record)
            self.failures.add(record)
            self.samples.add(record, child=True)

    def _presence(self, kind: str, *, children: bool) -> Presence:
        key = KindKey(kind, children)
        if key not in self.presence:
            self.presence[key] = Presence(self.instants)
        return self.presence[key]
