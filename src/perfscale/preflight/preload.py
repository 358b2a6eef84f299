"""Which images are to be pulled before the load, and what has to be permitted for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.fields import MAX_LABEL, usable_label
from perfscale.kube.resources import NAMESPACES, Place, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import Config
    from perfscale.templates import ObjectFactory

DAEMON_SETS: Final = Resource("apps", "v1", "daemonsets", "DaemonSet", namespaced=True)
PODS: Final = Resource("", "v1", "pods", "Pod", namespaced=True)
_PREFIX: Final = "perfscale-preload-"


@dataclass(frozen=True, slots=True)
class PreloadPlan:
    """What is pulled, and where from.

    Attributes:
        namespace: Of the DaemonSet that pulls; made for it, and deleted after it.
        images: Each once; none if no template names one.
        timeout_s: How long it may take.
    """

    namespace: str
    images: tuple[str, ...]
    timeout_s: float

    def verbs(self) -> Iterator[tuple[str, Place]]:
        """Every permission that it needs."""
        if not self.images:
            return
        for resource, where, verbs in (
            (NAMESPACES, None, ("create", "delete")),
            (DAEMON_SETS, self.namespace, ("create", "get")),
            (PODS, self.namespace, ("list", "watch")),
        ):
            for verb in verbs:
                yield verb, Place(resource, where)


def plan_preload(
    config: Config, factories: Sequence[Sequence[ObjectFactory]], run_id: str
) -> PreloadPlan | None:
    """What the workload file wants to be pulled; None if nothing."""
    wanted = config.global_config.preload_images
    if wanted is False and not any(each.preload_images for each in config.workloads):
        return None
    named = (
        image
        for members in factories
        for factory in members
        if wanted is True or factory.workload.preload_images
        for image in factory.images()
    )
    images = dict.fromkeys((*(wanted if isinstance(wanted, tuple) else ()), *named))
    namespace = usable_label(f"{_PREFIX}{run_id}")[:MAX_LABEL].strip("-")
    return PreloadPlan(namespace, tuple(images), config.global_config.preload_timeout)
