"""The API server's metrics of its requests: how many, how long, how many at a time."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from perfscale.sim.apiserver.target import Target, find_target, verb_of
from perfscale.sim.controllers.kinds import POD, VM, VMI, VMIM, VMIRS
from perfscale.sim.metrics.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web
    from aiohttp.typedefs import Handler
    from prometheus_client.core import Metric

    from perfscale.sim.storage.catalogue import Catalogue

# kube-apiserver's: staging/src/k8s.io/apiserver/pkg/endpoints/metrics/metrics.go
_DURATION_BOUNDS_S: Final = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0,
    3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
# Its metrics name most verbs by the method, and a few not.
_VERBS: Final = {"create": "POST", "update": "PUT"}
_READ_ONLY: Final = frozenset({"GET", "LIST"})
_TOO_MANY_REQUESTS: Final = 429
UNANSWERED: Final = 499
"""The client has closed the connection; the status that proxies have for that."""

_LABELS: Final = ("verb", "group", "version", "resource", "subresource", "scope")
_LOADED: Final = (VMI, VM, VMIRS, VMIM, POD)
_LOAD: Final = (
    ("POST", "resource", 201),
    ("LIST", "namespace", 200),
    ("DELETE", "resource", 200),
    ("DELETECOLLECTION", "namespace", 200),
)
"""What a load consists of: there at 0 from the start, as increase() counts no first sample."""


class _Request(NamedTuple):
    """The labels of a request."""

    verb: str
    group: str
    version: str
    resource: str
    subresource: str
    scope: str


class _Series:
    """What is known of the requests with the same labels."""

    __slots__ = ("codes", "durations")

    def __init__(self) -> None:
        self.codes: Counter[int] = Counter()
        self.durations = Histogram(_DURATION_BOUNDS_S)


class RequestMeter:
    """Counts every request for objects; a middleware, the first that a request meets."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._series: dict[_Request, _Series] = {}
        self._in_flight = Counter(mutating=0, readOnly=0)
        self._rejected = 0
        for resource in _LOADED:
            where = (resource.group, resource.version, resource.plural, "")
            for verb, scope, code in _LOAD:
                self._series_of(_Request(verb, *where, scope)).codes[code] = 0

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Have a request answered, and count it."""
        target = find_target(request.path, self._catalogue)
        if target is None:
            return await handler(request)
        labels = _labels(verb_of(request, target), target)
        kind = "readOnly" if labels.verb in _READ_ONLY else "mutating"
        lasting = labels.verb == "WATCH"
        code = UNANSWERED
        self._in_flight[kind] += not lasting
        begun_s = time.perf_counter()
        try:
            response = await handler(request)
            code = response.status
        finally:
            self._in_flight[kind] -= not lasting
            series = self._series_of(labels)
            series.codes[code] += 1
            series.durations.observe(time.perf_counter() - begun_s)
            self._rejected += code == _TOO_MANY_REQUESTS
        return response

    def _series_of(self, labels: _Request) -> _Series:
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series()
        return series

    def families(self) -> Iterator[Metric]:
        """The series, under the names that kube-apiserver gives them."""
        counts = CounterMetricFamily(
            "apiserver_request", "Requests by verb, resource and code.", labels=[*_LABELS, "code"]
        )
        durations = HistogramMetricFamily(
            "apiserver_request_duration_seconds",
            "Time from a request's arrival to its answer.",
            labels=_LABELS,
        )
        for request, series in self._series.items():
            for code, count in series.codes.items():
                counts.add_metric([*request, str(code)], count)
            durations.add_metric(request, series.durations.buckets(), series.durations.sum)
        yield counts
        yield durations
        in_flight = GaugeMetricFamily(
            "apiserver_current_inflight_requests",
            "Requests that are being served, watches apart.",
            labels=["request_kind"],
        )
        for kind, count in self._in_flight.items():
            in_flight.add_metric([kind], count)
        yield in_flight
        rejected = CounterMetricFamily(
            "apiserver_flowcontrol_rejected_requests",
            "Requests that were refused with 429.",
            labels=["reason"],
        )
        rejected.add_metric(["concurrency-limit"], self._rejected)
        yield rejected


def _labels(verb: str, target: Target) -> _Request:
    resource = target.resource
    if target.name is not None or verb == "create":
        scope = "resource"
    else:
        scope = "cluster" if target.namespace is None else "namespace"
    return _Request(
        _VERBS.get(verb, verb.upper()),
        resource.group,
        resource.version,
        resource.plural,
        target.subresource or "",
        scope,
    )
