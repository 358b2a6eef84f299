"""Faults of objects, and of namespaces that are being deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from perfscale.config.sections.fields import Duration, Label, Text, Timeout, choice, key_error
from perfscale.sim.faults.fields import Finalizer, GroupVersions, Names, Resources, Share
from perfscale.sim.faults.model.fault import Fault
from perfscale.sim.latency import Stage

PHASED: Final = (
    "virtualmachineinstances",
    "virtualmachineinstancemigrations",
    "virtualmachinesnapshots",
    "virtualmachineclones",
    "datavolumes",
    "persistentvolumeclaims",
    "pods",
)
"""The resources whose objects have phases that a controller leads them through."""

UNPHASED: Final = (
    "virtualmachinepools",
    "virtualmachinerestores",
    "volumesnapshots",
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "replicationcontrollers",
    "jobs",
    "services",
    "customresourcedefinitions",
    "apiservices",
)
"""Those that a controller looks after, and whose objects have none: they fail at once."""


DELAYED: Final[Mapping[str, Mapping[str, Stage]]] = {
    "virtualmachineinstances": {
        "unseen": Stage.VMI_PENDING,
        **dict.fromkeys(
            ("scheduling", "imagePull", "volumes", "launcherStart"), Stage.VMI_SCHEDULING
        ),
        "guest": Stage.VMI_SCHEDULED,
    },
    "pods": {
        "scheduling": Stage.POD_SCHEDULING,
        **dict.fromkeys(("imagePull", "volumes", "launcherStart"), Stage.POD_STARTING),
        # Nothing but such a delay lies between a pod's start and its readiness.
        "guest": Stage.NOW,
    },
}
"""What can delay the objects of a resource, and the stage that it makes longer."""


class ObjectFault(Fault):
    """What happens to some of the objects, always the same ones."""

    called: ClassVar[str] = "a mapping (fault, share, names, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "phase": ("fails", "ends", "stuck", "vanishes", "labelRemoved"),
        "reason": ("fails", "stuck"),
        "message": ("fails", "stuck"),
        "after": ("vanishes", "labelRemoved"),
        "finalizer": ("held",),
        "labels": ("labelsStripped", "labelRemoved"),
        "annotations": ("annotationsStripped",),
        "to": ("labelsStripped", "annotationsStripped", "labelRemoved"),
        "suffix": ("renamed",),
        "cause": ("delayed",),
        "by": ("delayed",),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "ends": ("phase",),
        "delayed": ("cause",),
    }

    fault: Annotated[
        str,
        *choice(
            "fails",
            "ends",
            "stuck",
            "vanishes",
            "held",
            "labelsStripped",
            "annotationsStripped",
            "renamed",
            "labelRemoved",
            "delayed",
        ),
    ] = Field(
        description=(
            "fails: its next phase is Failed; ends: its next phase is Succeeded, as where a guest "
            "powers off; stuck: it stays in a phase; vanishes: somebody "
            "else deletes it; held: it has a finalizer that nobody removes; labelsStripped, "
            "annotationsStripped and renamed: admission changes it as it is created; "
            "labelRemoved: a controller takes its labels away later; delayed: it takes longer, for "
            "a reason that its pod and events show."
        )
    )
    share: Share = Field(default=1.0, description="How many of the objects, from 0 to 1.")
    names: Names | None = Field(
        default=None, description="Only objects with such names; * and ? stand for anything."
    )
    resources: Resources = Field(
        default=("virtualmachineinstances",),
        description="Objects of these resources, by their plural.",
    )
    phase: Text | None = Field(
        default=None,
        description=(
            "The phase in which it is stuck or out of which it fails or ends (kinds without "
            "phases fail, or stay as they are, at once), or that it is in "
            "when it is deleted or loses its labels (at once where this is not said)."
        ),
    )
    reason: Text | None = Field(default=None, description="The reason in its conditions.")
    message: Text | None = Field(default=None, description="The message in its conditions.")
    after: Duration = Field(
        default=0.0, description="How long after that it is deleted, or loses its labels."
    )
    finalizer: Finalizer = Field(
        default="simulation.perfscale/held", description="The finalizer that stays."
    )

    labels: Names = Field(
        default=("*",), description="The labels that go, by their keys; * and ? stand for anything."
    )
    annotations: Names = Field(
        default=("*",), description="The annotations that go, by their keys, likewise."
    )
    to: Text | None = Field(
        default=None, description="The value that they get, instead of being taken away."
    )
    cause: Annotated[str | None, *choice(*DELAYED["virtualmachineinstances"])] = Field(
        default=None,
        description=(
            "What delays it: unseen (no controller comes to it), scheduling, imagePull, volumes, "
            "launcherStart or guest. Pods have a scheduler and no other controller: no unseen."
        ),
    )
    by: Timeout = Field(default=20.0, description="By how much.")
    suffix: Label = Field(default="renamed", description="What the name gets, after a dash.")

    @model_validator(mode="after")
    def _can_be_delayed(self) -> Self:
        for resource in self.resources if self.fault == "delayed" else ():
            plural = resource.partition(".")[0]
            if plural not in DELAYED:
                known = " and ".join(DELAYED)
                raise key_error("resources", f"{resource} cannot be delayed, only {known}")
            if self.cause not in DELAYED[plural]:
                raise key_error("cause", f"{resource} are delayed by {', '.join(DELAYED[plural])}")
        return self

    @model_validator(mode="after")
    def _has_phases(self) -> Self:
        ends_progress = self.fault in ("fails", "stuck")
        for resource in self.resources:
            plural = resource.partition(".")[0]
            if self.phase is not None and plural not in PHASED:
                raise key_error("resources", f"{resource} have no phases: {', '.join(PHASED)} do")
            if self.phase is None and ends_progress and plural not in UNPHASED:
                raise key_error("fault", f"the fault {self.fault} needs the key phase")
        return self


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
