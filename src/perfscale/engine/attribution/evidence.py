"""What the cluster says of a slow object, as far as it matters for where its time went. Pure.

It is gathered in several looks: what was seen once stays, though its event has expired or its
pod is gone by the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from perfscale.results import KeptCondition, KeptEvent, KeptPod

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENDED: Final = frozenset({"Succeeded", "Failed"})
MOST_EVENTS: Final = 50
"""Kept of an object and of all that was made for it."""


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod, as it was last seen.

    Attributes:
        created: The server's timestamp, and likewise below; None if it has none.
        scheduled: Since when it has a node.
        prepared: Since when its sandbox and its volumes are there, where the server says so.
        containers_ready: Since when all containers are ready.
        started: When the last of its containers started; None while not all have.
        waiting: Why containers do not run.
        claims: The claims that it mounts.
    """

    uid: str
    name: str
    node: str | None
    phase: str
    created: str | None
    conditions: tuple[KeptCondition, ...]
    scheduled: str | None
    prepared: str | None
    containers_ready: str | None
    started: str | None
    waiting: tuple[str, ...]
    claims: tuple[str, ...]
    is_target: bool = False

    @property
    def kept(self) -> KeptPod:
        """What results keep of it."""
        return KeptPod(name=self.name, node=self.node, phase=self.phase, created=self.created)


@dataclass(frozen=True, slots=True)
class SeenObject:
    """An object, or an instance that was made for one, as it was last seen.

    Attributes:
        created: The server's timestamp.
        phases: The server's timestamps of its phases.
        failures: How often it has failed to start in a row.
    """

    kind: str
    uid: str
    name: str
    created: str | None
    phase: str
    conditions: tuple[KeptCondition, ...]
    phases: Mapping[str, str]
    failures: int = 0


@dataclass(frozen=True, slots=True)
class SeenVolume:
    """A DataVolume or a claim.

    Attributes:
        created: The server's timestamp.
        done: Since when it is ready; None if it is not, or does not say.
        is_done: Whether it is.
        was_pending: Whether it was seen when it was not.
    """

    kind: str
    uid: str
    name: str
    created: str | None
    done: str | None
    is_done: bool
    conditions: tuple[KeptCondition, ...] = ()
    was_pending: bool = False


@dataclass(slots=True)
class Evidence:
    """All that was seen of a slow object.

    Attributes:
        object: The object.
        instance: The instance that a VM runs in; the object itself, where it is one.
        expects_instance: Whether such an object runs in an instance.
        expects_pod: Whether it, or its instance, runs in a pod.
        pods: The pods of it, or of its instance.
        volumes: The DataVolumes and claims that it waits for.
        events: By their UIDs: about what, by its UID, and the event.
        unread: What could not be read, and why: ``object``, ``instance``, ``pods``, ``events``
            or ``volumes``.
        chosen: Of which of many instances or pods this is; empty where there is only one.
        looked_s: When it was looked at last, in seconds since the run's start.
        first_looked_s: When it was for the first time.
        looks: How often.
    """

    object: SeenObject | None = None
    instance: SeenObject | None = None
    expects_instance: bool = False
    expects_pod: bool = False
    pods: dict[str, SeenPod] = field(default_factory=dict)
    volumes: dict[str, SeenVolume] = field(default_factory=dict)
    events: dict[str, tuple[str, KeptEvent]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    chosen: str = ""
    looked_s: float = 0.0
    first_looked_s: float = 0.0
    looks: int = 0

    def add(self, newer: Evidence) -> None:
        """Take what another look has found; what it has not found stays as it was."""
        self.looks += 1
        if newer.object is None and self.object is not None:
            return  # it is gone: what is known of it is as of the last time that it was there
        self.first_looked_s = self.first_looked_s if self.looks > 1 else newer.looked_s
        self.looked_s = newer.looked_s
        self.object = newer.object or self.object
        if newer.instance is not None:
            if self.instance is not None and self.instance.uid != newer.instance.uid:
                self.pods.clear()  # those of another, which has failed
            self.instance = newer.instance
        self.expects_instance = self.expects_instance or newer.expects_instance
        self.expects_pod = self.expects_pod or newer.expects_pod
        self.chosen = newer.chosen or self.chosen
        if newer.chosen and newer.pods:
            self.pods.clear()  # another one of a set keeps it waiting now
        self.pods.update(newer.pods)
        for uid, volume in newer.volumes.items():
            before = self.volumes.get(uid)
            pending = before is not None and (before.was_pending or not before.is_done)
            self.volumes[uid] = replace(volume, was_pending=pending)
        self.events.update(newer.events)
        for uid in list(self.events)[: -MOST_EVENTS or None]:
            del self.events[uid]
        self.unread = dict(newer.unread)

    @property
    def pod(self) -> SeenPod | None:
        """The pod that counts: the first that has not ended, or else the last."""
        own = [each for each in self.pods.values() if not each.is_target]
        alive = [each for each in own if each.phase not in _ENDED]
        by_age = sorted(alive or own, key=lambda each: each.created or "")
        return None if not by_age else by_age[0] if alive else by_age[-1]

    def about(self, uid: str) -> Iterator[KeptEvent]:
        """The events about an object."""
        return (event for of, event in self.events.values() if of == uid)

    @property
    def conditions(self) -> tuple[KeptCondition, ...]:
        """Those of everything that was seen."""
        seen: list[SeenObject | SeenPod | SeenVolume | None] = [self.object]
        if self.object is None or self.instance is None or self.object.uid != self.instance.uid:
            seen.append(self.instance)
        seen += [self.pod, *self.volumes.values()]
        return tuple(each for one in seen if one is not None for each in one.conditions)
