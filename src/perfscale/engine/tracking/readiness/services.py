"""Services: only one of type LoadBalancer has to become anything."""

from __future__ import annotations

import msgspec

from perfscale.engine.tracking.readiness.objects import Metadata
from perfscale.engine.tracking.readiness.reading import Reading


class Ingress(msgspec.Struct, frozen=True, gc=False):
    """Where a load balancer is reached."""

    ip: str | None = None
    hostname: str | None = None


class LoadBalancer(msgspec.Struct, frozen=True):
    """What ``status.loadBalancer`` says."""

    ingress: list[Ingress] | None = None


class ServiceSpec(msgspec.Struct, frozen=True, gc=False):
    """Of which type it is; ClusterIP where nothing is said."""

    type: str | None = None


class ServiceStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Whether it has a load balancer."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(msgspec.Struct, frozen=True):
    """A Service."""

    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


def read_service(obj: Service) -> Reading:
    """A load balancer needs an address; any other service is ready once it is there."""
    if obj.spec.type != "LoadBalancer":
        return Reading(ready=True)
    ingress = obj.status.load_balancer.ingress or ()
    if any(each.ip or each.hostname for each in ingress):
        return Reading(ready=True)
    return Reading(detail="its load balancer has no address yet")
