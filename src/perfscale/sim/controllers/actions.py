"""What a controller decides, apart from doing it.

A controller is a set of pure rules: it reads an object, and those that the object
owns, and says what should be written. The runner does the writing, the waiting and the
trying again, the same for every kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.cluster.facts import Facts
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.controllers.store import JSON
    from perfscale.sim.latency import Stage


@dataclass(frozen=True, slots=True)
class Create:
    """Make a new object."""

    resource: Resource
    obj: JSON


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the object, but not a status that is kept apart."""

    resource: Resource
    obj: JSON


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """Replace the status that is kept apart."""

    resource: Resource
    obj: JSON


@dataclass(frozen=True, slots=True)
class Delete:
    """Ask for the deletion of exactly this object."""

    resource: Resource
    obj: JSON
    grace_period_s: int | None = None


@dataclass(frozen=True, slots=True)
class Revise:
    """Read an object of another kind as it is now, and write it changed.

    A controller sees no more than the gist of an object that nothing is left to do with.

    Attributes:
        obj: Which object: its namespace, name and uid count.
        change: Makes the changed copy; what it returns unchanged, or as None, is not written.
            Called again, with a newer version, where somebody else wrote in between.
        status: Whether to write the status that is kept apart.
    """

    resource: Resource
    obj: JSON
    change: Callable[[JSON], JSON | None]
    status: bool = False


@dataclass(frozen=True, slots=True)
class Bind:
    """Give a pod its node, as a scheduler does."""

    obj: JSON
    node: str


Follows: TypeAlias = "Callable[[JSON, View], Iterable[Key]]"
"""Which objects of a controller's kind an object of another kind concerns."""

Action: TypeAlias = Create | Update | UpdateStatus | Delete | Revise | Bind


class View(Protocol):
    """The cluster as the watches have shown it so far."""

    @property
    def facts(self) -> Facts:
        """What there is to know of the whole cluster."""

    def find(self, resource: Resource, key: Key) -> JSON | None:
        """The object, if it is known."""

    def owned(self, resource: Resource, owner_uid: str) -> Collection[JSON]:
        """The objects of a kind whose controller is the object with this uid."""

    def all(self, resource: Resource) -> Collection[JSON]:
        """Every object of a kind."""

    def in_creation(self, owner_uid: str) -> int:
        """How many objects this owner has created that no watch has shown yet."""


class Controller(Protocol):
    """The rules of one kind. Neither method waits, writes or remembers anything."""

    @property
    def resource(self) -> Resource:
        """The kind."""

    @property
    def owns(self) -> Resource | None:
        """The kind of the objects it makes, whose changes concern their owner."""

    def stage(self, obj: JSON) -> Stage | None:
        """What the object waits for before `act` is due; None if for nothing ever."""

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """What to write now that the object's wait is over."""


@runtime_checkable
class Failing(Protocol):
    """A controller that knows how its objects fail, which is not by a phase ``Failed`` alone."""

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """The status of an object that has failed."""


@runtime_checkable
class Delaying(Protocol):
    """A controller some of whose objects wait for longer than others."""

    def delay_s(self, obj: JSON, stage: Stage) -> float:
        """By how many seconds an object stays in a stage longer than is drawn."""


@runtime_checkable
class Follower(Protocol):
    """A controller whose objects wait for what happens to those of other kinds."""

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """Which objects a change of another kind concerns, by that kind."""
