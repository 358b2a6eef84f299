"""A service account of a real API server, which may do what a run needs and no more.

Unlike the administrator, it is refused by an API server that has just started.
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from real_control_plane import RealControlPlane

_NAMESPACE: Final = "default"
_RBAC: Final = "rbac.authorization.k8s.io"
_ACCOUNTS: Final = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts"

Rule = dict[str, list[str]]

_RULES: Final[list[Rule]] = [
    {
        "apiGroups": ["", "kubevirt.io"],
        "resources": ["namespaces", "virtualmachineinstances", "configmaps"],
        "verbs": ["get", "list", "watch", "create", "delete", "deletecollection"],
    }
]


def write_service_account(
    control_plane: RealControlPlane,
    name: str,
    path: Path,
    *,
    rules: Sequence[Rule] = _RULES,
    within: str | None = None,
) -> Path:
    """Make the service account, and its role; return a kubeconfig for it, written to `path`.

    ``within`` is the namespace of a Role with these rules; without one, it is a ClusterRole.
    """
    metadata = {"name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": _NAMESPACE}
    kind = "ClusterRole" if within is None else "Role"
    reference = {"apiGroup": _RBAC, "kind": kind, "name": name}
    rbac = f"/apis/{_RBAC}/v1" + ("" if within is None else f"/namespaces/{within}")
    _post(control_plane, _ACCOUNTS, {"metadata": metadata})
    _post(control_plane, f"{rbac}/{kind.lower()}s", {"metadata": metadata, "rules": list(rules)})
    _post(
        control_plane,
        f"{rbac}/{kind.lower()}bindings",
        {"metadata": metadata, "roleRef": reference, "subjects": [subject]},
    )
    return control_plane.write_kubeconfig(path, request_token(control_plane, _NAMESPACE, name))


def request_token(control_plane: RealControlPlane, namespace: str, name: str) -> str:
    """A token of a service account, as the kubelet has one made for a pod."""
    request = {"spec": {"expirationSeconds": 7200}}
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    token: str = _post(control_plane, f"{account}/token", request)["status"]["token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["sub"] == f"system:serviceaccount:{namespace}:{name}"
    return token


def may(
    control_plane: RealControlPlane,
    account: str,
    verb: str,
    resource: tuple[str, str],
    *,
    within: str | None = None,
) -> bool:
    """Whether the server permits a service account this, by what it has read of roles so far.

    ``account`` is ``namespace:name``, ``resource`` group and plural.
    """
    group, plural = resource
    attributes = {"verb": verb, "group": group, "resource": plural, "namespace": within or ""}
    user = f"system:serviceaccount:{account}"
    review = {"spec": {"user": user, "resourceAttributes": attributes}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    allowed: bool = _post(control_plane, path, review)["status"]["allowed"]
    return allowed


def _post(control_plane: RealControlPlane, path: str, body: dict[str, Any]) -> dict[str, Any]:
    status, answer = control_plane.request("POST", path, body)
    assert status == 201, answer
    return answer
