"""What virt-api serves of KubeVirt's kinds, as an aggregated API server."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import Kind

MACHINE_CALLS: Final = ("start", "stop", "restart", "migrate", "addvolume", "removevolume")
INSTANCE_CALLS: Final = (
    "pause",
    "unpause",
    "softreboot",
    "reset",
    "freeze",
    "unfreeze",
    "guestosinfo",
    "addvolume",
    "removevolume",
)

CALLS: Final = tuple(
    Kind(
        "subresources.kubevirt.io",
        ("v1", "v1alpha3"),
        f"{kind.lower()}s",
        kind,
        builtin=False,
        verbs=frozenset(),
        calls=calls,
    )
    for kind, calls in (
        ("VirtualMachine", MACHINE_CALLS),
        ("VirtualMachineInstance", INSTANCE_CALLS),
    )
)
