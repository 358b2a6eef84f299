"""Decodes what a watch streams: whole buffers at a time, straight into structs.

Going line by line through a stream reader and the json module costs more than
everything else a run does with an event. Here a buffer is cut at its last
newline and all the lines before it are decoded in one call. Bookmarks and
errors, which look different, make that call fail; they are rare enough for the
buffer to be decoded again, line by line.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from perfscale.kube.decoding import Version
from perfscale.kube.http.transport import LONGEST_LINE
from perfscale.kube.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists"""

T = TypeVar("T")


class ObjectEvent(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """An object was added, modified or deleted."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: T


class Bookmark(NamedTuple):
    """Nothing changed, up to this resourceVersion.

    ``ends_initial_events``: whether the initial state is complete.
    """

    version: str
    ends_initial_events: bool = False


Event: TypeAlias = "ObjectEvent[T] | Bookmark | Status"


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _BookmarkMeta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: Version
    annotations: dict[str, str] | None = None


class _BookmarkObject(msgspec.Struct, frozen=True):
    metadata: _BookmarkMeta


class LineBuffer:
    """Cuts a stream of bytes after its newlines; linear, however it is chunked."""

    __slots__ = ("_held", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> bytes:
        """All the complete lines there are now; empty if there is none.

        Raises:
            ValueError: A line is longer than anything an API server sends.
        """
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._parts.append(chunk)
            self._held += len(chunk)
            if self._held > LONGEST_LINE:
                raise ValueError(f"a line of more than {LONGEST_LINE} bytes")
            return b""
        lines = b"".join([*self._parts, chunk[:end]])
        self._parts = [chunk[end:]]
        self._held = len(chunk) - end
        return lines


class EventDecoder(Generic[T]):
    """Decodes events whose objects are ``item``: a msgspec struct, or a dict."""

    def __init__(self, item: type[T]) -> None:
        self._change: msgspec.json.Decoder[ObjectEvent[T]] = msgspec.json.Decoder(
            ObjectEvent[item]  # type: ignore[valid-type]
        )
        self._envelope = msgspec.json.Decoder(_Envelope)
        self._bookmark = msgspec.json.Decoder(_BookmarkObject)
        self._status = msgspec.json.Decoder(Status)
        self._version_of = metadata_getter(item, "resourceVersion")

    def decode(self, lines: bytes) -> Sequence[Event[T]]:
        """Every event of some complete lines, in order.

        Raises:
            ValueError: A line is not an event.
        """
        try:
            return self._change.decode_lines(lines)
        except msgspec.DecodeError:
            return [self._decode_line(line) for line in lines.splitlines() if line.strip()]

    def version(self, event: Event[T]) -> str | None:
        """The resourceVersion to go on from after this event; None of an error."""
        if isinstance(event, ObjectEvent):
            return self._version_of(event.object)
        return event.version if isinstance(event, Bookmark) else None

    def _decode_line(self, line: bytes) -> Event[T]:
        envelope = self._envelope.decode(line)
        if envelope.type == "BOOKMARK":
            metadata = self._bookmark.decode(envelope.object).metadata
            ends = (metadata.annotations or {}).get(_INITIAL_EVENTS_END) == "true"
            return Bookmark(metadata.resource_version, ends)
        if envelope.type == "ERROR":
            return self._status.decode(envelope.object)
        return self._change.decode(line)


def metadata_getter(item: object, name: str) -> Callable[[Any], str]:
    """How to read a field of the metadata off a decoded object.

    Args:
        item: Type of the objects: a msgspec struct, or a dict.
        name: The field, as the server spells it.

    Raises:
        TypeError: The struct has no such field.
    """
    if not (isinstance(item, type) and issubclass(item, msgspec.Struct)):
        return lambda obj: obj["metadata"][name]
    metadata = _field(item, "metadata")
    return attrgetter(f"{metadata.name}.{_field(metadata.type, name).name}")


def _field(struct: type[msgspec.Struct], name: str) -> msgspec.structs.FieldInfo:
    for field in msgspec.structs.fields(struct):
        if field.encode_name == name:
            return field
    raise TypeError(f"{struct.__name__} has no field for {name}, which a watch needs")
