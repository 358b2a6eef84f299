"""When images were pulled, as a kubelet's events say. Pure.

https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/image_manager.go
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.config.durations import parse_duration
from perfscale.engine.attribution.intervals import NEVER, Part
from perfscale.results import WaitCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.engine.attribution.evidence import Evidence, SeenPod
    from perfscale.engine.attribution.times import ServerClock
    from perfscale.results import KeptEvent

_IMAGE: Final = re.compile(r'image "([^"]+)"')
_TOOK: Final = re.compile(r" in ([0-9a-zµ.]+?)(?: \(([0-9a-zµ.]+) including waiting\))?(?:[.\s]|$)")
"""``Successfully pulled image "x" in 1.2s (3.4s including waiting). Image size: ...``"""
_PULLING: Final = "Pulling"
_PULLED: Final = "Pulled"
_FAILED: Final = frozenset({"Failed", "BackOff"})
_WAITING: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
)
_INSTEAD_OF: Final = frozenset({WaitCause.LAUNCHER_START, WaitCause.UNKNOWN})


def pulls(evidence: Evidence, pod: SeenPod, clock: ServerClock) -> Iterator[Part]:
    """The times in which images of a pod were pulled, or could not be."""
    by_image: dict[str, list[KeptEvent]] = {}
    for event in evidence.about(pod.uid):
        found = _IMAGE.search(event.message)
        if found is not None and event.reason in {_PULLING, _PULLED, *_FAILED}:
            by_image.setdefault(found[1], []).append(event)
    for image, events in by_image.items():
        yield from _pull(image, events, clock)
    waiting = [reason for reason in pod.waiting if reason in _WAITING]
    if waiting and not by_image:
        began = clock.mark(pod.scheduled, "") or NEVER
        yield Part(WaitCause.IMAGE_PULL, began, NEVER, waiting[0], _INSTEAD_OF)


def _pull(image: str, events: list[KeptEvent], clock: ServerClock) -> Iterator[Part]:
    failed = [event for event in events if event.reason in _FAILED]
    pulled = [event for event in events if event.reason == _PULLED]
    begun = [event for event in events if event.reason == _PULLING] or failed
    began = clock.mark(begun[0].first, "") if begun else None
    timed = [] if failed else [event for event in pulled if _took_s(event.message) is not None]
    if timed:
        yield from _timed(timed, clock)
    elif began is not None:
        ended = clock.mark(pulled[0].last, "") if pulled else NEVER
        said = f"{failed[-1].reason}: {failed[-1].message}" if failed else f"pulling {image}"
        yield Part(WaitCause.IMAGE_PULL, began, ended or NEVER, said, _INSTEAD_OF)


def _timed(pulled: list[KeptEvent], clock: ServerClock) -> Iterator[Part]:
    """Pulls whose events say how long they took: for each container, one of its image."""
    for event in pulled:
        ended, took_s = clock.mark(event.last, ""), _took_s(event.message)
        if ended is not None and took_s is not None:
            began = ended._replace(at_s=ended.at_s - took_s)
            yield Part(WaitCause.IMAGE_PULL, began, ended, event.message, _INSTEAD_OF)


def _took_s(message: str) -> float | None:
    """How long a pull took, the time included in which others were pulled before it."""
    found = _TOOK.search(message)
    if found is None:
        return None
    try:
        return parse_duration(found[2] or found[1])
    except ValueError:
        return None
