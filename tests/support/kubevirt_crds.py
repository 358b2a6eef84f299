"""The definitions that make a bare Kubernetes API server serve KubeVirt's kinds.

They agree with KubeVirt's own in what a client can notice (names, versions, columns,
subresources) and accept any fields: what is inside a VM is not what the tests are about.
"""

from typing import Any, Final

JSON = dict[str, Any]

GROUP: Final = "kubevirt.io"

_AGE: Final[JSON] = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_PHASE: Final[JSON] = {"name": "Phase", "type": "string", "jsonPath": ".status.phase"}


def _condition(column: str, condition: str, priority: int = 0) -> JSON:
    path = f".status.conditions[?(@.type=='{condition}')].status"
    return {"name": column, "type": "string", "jsonPath": path, "priority": priority}


def _string(column: str, path: str) -> JSON:
    return {"name": column, "type": "string", "jsonPath": path}


def _integer(column: str, path: str) -> JSON:
    return {"name": column, "type": "integer", "jsonPath": path}


def _crd(kind: str, short: str, columns: list[JSON], subresources: JSON) -> JSON:
    singular = kind.lower()
    version: JSON = {
        "served": True,
        "schema": {
            "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        },
        "additionalPrinterColumns": columns,
        "subresources": subresources,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": f"{singular}s",
                "singular": singular,
                "shortNames": [short, f"{short}s"],
                "categories": ["all"],
            },
            "versions": [
                {"name": "v1", "storage": True, **version},
                {"name": "v1alpha3", "storage": False, **version},
            ],
        },
    }


def kubevirt_crds() -> list[JSON]:
    """Return the definitions of the four kinds that a load is made of.

    A VMI has no status subresource: its phase is written with a plain update, so a test
    that passes here has met the same rule as on a cluster.
    """
    status: JSON = {"status": {}}
    scale: JSON = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.labelSelector",
    }
    return [
        _crd(
            "VirtualMachineInstance",
            "vmi",
            [
                _AGE,
                _PHASE,
                _string("IP", ".status.interfaces[0].ipAddress"),
                _string("NodeName", ".status.nodeName"),
                _condition("Ready", "Ready"),
                _condition("Live-Migratable", "LiveMigratable", priority=1),
                _condition("Paused", "Paused", priority=1),
            ],
            {},
        ),
        _crd(
            "VirtualMachine",
            "vm",
            [_AGE, _string("Status", ".status.printableStatus"), _condition("Ready", "Ready")],
            status,
        ),
        _crd(
            "VirtualMachineInstanceReplicaSet",
            "vmirs",
            [
                _integer("Desired", ".spec.replicas"),
                _integer("Current", ".status.replicas"),
                _integer("Ready", ".status.readyReplicas"),
                _AGE,
            ],
            {**status, "scale": scale},
        ),
        _crd(
            "VirtualMachineInstanceMigration",
            "vmim",
            [_PHASE, _string("VMI", ".spec.vmiName")],
            status,
        ),
    ]
