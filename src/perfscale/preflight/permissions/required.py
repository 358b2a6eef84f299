"""Every permission that a run needs, whoever may or may not have it.

The review on the cluster and the role that is written for a workload are both made from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.kube.resources import NAMESPACES, Place, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLLOWING: Final = ("list", "watch")
CREATING: Final = ("create", "delete")
DELETING: Final = ("delete",)
MAKING_NAMESPACES: Final = ("get", "list", "watch", "create", "delete")
"""Of namespaces that are not there: read before they are made, and followed until they are gone."""


@dataclass(frozen=True, slots=True)
class RequiredAccess:
    """What a run needs to be permitted.

    Attributes:
        created: What it creates, and has to be able to delete.
        watched: What it follows, owners before what they own.
        deleted: What it does not create, and has to delete all the same.
        operated: Verbs, and what they are used on, in the namespaces in which it creates.
        made: Namespaces that it makes where they are not there.
        namespaces: All in which it creates, those included.
        verbs: What else: of operations, and for images that are to be pulled first.
    """

    created: tuple[Resource, ...]
    watched: tuple[Resource, ...]
    deleted: tuple[Resource, ...]
    operated: tuple[tuple[str, Resource], ...]
    made: tuple[str, ...]
    namespaces: tuple[str, ...]
    verbs: tuple[tuple[str, Place], ...]

    def permissions(self) -> Iterator[tuple[str, Place]]:
        """Each verb, and where: without a namespace, except for ``verbs``, wherever it creates."""
        for resources, verbs in (
            (self.watched, FOLLOWING),
            (self.created, CREATING),
            (self.deleted, DELETING),
            ((NAMESPACES,) if self.made else (), MAKING_NAMESPACES),
        ):
            yield from ((verb, Place(resource)) for resource in resources for verb in verbs)
        yield from ((verb, Place(resource)) for verb, resource in self.operated)
        yield from self.verbs
