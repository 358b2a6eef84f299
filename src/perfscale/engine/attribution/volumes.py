"""When an object waited for its volumes, as claims, DataVolumes and events say. Pure.

A kubelet attaches and mounts all volumes of a pod before it makes its sandbox or pulls an image:
https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet.go (SyncPod)
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from perfscale.engine.attribution.intervals import ALWAYS, NEVER, Part
from perfscale.results import WaitCause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.engine.attribution.evidence import Evidence, SeenPod
    from perfscale.engine.attribution.times import Mark, ServerClock
    from perfscale.results import KeptEvent

_FAILED: Final = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_DONE: Final = frozenset({"SuccessfulAttachVolume", "SuccessfulMountVolume"})
_LATER: Final = frozenset({"Pulling", "Pulled", "Created", "Started"})
"""What a kubelet says when a pod's volumes are there."""
_PROVISIONING: Final = frozenset({"Provisioning", "ExternalProvisioning"})
_WAITING: Final = frozenset(
    {"Provisioning", "WaitingForVolumeBinding", "DataVolumeError", "ErrorPvcNotFound"}
)
"""What a VM calls itself that has no instance for want of a volume."""
_UNSCHEDULED: Final = "FailedScheduling"


def mentions_volumes(message: str) -> bool:
    """Whether a scheduler's message is about volumes, and nothing that a node lacks."""
    text = message.lower()
    return "volume" in text and "insufficient" not in text


def volume_parts(evidence: Evidence, clock: ServerClock) -> Iterator[Part]:
    """The times that volumes took."""
    yield from _filled(evidence, clock)
    pod = evidence.pod
    if pod is None:
        return
    events = sorted(evidence.about(pod.uid), key=lambda each: each.first or "")
    yield from _bound(evidence, pod, events, clock)
    yield from _mounted(pod, events, clock)


def _filled(evidence: Evidence, clock: ServerClock) -> Iterator[Part]:
    """A VM makes its instance, and that its pod, when their DataVolumes are filled."""
    found = evidence.object
    if found is not None and evidence.instance is None and found.phase in _WAITING:
        yield Part(WaitCause.VOLUMES, ALWAYS, NEVER, f"the VM is {found.phase}", {WaitCause.UNSEEN})
    for volume in evidence.volumes.values():
        began = clock.mark(volume.created, "")
        # One that was seen before it was filled was waited for, whenever that was.
        open_end = NEVER if volume.was_pending or not volume.is_done else None
        ended = clock.mark(volume.done, "") or open_end
        if volume.kind == "DataVolume" and began is not None and ended is not None:
            said = f"DataVolume {volume.name} is being filled"
            yield Part(WaitCause.VOLUMES, began, ended, said, {WaitCause.UNSEEN})


def _bound(
    evidence: Evidence, pod: SeenPod, events: Iterable[KeptEvent], clock: ServerClock
) -> Iterator[Part]:
    """A pod without a node, because of its claims."""
    refusals = [each for each in events if each.reason == _UNSCHEDULED]
    for refusal, following in pairwise((*refusals, None)):
        began = None if refusal is None else clock.mark(refusal.first, "")
        if refusal is None or began is None or not mentions_volumes(refusal.message):
            continue
        ended = None if following is None else clock.mark(following.first, "")
        yield Part(
            WaitCause.VOLUMES, began, ended or NEVER, refusal.message, {WaitCause.SCHEDULING}
        )
    for each in pod.conditions:
        waits = each.type == "PodScheduled" and each.status == "False"
        if waits and not refusals and mentions_volumes(each.message):
            since = clock.mark(each.since, "") or ALWAYS
            yield Part(WaitCause.VOLUMES, since, NEVER, each.message, {WaitCause.SCHEDULING})
    for volume in evidence.volumes.values():
        yield from _provisioned(evidence.about(volume.uid), clock)


def _provisioned(events: Iterable[KeptEvent], clock: ServerClock) -> Iterator[Part]:
    """A claim that is made only when its pod has come, and before that has its node."""
    about = list(events)
    began = _first(clock.mark(each.first, "") for each in about if each.reason in _PROVISIONING)
    made = [each for each in about if each.reason == "ProvisioningSucceeded"]
    ended = _first(clock.mark(each.first, "") for each in made)
    if began is not None:
        said = f"{about[0].of} is being provisioned"
        yield Part(WaitCause.VOLUMES, began, ended or NEVER, said, {WaitCause.SCHEDULING})


def _mounted(pod: SeenPod, events: Iterable[KeptEvent], clock: ServerClock) -> Iterator[Part]:
    """A pod that has its node, and waits for its volumes there."""
    about = list(events)
    failed = [each for each in about if each.reason in _FAILED]
    attached = [each for each in about if each.reason in _DONE]
    said = next((f"{each.reason}: {each.message}" for each in (*failed, *attached)), "")
    ended: Mark | None = None
    if failed:
        failing_until = clock.mark(failed[-1].first, "") or ALWAYS
        later = [clock.mark(each.first, "") for each in about if each.reason in _LATER]
        later += [clock.mark(pod.prepared, ""), clock.mark(pod.started, "")]
        ended = _first(each for each in later if each and each.at_s >= failing_until.at_s)
        ended = ended or NEVER
    elif attached:
        marks = [clock.mark(each.last, "") for each in attached]
        ended = max((each for each in marks if each), key=lambda each: each.at_s, default=None)
    if ended is not None:
        began = clock.mark(pod.scheduled, "") or NEVER
        yield Part(
            WaitCause.VOLUMES, began, ended, said, {WaitCause.LAUNCHER_START, WaitCause.UNKNOWN}
        )


def _first(marks: Iterable[Mark | None]) -> Mark | None:
    return min((each for each in marks if each), key=lambda each: each.at_s, default=None)
