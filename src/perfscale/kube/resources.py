"""A kind as the API server serves it, and the URLs of its objects."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()

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
