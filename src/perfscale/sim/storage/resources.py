"""What there is to say of a kind that the simulated API server serves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from perfscale.kube.resources import Resource

VERBS: Final = frozenset(
    {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column: a cell of `kubectl get`.

    Attributes:
        name: The column's head.
        path: Where the cell's value is: ``.status.phase``, with at most one condition as
            in ``.status.conditions[Ready].status``.
        of: Where the number is that the value is shown as a part of, as in ``2/3``.
        type: ``string``, ``integer``, ``boolean`` or ``date`` (shown as an age).
        priority: Above 0, the column is shown by ``-o wide`` only.
    """

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    of: str = ""


AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")


@dataclass(frozen=True)
class Kind:
    """A kind, in every version in which it is served.

    Attributes:
        versions: The first is the one that is stored, and preferred.
        status: Whether status is a subresource (else it is written with the object).
        scale: Whether there is a scale subresource.
        generation: Whether ``metadata.generation`` counts changes of the spec.
        builtin: Not a custom resource: takes strategic merge patches, and updates
            without a resourceVersion.
        graceful: Whether deletion waits for the kubelet (pods).
        calls: What another server answers of it, as subresources; such a kind has no
            objects of its own.
    """

    group: str
    versions: tuple[str, ...]
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = (AGE,)
    status: bool = False
    scale: bool = False
    generation: bool = False
    builtin: bool = True
    graceful: bool = False
    categories: tuple[str, ...] = ()
    verbs: frozenset[str] = VERBS
    calls: tuple[str, ...] = ()

    @cached_property
    def resource(self) -> Resource:
        """The kind in its stored version."""
        return self.in_version(self.versions[0])

    def in_version(self, version: str) -> Resource:
        """The kind in one of its versions."""
        return self._resources[version]

    @cached_property
    def _resources(self) -> dict[str, Resource]:
        return {
            version: Resource(
                self.group, version, self.plural, self.kind, self.namespaced, self.verbs
            )
            for version in self.versions
        }

    @property
    def singular(self) -> str:
        """The kind in lower case."""
        return self.kind.lower()

    @property
    def list_kind(self) -> str:
        """The kind of a list of these."""
        return f"{self.kind}List"


def condition_column(name: str, condition: str, priority: int = 0) -> Column:
    """A column that shows whether a condition holds."""
    return Column(name, f".status.conditions[{condition}].status", priority=priority)


PHASE: Final = Column("Phase", ".status.phase")
