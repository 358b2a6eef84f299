"""Progress of all generators together, as it is published of a run of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.engine.accounting.progress import ProgressPublisher

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.engine.tracking.rows import IterationScope
    from perfscale.fleet.published.counting import MergedCounts
    from perfscale.results import OperationLife, RequestSums


class MergedProgress(ProgressPublisher):
    """Publishes the progress of iterations over all generators.

    Args:
        context: The coordinator's.
        leaving: As `ProgressPublisher` takes it, and likewise below.
        requests: What became of the run's requests until now.
        counts: What the generators have published.
    """

    def __init__(
        self,
        context: RunContext,
        leaving: Callable[[], Sequence[OwnedNamespace]],
        requests: Callable[[], RequestSums],
        counts: MergedCounts,
    ) -> None:
        super().__init__(context, leaving, requests)
        self._counts = counts

    def shown(self, scope: IterationScope) -> IterationScope:
        """The counts of all generators."""
        return self._counts.shown(scope)

    def open_operations(self, scope: IterationScope) -> Collection[OperationLife]:
        """Those of all generators."""
        return self._counts.open_operations(scope)

    def follow(self, scope: IterationScope, requested: int) -> None:
        """An iteration begins, before any of the generators has said what it does of it."""
        self._counts.expect(scope, requested)
        super().follow(scope, requested)
