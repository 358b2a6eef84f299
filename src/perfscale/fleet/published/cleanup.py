"""The coordinator's cleanup: of what it sees itself, and of what no generator has seen go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.engine.removal.ending import FinalCleanup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from perfscale.engine.context import RunContext
    from perfscale.engine.removal.by_uid import ObjectReference
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.fleet.published.losses import Losses


class LossyCleanup(FinalCleanup):
    """A cleanup that also removes what no generator has seen go, and notes that it is gone.

    Lost ones see nothing, nor does one that is cut off from the API server: it is looked at when
    nothing is left that has the run's label.

    Args:
        context: The coordinator's.
        namespaces: Those of the run.
        drain: As `FinalCleanup` takes it.
        losses: What is known of lost generators.
    """

    def __init__(
        self,
        context: RunContext,
        namespaces: RunNamespaces,
        drain: Callable[[float], Awaitable[None]],
        losses: Losses,
    ) -> None:
        super().__init__(context, namespaces, drain)
        self._losses = losses
        self._numbers: dict[str, int] = {}

    async def _catch_up(self, bound_s: float) -> None:
        """Generators publish what their watches show a little later."""
        await super()._catch_up(bound_s)
        await self._losses.wait_until_seen(bound_s)

    def _expected(self) -> Iterator[ObjectReference]:
        yield from super()._expected()
        for number, reference in self._losses.left():
            self._numbers[reference.uid] = number
            yield reference

    def _note_gone(self, reference: ObjectReference) -> None:
        number = self._numbers.get(reference.uid)
        if number is None:
            super()._note_gone(reference)
        else:
            self._losses.note_gone(number)
