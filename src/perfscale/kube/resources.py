"""A kind as the API server serves it, and the URLs of its objects."""

from __future__ import annotations

from collections import Counter
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
        kind_name: What results call the kind; see `kind_names`.
        name: ``plural.group`` as kubectl writes it; the bare plural in the core group.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    kind_name: str = field(default="", compare=False)
    name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Call the kind by its own name where nobody has given it another."""
        # Made once: every event of a watch asks for it.
        name = f"{self.plural}.{self.group}" if self.group else self.plural
        object.__setattr__(self, "name", name)
        if not self.kind_name:
            object.__setattr__(self, "kind_name", self.kind)

    @property
    def api_version(self) -> str:
        """``group/version``, or the bare version in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """URL path of the collection, or of one object.

        Without ``namespace`` the collection spans all namespaces.
        """
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace is not None else ""
        item = f"/{name}" if name is not None else ""
        return f"{root}{scope}/{self.plural}{item}"


def kind_names(kinds: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What to call kinds, by ``(group, kind)``, so that no two are called the same.

    It is the kind where no other group has one of that name, and else ``Kind.group``
    as Kubernetes writes it; the kinds of the core group have no more than their name:
    https://pkg.go.dev/k8s.io/apimachinery/pkg/runtime/schema#GroupKind.String
    """
    every = dict.fromkeys(kinds)
    shared = Counter(kind for _, kind in every)
    return {
        (group, kind): f"{kind}.{group}" if group and shared[kind] > 1 else kind
        for group, kind in every
    }


def tell_kinds_apart(resources: Iterable[Resource]) -> list[Resource]:
    """The same resources, each with a ``kind_name`` that no other kind has."""
    resources = list(resources)
    names = kind_names((resource.group, resource.kind) for resource in resources)
    return [
        replace(resource, kind_name=names[resource.group, resource.kind]) for resource in resources
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
DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
