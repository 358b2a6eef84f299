"""Whose business a change is, besides that of the object that changed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from perfscale.sim.controllers.kinds import POD
from perfscale.sim.controllers.objects import Key, controller_of
from perfscale.sim.controllers.schedule import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Controller, Follows, View
    from perfscale.sim.controllers.store import JSON


class Concerns:
    """Finds the objects that a change of another one concerns.

    Args:
        controllers: Whose objects they are.
        follows: What the controllers follow, by the kind of their own objects.
    """

    def __init__(
        self,
        controllers: Sequence[Controller],
        follows: Mapping[str, Mapping[Resource, Follows]],
    ) -> None:
        # By the kind that changes: every event of a watch asks for it.
        self._makers: defaultdict[str, list[Resource]] = defaultdict(list)
        self._followers: defaultdict[str, list[tuple[str, Follows]]] = defaultdict(list)
        for controller in controllers:
            own = controller.resource
            if controller.owns is not None:
                self._makers[controller.owns.kind].append(own)
            for followed, find in follows.get(own.kind, {}).items():
                self._followers[followed.kind].append((own.kind, find))

    def has_interest(self, resource: Resource, obj: JSON) -> bool:
        """Whether anybody may look for an object with which nothing is left to do.

        Nobody does for a pod that another has made than the controllers that make pods.
        """
        if resource.kind != POD.kind:
            return True
        owner = controller_of(obj)
        makers = self._makers.get(resource.kind, ())
        return owner is None or any(owner.get("kind") == maker.kind for maker in makers)

    def of(self, resource: Resource, key: Key, obj: JSON, view: View) -> Iterator[Item]:
        """The objects that have to be looked at because of a change of `obj`."""
        made_by = controller_of(obj)
        for maker in self._makers.get(resource.kind, ()):
            if made_by is not None and made_by.get("kind") == maker.kind:
                yield Item(maker.kind, Key(key.namespace, made_by["name"]))
            elif view.find(maker, key) is not None:
                # An object of another owner has the name that a VM wants for its own.
                yield Item(maker.kind, key)
        for kind, find in self._followers.get(resource.kind, ()):
            for found in find(obj, view):
                yield Item(kind, found)
