"""The churn of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfscale.config import format_duration
from perfscale.foreign.kube_burner.models.job import NAMESPACES

if TYPE_CHECKING:
    from perfscale.foreign.kube_burner.mapping.context import JobAt
    from perfscale.foreign.kube_burner.models.objects import Entry


def churn_of(job: JobAt, entries: list[Entry]) -> dict[str, Any]:
    """The key ``churn`` of the workload of a job; nothing where it has none.

    Args:
        job: The job.
        entries: Its entries that make something.
    """
    config = job.job.churn_config
    if not config.is_on:
        return {}
    churn: dict[str, Any] = {
        "count": job.at(_count(job, entries), "churnConfig", "percent"),
        "interval": job.at(format_duration(config.delay), "churnConfig", "delay"),
        "of": job.at(config.mode, "churnConfig", "mode"),
    }
    if config.delete_delay > 0:
        delay = format_duration(config.delete_delay)
        churn["recreationDelay"] = job.at(delay, "churnConfig", "deleteDelay")
    if config.cycles > 0:
        churn["rounds"] = job.at(config.cycles, "churnConfig", "cycles")
    if config.duration > 0:
        churn["duration"] = job.at(format_duration(config.duration), "churnConfig", "duration")
    what = "namespaces are drawn at random, and those made anew have numbers that were never used"
    if config.mode != NAMESPACES:
        what = "objects are drawn at random among all entries, and made anew from their templates"
    job.note(f"churn: {what}")
    return {"churn": job.at(churn, "churnConfig")}


def _count(job: JobAt, entries: list[Entry]) -> int:
    """How many a round replaces: of each thing that is churned at least one."""
    config, iterations = job.job.churn_config, job.job.job_iterations
    if config.mode == NAMESPACES:
        return max(1, iterations * config.percent // 100)
    churned = [entry for entry in entries if entry.churn and not entry.run_once]
    return sum(max(1, entry.replicas * iterations * config.percent // 100) for entry in churned)
