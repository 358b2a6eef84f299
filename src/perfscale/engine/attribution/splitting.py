"""From what the cluster says of an object to where its time went. Pure.

The way to readiness has stages, and something ends each of them:

=================  ===========================================================
not yet seen       its instance, and that one's pod, are created
scheduling         the pod has a node
launcher start     an instance is Scheduled; a pod's containers have started
guest              it is ready
=================  ===========================================================

Within them, image pulls and volumes take what events say that they took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.engine.attribution.intervals import (
    ALWAYS,
    NEVER,
    Part,
    Stage,
    Window,
    divided,
    painted,
    segments_of,
)
from perfscale.engine.attribution.pulls import pulls
from perfscale.engine.attribution.times import NOTHING_SEEN, Mark, OwnTimes, ServerClock, refined
from perfscale.engine.attribution.volumes import mentions_volumes, volume_parts
from perfscale.results import WaitCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.engine.attribution.evidence import Evidence, SeenObject, SeenPod
    from perfscale.results import KeptCondition, Segment

_EVENTS_LAST_S: Final = 3300.0
"""An API server keeps events for an hour; less what clocks may be off:
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--event-ttl)"""
_BEFORE_STARTED: Final = frozenset(
    {WaitCause.SCHEDULING, WaitCause.LAUNCHER_START, WaitCause.UNKNOWN}
)


class Split(NamedTuple):
    """Segments from the request to the end, and notes on what is not known."""

    segments: tuple[Segment, ...]
    notes: tuple[str, ...]


class Wait(NamedTuple):
    """The time of an object: seconds since the run's start.

    Attributes:
        began_s: When its create request was sent.
        until_s: When it was ready, or last looked at.
        is_ready: Which of the two.
    """

    began_s: float
    until_s: float
    is_ready: bool


def split(
    evidence: Evidence, wait: Wait, clock: ServerClock, own: OwnTimes = NOTHING_SEEN
) -> Split:
    """Where the time of an object went.

    Args:
        evidence: What was seen of it.
        wait: Its time.
        clock: The server's.
        own: What the run's watches saw of its instance.

    Returns:
        Segments that follow each other from the beginning of the wait to its end without a gap.
        None is of no length: of a wait of none there are none.
    """
    said = "ready, as the run's watch showed it" if wait.is_ready else "not over yet"
    began, until = Mark(wait.began_s, 0.0, ""), Mark(wait.until_s, 0.0, said)
    window = Window(began, until, wait.is_ready, evidence.looked_s)
    spans = divided(_stages(evidence, clock, own), window)
    for part in _parts(evidence, clock):
        spans = painted(spans, part)
    return Split(segments_of(spans), tuple(_notes(evidence)))


def _stages(evidence: Evidence, clock: ServerClock, own: OwnTimes) -> Iterator[Stage]:
    if evidence.expects_instance:
        yield from _stages_of_instance(evidence, clock, own)
    elif evidence.expects_pod:
        pod, found = evidence.pod, evidence.object
        if pod is None or found is None or pod.uid != found.uid:
            yield _until_pod(evidence, clock, None)
        yield _until_scheduled(evidence, clock)
        started = None if pod is None else clock.mark(pod.started, "containers have started")
        yield Stage(WaitCause.LAUNCHER_START, started, is_pending=pod is not None)
        yield Stage(WaitCause.GUEST, None, is_pending=True)
    else:
        yield Stage(WaitCause.UNKNOWN, None)


def _stages_of_instance(evidence: Evidence, clock: ServerClock, own: OwnTimes) -> Iterator[Stage]:
    instance, found = evidence.instance, evidence.object
    if found is not None and (instance is None or instance.uid != found.uid):
        stamp = None if instance is None else instance.created
        created = refined(clock.mark(stamp, "instance created"), own.created_s, "instance created")
        yield Stage(WaitCause.UNSEEN, created, is_pending="instance" not in evidence.unread)
    scheduling = _phase(instance, "Scheduling", clock, own)
    yield _until_pod(evidence, clock, scheduling)
    yield _until_scheduled(evidence, clock)
    pod = evidence.pod
    ready = None if pod is None else clock.mark(pod.containers_ready, "launcher ready")
    scheduled = _phase(instance, "Scheduled", clock, own)
    yield Stage(WaitCause.LAUNCHER_START, scheduled or ready, is_pending=pod is not None)
    yield Stage(WaitCause.GUEST, None, is_pending=True)


def _phase(
    instance: SeenObject | None, phase: str, clock: ServerClock, own: OwnTimes
) -> Mark | None:
    what = f"phase {phase}"
    stamp = None if instance is None else instance.phases.get(phase)
    return refined(clock.mark(stamp, what), own.phases_s.get(phase), what)


def _until_pod(evidence: Evidence, clock: ServerClock, seen: Mark | None) -> Stage:
    pod = evidence.pod
    created = None if pod is None else clock.mark(pod.created, "pod created")
    if created is not None and seen is not None and seen.precision_s < created.precision_s:
        created = refined(created, seen.at_s, "pod created")
    return Stage(WaitCause.UNSEEN, created or seen, is_pending="pods" not in evidence.unread)


def _until_scheduled(evidence: Evidence, clock: ServerClock) -> Stage:
    pod = evidence.pod
    scheduled = None if pod is None else clock.mark(pod.scheduled, "pod scheduled")
    return Stage(WaitCause.SCHEDULING, scheduled, is_pending=pod is not None)


def _parts(evidence: Evidence, clock: ServerClock) -> Iterator[Part]:
    """What counts in the place of a stage; the later ones in the place of the earlier too."""
    yield from _hindrances(evidence, clock)
    yield from _copied(evidence, clock)
    pod = evidence.pod
    if pod is not None and (reason := _without_events(evidence, clock)):
        yield Part(WaitCause.UNKNOWN, ALWAYS, NEVER, reason, {WaitCause.LAUNCHER_START})
        if pod.claims:
            yield Part(WaitCause.UNKNOWN, ALWAYS, NEVER, reason, {WaitCause.SCHEDULING})
    yield from volume_parts(evidence, clock)
    if pod is not None:
        yield from pulls(evidence, pod, clock)


def _hindrances(evidence: Evidence, clock: ServerClock) -> Iterator[Part]:
    """Why there was no instance or pod although a controller had seen the object."""
    for uid in _owners(evidence):
        for event in evidence.about(uid):
            first = clock.mark(event.first, event.reason)
            if event.reason == "FailedCreate" and first is not None:
                said = f"{event.reason}: {event.message}"
                yield Part(WaitCause.UNKNOWN, first, NEVER, said, {WaitCause.UNSEEN})
    instance = evidence.instance
    if instance is not None and (failed := _failed_before(evidence)):
        until = clock.mark(instance.created, "") or NEVER
        yield Part(WaitCause.UNKNOWN, ALWAYS, until, failed, {WaitCause.UNSEEN})


def _owners(evidence: Evidence) -> list[str]:
    found = (evidence.object, evidence.instance)
    return list(dict.fromkeys(each.uid for each in found if each is not None))


def _failed_before(evidence: Evidence) -> str:
    """That an instance was there before this one; empty if none is known."""
    found, instance = evidence.object, evidence.instance
    if found is None or instance is None or found.uid == instance.uid:
        return ""
    made = sum(e.count for e in evidence.about(found.uid) if e.reason == "SuccessfulCreate")
    failures = max(found.failures, made - 1)
    return f"{failures} instances failed before this one" if failures > 0 else ""


def _copied(evidence: Evidence, clock: ServerClock) -> Iterator[Part]:
    """What KubeVirt copies from the pod to the instance, as long as it holds."""
    for each in evidence.instance.conditions if evidence.instance is not None else ():
        if each.status == "False" and (cause := _cause_of(each)) is not None:
            since = clock.mark(each.since, each.reason)
            said = f"{each.type} of the instance: {each.reason}"
            if since is not None:
                is_early = cause is WaitCause.VOLUMES  # no pod is made before there are any
                instead_of = _BEFORE_STARTED | {WaitCause.UNSEEN} if is_early else _BEFORE_STARTED
                yield Part(cause, since, NEVER, said, instead_of)


def _cause_of(condition: KeptCondition) -> WaitCause | None:
    if condition.type == "DataVolumesReady" or condition.reason == "FailedPvcNotFound":
        return WaitCause.VOLUMES
    if condition.type == "Synchronized" and condition.reason in {
        "ErrImagePull",
        "ImagePullBackOff",
    }:
        return WaitCause.IMAGE_PULL
    if condition.type == "PodScheduled":
        return WaitCause.VOLUMES if mentions_volumes(condition.message) else WaitCause.SCHEDULING
    return None


def _without_events(evidence: Evidence, clock: ServerClock) -> str:
    """Why the launcher's start cannot be told from image pulls and volumes; empty if it can."""
    if reason := evidence.unread.get("events"):
        return f"events cannot be read: {reason}"
    pod = evidence.pod
    return _expired(evidence, pod, clock) if pod is not None else ""


def _expired(evidence: Evidence, pod: SeenPod, clock: ServerClock) -> str:
    scheduled = clock.mark(pod.scheduled, "")
    is_old = scheduled and evidence.first_looked_s - scheduled.at_s > _EVENTS_LAST_S
    return "" if not is_old or any(evidence.about(pod.uid)) else "its events have expired"


def _notes(evidence: Evidence) -> Iterator[str]:
    for what, reason in evidence.unread.items():
        yield f"{what} not read: {reason}"
    if evidence.chosen:
        yield evidence.chosen
    if failed := _failed_before(evidence):
        yield failed
    for uid in _owners(evidence):
        for event in evidence.about(uid):
            if event.reason == "FailedCreate":
                yield f"{event.of}: {event.reason}: {event.message}"
