"""The faults file as frozen, validated models."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field

from perfscale.config.sections.fields import refusal
from perfscale.config.sections.section import Section
from perfscale.sim.faults.fields import Seed
from perfscale.sim.faults.model.cluster import ClusterFaults, Outage, Restoration
from perfscale.sim.faults.model.objects import PHASED, NamespaceFault, ObjectFault
from perfscale.sim.faults.model.requests import RequestFault, WatchFault

__all__ = [
    "PHASED",
    "ClusterFaults",
    "Faults",
    "NamespaceFault",
    "ObjectFault",
    "Outage",
    "RequestFault",
    "Restoration",
    "WatchFault",
]


def _list(value: object) -> Any:  # noqa: ANN401 - what the field's type then looks at
    if value is None:  # a key whose whole content is commented out
        return ()
    if isinstance(value, list | tuple):
        return value
    raise refusal("list", "a list of faults", value)


_Listed: Final = BeforeValidator(_list)


class Faults(Section):
    """A faults file: what goes wrong in a simulated cluster."""

    called: ClassVar[str] = "a mapping (seed, requests, watches, outages, objects, ...)"

    seed: Seed = Field(
        default=0, description="The same seed lets the same happen; another one, something else."
    )
    requests: Annotated[tuple[RequestFault, ...], _Listed] = Field(
        default=(), description="What happens to requests."
    )
    watches: Annotated[tuple[WatchFault, ...], _Listed] = Field(
        default=(), description="What happens to watches."
    )
    outages: Annotated[tuple[Outage, ...], _Listed] = Field(
        default=(), description="When the API server is gone."
    )
    objects: Annotated[tuple[ObjectFault, ...], _Listed] = Field(
        default=(), description="What happens to objects."
    )
    namespaces: Annotated[tuple[NamespaceFault, ...], _Listed] = Field(
        default=(), description="What happens to namespaces that are being deleted."
    )
    cluster: ClusterFaults = Field(
        default=ClusterFaults(), description="What is wrong with the cluster as a whole."
    )
