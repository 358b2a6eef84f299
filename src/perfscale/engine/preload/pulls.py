"""Which images are on which nodes, as the pods that pull them say. Pure: no I/O."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.config import counted
from perfscale.engine.tracking.readiness import Identity

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_NODES: Final = 5
_PULLED: Final = frozenset(
    {"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
"""Why a container waits that has its image: a kubelet pulls before all of them.
https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/kuberuntime_container.go
"""


class _Waiting(msgspec.Struct, frozen=True):
    reason: str | None = None


class _State(msgspec.Struct, frozen=True):
    waiting: _Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: dict[str, Any] | None = None


class _Container(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    state: _State | None = None
    image_id: str = msgspec.field(default="", name="imageID")

    @property
    def has_image(self) -> bool:
        state = self.state or _State()
        ran = self.image_id or state.running is not None or state.terminated is not None
        return bool(ran) or self.waiting_for in _PULLED

    @property
    def waiting_for(self) -> str | None:
        waiting = self.state.waiting if self.state else None
        return waiting.reason if waiting else None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    node_name: str | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    container_statuses: list[_Container] | None = None


class PullingPod(msgspec.Struct, frozen=True):
    """What of a pod says which images its node has."""

    metadata: Identity
    spec: _Spec = _Spec()
    status: _Status = _Status()


class ImagePulls:
    """What is known of each node.

    Args:
        images: What is pulled. The container of each is called by `container_name`.
    """

    def __init__(self, images: Sequence[str]) -> None:
        self._names = {container_name(number): image for number, image in enumerate(images)}
        self._pods: dict[str, PullingPod] = {}
        self._pulled: dict[str, set[str]] = {}

    def observe(self, event: str, pod: PullingPod) -> None:
        """Take one event of a watch."""
        uid = pod.metadata.uid
        if event == "DELETED":
            self._pods.pop(uid, None)
            return
        self._pods[uid] = pod
        # What a node has it keeps, though the container may be tried again.
        pulled = self._pulled.setdefault(uid, set())
        for container in pod.status.container_statuses or ():
            if container.has_image and container.name in self._names:
                pulled.add(container.name)

    def reconcile(self, pods: Sequence[PullingPod]) -> None:
        """Take all of them: what is not among them is gone."""
        self._pods.clear()
        for pod in pods:
            self.observe("MODIFIED", pod)

    def complete(self, nodes: int | None) -> bool:
        """Whether so many nodes have everything; None: it is not known how many there are."""
        return nodes is not None and self._done >= nodes

    @property
    def _done(self) -> int:
        return sum(len(self._pulled[uid]) == len(self._names) for uid in self._pods)

    def describe_missing(self, nodes: int | None) -> str:
        """What is not where it should be, by node, in half a sentence."""
        if nodes is None:
            return "no controller has said which nodes there are"
        lacking = sorted(
            f"{pod.spec.node_name or '(no node)'} ({self._lacking(pod)})"
            for uid, pod in self._pods.items()
            if len(self._pulled[uid]) < len(self._names)
        )
        shown = lacking[:_MOST_NODES]
        if len(lacking) > _MOST_NODES:
            shown.append(f"{len(lacking) - _MOST_NODES} more")
        if (without := nodes - len(self._pods)) > 0:
            shown.append(f"{counted(without, 'node')} without a pod yet")
        return f"not on {nodes - self._done} of {counted(nodes, 'node')}: {', '.join(shown)}"

    def _lacking(self, pod: PullingPod) -> str:
        reasons = {each.name: each.waiting_for for each in pod.status.container_statuses or ()}
        lacking = Counter(
            f"{image}: {reasons.get(name) or 'not begun'}"
            for name, image in self._names.items()
            if name not in self._pulled[pod.metadata.uid]
        )
        return ", ".join(lacking)


def container_name(number: int) -> str:
    """What the container of an image is called."""
    return f"image-{number}"
