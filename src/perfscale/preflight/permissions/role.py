"""The role that permits what a run needs, and nothing else.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.errors import UsageError
from perfscale.kube.resources import NAMESPACES, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.preflight.permissions.required import RequiredAccess

_API: Final = "rbac.authorization.k8s.io/v1"
_VERBS: Final = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
"""In the order in which Kubernetes' own roles have them."""


def make_role(
    required: RequiredAccess, *, name: str, namespace: str | None = None
) -> dict[str, Any]:
    """A ClusterRole, or the Role for one namespace that is there.

    Args:
        required: What the run needs.
        name: Of the role.
        namespace: The only one in which the run is to be allowed anything.

    Raises:
        UsageError: No role of one namespace is enough for the run.
    """
    permissions = list(required.permissions())
    if namespace is None:
        kind, metadata = "ClusterRole", {"name": name}
    else:
        kind, metadata = "Role", {"name": name, "namespace": namespace}
        permissions = list(_within(namespace, required))
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "rules": _rules(permissions)}


def _within(namespace: str, required: RequiredAccess) -> Iterator[tuple[str, Place]]:
    """What has to be permitted in a namespace that nobody has to make.

    Raises:
        UsageError: Something has to be permitted elsewhere.
    """
    placed = set(required.verbs)
    elsewhere = [each for each in required.namespaces if each != namespace]
    if elsewhere:
        raise UsageError(
            f"the run creates in namespace {elsewhere[0]}, for which a role in {namespace} is "
            "not enough",
            hint="set inputVars.namespace to the namespace, and numberedNamespaces: false",
        )
    for verb, place in required.permissions():
        is_placed = (verb, place) in placed
        if place == Place(NAMESPACES) and not is_placed:
            continue  # it is there
        if not place.resource.namespaced or (is_placed and place.namespace != namespace):
            raise UsageError(
                f"the run needs to {verb} {place}, which no role in one namespace permits",
                hint="without --namespace, it is a ClusterRole",
            )
        yield verb, place


def _rules(permissions: Iterable[tuple[str, Place]]) -> list[dict[str, list[str]]]:
    """One rule for all resources of a group with the same verbs."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for verb, place in permissions:
        verbs.setdefault((place.resource.group, place.resource.plural), set()).add(verb)
    rules: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, plural), allowed in verbs.items():
        key = group, tuple(sorted(allowed, key=_VERBS.index))
        rules.setdefault(key, []).append(plural)
    return [
        {"apiGroups": [group], "resources": sorted(plurals), "verbs": list(allowed)}
        for (group, allowed), plurals in sorted(rules.items())
    ]
