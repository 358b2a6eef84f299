"""The top of a configuration."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from perfscale.config.sections.fields import Flag, choice
from perfscale.config.sections.section import Section
from perfscale.foreign.kube_burner.models.fields import AnyText, GoDuration, TextList
from perfscale.foreign.kube_burner.models.job import Job
from perfscale.foreign.kube_burner.models.measurements import Measurement, MetricsEndpoint


class RunHook(Section):
    """A command before the first job, or after the last."""

    called: ClassVar[str] = "a mapping (cmd, when, background)"

    cmd: TextList = ()
    when: Annotated[str, *choice("beforeAllJobs", "afterAllJobs")]
    background: Flag = False


class Global(Section):
    """What holds for all jobs."""

    called: ClassVar[str] = "a mapping (gc, measurements, functionTemplates, ...)"

    measurements: tuple[Measurement, ...] = ()
    request_timeout: GoDuration = 60.0
    gc: Flag = False
    gc_metrics: Flag = False
    wait_when_finished: Flag = False
    cluster_health: Flag = False
    timeout: AnyText = ""
    function_templates: TextList = ()
    deletion_strategy: Annotated[str, *choice("default", "gvr")] = "default"
    hooks: tuple[RunHook, ...] = ()
    uuid: AnyText = ""
    runid: AnyText = ""


class Configuration(Section):
    """A configuration of kube-burner."""

    called: ClassVar[str] = "a mapping with the key jobs"

    metrics_endpoints: tuple[MetricsEndpoint, ...] = ()
    global_: Global = Field(default_factory=Global, alias="global")
    jobs: tuple[Job, ...] = ()
