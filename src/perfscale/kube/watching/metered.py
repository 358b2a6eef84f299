"""A watch that is a load by itself: what it receives is counted, and let go."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from perfscale.kube.watching.watch import Watch

if TYPE_CHECKING:
    from perfscale.kube.watching.events import LineBuffer

T = TypeVar("T")


class MeteredWatch(Watch[T]):
    """A `Watch` that counts the bytes of its streams.

    Attributes:
        received: Bytes so far, of streams alone: a state that is listed is not among them.
    """

    received = 0

    def _take(self, lines: LineBuffer, data: bytes, heard_s: float) -> bool:
        self.received += len(data)
        return super()._take(lines, data, heard_s)
