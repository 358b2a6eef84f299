"""How long each stage of an object's life takes in the simulated cluster.

A run against the simulated cluster is worth looking at only if its percentiles look like
a cluster's: skewed, with a tail. So every wait is drawn from a distribution whose shape
was measured on real clusters; the medians are scaled down, so that trying the tool out
does not take as long as a busy cluster would.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


class Stage(StrEnum):
    """What an object is waiting for. `NOW` is no wait at all."""

    NOW = "now"
    VMI_PENDING = "vmi-pending"
    VMI_SCHEDULING = "vmi-scheduling"
    VMI_SCHEDULED = "vmi-scheduled"
    VMI_STARTED = "vmi-started"
    VMI_BOOTING = "vmi-booting"
    VMI_STOPPING = "vmi-stopping"
    VMI_FINALIZING = "vmi-finalizing"
    VMI_ABANDONING = "vmi-abandoning"
    VMI_RELEASING = "vmi-releasing"
    VMI_PAUSING = "vmi-pausing"
    VMI_GATING = "vmi-gating"
    VOLUME_STEP = "volume-step"
    BACK_OFF_1 = "back-off-1"
    BACK_OFF_2 = "back-off-2"
    BACK_OFF_3 = "back-off-3"
    BACK_OFF_4 = "back-off-4"
    BACK_OFF_5 = "back-off-5"
    BACK_OFF_6 = "back-off-6"
    POD_SCHEDULING = "pod-scheduling"
    POD_STARTING = "pod-starting"
    POD_WORKING = "pod-working"
    POD_STOPPING = "pod-stopping"
    MIGRATION_ACCEPTING = "migration-accepting"
    MIGRATION_SCHEDULING = "migration-scheduling"
    MIGRATION_STEP = "migration-step"
    MIGRATION_COPYING = "migration-copying"
    MIGRATION_ABORTING = "migration-aborting"
    MIGRATION_RELEASING = "migration-releasing"
    FAILING = "failing"
    NODE_STARTING = "node-starting"
    VOLUME_BINDING = "volume-binding"
    VOLUME_SNAPSHOT = "volume-snapshot"
    DATA_SOURCE = "data-source"
    DATA_VOLUME_STEP = "data-volume-step"
    DATA_VOLUME_FILLING = "data-volume-filling"
    VM_SNAPSHOT = "vm-snapshot"
    VM_RESTORE = "vm-restore"
    VM_CLONE_STEP = "vm-clone-step"
    LOAD_BALANCER = "load-balancer"
    API_EXTENSION = "api-extension"


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A duration whose logarithm is normally distributed.

    Attributes:
        median_s: Half of the draws are below it, in seconds.
        sigma: Standard deviation of the logarithm; 0 makes every draw the median.
    """

    median_s: float
    sigma: float = 0.0

    def draw(self, rng: random.Random) -> float:
        """One duration in seconds."""
        return rng.lognormvariate(math.log(self.median_s), self.sigma)


@dataclass(frozen=True, slots=True)
class Uniform:
    """A duration of which every one between two is as likely.

    Attributes:
        least_s: The shortest, in seconds.
        most_s: The longest.
    """

    least_s: float
    most_s: float

    def draw(self, rng: random.Random) -> float:
        """One duration in seconds."""
        return rng.uniform(self.least_s, self.most_s)


Distribution: TypeAlias = LogNormal | Uniform

BACK_OFFS: Final = (
    Stage.BACK_OFF_1,
    Stage.BACK_OFF_2,
    Stage.BACK_OFF_3,
    Stage.BACK_OFF_4,
    Stage.BACK_OFF_5,
    Stage.BACK_OFF_6,
)
"""What a VM waits for after its first, second, ... failed start in a row."""
_BACK_OFF_S: Final = 10.0
_LONGEST_BACK_OFF_S: Final = 300.0


def _back_off(failures: int) -> Uniform:
    # calculateStartBackoffTime of KubeVirt's VM controller: 10 s times the square of the
    # failures, and up to half of it at random.
    least_s = _BACK_OFF_S * failures**2
    return Uniform(min(least_s, _LONGEST_BACK_OFF_S), min(least_s * 1.5, _LONGEST_BACK_OFF_S))


