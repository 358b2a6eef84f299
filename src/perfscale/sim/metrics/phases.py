"""virt-controller's metrics of the phases of VMIs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.kubevirt.vmi import FINAL_PHASES, Phase
from perfscale.sim.controllers.objects import is_deleting, phase_of
from perfscale.sim.metrics.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from perfscale.sim.storage.records import StoredChange
    from perfscale.sim.storage.store import Store

# virt-controller's: pkg/monitoring/metrics/virt-controller/metrics.go of KubeVirt
_BOUNDS_S: Final = (
    0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 90.0,
    120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0,
)  # fmt: skip


@dataclass(slots=True)
class _Life:
    """What there is to remember of a VMI."""

    created_s: float
    phase: str
    since_s: float
    node: str = ""
    deleted_s: float | None = None


class PhaseMeter:
    """Measures how long VMIs take to their phases, and counts those that are in one.

    KubeVirt subtracts timestamps of one second's resolution; this is exact.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lives: dict[str, _Life] = {}
        self._population: Counter[tuple[str, str]] = Counter()
        self._from_creation: dict[str, Histogram] = {phase: Histogram(_BOUNDS_S) for phase in Phase}
        self._from_deletion: dict[str, Histogram] = {
            phase: Histogram(_BOUNDS_S) for phase in FINAL_PHASES
        }
        path = ("", *(phase for phase in Phase if phase is not Phase.FAILED))
        self._transitions: dict[tuple[str, str], Histogram] = {
            (phase, last): Histogram(_BOUNDS_S) for last, phase in pairwise(path)
        }
        store.listen(self._on_change, VMI)

    def _on_change(self, change: StoredChange) -> None:
        uid, obj = change.record.uid, change.obj
        if change.type == "DELETED":
            life = self._lives.pop(uid, None)
            if life is not None:
                self._population[life.phase, life.node] -= 1
            return
        now_s = self._clock()
        life = self._lives.get(uid)
        if life is None:
            life = self._lives[uid] = _Life(now_s, "", now_s)
            self._population["", ""] += 1
        if life.deleted_s is None and is_deleting(obj):
            life.deleted_s = now_s
        phase = phase_of(obj)
        if phase == life.phase:
            return
        self._observe(life, phase, now_s)
        self._population[life.phase, life.node] -= 1
        life.phase, life.since_s = phase, now_s
        life.node = (obj.get("status") or {}).get("nodeName") or ""  # a restored one may have none
        self._population[life.phase, life.node] += 1

    def _observe(self, life: _Life, phase: str, now_s: float) -> None:
        histogram = self._from_creation.setdefault(phase, Histogram(_BOUNDS_S))
        histogram.observe(now_s - life.created_s)
        if life.deleted_s is not None and phase in self._from_deletion:
            self._from_deletion[phase].observe(now_s - life.deleted_s)
        step = (phase, life.phase)
        self._transitions.setdefault(step, Histogram(_BOUNDS_S)).observe(now_s - life.since_s)

    def families(self) -> Iterator[Metric]:
        """The series, under the names that KubeVirt gives them."""
        for name, text, histograms in (
            ("creation", "Time from a VMI's creation to a phase.", self._from_creation),
            ("deletion", "Time from a VMI's deletion to a phase.", self._from_deletion),
        ):
            family = HistogramMetricFamily(
                f"kubevirt_vmi_phase_transition_time_from_{name}_seconds", text, labels=["phase"]
            )
            for phase, histogram in histograms.items():
                family.add_metric([phase], histogram.buckets(), histogram.sum)
            yield family
        steps = HistogramMetricFamily(
            "kubevirt_vmi_phase_transition_time_seconds",
            "Time that VMIs spent in one phase before another.",
            labels=["phase", "last_phase"],
        )
        for step, histogram in self._transitions.items():
            steps.add_metric(step, histogram.buckets(), histogram.sum)
        yield steps
        population = GaugeMetricFamily(
            "kubevirt_vmi_phase_count",
            "VMIs by phase, in lower case, and node.",
            labels=["phase", "node"],
        )
        for (phase, node), count in self._population.items():
            if phase and count:
                population.add_metric([phase.lower(), node], count)
        yield population
