"""Kinds that extend the API, that say who may do what, and the reviews that ask for it."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import AGE, Column, Kind, condition_column


def _rbac(plural: str, kind: str, *, namespaced: bool) -> Kind:
    return Kind("rbac.authorization.k8s.io", ("v1",), plural, kind, namespaced=namespaced)


# Answered, not stored.
_REVIEWS: Final = tuple(
    Kind(
        "authorization.k8s.io",
        ("v1",),
        f"{kind.lower()}s",
        kind,
        namespaced=False,
        verbs=frozenset({"create"}),
    )
    for kind in ("SelfSubjectAccessReview", "SelfSubjectRulesReview")
)

EXTENSIONS: Final = (
    Kind(
        "apiextensions.k8s.io",
        ("v1",),
        "customresourcedefinitions",
        "CustomResourceDefinition",
        namespaced=False,
        short_names=("crd", "crds"),
        columns=(Column("Created At", ".metadata.creationTimestamp"),),
        status=True,
        generation=True,
        categories=("api-extensions",),
    ),
    Kind(
        "apiregistration.k8s.io",
        ("v1",),
        "apiservices",
        "APIService",
        namespaced=False,
        columns=(
            Column("Service", ".spec.service.name"),
            condition_column("Available", "Available"),
            AGE,
        ),
        status=True,
        categories=("api-extensions",),
    ),
    _rbac("roles", "Role", namespaced=True),
    _rbac("rolebindings", "RoleBinding", namespaced=True),
    _rbac("clusterroles", "ClusterRole", namespaced=False),
    _rbac("clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    *_REVIEWS,
)
