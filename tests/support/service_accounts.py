"""A service account of a real API server, which may do what a run needs and no more.

Unlike the administrator, it is refused by an API server that has just started.
"""

import base64
import json
from pathlib import Path
from typing import Any, Final

from real_control_plane import RealControlPlane

_NAMESPACE: Final = "default"
_RBAC: Final = "rbac.authorization.k8s.io"
_RULES: Final = [
    {
        "apiGroups": ["", "kubevirt.io"],
        "resources": ["namespaces", "virtualmachineinstances", "configmaps"],
        "verbs": ["get", "list", "watch", "create", "delete", "deletecollection"],
    }
]


def write_service_account(control_plane: RealControlPlane, name: str, path: Path) -> Path:
    """Make the service account, and its role; return a kubeconfig for it, written to `path`."""
    metadata = {"name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": _NAMESPACE}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
    rbac = f"/apis/{_RBAC}/v1"
    accounts = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts"
    _post(control_plane, accounts, {"metadata": metadata})
    _post(control_plane, f"{rbac}/clusterroles", {"metadata": metadata, "rules": _RULES})
    _post(
        control_plane,
        f"{rbac}/clusterrolebindings",
        {"metadata": metadata, "roleRef": reference, "subjects": [subject]},
    )
    request = {"spec": {"expirationSeconds": 7200}}
    token = _post(control_plane, f"{accounts}/{name}/token", request)["status"]["token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["sub"] == f"system:serviceaccount:{_NAMESPACE}:{name}"
    return control_plane.write_kubeconfig(path, token)


def _post(control_plane: RealControlPlane, path: str, body: dict[str, Any]) -> dict[str, Any]:
    status, answer = control_plane.request("POST", path, body)
    assert status == 201, answer
    return answer
