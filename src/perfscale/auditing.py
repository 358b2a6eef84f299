"""The audit of a run: planned before it, carried out after it.

This is where the two meet: `audit` knows nothing of runs, and `results` nothing of Prometheus.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from perfscale.audit import (
    INPUT_FILE,
    PROMETHEUS,
    VARIABLES,
    Window,
    data_reaches,
    evaluate,
    input_document,
    load_profile,
    load_profiles,
    reach_warnings,
    wait_until_scraped,
)
from perfscale.config.sections.audit import AuditConfig
from perfscale.errors import PrometheusError, QueryError, RunFailedError, ThresholdError
from perfscale.results import (
    AuditedSeries,
    AuditedTime,
    AuditedValue,
    AuditRecord,
    FiredAlert,
    ScrapedSeries,
    graver,
    write_file,
)
from perfscale.servers import Endpoint, credentials_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from perfscale.audit import Audit, Profile
    from perfscale.audit.alerts import Fired
    from perfscale.audit.prometheus import Prometheus
    from perfscale.config import Config
    from perfscale.results import RunResult

_WAIT_S: Final = 300.0
"""How long the audit waits for the scrapes after the run's end."""
_MOST_NAMES: Final = 5
_TIMELINE: Final = "timeline"


def _ignore(_: str) -> None:
    """Notify nobody."""


def _connect(endpoint: Endpoint) -> Prometheus:
    from perfscale.audit.prometheus import Prometheus  # noqa: PLC0415 -- imports an HTTP client

    return Prometheus(endpoint)


@dataclass(frozen=True)
class AuditPlan:
    """How a run is to be audited.

    Attributes:
        profile: The queries for the run and for each workload.
        timeline: The queries for how the main series went over time.
        helpers: Workloads that only help others, which are not audited by themselves.
    """

    endpoint: Endpoint
    profile: Profile
    timeline: Profile
    config: AuditConfig
    helpers: frozenset[str] = frozenset()

    async def check(self, notify: Callable[[str], None] = _ignore) -> None:
        """Query Prometheus once before the run, so that a wrong address is found in time.

        Raises:
            PrometheusError: It cannot be queried.
        """
        if not self.endpoint.verify_tls and self.endpoint.url.startswith("https:"):
            notify("warning: the certificate of Prometheus is not verified (verifyTLS)")
        async with _connect(self.endpoint) as prometheus:
            try:
                await data_reaches(prometheus)
            except QueryError as error:
                notify(f"warning: Prometheus cannot say how far its data reaches: {error}")

    async def audit(
        self, result: RunResult, notify: Callable[[str], None] = _ignore
    ) -> AuditRecord:
        """Audit a run that is over, as a whole and workload by workload.

        Waits for up to five minutes until Prometheus has scraped past the run's end. One
        that cannot be queried any more is part of the record. `notify` gets the warnings, and
        what is waited for.
        """
        try:
            async with _connect(self.endpoint) as prometheus:
                return await self._audit(result, prometheus, notify)
        except PrometheusError as error:
            return AuditRecord(
                prometheus=self.endpoint.url,
                profile=self.profile.name,
                scrape_interval_seconds=self.config.scrape_interval,
                data_until=None,
                exit_code=error.exit_code,
                problems=(f"audit: {error}",),
            )

    async def _audit(
        self, result: RunResult, prometheus: Prometheus, notify: Callable[[str], None]
    ) -> AuditRecord:
        interval_s = self.config.scrape_interval
        window = Window(result.info.started_at, result.finished_at, interval_s)
        reached = await wait_until_scraped(prometheus, window.end, _WAIT_S, notify)
        profile, limits = self.profile.without_alerts(), self.config.thresholds
        total = await evaluate(prometheus, profile, window, limits)
        timeline = await evaluate(prometheus, self.timeline, window)
        workloads = [
            (name, await evaluate(prometheus, self.profile, each))
            for name, each in _workload_windows(result, interval_s)
            if name not in self.helpers
        ]
        fired = [(name, each) for name, audit in workloads for each in audit.fired]
        problems = [*total.failures, *total.describe_exceeded()]
        code = total.exit_code()
        for name, audit in workloads:
            unanswered = [each for each in audit.failures if each not in total.failures]
            problems += [f"{name}: {each}" for each in unanswered]
            code = graver(code, RunFailedError.exit_code if unanswered else 0)
        failing = [f"{name}: {each}" for name, each in fired if each.alert.fails]
        return AuditRecord(
            prometheus=self.endpoint.url,
            profile=self.profile.name,
            scrape_interval_seconds=interval_s,
            data_until=None if reached is None else reached.isoformat(),
            exit_code=graver(code, ThresholdError.exit_code if failing else 0),
            problems=tuple(f"audit: {problem}" for problem in (*problems, *failing)),
            notes=(
                *reach_warnings(window, reached),
                *total.notes(_MOST_NAMES),
                *(f"{name}: {each}" for name, each in fired if not each.alert.fails),
            ),
            total=_audited(total),
            workloads=tuple(_audited(each, name) for name, each in workloads),
            alerts=tuple(_alert(name, each) for name, each in fired),
            scraped=tuple(line for name, each in workloads for line in _scraped(each, name)),
            series=tuple(
                AuditedSeries(each.name, each.unit, list(each.points)) for each in timeline.series
            ),
        )


