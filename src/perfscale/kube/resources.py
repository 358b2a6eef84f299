"""A kind as the API server serves it, and the URLs of its objects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API.

    Attributes:
        group: API group; empty for the core group.
        version: API version, as in ``v1``.
        plural: Name in the URL, as in ``virtualmachineinstances``.
        kind: CamelCase kind.
        namespaced: Whether its objects live in namespaces.
        verbs: What the server can do with it (``create``, ``list``, ...).
        kind_name: What results call the kind; see `tell_kinds_apart`.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    kind_name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Call the kind by its own name where nobody has given it another."""
        if not self.kind_name:
            object.__setattr__(self, "kind_name", self.kind)

    @property
    def api_version(self) -> str:
        """``group/version``, or the bare version in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def name(self) -> str:
        """``plural.group`` as kubectl writes it; the bare plural in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """URL path of the collection, or of one object.

        Without ``namespace`` the collection spans all namespaces.
        """
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace is not None else ""
        item = f"/{name}" if name is not None else ""
        return f"{root}{scope}/{self.plural}{item}"


def tell_kinds_apart(resources: Iterable[Resource]) -> list[Resource]:
    """The same resources, with a ``kind_name`` that tells the kinds of different groups apart.

    It is the kind where no other group has one of that name, and else ``Kind.group``
    as Kubernetes writes it; the kinds of the core group have no more than their name:
    https://pkg.go.dev/k8s.io/apimachinery/pkg/runtime/schema#GroupKind.String
    """
    resources = list(resources)
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for resource in resources:
        groups[resource.kind].add(resource.group)
    return [
        replace(resource, kind_name=f"{resource.kind}.{resource.group}")
        if resource.group and len(groups[resource.kind]) > 1
        else resource
        for resource in resources
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to list or watch a resource: in one namespace, or, without one, everywhere."""

    resource: Resource
    namespace: str | None = None

    def __str__(self) -> str:
        """As a person would say it."""
        where = f" in namespace {self.namespace}" if self.namespace is not None else ""
        return f"{self.resource.name}{where}"


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
