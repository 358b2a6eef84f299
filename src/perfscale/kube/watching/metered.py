"""A watch that is a load by itself: what it receives is counted, and let go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.watching.events import LineBuffer
from perfscale.kube.watching.reopening import StreamFailedError
from perfscale.kube.watching.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from perfscale.kube.http.transport import AnswerStream, Arrival
    from perfscale.kube.listing import ObjectList

T = TypeVar("T")


class MeteredWatch(Watch[T]):
    """A `Watch` that counts the bytes of its lists and streams. Takes what a `Watch` takes.

    Attributes:
        received: Bytes so far.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 -- those of a `Watch`
        super().__init__(*args, **options)
        self.received = 0
        pages = _MeteredPages(self, self._pages)
        self._pages = cast("msgspec.json.Decoder[ObjectList[T]]", pages)
        self._open: AnswerStream | None = None
        self._lines: LineBuffer | None = None

    def take_rest(self) -> None:
        """Take what has come and waits to be read with what comes next; before it is closed."""
        if self._open is None:
            return
        lines = self._lines or LineBuffer()
        try:
            for heard_s, data in self._open.take_arrived():
                self._take(lines, data, heard_s)
        except (NoAnswerError, StreamFailedError):
            pass  # it is closed all the same

    async def _read(self, stream: AnswerStream) -> Sequence[Arrival]:
        if stream is not self._open:  # the lines of the last one end with it
            self._open, self._lines = stream, None
        return await super()._read(stream)

    def _take(self, lines: LineBuffer, data: bytes, heard_s: float) -> bool:
        self._lines = lines
        self.received += len(data)
        return super()._take(lines, data, heard_s)


class _MeteredPages(Generic[T]):
    """Decodes the pages of a watch's lists, and counts their bytes."""

    def __init__(self, watch: MeteredWatch[T], pages: msgspec.json.Decoder[ObjectList[T]]) -> None:
        self._watch = watch
        self._decode = pages.decode

    def decode(self, body: bytes) -> ObjectList[T]:
        self._watch.received += len(body)
        return self._decode(body)
