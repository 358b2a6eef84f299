"""What a run is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.engine.sharding.shard import WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config import Config
    from perfscale.engine.accounting.budget import FailureBudget
    from perfscale.engine.events import Broadcast
    from perfscale.engine.sharding.shard import Shard
    from perfscale.engine.stopwatch import Stopwatch
    from perfscale.kube.client import Client
    from perfscale.preflight import Factories, Plan
    from perfscale.results import RequestMeter, ResultSink, RunInfo
    from perfscale.templates import PatchTemplate, TemplateDefaults


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is not in the workload file.

    Attributes:
        keep: Leave everything in the cluster, however the run ends.
        cleanup_timeout_s: Bound on the cleanup after an interrupt or an error.
        defaults: Template variables that the workload file leaves open; None
            takes them from the environment.
        command: The command line, for the records.
        max_failures: How many objects may fail before the run is stopped, and
            everything of it deleted; None for any number.
        allow_foreign: Whether operations may change objects that the run did not make.
    """

    keep: bool = False
    cleanup_timeout_s: float = 300.0
    defaults: TemplateDefaults | None = None
    command: tuple[str, ...] = ()
    max_failures: FailureBudget | None = None
    allow_foreign: bool = False


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Everything that a run is made of."""

    config: Config
    factories: Factories
    plan: Plan
    info: RunInfo
    client: Client
    stopwatch: Stopwatch
    broadcast: Broadcast
    sink: ResultSink | None
    meter: RequestMeter
    patches: Sequence[PatchTemplate | None] = ()
    options: RunOptions = field(default_factory=RunOptions)
    shard: Shard = WHOLE
