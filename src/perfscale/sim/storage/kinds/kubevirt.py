"""KubeVirt's kinds."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import AGE, PHASE, Column, Kind, condition_column


def _kubevirt(
    kind: str, short: str, columns: tuple[Column, ...], *, status: bool = False, scale: bool = False
) -> Kind:
    return Kind(
        "kubevirt.io",
        ("v1", "v1alpha3"),
        f"{kind.lower()}s",
        kind,
        short_names=(short, f"{short}s"),
        columns=columns,
        status=status,
        scale=scale,
        generation=True,
        builtin=False,
        categories=("all",),
    )


def _extra(
    group: str,
    versions: tuple[str, ...],
    kind: str,
    short: tuple[str, ...],
    columns: tuple[Column, ...] = (AGE,),
    *,
    status: bool = True,
    scale: bool = False,
    namespaced: bool = True,
) -> Kind:
    plural = f"{kind.lower()}s".replace("policys", "policies")
    return Kind(
        group,
        versions,
        plural,
        kind,
        namespaced=namespaced,
        short_names=short,
        columns=columns,
        status=status,
        scale=scale,
        generation=True,
        builtin=False,
        categories=("all",),
    )


_INSTANCETYPE: Final = ("instancetype.kubevirt.io", ("v1beta1",))
_SNAPSHOT: Final = ("snapshot.kubevirt.io", ("v1beta1", "v1alpha1"))

KUBEVIRT: Final = (
    _kubevirt(
        "VirtualMachineInstance",
        "vmi",
        (
            AGE,
            PHASE,
            Column("IP", ".status.interfaces[0].ipAddress"),
            Column("NodeName", ".status.nodeName"),
            condition_column("Ready", "Ready"),
            condition_column("Live-Migratable", "LiveMigratable", 1),
            condition_column("Paused", "Paused", 1),
        ),
    ),
    _kubevirt(
        "VirtualMachine",
        "vm",
        (AGE, Column("Status", ".status.printableStatus"), condition_column("Ready", "Ready")),
        status=True,
    ),
    _kubevirt(
        "VirtualMachineInstanceReplicaSet",
        "vmirs",
        (
            Column("Desired", ".spec.replicas", "integer"),
            Column("Current", ".status.replicas", "integer"),
            Column("Ready", ".status.readyReplicas", "integer"),
            AGE,
        ),
        status=True,
        scale=True,
    ),
    _kubevirt(
        "VirtualMachineInstanceMigration",
        "vmim",
        (PHASE, Column("VMI", ".spec.vmiName")),
        status=True,
    ),
    _kubevirt("KubeVirt", "kv", (AGE, Column("Phase", ".status.phase")), status=True),
    _extra(
        "pool.kubevirt.io",
        ("v1beta1", "v1alpha1"),
        "VirtualMachinePool",
        ("vmpool", "vmpools"),
        (
            Column("Desired", ".spec.replicas", "integer"),
            Column("Current", ".status.replicas", "integer"),
            Column("Ready", ".status.readyReplicas", "integer"),
            AGE,
        ),
        scale=True,
    ),
    _extra(
        *_SNAPSHOT,
        "VirtualMachineSnapshot",
        ("vmsnapshot", "vmsnapshots"),
        (
            Column("SourceKind", ".spec.source.kind"),
            Column("SourceName", ".spec.source.name"),
            PHASE,
            Column("ReadyToUse", ".status.readyToUse", "boolean"),
            AGE,
        ),
    ),
    _extra(
        *_SNAPSHOT,
        "VirtualMachineRestore",
        ("vmrestore", "vmrestores"),
        (
            Column("TargetKind", ".spec.target.kind"),
            Column("TargetName", ".spec.target.name"),
            Column("Complete", ".status.complete", "boolean"),
            AGE,
        ),
    ),
    _extra(
        "clone.kubevirt.io",
        ("v1beta1", "v1alpha1"),
        "VirtualMachineClone",
        ("vmclone", "vmclones"),
        (PHASE, Column("TargetVirtualMachine", ".status.targetName"), AGE),
    ),
    _extra(
        *_INSTANCETYPE,
        "VirtualMachineInstancetype",
        ("vminstancetype", "vminstancetypes", "vmf", "vmfs"),
        status=False,
    ),
    _extra(
        *_INSTANCETYPE,
        "VirtualMachineClusterInstancetype",
        ("vmclusterinstancetype", "vmclusterinstancetypes", "vmcf", "vmcfs"),
        status=False,
        namespaced=False,
    ),
    _extra(
        *_INSTANCETYPE,
        "VirtualMachinePreference",
        ("vmpref", "vmprefs", "vmp", "vmps"),
        status=False,
    ),
    _extra(
        *_INSTANCETYPE,
        "VirtualMachineClusterPreference",
        ("vmcp", "vmcps"),
        status=False,
        namespaced=False,
    ),
    _extra("migrations.kubevirt.io", ("v1alpha1",), "MigrationPolicy", (), namespaced=False),
)
