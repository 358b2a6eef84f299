"""The kinds that the simulated API server serves, and how each of them behaves.

A kind that is not in the table costs a line here; kinds without a controller are stored
and served all the same, as on a cluster whose controllers are down.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from perfscale.kube.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        type: ``string``, ``integer``, ``boolean`` or ``date`` (shown as an age).
        priority: Above 0, the column is shown by ``-o wide`` only.
    """

    name: str
    path: str
    type: str = "string"
    priority: int = 0


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
    """

    group: str
    plural: str
    kind: str
    versions: tuple[str, ...] = ("v1",)
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


def _condition(column: str, condition: str, priority: int = 0) -> Column:
    return Column(column, f".status.conditions[{condition}].status", priority=priority)


def _kubevirt(
    kind: str, short: str, columns: tuple[Column, ...], *, status: bool = False, scale: bool = False
) -> Kind:
    return Kind(
        "kubevirt.io",
        f"{kind.lower()}s",
        kind,
        ("v1", "v1alpha3"),
        short_names=(short, f"{short}s"),
        columns=columns,
        status=status,
        scale=scale,
        generation=True,
        builtin=False,
        categories=("all",),
    )


_PHASE: Final = Column("Phase", ".status.phase")
_REPLICAS: Final = (
    Column("Desired", ".spec.replicas", "integer"),
    Column("Current", ".status.replicas", "integer"),
    Column("Ready", ".status.readyReplicas", "integer"),
    AGE,
)

_KUBEVIRT: Final = (
    _kubevirt(
        "VirtualMachineInstance",
        "vmi",
        (
            AGE,
            _PHASE,
            Column("IP", ".status.interfaces[0].ipAddress"),
            Column("NodeName", ".status.nodeName"),
            _condition("Ready", "Ready"),
            _condition("Live-Migratable", "LiveMigratable", 1),
            _condition("Paused", "Paused", 1),
        ),
    ),
    _kubevirt(
        "VirtualMachine",
        "vm",
        (AGE, Column("Status", ".status.printableStatus"), _condition("Ready", "Ready")),
        status=True,
    ),
    _kubevirt(
        "VirtualMachineInstanceReplicaSet",
        "vmirs",
        _REPLICAS,
        status=True,
        scale=True,
    ),
    _kubevirt(
        "VirtualMachineInstanceMigration",
        "vmim",
        (_PHASE, Column("VMI", ".spec.vmiName")),
        status=True,
    ),
)


def _core(plural: str, kind: str, *short_names: str, columns: tuple[Column, ...] = (AGE,)) -> Kind:
    return Kind("", plural, kind, short_names=short_names, columns=columns)


_CORE: Final = (
    Kind(
        "",
        "namespaces",
        "Namespace",
        namespaced=False,
        short_names=("ns",),
        columns=(Column("Status", ".status.phase"), AGE),
        status=True,
    ),
    Kind(
        "",
        "nodes",
        "Node",
        namespaced=False,
        short_names=("no",),
        columns=(_condition("Ready", "Ready"), AGE),
        status=True,
    ),
    Kind(
        "",
        "pods",
        "Pod",
        short_names=("po",),
        columns=(
            _condition("Ready", "Ready"),
            Column("Status", ".status.phase"),
            AGE,
            Column("IP", ".status.podIP", priority=1),
            Column("Node", ".spec.nodeName", priority=1),
        ),
        status=True,
        graceful=True,
        categories=("all",),
    ),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret", columns=(Column("Type", ".type"), AGE)),
    _core("services", "Service", "svc", columns=(Column("Type", ".spec.type"), AGE)),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    _core(
        "events",
        "Event",
        "ev",
        columns=(
            Column("Last Seen", ".lastTimestamp", "date"),
            Column("Type", ".type"),
            Column("Reason", ".reason"),
            Column("Object", ".involvedObject.name"),
            Column("Message", ".message"),
        ),
    ),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
    _core("resourcequotas", "ResourceQuota", "quota"),
    _core("limitranges", "LimitRange", "limits"),
)


def _replicated(plural: str, kind: str, short: str) -> Kind:
    return Kind(
        "apps",
        plural,
        kind,
        short_names=(short,),
        columns=_REPLICAS,
        status=True,
        scale=True,
        generation=True,
        categories=("all",),
    )


def _rbac(plural: str, kind: str, *, namespaced: bool) -> Kind:
    return Kind("rbac.authorization.k8s.io", plural, kind, namespaced=namespaced)


_OTHERS: Final = (
    _replicated("deployments", "Deployment", "deploy"),
    _replicated("replicasets", "ReplicaSet", "rs"),
    _replicated("statefulsets", "StatefulSet", "sts"),
    Kind("apps", "daemonsets", "DaemonSet", short_names=("ds",), generation=True),
    Kind("batch", "jobs", "Job", status=True, generation=True, categories=("all",)),
    _rbac("roles", "Role", namespaced=True),
    _rbac("rolebindings", "RoleBinding", namespaced=True),
    _rbac("clusterroles", "ClusterRole", namespaced=False),
    _rbac("clusterrolebindings", "ClusterRoleBinding", namespaced=False),
)

# Reviews are answered, not stored.
_REVIEWS: Final = tuple(
    Kind(
        "authorization.k8s.io",
        f"{kind.lower()}s",
        kind,
        namespaced=False,
        verbs=frozenset({"create"}),
    )
    for kind in ("SelfSubjectAccessReview", "SelfSubjectRulesReview")
)

KINDS: Final = (*_CORE, *_OTHERS, *_REVIEWS, *_KUBEVIRT)


class Catalogue:
    """The kinds of a server, by what a URL names."""

    def __init__(self, kinds: tuple[Kind, ...] = KINDS) -> None:
        self.kinds = kinds
        self._by_plural = {(kind.group, kind.plural): kind for kind in kinds}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind that a URL names; None if there is none in that version."""
        kind = self._by_plural.get((group, plural))
        return kind if kind is not None and version in kind.versions else None

    def stored(self, resource: Resource) -> Kind:
        """The kind of a resource; one made up for it if the table has none."""
        kind = self._by_plural.get((resource.group, resource.plural))
        if kind is not None:
            return kind
        return Kind(
            resource.group,
            resource.plural,
            resource.kind,
            (resource.version,),
            namespaced=resource.namespaced,
            generation=True,
            builtin=False,
        )

    def groups(self) -> Mapping[str, list[str]]:
        """Each group with its versions, the preferred one first."""
        groups: dict[str, list[str]] = {}
        for kind in self.kinds:
            versions = groups.setdefault(kind.group, [])
            versions.extend(version for version in kind.versions if version not in versions)
        return groups
