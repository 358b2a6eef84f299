"""What the watches have shown so far, as the controllers see the cluster."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.cluster.facts import Facts
from perfscale.sim.controllers.objects import Key, controller_of, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON

# A created object that no watch reports for so long has come and gone while the watch was
# being reopened. As in Kubernetes' own controllers ("expectations"), only shorter.
CREATION_UNSEEN_S: Final = 60.0


class Cache:
    """The last known version of every object, and who made it.

    Attributes:
        facts: What there is to know of the whole cluster.

    Args:
        clock: Seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.facts = Facts()
        # By kind, which hashes quicker than a whole `Resource`.
        self._objects: defaultdict[str, dict[Key, JSON]] = defaultdict(dict)
        self._owned: dict[tuple[str, str], dict[Key, JSON]] = {}
        self._in_creation: dict[str, dict[Key, float]] = {}

    def find(self, resource: Resource, key: Key) -> JSON | None:
        """The object, if it is known."""
        return self._objects[resource.kind].get(key)

    def owned(self, resource: Resource, owner_uid: str) -> Collection[JSON]:
        """The objects of a kind whose controller is the object with this uid."""
        return self._owned.get((resource.kind, owner_uid), {}).values()

    def all(self, resource: Resource) -> Collection[JSON]:
        """Every object of a kind."""
        return self._objects[resource.kind].values()

    def in_creation(self, owner_uid: str) -> int:
        """How many objects this owner has created that no watch has shown yet."""
        unseen = self._in_creation.get(owner_uid)
        if not unseen:
            return 0
        now = self._clock()
        for key in [key for key, expires in unseen.items() if expires <= now]:
            self.created_or_not(owner_uid, key)
        return len(unseen)

    def creating(self, owner_uid: str, key: Key) -> None:
        """Count an object that is about to be created, before the request is sent.

        The watch may report it before the request is answered.
        """
        self._in_creation.setdefault(owner_uid, {})[key] = self._clock() + CREATION_UNSEEN_S

    def created_or_not(self, owner_uid: str, key: Key) -> None:
        """Stop counting it: the watch has reported it, or it could not be created."""
        unseen = self._in_creation.get(owner_uid)
        if unseen is not None:
            unseen.pop(key, None)
            if not unseen:
                del self._in_creation[owner_uid]

    def apply(self, resource: Resource, event: str, obj: JSON) -> None:
        """Take in one event of a watch."""
        key = key_of(obj)
        owner = controller_of(obj)
        previous = self._objects[resource.kind].get(key)
        if previous is not None:
            self._disown(resource, key, previous)
        if event == "DELETED":
            self._objects[resource.kind].pop(key, None)
        else:
            self._objects[resource.kind][key] = obj
            if owner is not None:
                self._owned.setdefault((resource.kind, owner["uid"]), {})[key] = obj
        if owner is not None:
            self.created_or_not(owner["uid"], key)

    def _disown(self, resource: Resource, key: Key, obj: JSON) -> None:
        owner = controller_of(obj)
        if owner is None:
            return
        index = (resource.kind, owner["uid"])
        siblings = self._owned.get(index, {})
        siblings.pop(key, None)
        if not siblings:
            self._owned.pop(index, None)
