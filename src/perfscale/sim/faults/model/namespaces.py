"""What a faults file says of namespaces that are being deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from perfscale.config.sections.choices import choice
from perfscale.config.sections.fields import Timeout
from perfscale.sim.faults.fields import Finalizer, GroupVersions, Names, Share
from perfscale.sim.faults.model.fault import Fault


class NamespaceFault(Fault):
    """Why some of the namespaces that are being deleted stay."""

    called: ClassVar[str] = "a mapping (fault, share, names, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "undiscovered": ("discoveryFails",),
        "finalizer": ("finalizersRemain",),
    }

    fault: Annotated[str, *choice("discoveryFails", "finalizersRemain", "unprocessed")] = Field(
        description=(
            "discoveryFails: not all API groups can be asked what they have; finalizersRemain: "
            "an object of a kind that nobody sees has a finalizer; unprocessed: nobody looks "
            "after namespaces."
        )
    )
    share: Share = Field(default=1.0, description="How many of the namespaces, from 0 to 1.")
    names: Names | None = Field(
        default=None, description="Only namespaces with such names; * and ? stand for anything."
    )
    lasts: Timeout | None = Field(
        default=None, description="How long it stays; for ever where this is not said."
    )
    undiscovered: GroupVersions = Field(
        default=("metrics.k8s.io/v1beta1",),
        description="The groups that cannot be asked, with their versions.",
    )
    finalizer: Finalizer = Field(
        default="simulation.perfscale/held", description="The finalizer that stays."
    )
