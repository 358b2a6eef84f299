"""Pulls images to every node with a DaemonSet of the run, in a namespace of its own.

It is best effort: what is not pulled in time, or may not be, is a warning, and the run goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.config import counted, format_duration
from perfscale.config.labels import run_labels
from perfscale.engine.events import Stage
from perfscale.engine.preload.pulls import ImagePulls, PullingPod, container_name
from perfscale.engine.waits import Signal
from perfscale.errors import ApiError
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.kube.watching.watch import Listed, Watch
from perfscale.preflight import DAEMON_SETS, PODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.context import RunContext
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.preflight import PreloadPlan

_NAME: Final = "perfscale-preload"
_LABEL: Final = "perfscale/preload"
_POLL_S: Final = 1.0
_GONE_S: Final = 60.0
"""So long the namespace is waited for: what is left of its pods would disturb the load."""
_RESTRICTED: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""Allowed everywhere: https://kubernetes.io/docs/concepts/security/pod-security-standards/"""


class _DaemonSetStatus(msgspec.Struct, frozen=True, rename="camel"):
    observed_generation: int | None = None
    desired_number_scheduled: int = 0


class _DaemonSet(msgspec.Struct, frozen=True):
    status: _DaemonSetStatus = _DaemonSetStatus()


_DECODER: Final = msgspec.json.Decoder(_DaemonSet)


async def preload_images(
    context: RunContext, namespaces: RunNamespaces, progress: ProgressPublisher
) -> None:
    """Pull the images that the plan names to every node, within its bound.

    Raises:
        ClusterError: The cluster cannot be reached, or refuses the credentials.
    """
    plan = context.plan.preload
    if plan is None or not plan.images:
        return
    progress.enter(Stage.PULLING_IMAGES, deadline_s=plan.timeout_s)
    try:
        owned = await namespaces.make(
            plan.namespace, run_labels(context.run_id, _NAME, 0), context.client
        )
        try:
            await _Preload(context, plan).run()
        except ApiError as error:
            _warn(context, error)
        await _remove(context, namespaces, owned)
    except ApiError as error:
        _warn(context, error)


def _warn(context: RunContext, error: ApiError) -> None:
    context.warn(f"not all images were pulled beforehand: {error}")


async def _remove(context: RunContext, namespaces: RunNamespaces, owned: OwnedNamespace) -> None:
    await namespaces.remove(owned)
    if Place(NAMESPACES) not in context.plan.places:
        return  # nobody would see that it is gone
    if not await context.changed.wait_until(lambda: owned.gone, timeout_s=_GONE_S):
        bound = format_duration(_GONE_S)
        context.warn(f"namespace {owned.name}, where images were pulled, is not gone after {bound}")


class _Preload:
    def __init__(self, context: RunContext, plan: PreloadPlan) -> None:
        self._context = context
        self._plan = plan
        self._pulls = ImagePulls(plan.images)
        self._changed = Signal()
        self._nodes: int | None = None
        self._failure: ApiError | None = None

    async def run(self) -> None:
        context, plan = self._context, self._plan
        body = msgspec.json.encode(_manifest(plan, context.run_id))
        await context.client.create_and_read(_DECODER, DAEMON_SETS, plan.namespace, body)
        watching = context.tasks.create_task(self._watch(), name="perfscale-preload-watch")
        try:
            in_time = await self._wait()
        finally:
            watching.cancel()
        if not in_time:
            bound = format_duration(plan.timeout_s)
            missing = self._pulls.describe_missing(self._nodes)
            images = counted(len(plan.images), "image")
            context.warn(f"pulling {images} beforehand was given up after {bound}: {missing}")

    async def _wait(self) -> bool:
        """Whether every node has every image before the time is over."""
        now = self._context.stopwatch.now
        end_s = now() + self._plan.timeout_s
        while True:
            await self._count_nodes()
            if self._failure is not None:
                raise self._failure
            if self._is_complete():
                return True
            left_s = end_s - now()
            if left_s <= 0:
                return False
            await self._changed.wait_until(self._is_complete, timeout_s=min(_POLL_S, left_s))

    def _is_complete(self) -> bool:
        return self._pulls.complete(self._nodes)

    async def _count_nodes(self) -> None:
        path = DAEMON_SETS.path(self._plan.namespace, _NAME)
        status = (await self._context.client.read(_DECODER, path)).status
        if status.observed_generation is not None:
            self._nodes = status.desired_number_scheduled

    async def _watch(self) -> None:
        def on_list(pods: Sequence[PullingPod], _: Listed) -> None:
            self._pulls.reconcile(pods)
            self._changed.notify()

        def on_event(event: str, pod: PullingPod, _heard_s: float) -> None:
            self._pulls.observe(event, pod)
            self._changed.notify()

        try:
            await Watch(
                self._context.client,
                PODS,
                decoder=PullingPod,
                namespace=self._plan.namespace,
                label_selector=f"{_LABEL}={self._context.run_id}",
                on_list=on_list,
                on_event=on_event,
            ).run()
        except ApiError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 -- reported at the end of the run
            self._context.abort(error)


def _manifest(plan: PreloadPlan, run_id: str) -> dict[str, Any]:
    """A pod on each node, with a container for each image that ends before it does anything.

    An image need not hold any program: the command is not looked for before it is pulled.
    """
    containers = [
        {
            "name": container_name(number),
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["/perfscale-only-pulls-this"],
            "securityContext": _RESTRICTED,
        }
        for number, image in enumerate(plan.images)
    ]
    # The pods have not the run's labels: they are none of the load's children.
    labels = {_LABEL: run_id}
    return {
        "apiVersion": DAEMON_SETS.api_version,
        "kind": DAEMON_SETS.kind,
        "metadata": {"name": _NAME, "labels": run_labels(run_id, _NAME, 0)},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 0,
                    "containers": containers,
                },
            },
        },
    }