def plan_audit(
    config: Config, url: str | None = None, *, variables: Mapping[str, str] | None = None
) -> AuditPlan | None:
    """How to audit a run, by the Prometheus at `url`, or else the file's; None without one.

    Credentials and proxies are taken from the environment as the command takes them. `variables`
    are what templates in kube-burner's profiles see, as the environment; None for none.

    Raises:
        ConfigError: The profile, or a file of credentials, is wrong.
        UsageError: The URL is wrong, or its proxy cannot be used.
    """
    audit = config.global_config.audit or AuditConfig()
    address = url or audit.url
    if address is None:
        return None
    folder = config.source.directory
    token_file = None if audit.token_file is None else folder / audit.token_file
    endpoint = Endpoint.at(
        PROMETHEUS,
        address,
        VARIABLES.credentials(os.environ, token_file=token_file),
        credentials_of(config.source.sign_ins.get(address)),
        verify_tls=audit.verify_tls,
        ca_file=None if audit.ca_file is None else folder / audit.ca_file,
    )
    profile = load_profiles(audit.profile, folder, variables)
    helpers = frozenset(
        each.name for each in config.workloads if each.kube_burner and each.kube_burner.helper
    )
    return AuditPlan(endpoint, profile, load_profile(_TIMELINE), audit, helpers)


def _workload_windows(result: RunResult, interval_s: float) -> Iterator[tuple[str, Window]]:
    started = result.info.started_at
    for workload in result.workloads:
        if workload.iterations:
            first, last = workload.iterations[0], workload.iterations[-1]
            start = started + timedelta(seconds=first.started_s)
            end = started + timedelta(seconds=last.finished_s)
            yield workload.name, Window(start, end, interval_s)


def _alert(workload: str, fired: Fired) -> FiredAlert:
    moment = datetime.fromtimestamp(fired.moment, UTC).isoformat()
    return FiredAlert(workload, fired.alert.severity, fired.description, moment)


def _scraped(audit: Audit, workload: str) -> Iterator[ScrapedSeries]:
    for each in audit.answered:
        labels = {key: value for key, value in each.sampled.labels.items() if key != "__name__"}
        points = [(moment, value) for moment, value in each.sampled.points if math.isfinite(value)]
        if points:
            yield ScrapedSeries(workload, each.metric, each.query, labels, points)


def _audited(audit: Audit, name: str = "") -> AuditedTime:
    window = audit.window
    values = {
        key: AuditedValue(
            each.value,
            each.unit,
            None if each.threshold is None else each.threshold.limit,
            each.threshold is not None and each.threshold.exceeded,
        )
        for key, each in audit.values.items()
    }
    return AuditedTime(
        window.start.isoformat(),
        window.end.isoformat(),
        window.range_s,
        values,
        list(audit.empty),
        name,
    )


def write_audit_input(folder: Path, result: RunResult, plan: AuditPlan | None = None) -> None:
    """Write an input file of the run's own time for audits that come later.

    One that is there already stays.

    Raises:
        OSError: It cannot be written.
    """
    path = folder / INPUT_FILE
    if path.exists():
        return
    start, end = result.info.started_at, result.finished_at
    if plan is None:
        document = input_document(start, end)
    else:
        interval_s = plan.config.scrape_interval
        document = input_document(start, end, url=plan.endpoint.url, scrape_interval_s=interval_s)
    write_file(path, json.dumps(document, indent=2) + "\n")
