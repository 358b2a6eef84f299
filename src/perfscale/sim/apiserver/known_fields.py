"""The fields that a real server knows of the kinds that are loaded, and its warnings of others.

No schema of every kind, and none to the bottom: as far down as people misspell things at
the top of a spec. See https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
and, for the fields, the API references of KubeVirt and of pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.sim.apiserver import options
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.storage.records import JSON

Fields: TypeAlias = "dict[str, Fields | None]"


def _fields(names: str, **known: Fields) -> Fields:
    """Fields by their names: those whose own fields are known, and others."""
    return {**dict.fromkeys(names.split()), **known}


_METADATA: Final = _fields(
    "name generateName namespace labels annotations finalizers ownerReferences uid generation "
    "resourceVersion creationTimestamp deletionTimestamp deletionGracePeriodSeconds "
    "managedFields selfLink"
)
_DOMAIN: Final = _fields(
    "chassis clock cpu devices features firmware ioThreads ioThreadsPolicy launchSecurity machine "
    "memory rebootPolicy resources"
)
_VMI: Final = _fields(
    "accessCredentials affinity architecture dnsConfig dnsPolicy evictionStrategy hostname "
    "livenessProbe networks nodeSelector priorityClassName readinessProbe resourceClaims "
    "schedulerName startStrategy subdomain terminationGracePeriodSeconds tolerations "
    "topologySpreadConstraints utilityVolumes volumes",
    domain=_DOMAIN,
)
_VMI_TEMPLATE: Final = _fields("", metadata=_METADATA, spec=_VMI)
_POD: Final = _fields(
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy "
    "enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers "
    "hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead "
    "preemptionPolicy priority priorityClassName readinessGates resourceClaims resources "
    "restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount "
    "serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain "
    "terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes"
)
_SPECS: Final[Mapping[str, Fields]] = {
    "virtualmachineinstances.kubevirt.io": _VMI,
    "virtualmachines.kubevirt.io": _fields(
        "dataVolumeTemplates instancetype preference runStrategy running updateVolumesStrategy",
        template=_VMI_TEMPLATE,
    ),
    "virtualmachineinstancereplicasets.kubevirt.io": _fields(
        "paused replicas selector", template=_VMI_TEMPLATE
    ),
    "virtualmachineinstancemigrations.kubevirt.io": _fields(
        "addedNodeSelector priority receive sendTo vmiName"
    ),
    "pods": _POD,
}
_KINDS: Final[Mapping[str, Fields]] = {
    name: _fields("apiVersion kind status", metadata=_METADATA, spec=spec)
    for name, spec in _SPECS.items()
}


def field_warnings(target: Target, query: Mapping[str, str], obj: JSON) -> list[str]:
    """What a server warns of in an object: the fields that it does not know.

    Raises:
        ApiError: 400: it has some, and the request wants it strict.
    """
    known = _KINDS.get(target.resource.name)
    how = options.field_validation(query)
    if known is None or how == "Ignore" or target.subresource is not None:
        return []
    found = [f'unknown field "{path}"' for path in unknown_fields(obj, known)]
    if found and how == "Strict":
        kind = target.resource.kind
        raise refusals.bad_request(
            f'{kind} in version "{target.resource.version}" cannot be handled as a {kind}: '
            f"strict decoding error: {', '.join(found)}"
        )
    return found


def unknown_fields(obj: Mapping[str, Any], known: Fields, above: str = "") -> Iterator[str]:
    """The paths of the fields that are not known, as in ``spec.template.spec.domian``."""
    for name, value in obj.items():
        if name not in known:
            yield above + name
        elif (below := known[name]) is not None and isinstance(value, dict):
            yield from unknown_fields(value, below, f"{above}{name}.")
