"""The controllers of a cluster with KubeVirt: one line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.kinds import KUBEVIRT_GROUP, POD
from perfscale.sim.controllers.kubevirt.pod import PodController
from perfscale.sim.controllers.kubevirt.vm import VmController
from perfscale.sim.controllers.kubevirt.vmi import VmiController
from perfscale.sim.controllers.kubevirt.vmim import VmimController
from perfscale.sim.controllers.kubevirt.vmirs import VmirsController

if TYPE_CHECKING:
    import random

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Controller


def standard_controllers(names: random.Random) -> tuple[Controller, ...]:
    """A controller for each kind that has one.

    Args:
        names: Where the suffixes of generated names come from.
    """
    return (
        VmiController(),
        VmController(),
        VmirsController(names),
        VmimController(),
        PodController(),
    )


def is_required(resource: Resource) -> bool:
    """Whether a cluster has the kind for certain, and is waited for until it serves it.

    The other kinds are those of clusters on which more is installed than KubeVirt.
    """
    return resource.group == KUBEVIRT_GROUP or resource == POD
