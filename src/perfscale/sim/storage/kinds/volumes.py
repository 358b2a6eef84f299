"""Kinds of volumes, their claims and snapshots, and of CDI, which fills them."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import AGE, PHASE, Column, Kind

VOLUMES: Final = (
    Kind(
        "",
        ("v1",),
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        short_names=("pvc",),
        columns=(
            Column("Status", ".status.phase"),
            Column("Volume", ".spec.volumeName"),
            Column("Capacity", ".status.capacity.storage"),
            Column("StorageClass", ".spec.storageClassName"),
            AGE,
        ),
        status=True,
    ),
    Kind(
        "",
        ("v1",),
        "persistentvolumes",
        "PersistentVolume",
        namespaced=False,
        short_names=("pv",),
        columns=(
            Column("Capacity", ".spec.capacity.storage"),
            Column("Status", ".status.phase"),
            Column("Claim", ".spec.claimRef.name"),
            AGE,
        ),
        status=True,
    ),
    Kind(
        "storage.k8s.io",
        ("v1",),
        "storageclasses",
        "StorageClass",
        namespaced=False,
        short_names=("sc",),
        columns=(
            Column("Provisioner", ".provisioner"),
            Column("VolumeBindingMode", ".volumeBindingMode"),
            AGE,
        ),
    ),
    Kind(
        "snapshot.storage.k8s.io",
        ("v1",),
        "volumesnapshots",
        "VolumeSnapshot",
        short_names=("vs",),
        columns=(
            Column("ReadyToUse", ".status.readyToUse", "boolean"),
            Column("SourcePVC", ".spec.source.persistentVolumeClaimName"),
            AGE,
        ),
        status=True,
        generation=True,
        builtin=False,
    ),
    Kind(
        "snapshot.storage.k8s.io",
        ("v1",),
        "volumesnapshotclasses",
        "VolumeSnapshotClass",
        namespaced=False,
        short_names=("vsclass", "vsclasses"),
        columns=(Column("Driver", ".driver"), AGE),
        generation=True,
        builtin=False,
    ),
    Kind(
        "cdi.kubevirt.io",
        ("v1beta1",),
        "datavolumes",
        "DataVolume",
        short_names=("dv", "dvs"),
        columns=(PHASE, Column("Progress", ".status.progress"), AGE),
        status=True,
        generation=True,
        builtin=False,
        categories=("all",),
    ),
    Kind(
        "cdi.kubevirt.io",
        ("v1beta1",),
        "datasources",
        "DataSource",
        short_names=("das",),
        status=True,
        generation=True,
        builtin=False,
        categories=("all",),
    ),
)
