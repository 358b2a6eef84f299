"""Services of type LoadBalancer: they get an address."""

from __future__ import annotations

import ipaddress
import zlib
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, UpdateStatus
from perfscale.sim.controllers.kinds import SERVICE
from perfscale.sim.controllers.objects import condition, is_deleting, uid_of, with_status
from perfscale.sim.controllers.workloads.replicas import with_conditions
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

# Addresses for examples, which are nobody's (RFC 5737).
_NETWORK: Final = ipaddress.IPv4Network("203.0.113.0/24")


class ServiceController:
    """Gives a load balancer its address."""

    resource = SERVICE
    owns = None

    def stage(self, obj: JSON) -> Stage | None:
        """A load balancer waits for its address; no other service waits."""
        is_balancer = (obj.get("spec") or {}).get("type") == "LoadBalancer"
        has_address = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress")
        if is_deleting(obj) or not is_balancer or has_address:
            return None
        return Stage.LOAD_BALANCER

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write the address."""
        del view, now
        number = zlib.crc32(uid_of(obj).encode()) % (_NETWORK.num_addresses - 2)
        ingress = [{"ip": str(_NETWORK[1 + number]), "ipMode": "VIP"}]
        old: JSON = obj.get("status") or {}
        status = {**old, "loadBalancer": {"ingress": ingress}}
        return (UpdateStatus(SERVICE, with_status(obj, status)),)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when it gets none; the reason stands in a condition."""
        old: JSON = obj.get("status") or {}
        said = condition("Ready", holds=False, now=now, reason=reason, message=message)
        return {**old, "conditions": with_conditions(old, [said])}
