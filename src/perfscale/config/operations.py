"""The operations that a workload can consist of: one row for each, all that is special about it.

An operation is one thing done to one object. It is due, admitted, sent, answered, and then done,
failed or unfinished. Whatever differs from one to the next stands here: the dispatcher, the
schedule, the tracker and the results know of no operation by its name.

The subresources: https://kubevirt.io/api-reference/ (group ``subresources.kubevirt.io``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VM: Final = "virtualmachines.kubevirt.io"
VMI: Final = "virtualmachineinstances.kubevirt.io"
MIGRATIONS: Final = "virtualmachineinstancemigrations.kubevirt.io"
SUBRESOURCES: Final = "subresources.kubevirt.io"


class Request(StrEnum):
    """What is sent for one target."""

    CREATE = "POST of the object"
    DELETE = "DELETE with the UID as precondition"
    PATCH = "PATCH"
    SCALE = "PATCH of the scale subresource, with a test of the UID"
    GET = "GET of the object"
    LIST = "GET of the collection"
    WATCH = "GET of the collection with watch=true"
    PUT = "PUT of a subresource of KubeVirt"
    MIGRATE = "POST of a migration"


class Effect(StrEnum):
    """What has to be seen before an operation is done."""

    READY = "the object is ready"
    ANSWERED = "the answer"
    MATCHED = "what doneWhen says, in a state that is no older than the answer"
    GONE = "the object of that UID is gone"
    SCALED = "status.readyReplicas is the number, after the answer"
    STARTED = "an instance of a new UID is Running"
    STOPPED = "the instance of the old UID is gone"
    RESTARTED = "the instance of the old UID is gone, and one of a new UID is Running"
    PAUSED = "the instance's condition Paused is True"
    UNPAUSED = "the instance's condition Paused is not True"
    MIGRATED = "the migration Succeeded, and is the one in the instance's migrationState"
    VOLUME_READY = "the volume's phase in the instance's volumeStatus is Ready"
    VOLUME_GONE = "the instance's volumeStatus has no such volume"
    FIRST_STATE = "the stream has sent the state that it begins with"


_UNWATCHED: Final = frozenset({Effect.READY, Effect.ANSWERED, Effect.FIRST_STATE})
"""Effects that no watch has to be opened for: a create has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row.

    Attributes:
        name: As the workload file spells it.
        request: What is sent.
        effect: What makes it done.
        verb: RBAC's verb of the request.
        kinds: What it can be done to, as ``plural.group``; empty for every kind.
        subresource: Of the URL; empty for none.
        acts_on: The resource, as ``plural.group``, whose URL is sent to, where that is not the
            target's: the instance of a VM has the VM's name.
        follows: The resource that shows what becomes of it, where that is not the target's.
        changes: Whether it changes what it is done to.
        makes: Whether controllers may make objects because of it: those are no part of what the
            creation of its target has made.
        goes_round: Whether it begins again with the first target where ``duration`` says how
            long it lasts.
        needs: Keys of the workload that it cannot do without.
        takes: Keys of the workload that it can have, and that not every operation can.
        milestones: What is seen on the way, in order.
    """

    name: str
    request: Request
    effect: Effect
    verb: str
    kinds: tuple[str, ...] = ()
    subresource: str = ""
    acts_on: str = ""
    follows: str = ""
    changes: bool = True
    makes: bool = False
    goes_round: bool = False
    needs: tuple[str, ...] = ("targets",)
    takes: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()

    @property
    def creates(self) -> bool:
        """Whether it makes objects instead of being done to some."""
        return self.request is Request.CREATE

    @property
    def names_alone(self) -> bool:
        """Whether its request means an object by its name, and has no place for a UID."""
        return self.request in {Request.PUT, Request.MIGRATE}

    @property
    def is_watched(self) -> bool:
        """Whether watches have to be open for it: for its effect, or to know its target by UID."""
        return self.effect not in _UNWATCHED or self.names_alone


_MIGRATION_PHASES: Final = (
    *("Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running"),
    "Succeeded",
)

_ANSWERED: Final = "doneWhenAnswered"

_TABLE: Final = (
    Operation(
        name="create",
        request=Request.CREATE,
        effect=Effect.READY,
        verb="create",
        needs=("objects",),
        takes=(
            *("iterationCreationWait", "iterationCleanup", "iterationDeletionWait"),
            *("workloadCreationWait", "workloadCleanup", "preloadImages"),
            *("namespacedIterations", "iterationsPerNamespace"),
            *("namespaceLabels", "namespaceAnnotations", "churn"),
        ),
    ),
    Operation(
        name="delete",
        request=Request.DELETE,
        effect=Effect.GONE,
        verb="delete",
        takes=("deleteCollection", _ANSWERED),
    ),
    Operation(
        name="patch",
        request=Request.PATCH,
        effect=Effect.ANSWERED,
        verb="patch",
        makes=True,
        goes_round=True,
        needs=("targets", "patch"),
        takes=("doneWhen",),
    ),
    Operation(
        name="scale",
        request=Request.SCALE,
        effect=Effect.SCALED,
        verb="patch",
        makes=True,
        subresource="scale",
        needs=("targets", "to"),
        takes=(_ANSWERED,),
    ),
    Operation(
        name="get",
        request=Request.GET,
        effect=Effect.ANSWERED,
        verb="get",
        changes=False,
        goes_round=True,
        takes=("doneWhen",),
    ),
    Operation(
        name="list",
        request=Request.LIST,
        effect=Effect.ANSWERED,
        verb="list",
        changes=False,
        goes_round=True,
    ),
    Operation(
        name="watch",
        request=Request.WATCH,
        effect=Effect.FIRST_STATE,
        verb="watch",
        changes=False,
        takes=("streams",),
    ),
    Operation(
        name="start",
        request=Request.PUT,
        effect=Effect.STARTED,
        verb="update",
        makes=True,
        kinds=(VM,),
        subresource="start",
        follows=VMI,
        takes=("paused", _ANSWERED),
    ),
    Operation(
        name="stop",
        request=Request.PUT,
        effect=Effect.STOPPED,
        verb="update",
        kinds=(VM,),
        subresource="stop",
        follows=VMI,
        takes=("gracePeriod", _ANSWERED),
    ),
    Operation(
        name="restart",
        request=Request.PUT,
        effect=Effect.RESTARTED,
        verb="update",
        makes=True,
        kinds=(VM,),
        subresource="restart",
        follows=VMI,
        takes=("gracePeriod", _ANSWERED),
        milestones=("Gone",),
    ),
    Operation(
        name="pause",
        request=Request.PUT,
        effect=Effect.PAUSED,
        verb="update",
        kinds=(VMI, VM),
        subresource="pause",
        acts_on=VMI,
        follows=VMI,
        takes=(_ANSWERED,),
    ),
    Operation(
        name="unpause",
        request=Request.PUT,
        effect=Effect.UNPAUSED,
        verb="update",
        kinds=(VMI, VM),
        subresource="unpause",
        acts_on=VMI,
        follows=VMI,
        takes=(_ANSWERED,),
    ),
    Operation(
        name="softReboot",
        request=Request.PUT,
        effect=Effect.ANSWERED,
        verb="update",
        kinds=(VMI, VM),
        subresource="softreboot",
        acts_on=VMI,
        follows=VMI,
    ),
    Operation(
        name="migrate",
        request=Request.MIGRATE,
        effect=Effect.MIGRATED,
        verb="create",
        makes=True,
        kinds=(VMI, VM),
        acts_on=MIGRATIONS,
        follows=VMI,
        takes=(_ANSWERED,),
        milestones=_MIGRATION_PHASES,
    ),
    Operation(
        name="addVolume",
        request=Request.PUT,
        effect=Effect.VOLUME_READY,
        verb="update",
        makes=True,
        kinds=(VM, VMI),
        subresource="addvolume",
        follows=VMI,
        takes=(_ANSWERED,),
        needs=("targets", "volume"),
    ),
    Operation(
        name="removeVolume",
        request=Request.PUT,
        effect=Effect.VOLUME_GONE,
        verb="update",
        kinds=(VM, VMI),
        subresource="removevolume",
        follows=VMI,
        takes=(_ANSWERED,),
        needs=("targets", "volume"),
    ),
)

OPERATIONS: Final = {each.name: each for each in _TABLE}
"""By their names."""
CREATE: Final = OPERATIONS["create"]
