"""The metrics of a run, as Prometheus reads them.

They are made from a snapshot when they are scraped, and cost the run nothing
otherwise. Labels are few, and never the name of an object. Names:
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from perfscale.engine.events import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client.core import Metric

    from perfscale.engine.snapshot import (
        GeneratorState,
        Lags,
        ObjectCounts,
        OperationCounts,
        RunSnapshot,
    )
    from perfscale.results import CountedCall, Sketch

_READY_BOUNDS_S: Final = (
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
    90.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0,
)  # fmt: skip
_REQUEST_BOUNDS_S: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
_LAG_BOUNDS_S: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
)  # fmt: skip
_EFFECT_BOUNDS_S: Final = (*_REQUEST_BOUNDS_S[:-2], *_READY_BOUNDS_S[6:])
_COUNTED_OPERATIONS: Final = (
    ("sent", "Requests of operations sent; one that is retried counts once."),
    ("accepted", "Operations that the server has accepted."),
    ("done", "Operations that were seen done."),
    ("failed", "Operations that were refused, or failed later."),
)
_COUNTED: Final = (
    ("sent", "Create requests sent; one that is retried counts once."),
    ("created", "Objects that the server has accepted."),
    ("ready", "Objects that were seen ready."),
    ("failed", "Objects that were refused, failed later, or were deleted by somebody else."),
    ("deleted", "Objects that were seen gone."),
)


class RunMetrics(Collector):
    """The metrics of one run, as a collector of `prometheus_client`.

    They can be registered beside a program's own, once for each registry: runs that go on side
    by side need registries, or labels, of their own.

    Args:
        snapshot: Where the run stands; None before it has begun: `LoadGenerator.snapshot`.
    """

    def __init__(self, snapshot: Callable[[], RunSnapshot | None]) -> None:
        self._snapshot = snapshot
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All of them; none before the run has begun."""
        snapshot = self._snapshot()
        if snapshot is None:
            return
        yield from _of_run(snapshot)
        yield from _of_objects(snapshot.objects)
        yield from _of_operations(snapshot.operations)
        yield _of_phases(snapshot)
        yield from _of_rates(snapshot)
        yield from _of_calls(snapshot.calls)
        yield from _of_watches(snapshot)
        yield from _of_lags(snapshot.lags)
        yield from _of_generators(snapshot.generators)


def _of_run(snapshot: RunSnapshot) -> Iterator[Metric]:
    about = {
        "run_id": snapshot.run_id,
        "version": metadata.version("perfscale-load-generator"),
        "server_version": snapshot.server_version or "",
    }
    yield InfoMetricFamily("perfscale_run", "Which run it is.", about)
    yield GaugeMetricFamily(
        "perfscale_run_start_time_seconds",
        "When the run began, in seconds since 1970.",
        snapshot.started_at.timestamp(),
    )
    stages = GaugeMetricFamily(
        "perfscale_run_stage",
        "1 for what the run is doing; 0 for all once it is over.",
        labels=["stage"],
    )
    current = {snapshot.stage, *snapshot.stages.values()}
    for stage in Stage:
        stages.add_metric([stage.value], stage in current)
    yield stages


def _of_objects(objects: Iterable[ObjectCounts]) -> Iterator[Metric]:
    labels = ["workload", "kind"]
    requested = GaugeMetricFamily(
        "perfscale_objects_requested", "Objects that the whole run asks for.", labels=labels
    )
    counters = {
        name: CounterMetricFamily(f"perfscale_objects_{name}", text, labels=labels)
        for name, text in _COUNTED
    }
    latencies = HistogramMetricFamily(
        "perfscale_object_ready_latency_seconds",
        "Time from sending the create request until the object was seen ready.",
        labels=labels,
    )
    for each in objects:
        place = [each.workload, each.kind]
        requested.add_metric(place, each.requested)
        for name, counter in counters.items():
            counter.add_metric(place, getattr(each, name))
        _add(latencies, place, each.ready_latency, _READY_BOUNDS_S)
    yield from (requested, *counters.values(), latencies)


def _of_operations(operations: Iterable[OperationCounts]) -> Iterator[Metric]:
    labels = ["workload", "operation", "kind"]
    counters = {
        name: CounterMetricFamily(f"perfscale_operations_{name}", text, labels=labels)
        for name, text in _COUNTED_OPERATIONS
    }
    responses = HistogramMetricFamily(
        "perfscale_operation_response_seconds",
        "Time from sending an operation's request to the answer that accepted it.",
        labels=labels,
    )
    effects = HistogramMetricFamily(
        "perfscale_operation_effect_seconds",
        "Time from sending an operation's request until it was seen done.",
        labels=labels,
    )
    for each in operations:
        place = [each.workload, each.operation, each.kind]
        for name, counter in counters.items():
            counter.add_metric(place, getattr(each, name))
        _add(responses, place, each.response, _REQUEST_BOUNDS_S)
        _add(effects, place, each.effect, _EFFECT_BOUNDS_S)
    yield from (*counters.values(), responses, effects)


def _of_phases(snapshot: RunSnapshot) -> Metric:
    phases = GaugeMetricFamily(
        "perfscale_objects_in_phase",
        "Objects of the run that are in a phase now.",
        labels=["kind", "phase"],
    )
    for place, count in snapshot.phases.items():
        phases.add_metric(place, count)
    return phases


