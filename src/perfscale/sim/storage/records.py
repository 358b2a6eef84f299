"""How the store keeps an object, and how it describes a change.

A stored object is its JSON text: that is what lists and watches send, any number of times,
it takes a fifth of the memory of the same object as dictionaries, and nobody can change it
by accident. Only what selectors and the store itself ask for is kept beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.kube.resources import Resource

JSON: TypeAlias = dict[str, Any]
ChangeType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode


class Record:
    """One version of one object; never changed once made.

    Attributes:
        namespace: Empty for cluster-scoped kinds.
        version: The resourceVersion as a number.
        raw: The object as JSON, in its storage version.
    """

    __slots__ = ("labels", "name", "namespace", "raw", "uid", "version")

    def __init__(self, obj: JSON, version: int) -> None:
        metadata = obj["metadata"]
        self.namespace: str = metadata.get("namespace") or ""
        self.name: str = metadata["name"]
        self.uid: str = metadata["uid"]
        self.labels: dict[str, str] | None = metadata.get("labels")
        self.version = version
        self.raw = encode(obj)

    def load(self) -> JSON:
        """The object, as the caller's own copy."""
        loaded: JSON = decode(self.raw)
        return loaded


class StoredChange:
    """One thing that happened to one object.

    Attributes:
        resource: The object's kind, in its storage version.
        record: The object after the change; for ``DELETED``, its last state under the
            version of its deletion.
        previous: The object before it; None if it was created.
    """

    __slots__ = ("_line", "_obj", "previous", "record", "resource", "type")

    def __init__(
        self,
        change_type: ChangeType,
        resource: Resource,
        record: Record,
        previous: Record | None,
        obj: JSON,
    ) -> None:
        self.type: ChangeType = change_type
        self.resource = resource
        self.record = record
        self.previous = previous
        self._obj: JSON | None = obj
        self._line: bytes | None = None

    @property
    def version(self) -> int:
        """The resourceVersion of the change."""
        return self.record.version

    @property
    def obj(self) -> JSON:
        """The object after the change, shared by everyone who listens: not to be changed."""
        return self.record.load() if self._obj is None else self._obj

    def release(self) -> None:
        """Drop the dictionaries, once all listeners were called; the text is kept."""
        self._obj = None

    @property
    def line(self) -> bytes:
        """The change as a line of a watch, made once for all watchers."""
        if self._line is None:
            self._line = watch_line(self.type, self.record.raw)
        return self._line


def watch_line(event_type: str, raw: bytes) -> bytes:
    """One event of a watch."""
    return b'{"type":"%b","object":%b}\n' % (event_type.encode(), raw)
