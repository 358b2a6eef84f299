"""The audit of a run: planned before it, carried out after it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from perfscale.cli import options
from perfscale.cli.commands.audit import exit_code, scraped_until
from perfscale.cli.output.streams import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.audit import Audit, Endpoint, Profile, Prometheus, Window
    from perfscale.config import Config
    from perfscale.config.sections.audit import AuditConfig
    from perfscale.results import AuditedTime, AuditRecord, RunResult

_WAIT_S: Final = 300.0
"""How long the audit waits for the scrapes after the run's end."""
_MOST_NAMES: Final = 5
_TIMELINE: Final = "timeline"


@dataclass(frozen=True)
class AuditPlan:
    """How a run is to be audited."""

    endpoint: Endpoint
    profile: Profile
    timeline: Profile
    config: AuditConfig


def plan_audit(config: Config, url: str | None) -> AuditPlan | None:
    """How to audit a run; None if nobody asked for it.

    Args:
        config: The workload file.
        url: The command line's Prometheus, which goes before the file's.

    Raises:
        ConfigError: Something that it needs is wrong.
        typer.BadParameter: The URL is wrong.
    """
    wanted = config.global_config.audit
    given, in_url = options.prometheus_address(url)
    address = given or (None if wanted is None else wanted.url)
    if address is None:
        return None
    from perfscale.audit import Endpoint, chosen_credentials, credentials_of, load_profile
    from perfscale.config.sections.audit import AuditConfig

    audit = wanted or AuditConfig()
    folder = config.source.directory
    token_file = None if audit.token_file is None else folder / audit.token_file
    outside = credentials_of(os.environ, token_file=token_file, password_file=None)
    endpoint = Endpoint(
        address,
        chosen_credentials(in_url, outside),
        verify_tls=audit.verify_tls,
        ca_file=None if audit.ca_file is None else folder / audit.ca_file,
        proxy=options.proxy_of(address),
    )
    return AuditPlan(endpoint, load_profile(audit.profile, folder), load_profile(_TIMELINE), audit)


async def check_prometheus(plan: AuditPlan) -> None:
    """Find out before the run whether Prometheus can be asked after it.

    Raises:
        PrometheusError: It cannot.
    """
    from perfscale.audit import Prometheus, data_reaches
    from perfscale.errors import QueryError

    async with Prometheus(plan.endpoint) as prometheus:
        try:
            await data_reaches(prometheus)
        except QueryError as error:
            say(f"warning: Prometheus cannot say how far its data reaches: {error}")


async def audit_run(plan: AuditPlan, result: RunResult) -> AuditRecord:
    """Audit a run that is over, as a whole and workload by workload.

    A Prometheus that has gone away meanwhile is part of the record.
    """
    from perfscale.audit import Prometheus
    from perfscale.errors import PrometheusError
    from perfscale.results import AuditRecord

    try:
        async with Prometheus(plan.endpoint) as prometheus:
            return await _audit(plan, result, prometheus)
    except PrometheusError as error:
        return AuditRecord(
            prometheus=plan.endpoint.url,
            profile=plan.profile.name,
            scrape_interval_seconds=plan.config.scrape_interval,
            data_until=None,
            exit_code=error.exit_code,
            problems=(f"audit: {error}",),
        )


async def _audit(plan: AuditPlan, result: RunResult, prometheus: Prometheus) -> AuditRecord:
    from perfscale.audit import Window, carry_out
    from perfscale.cli.output.audit_report import exceeded, notes, reach_warnings
    from perfscale.results import AuditedSeries, AuditRecord

    interval_s = plan.config.scrape_interval
    window = Window(result.info.started_at, result.finished_at, interval_s)
    reached = await scraped_until(prometheus, window.end, _WAIT_S)
    total = await carry_out(prometheus, plan.profile, window, plan.config.thresholds)
    timeline = await carry_out(prometheus, plan.timeline, window)
    workloads = [
        _audited(await carry_out(prometheus, plan.profile, each), name)
        for name, each in _workload_windows(result, interval_s)
    ]
    return AuditRecord(
        prometheus=plan.endpoint.url,
        profile=plan.profile.name,
        scrape_interval_seconds=interval_s,
        data_until=None if reached is None else reached.isoformat(),
        exit_code=exit_code(total),
        problems=(
            *(f"audit: {failure}" for failure in total.failures),
            *(f"audit: {each}" for each in exceeded(total)),
        ),
        notes=(*reach_warnings(window, reached, ""), *notes(total, _MOST_NAMES)),
        total=_audited(total),
        workloads=tuple(workloads),
        series=tuple(
            AuditedSeries(each.name, each.unit, list(each.points)) for each in timeline.series
        ),
    )


def _workload_windows(result: RunResult, interval_s: float) -> Iterator[tuple[str, Window]]:
    from perfscale.audit import Window

    started = result.info.started_at
    for workload in result.workloads:
        if workload.iterations:
            first, last = workload.iterations[0], workload.iterations[-1]
            start = started + timedelta(seconds=first.started_s)
            end = started + timedelta(seconds=last.finished_s)
            yield workload.name, Window(start, end, interval_s)


def _audited(audit: Audit, name: str = "") -> AuditedTime:
    from perfscale.results import AuditedTime, AuditedValue

    window = audit.window
    values = {
        key: AuditedValue(
            each.value,
            each.unit,
            None if each.verdict is None else each.verdict.limit,
            each.verdict is not None and each.verdict.exceeded,
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


def write_input(folder: Path, result: RunResult, plan: AuditPlan | None = None) -> None:
    """Leave an input file of the run's own time for audits that come later.

    One that is there already stays.

    Raises:
        OSError: It cannot be written.
    """
    from perfscale.audit import INPUT_FILE, input_document
    from perfscale.results import write_file

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
