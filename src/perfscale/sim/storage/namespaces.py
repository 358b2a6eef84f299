"""What a cluster does with a namespace that is being deleted, and why one may stay.

A namespace that is not gone at once is checked again and again, less and less often, and
its conditions say what is in the way, as those of a real namespace controller do:
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from perfscale.errors import ConflictError, NotFoundError
from perfscale.kube.resources import NAMESPACES
from perfscale.sim.storage.metadata import timestamp
from perfscale.sim.storage.store import DeleteOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.store import Store

_FIRST_CHECK_S: Final = 1.0
_LAST_CHECK_S: Final = 16.0
_CONDITIONS: Final = (
    (
        "NamespaceDeletionDiscoveryFailure",
        "DiscoveryFailed",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "GroupVersionParsingFailed",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeletionFailed",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    (
        "NamespaceContentRemaining",
        "SomeResourcesRemain",
        "ContentRemoved",
        "All content successfully removed",
    ),
    (
        "NamespaceFinalizersRemaining",
        "SomeFinalizersRemain",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
)
"""Each one's type, its reason where it holds, and its reason and message where it does not."""


class DeletionBlocker(NamedTuple):
    """Why a namespace cannot go.

    Attributes:
        is_processed: Whether a controller processes it at all.
        undiscovered: Groups and versions of which it is not known whether there is something.
        remaining: Objects that remain, by their resource.
        finalizers: How many of them each finalizer holds.
    """

    is_processed: bool = True
    undiscovered: Sequence[str] = ()
    remaining: Mapping[str, int] = {}
    finalizers: Mapping[str, int] = {}


class Timer(Protocol):
    """A call that can still be called off."""

    def cancel(self) -> None:
        """Do not make the call."""


class NamespaceController:
    """Drains namespaces that are being deleted.

    Args:
        later: Has a piece of work done, after what is waiting already.
        call_later: How to have a function called after so many seconds; without it, a
            namespace is checked only when something in it changes.
        blocker_of: What keeps a namespace by its name, for now; None where nothing does.
    """

    def __init__(
        self,
        store: Store,
        later: Callable[[Callable[[], None]], None],
        call_later: Callable[[float, Callable[[], None]], Timer] | None = None,
        blocker_of: Callable[[str], DeletionBlocker | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._later = later
        self._call_later = call_later
        self._blocker_of = blocker_of
        self._drained: set[str] = set()
        self._checks: dict[str, Timer] = {}

    def close(self) -> None:
        """Cancel the checks."""
        for timer in self._checks.values():
            timer.cancel()
        self._checks.clear()

    def drain(self, namespace: str) -> None:
        """Delete every object of the namespace; the last one that is gone removes it."""
        if namespace in self._drained or not self._store.is_terminating(namespace):
            return
        blocker = self._blocker_of(namespace)
        if blocker is not None and not blocker.is_processed:
            self._check_later(namespace, _FIRST_CHECK_S)
            return
        self._drained.add(namespace)
        for collection in self._store.collections():
            if collection.kind.namespaced:
                for record in collection.records(namespace):
                    identity = (collection.resource, namespace, record.name, record.uid)
                    self._later(partial(self._delete, *identity))
        self._later(lambda: self.release(namespace))
        self._later(lambda: self._check(namespace, _FIRST_CHECK_S))

    def forget(self, namespace: str) -> None:
        """The namespace is gone, or is not being deleted any more."""
        self._drained.discard(namespace)
        timer = self._checks.pop(namespace, None)
        if timer is not None:
            timer.cancel()

    def release(self, namespace: str) -> None:
        """Remove the namespace, if nothing is left in it and nothing keeps it."""
        if self._store.population(namespace) or not self._store.is_terminating(namespace):
            return
        if namespace not in self._drained or self._blocker_of(namespace) is not None:
            return
        obj = self._store.get(NAMESPACES, None, namespace)
        self._store.update(NAMESPACES, {**obj, "spec": {}}, subresource="finalize")

    def _delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        with suppress(NotFoundError, ConflictError):
            self._store.delete(resource, namespace, name, DeleteOptions(uid=uid))

    def _check(self, namespace: str, next_s: float) -> None:
        """Update the conditions with why the namespace is still there; check again later."""
        self._checks.pop(namespace, None)
        if namespace not in self._drained:
            self.drain(namespace)
            return
        self.release(namespace)
        if not self._store.is_terminating(namespace):
            return
        obj = self._store.get(NAMESPACES, None, namespace)
        blocker = self._blocker_of(namespace) or self._contents(namespace)
        current = conditions(blocker, obj, self._store.now())
        status = {**(obj.get("status") or {}), "conditions": current}
        self._store.update(NAMESPACES, {**obj, "status": status}, subresource="status")
        self._check_later(namespace, next_s)

    def _check_later(self, namespace: str, delay_s: float) -> None:
        if self._call_later is not None and namespace not in self._checks:
            again = partial(self._check, namespace, min(delay_s * 2, _LAST_CHECK_S))
            self._checks[namespace] = self._call_later(delay_s, again)

    def _contents(self, namespace: str) -> DeletionBlocker:
        remaining: Counter[str] = Counter()
        finalizers: Counter[str] = Counter()
        for collection in self._store.collections():
            if collection.kind.namespaced:
                for record in collection.records(namespace):
                    remaining[collection.resource.name] += 1
                    finalizers.update(record.load()["metadata"].get("finalizers") or ())
        return DeletionBlocker(remaining=remaining, finalizers=finalizers)


def conditions(blocker: DeletionBlocker, namespace: JSON, now: datetime) -> list[JSON]:
    """The conditions of a namespace that is kept, in the words of a namespace controller."""
    troubles: dict[str, str] = {}
    if blocker.undiscovered:
        troubles["DiscoveryFailed"] = _undiscovered(blocker.undiscovered)
    if blocker.remaining:
        troubles["SomeResourcesRemain"] = _remaining(blocker.remaining)
    if blocker.finalizers:
        troubles["SomeFinalizersRemain"] = _finalizers(blocker.finalizers)
    before = {each["type"]: each for each in (namespace.get("status") or {}).get("conditions", ())}
    made = []
    for kind, trouble, reason, message in _CONDITIONS:
        holds = trouble in troubles
        status = "True" if holds else "False"
        old = before.get(kind, {})
        since = old["lastTransitionTime"] if old.get("status") == status else timestamp(now)
        made.append(
            {
                "type": kind,
                "status": status,
                "lastTransitionTime": since,
                "reason": trouble if holds else reason,
                "message": troubles.get(trouble, message),
            }
        )
    return made


def _undiscovered(groups: Sequence[str]) -> str:
    stale = ", ".join(f"{each}: stale GroupVersion discovery: {each}" for each in groups)
    return (
        f"Discovery failed for some groups, {len(groups)} failing: unable to retrieve the "
        f"complete list of server APIs: {stale}"
    )


def _remaining(counts: Mapping[str, int]) -> str:
    # A resource of the core group ends in a dot there: plural, dot, and no group.
    each = (
        f"{name if '.' in name else name + '.'} has {count} resource instances"
        for name, count in sorted(counts.items())
    )
    return f"Some resources are remaining: {', '.join(each)}"


def _finalizers(counts: Mapping[str, int]) -> str:
    each = (f"{name} in {count} resource instances" for name, count in sorted(counts.items()))
    return f"Some content in the namespace has finalizers remaining: {', '.join(each)}"
