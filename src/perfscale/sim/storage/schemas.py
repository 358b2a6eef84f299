"""The fields of each kind that controllers read, and what a schema has them be.

Controllers take an object's shape for granted, as real ones do: an API server refuses what does
not fit the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.sim.storage.shapes import (
    AMOUNT,
    COUNT,
    OBJECT,
    OBJECTS,
    PART,
    TEXT,
    TEXTS,
    Shape,
    an_object,
    misfits,
    objects,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.refusals import Cause

_NAMED: Final = an_object(name=TEXT, namespace=TEXT)
_SELECTOR: Final = an_object(matchLabels=TEXTS)
# Labels of a `spec.template` are checked where those of objects are.
_METADATA: Final = an_object(annotations=TEXTS)
_LABELLED: Final = an_object(annotations=TEXTS, labels=TEXTS)
_RESOURCES: Final = an_object(requests=OBJECT)
_VOLUMES: Final = objects(
    persistentVolumeClaim=an_object(claimName=TEXT), dataVolume=an_object(name=TEXT)
)
_CONDITIONS: Final = objects("type", "status", type=TEXT, status=TEXT)

_POD: Final = an_object(
    containers=objects("name", name=TEXT, image=TEXT, resources=_RESOURCES),
    nodeName=TEXT,
    nodeSelector=TEXTS,
    terminationGracePeriodSeconds=AMOUNT,
    volumes=_VOLUMES,
)
_POD_TEMPLATE: Final = an_object(metadata=_METADATA, spec=_POD)
_CLAIM: Final = an_object(storageClassName=TEXT, volumeName=TEXT, resources=_RESOURCES)
_DATA_VOLUME: Final = an_object(source=OBJECT, pvc=_CLAIM, storage=_CLAIM)
_INSTANCE: Final = an_object(
    domain=an_object(devices=an_object(disks=OBJECTS)),
    terminationGracePeriodSeconds=AMOUNT,
    volumes=_VOLUMES,
)
_INSTANCE_TEMPLATE: Final = an_object(metadata=_METADATA, spec=_INSTANCE)
_STATUS: Final = an_object(phase=TEXT, conditions=_CONDITIONS)


def _machine(metadata: Shape) -> Shape:
    return an_object(
        dataVolumeTemplates=objects(
            "metadata", metadata=an_object("name", name=TEXT, labels=TEXTS), spec=_DATA_VOLUME
        ),
        runStrategy=TEXT,
        template=an_object(metadata=metadata, spec=_INSTANCE),
    )


def _kind(spec: Shape, status: Shape = _STATUS) -> Mapping[str, Shape]:
    return {"spec": spec, "status": status}


def _is_served(versions: Any) -> bool:  # noqa: ANN401 - JSON
    return OBJECTS.fits(versions) and any(each.get("served", True) for each in versions)


_VERSIONS: Final = Shape(
    _is_served,
    "a list of objects, of which one is served",
    items=an_object(
        "name",
        name=TEXT,
        subresources=OBJECT,
        additionalPrinterColumns=objects("name", "jsonPath", name=TEXT, jsonPath=TEXT, type=TEXT),
    ),
)

_KINDS: Final[Mapping[str, Mapping[str, Shape]]] = {
    "pods": _kind(_POD),
    "nodes": _kind(OBJECT, an_object(conditions=_CONDITIONS, allocatable=OBJECT, capacity=OBJECT)),
    "services": _kind(an_object(type=TEXT), an_object(loadBalancer=OBJECT)),
    "persistentvolumeclaims": _kind(_CLAIM),
    "persistentvolumes": _kind(
        an_object(
            claimRef=an_object(name=TEXT, namespace=TEXT, uid=TEXT),
            persistentVolumeReclaimPolicy=TEXT,
        )
    ),
    "replicationcontrollers": _kind(an_object(selector=TEXTS, template=_POD_TEMPLATE)),
    "replicasets.apps": _kind(an_object(selector=_SELECTOR, template=_POD_TEMPLATE)),
    "deployments.apps": _kind(
        an_object(
            selector=_SELECTOR,
            template=_POD_TEMPLATE,
            strategy=an_object(
                type=TEXT, rollingUpdate=an_object(maxSurge=PART, maxUnavailable=PART)
            ),
        )
    ),
    "statefulsets.apps": _kind(
        an_object(
            selector=_SELECTOR,
            template=_POD_TEMPLATE,
            podManagementPolicy=TEXT,
            updateStrategy=an_object(type=TEXT, rollingUpdate=an_object(partition=AMOUNT)),
            volumeClaimTemplates=objects(
                "metadata", metadata=an_object("name", name=TEXT, labels=TEXTS), spec=_CLAIM
            ),
        )
    ),
    "daemonsets.apps": _kind(
        an_object(
            template=_POD_TEMPLATE,
            updateStrategy=an_object(
                type=TEXT, rollingUpdate=an_object(maxSurge=PART, maxUnavailable=PART)
            ),
        )
    ),
    "jobs.batch": _kind(
        an_object(
            template=_POD_TEMPLATE, parallelism=AMOUNT, completions=AMOUNT, backoffLimit=AMOUNT
        )
    ),
    "datavolumes.cdi.kubevirt.io": _kind(_DATA_VOLUME),
    "datasources.cdi.kubevirt.io": _kind(
        an_object(source=an_object(pvc=_NAMED, snapshot=_NAMED)), an_object(conditions=_CONDITIONS)
    ),
    "volumesnapshots.snapshot.storage.k8s.io": _kind(
        an_object(source=an_object(persistentVolumeClaimName=TEXT)),
        an_object(error=an_object(message=TEXT, time=TEXT)),
    ),
    "virtualmachineinstances.kubevirt.io": _kind(
        _INSTANCE,
        an_object(
            phase=TEXT,
            nodeName=TEXT,
            conditions=OBJECTS,
            activePods=TEXTS,
            interfaces=OBJECTS,
            volumeStatus=OBJECTS,
            migrationState=OBJECT,
            phaseTransitionTimestamps=OBJECTS,
        ),
    ),
    "virtualmachines.kubevirt.io": _kind(
        _machine(_METADATA),
        an_object(
            conditions=OBJECTS,
            stateChangeRequests=OBJECTS,
            startFailure=an_object(consecutiveFailCount=COUNT),
        ),
    ),
    "virtualmachineinstancereplicasets.kubevirt.io": _kind(
        an_object(selector=_SELECTOR, template=_INSTANCE_TEMPLATE)
    ),
    "virtualmachineinstancemigrations.kubevirt.io": _kind(
        an_object(vmiName=TEXT, addedNodeSelector=TEXTS),
        an_object(phase=TEXT, conditions=_CONDITIONS, migrationState=OBJECT),
    ),
    "virtualmachinepools.pool.kubevirt.io": _kind(
        an_object(
            selector=_SELECTOR,
            virtualMachineTemplate=an_object(metadata=_LABELLED, spec=_machine(_LABELLED)),
        )
    ),
    "virtualmachinesnapshots.snapshot.kubevirt.io": _kind(an_object(source=_NAMED)),
    "virtualmachinerestores.snapshot.kubevirt.io": _kind(
        an_object(target=_NAMED, virtualMachineSnapshotName=TEXT)
    ),
    "virtualmachineclones.clone.kubevirt.io": _kind(an_object(source=_NAMED, target=_NAMED)),
    "customresourcedefinitions.apiextensions.k8s.io": _kind(
        an_object(
            "group",
            "names",
            "versions",
            group=TEXT,
            scope=TEXT,
            names=an_object("plural", "kind", plural=TEXT, kind=TEXT),
            versions=_VERSIONS,
        )
    ),
}
"""What spec and status have to be, by the name of the resource."""


def misshapen(name: str, obj: JSON) -> Iterator[Cause]:
    """What is wrong with the fields of an object whose resource has this name."""
    for key, shape in _KINDS.get(name, {}).items():
        part = obj.get(key)
        if isinstance(part, dict):
            yield from misfits(shape, part, key)
