"""A kubelet's metrics of the memory and the processor time of KubeVirt's components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from perfscale.sim.controllers.kubevirt.placement import NODE_NAMES
from perfscale.sim.metrics.clients import POD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric


class _Component(NamedTuple):
    """The labels of a container."""

    namespace: str
    pod: str
    container: str
    node: str


_COMPONENTS: Final = (
    _Component("kubevirt", "virt-api-0", "virt-api", NODE_NAMES[0]),
    _Component("kubevirt", POD, "virt-controller", NODE_NAMES[0]),
    *(
        _Component("kubevirt", f"virt-handler-{number}", "virt-handler", node)
        for number, node in enumerate(NODE_NAMES)
    ),
)


class UsageMeter:
    """Measures what the simulation uses, shared out.

    Everything is done by one process, which does not know what it does for whom: each
    component has an equal share of it. On a system that does not account for
    processes, there is nothing to share.
    """

    def __init__(self) -> None:
        self._process = ProcessCollector(registry=CollectorRegistry())

    def families(self) -> Iterator[Metric]:
        """The process's own series, and the components' shares of it."""
        used: dict[str, float] = {}
        for family in self._process.collect():
            yield family
            used[family.name] = family.samples[0].value
        labels = list(_Component._fields)
        cpu = CounterMetricFamily(
            "container_cpu_usage_seconds", "Processor time, in equal shares.", labels=labels
        )
        memory = GaugeMetricFamily(
            "container_memory_rss", "Resident memory in bytes, in equal shares.", labels=labels
        )
        for name, shared in (
            ("process_cpu_seconds", cpu),
            ("process_resident_memory_bytes", memory),
        ):
            if name in used:
                for component in _COMPONENTS:
                    shared.add_metric(component, used[name] / len(_COMPONENTS))
                yield shared