DEFAULT_LATENCIES: Final[Mapping[Stage, Distribution]] = MappingProxyType(
    {
        # Phases of VMIs on idle clusters (status dumps in public repositories, n = 14):
        # Pending to Scheduling 0 to 1 s; Scheduling to Scheduled median 7.5 s, which a
        # lognormal of sigma 0.77 fits; Scheduled to Running median 2 s, sigma 0.35. The
        # shares 2 %, 77 %, 21 % of the way are kept. The middle sigma is narrowed until
        # creation to Running has a median of 5 s and a p99 of 12 s.
        Stage.VMI_PENDING: LogNormal(0.1),
        Stage.VMI_SCHEDULING: LogNormal(3.82, 0.44),
        Stage.VMI_SCHEDULED: LogNormal(1.0, 0.35),
        # KubeVirt's controllers see some 20 ms after the phase that the pod is ready. The
        # time that a guest needs to boot is the guest's: this is a choice.
        Stage.VMI_STARTED: LogNormal(0.02, 0.3),
        Stage.VMI_BOOTING: LogNormal(2.5, 0.35),
        # KubeVirt's own benchmark has a median of 0.74 s from deletion to Succeeded. The
        # rest, which nothing measures, is chosen so that a VMI is gone after 2 s.
        Stage.VMI_STOPPING: LogNormal(0.74, 0.3),
        Stage.VMI_FINALIZING: LogNormal(1.22, 0.2),
        # Seen of KubeVirt: what is deleted before it has a node ends within 0.1 s, and what
        # had ended before goes within 50 ms.
        Stage.VMI_ABANDONING: LogNormal(0.06, 0.2),
        Stage.VMI_RELEASING: LogNormal(0.03, 0.2),
        # Seen likewise: a pause and its end show after some 0.1 s, the pod's gate 60 ms later.
        Stage.VMI_PAUSING: LogNormal(0.1, 0.2),
        Stage.VMI_GATING: LogNormal(0.06, 0.2),
        # One of the four steps of attaching a volume; a choice.
        Stage.VOLUME_STEP: LogNormal(0.4, 0.4),
        # Kubernetes asks of its implementations that 99 % of stateless pods start within
        # 5 s (SLO "pod startup latency"); this one just meets it.
        Stage.POD_STARTING: LogNormal(1.6, 0.45),
        # A container that handles SIGTERM at once: not the 30 s of the grace period.
        Stage.POD_STOPPING: LogNormal(1.0, 0.3),
        # A live migration of an idle VM takes some 6 s, most of it until the target pod runs
        # and while memory is copied; what is between was seen to follow within milliseconds.
        Stage.MIGRATION_ACCEPTING: LogNormal(0.015, 0.2),
        Stage.MIGRATION_SCHEDULING: LogNormal(2.0, 0.4),
        Stage.MIGRATION_STEP: LogNormal(0.1, 0.3),
        Stage.MIGRATION_COPYING: LogNormal(3.5, 0.4),
        Stage.MIGRATION_ABORTING: LogNormal(0.5, 0.3),
        # How long the pod that an instance has moved into is not ready yet.
        Stage.MIGRATION_RELEASING: LogNormal(0.1, 0.2),
        # A scheduler with nothing else to do.
        Stage.POD_SCHEDULING: LogNormal(0.02, 0.4),
        # What follows is a choice each: the order of magnitude of an idle cluster.
        Stage.POD_WORKING: LogNormal(3.0, 0.5),
        Stage.NODE_STARTING: LogNormal(2.0, 0.3),
        Stage.VOLUME_BINDING: LogNormal(1.2, 0.5),
        Stage.VOLUME_SNAPSHOT: LogNormal(1.5, 0.4),
        Stage.DATA_SOURCE: LogNormal(0.2, 0.4),
        Stage.DATA_VOLUME_STEP: LogNormal(0.3, 0.4),
        Stage.DATA_VOLUME_FILLING: LogNormal(4.0, 0.6),
        Stage.VM_SNAPSHOT: LogNormal(2.0, 0.4),
        Stage.VM_RESTORE: LogNormal(3.0, 0.4),
        Stage.VM_CLONE_STEP: LogNormal(1.5, 0.4),
        Stage.LOAD_BALANCER: LogNormal(2.0, 0.5),
        Stage.API_EXTENSION: LogNormal(0.3, 0.4),
        # How long what is made to fail once it runs does run.
        Stage.FAILING: LogNormal(1.0, 0.3),
        **{stage: _back_off(failures) for failures, stage in enumerate(BACK_OFFS, 1)},
    }
)


class Latencies:
    """Draws the waits of one simulated cluster.

    Args:
        speed: Divides every wait; 10 makes the cluster ten times as quick.
        seed: Makes the sequence of draws repeatable; None for a different one every time.

    Raises:
        ValueError: `speed` is not a positive, finite number.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        seed: int | None = None,
        distributions: Mapping[Stage, Distribution] = DEFAULT_LATENCIES,
    ) -> None:
        if not (speed > 0 and math.isfinite(speed)):
            raise ValueError(f"speed must be a positive number, not {speed}")
        self._speed = speed
        self._rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._distributions = distributions

    def draw(self, stage: Stage) -> float:
        """How long an object stays in `stage`, in seconds."""
        if stage is Stage.NOW:
            return 0.0
        return self._distributions[stage].draw(self._rng) / self._speed
