"""The faults file as frozen, validated models."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

from pydantic import BeforeValidator, Field

from perfscale.config.sections.fields import list_of
from perfscale.config.sections.section import Section
from perfscale.sim.faults.fields import Seed
from perfscale.sim.faults.model.cluster import ClusterFaults, Outage, Restoration
from perfscale.sim.faults.model.objects import (
    DELAYED,
    PHASED,
    UNPHASED,
    NamespaceFault,
    ObjectFault,
)
from perfscale.sim.faults.model.requests import RequestFault, WatchFault

__all__ = [
    "DELAYED",
    "PHASED",
    "UNPHASED",
    "ClusterFaults",
    "Faults",
    "NamespaceFault",
    "ObjectFault",
    "Outage",
    "RequestFault",
    "Restoration",
    "WatchFault",
]


T = TypeVar("T")


def _none_is_empty(value: object) -> object:
    """Take a key whose whole content is commented out as an empty list."""
    return () if value is None else value


_Listed = Annotated[
    tuple[T, ...], list_of("faults", may_be_empty=True), BeforeValidator(_none_is_empty)
]


class Faults(Section):
    """A faults file: what goes wrong in a simulated cluster."""

    called: ClassVar[str] = "a mapping (seed, requests, watches, outages, objects, ...)"

    seed: Seed = Field(
        default=0, description="The same seed lets the same happen; another one, something else."
    )
    requests: _Listed[RequestFault] = Field(default=(), description="What happens to requests.")
    watches: _Listed[WatchFault] = Field(default=(), description="What happens to watches.")
    outages: _Listed[Outage] = Field(default=(), description="When the API server is gone.")
    objects: _Listed[ObjectFault] = Field(default=(), description="What happens to objects.")
    namespaces: _Listed[NamespaceFault] = Field(
        default=(), description="What happens to namespaces that are being deleted."
    )
    cluster: ClusterFaults = Field(
        default=ClusterFaults(), description="What is wrong with the cluster as a whole."
    )
