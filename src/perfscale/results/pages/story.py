"""One pass over a run's records, for what only they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.measure.failures import Failures
from perfscale.results.measure.samples import Samples
from perfscale.results.pages.slowest import Slowest

if TYPE_CHECKING:
    from perfscale.results.folder.reading import RunFiles


class Story:
    """What the records of a run tell, in memory that does not grow with plots.

    Args:
        run: The run.

    Attributes:
        slowest: Those that took longest.
        failures: Why objects failed or were not ready.
        samples: The samples of each latency.

    Raises:
        ResultsError: The records cannot be read, with file and line.
    """

    def __init__(self, run: RunFiles) -> None:
        self.slowest = Slowest()
        self.failures = Failures()
        self.samples = Samples(run.paths, children=run.has_children)
        for record in run.objects():
            self.slowest.add(record)
            self.failures.add(record)
            self.samples.add(record)
        for record in run.children():
            self.failures.add(record)
            self.samples.add(record, child=True)
