"""What virt-api serves of KubeVirt's kinds, as an aggregated API server."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import Kind

GROUP: Final = "subresources.kubevirt.io"
MACHINE_CALLS: Final = (
    *("start", "stop", "restart", "migrate", "addvolume", "removevolume"),
    *("memorydump", "removememorydump", "expand-spec", "objectgraph", "evacuate/cancel"),
    "portforward",
)
INSTANCE_CALLS: Final = (
    *("pause", "unpause", "freeze", "unfreeze", "reset", "softreboot"),
    *("addvolume", "removevolume", "guestosinfo", "userlist", "filesystemlist"),
    *("console", "vnc", "vnc/screenshot", "usbredir", "vsock", "portforward"),
    *("sev/fetchcertchain", "sev/querylaunchmeasurement"),
    *("sev/setupsession", "sev/injectlaunchsecret"),
    *("backup", "redefine-checkpoint", "objectgraph", "evacuate/cancel"),
)
"""What virt-api lists: https://github.com/kubevirt/kubevirt/tree/main/pkg/virt-api"""
NAMESPACED_CALL: Final = "expand-vm-spec"
"""Listed first: a call of a namespace, and of no object in it."""

CALLS: Final = tuple(
    Kind(
        GROUP,
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
