"""The present state of a resource, sent by its watch: a streaming list.

A list of a large cluster costs the API server memory for all of it at once, and
one with a selector makes it read everything from etcd. A watch that asks for the
initial events gets the same state out of the watch cache, object by object, up to
a bookmark that says so, and goes on from there.
https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists

Whether a server has it is tried, never concluded from its version. One that has
not may refuse (kube-apiserver from 1.19 on answers 422 where the feature is off), or
know nothing of the parameter and open an ordinary watch. That one shows by its
first bookmark, which lacks the annotation, or by its silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from perfscale.kube.watching.events import metadata_getter

if TYPE_CHECKING:
    from perfscale.kube.watching.events import ObjectEvent

PARAMETERS: Final = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
"""With no resourceVersion beside them they ask for the state as of now, not of some cache."""
SILENCE_S: Final = 10.0
"""How long the stream may be silent before its initial events have ended. A
kube-apiserver tries to send their end every second, and learns of etcd's progress
within 5 s."""
ATTEMPTS: Final = 3
"""How often in a row the initial events may break off before a list is read instead:
a server may be too busy, or a proxy too impatient, for them ever to end."""

T = TypeVar("T")


class InitialEvents(Generic[T]):
    """What a stream has sent so far of the state that it begins with.

    Objects may change meanwhile: an object that is deleted before the
    end is not part of the state, as it would not be in a list.

    Args:
        item: Type of the objects: a msgspec struct that has ``metadata.uid``, or a dict.
    """

    def __init__(self, item: type[T]) -> None:
        self._uid_of = metadata_getter(item, "uid")
        self._objects: dict[str, T] = {}

    def begin(self) -> None:
        """Forget the events of a stream that broke off before the end."""
        self._objects.clear()

    def take(self, event: ObjectEvent[T]) -> None:
        """One more event."""
        uid = self._uid_of(event.object)
        if event.type == "DELETED":
            self._objects.pop(uid, None)
        else:
            self._objects[uid] = event.object

    def end(self) -> list[T]:
        """All the objects that there are, in the order in which they were sent first."""
        objects = list(self._objects.values())
        self._objects.clear()
        return objects
