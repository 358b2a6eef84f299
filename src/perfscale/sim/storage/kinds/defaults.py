"""What an API server fills in where a new object of Kubernetes' own does not say.

Only what is read by somebody: controllers, and `kubectl rollout status`.
"""

from __future__ import annotations

import ipaddress
import zlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON

_SERVICE_NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/12")


def with_defaults(resource: Resource, obj: JSON, dry_run: bool) -> JSON:
    """The object with its defaults; an admission of `Store`."""
    del dry_run
    default = _DEFAULTS.get(resource.name)
    return obj if default is None else default(obj)


def _filled(spec: JSON, **defaults: Any) -> JSON:  # noqa: ANN401 - JSON
    missing = {key: value for key, value in defaults.items() if spec.get(key) is None}
    return {**spec, **missing}


def _deployment(obj: JSON) -> JSON:
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    spec = _filled(
        obj["spec"],
        replicas=1,
        progressDeadlineSeconds=600,
        revisionHistoryLimit=10,
        strategy={"type": "RollingUpdate", "rollingUpdate": rolling},
    )
    return {**obj, "spec": spec}


def _replicated(obj: JSON) -> JSON:
    return {**obj, "spec": _filled(obj["spec"], replicas=1)}


def _stateful_set(obj: JSON) -> JSON:
    spec = _filled(
        obj["spec"],
        replicas=1,
        podManagementPolicy="OrderedReady",
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    )
    return {**obj, "spec": spec}


def _daemon_set(obj: JSON) -> JSON:
    rolling = {"maxUnavailable": 1, "maxSurge": 0}
    spec = _filled(obj["spec"], updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    return {**obj, "spec": spec}


def _job(obj: JSON) -> JSON:
    spec = obj["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec = {**spec, "completions": 1}
    return {**obj, "spec": _filled(spec, parallelism=1, backoffLimit=6, suspend=False)}


def _service(obj: JSON) -> JSON:
    spec = _filled(obj.get("spec") or {}, type="ClusterIP")
    if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
        # Worked out from its uid, as pods' addresses are: two can have the same.
        number = zlib.crc32(obj["metadata"]["uid"].encode())
        address = _SERVICE_NETWORK[1 + number % (_SERVICE_NETWORK.num_addresses - 2)]
        spec = {**spec, "clusterIP": str(address), "clusterIPs": [str(address)]}
    return {**obj, "spec": spec, "status": {"loadBalancer": {}}}


def _claim(obj: JSON) -> JSON:
    return {**obj, "status": {"phase": "Pending"}}


_DEFAULTS: Final[Mapping[str, Callable[[JSON], JSON]]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replicated,
    "replicationcontrollers": _replicated,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "services": _service,
    "persistentvolumeclaims": _claim,
}