def _of_rates(snapshot: RunSnapshot) -> Iterator[Metric]:
    achieved = GaugeMetricFamily(
        "perfscale_create_rate", "Creates sent within the last second.", labels=["workload"]
    )
    wanted = GaugeMetricFamily(
        "perfscale_create_rate_target",
        "Creates a second that the workload asks for; missing without a limit.",
        labels=["workload"],
    )
    operation_rate = GaugeMetricFamily(
        "perfscale_operation_rate",
        "Operations sent within the last second, of workloads that create nothing.",
        labels=["workload"],
    )
    operation_target = GaugeMetricFamily(
        "perfscale_operation_rate_target",
        "Operations a second that the workload asks for; missing without a limit.",
        labels=["workload"],
    )
    operating = {each.workload for each in snapshot.operations}
    for workload, target in snapshot.targets.items():
        operates = workload in operating
        rate = operation_rate if operates else achieved
        rate.add_metric([workload], snapshot.rates.get(workload, 0.0))
        if target is not None:
            (operation_target if operates else wanted).add_metric([workload], target)
    yield from (achieved, wanted, operation_rate, operation_target)
    yield GaugeMetricFamily(
        "perfscale_creates_in_flight",
        "Creates, and other operations, without an answer.",
        snapshot.in_flight,
    )
    yield GaugeMetricFamily(
        "perfscale_creates_in_flight_limit",
        "How many may be in flight.",
        snapshot.most_in_flight,
    )


def _of_calls(calls: Iterable[CountedCall]) -> Iterator[Metric]:
    labels = ["verb", "resource"]
    requests = CounterMetricFamily(
        "perfscale_api_requests",
        "Requests by status code; timeout and connection_error had no answer.",
        labels=[*labels, "code"],
    )
    retries = CounterMetricFamily(
        "perfscale_api_request_retries", "Requests that were sent again.", labels=labels
    )
    throttled = CounterMetricFamily(
        "perfscale_api_throttled_seconds",
        "Time that requests have waited after a 429, added up.",
        labels=labels,
    )
    durations = HistogramMetricFamily(
        "perfscale_api_request_duration_seconds",
        "Time from sending a request to its answer of status 2xx.",
        labels=labels,
    )
    for call in calls:
        place, tally = [call.verb, call.resource], call.tally
        for status, count in tally.statuses.items():
            requests.add_metric([*place, str(status)], count)
        for reason, count in (
            ("timeout", tally.timeouts),
            ("connection_error", tally.connection_errors),
        ):
            requests.add_metric([*place, reason], count)
        retries.add_metric(place, tally.retries)
        throttled.add_metric(place, tally.throttled_s)
        if tally.latency is not None:
            _add(durations, place, tally.latency, _REQUEST_BOUNDS_S)
    yield from (requests, retries, throttled, durations)


def _of_watches(snapshot: RunSnapshot) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "perfscale_watch_reconnects",
        "Watches that ended and were opened again.",
        snapshot.watch.reconnects,
    )
    yield CounterMetricFamily(
        "perfscale_watch_relists",
        "How often the state of a resource had to be taken again.",
        snapshot.watch.relists,
    )


def _of_lags(lags: Lags) -> Iterator[Metric]:
    for name, text, sketch in (
        ("loop", "How late the event loop was, asked twice a second.", lags.loop),
        ("limiter", "Time from when a create was due to when it was let go.", lags.limiter),
        ("send", "Time from when a create was let go to when it was sent.", lags.send),
    ):
        family = HistogramMetricFamily(f"perfscale_{name}_lag_seconds", text, labels=[])
        _add(family, [], sketch, _LAG_BOUNDS_S)
        yield family


def _of_generators(generators: Sequence[GeneratorState]) -> Iterator[Metric]:
    """Of a run over several: nothing where there is only one."""
    for name, text, value in (
        ("rate", "Creates, and other operations, sent within the last second.", "rate"),
        ("lag_seconds", "How late its event loop was at most in the last second.", "lag_s"),
        ("cpu", "CPU seconds a second that its process takes.", "cpu"),
        ("silent_seconds", "Time since it was heard last.", "silent_s"),
    ):
        family = GaugeMetricFamily(f"perfscale_generator_{name}", text, labels=["generator"])
        for each in generators:
            family.add_metric([str(each.index)], getattr(each, value))
        if generators:
            yield family
    for name, text in (
        ("reconnects", "Watches of it that ended and were opened again."),
        ("relists", "How often it had to take the state of a resource again."),
    ):
        counter = CounterMetricFamily(
            f"perfscale_generator_watch_{name}", text, labels=["generator"]
        )
        for each in generators:
            counter.add_metric([str(each.index)], getattr(each, name))
        if generators:
            yield counter


def _add(
    family: HistogramMetricFamily, place: Sequence[str], sketch: Sketch, bounds_s: Sequence[float]
) -> None:
    labels = [*(f"{bound:g}" for bound in bounds_s), "+Inf"]
    counts = map(float, sketch.cumulate(bounds_s))
    family.add_metric(place, list(zip(labels, counts, strict=True)), sketch.total_s)
