"""Where a run stands, in tests of those who show it."""

from datetime import UTC, datetime

from perfscale.engine.snapshot import Lags, ObjectCounts, RunCourse, RunSnapshot
from perfscale.results import RequestSums, Sketch, WatchCounts

VMI = "VirtualMachineInstance"


def snapshot(at_s: float, *, created: int = 0, ready: Sketch | None = None) -> RunSnapshot:
    latency = ready or Sketch()
    counts = ObjectCounts("density", VMI, 100_000, created, created, 0, 0, 0, latency, latency)
    return RunSnapshot(
        run_id="0f2d",
        server_version=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        elapsed_s=at_s,
        stage=None,
        workload="density",
        stages={},
        rates={},
        targets={},
        objects=(counts,),
        operations=(),
        phases={(VMI, "Running"): created},
        child_phases={},
        in_flight=0,
        most_in_flight=256,
        calls=(),
        watch=WatchCounts(),
        lags=Lags(Sketch(), Sketch(), Sketch()),
    )


def course() -> RunCourse:
    """One beside which nothing happened."""
    return RunCourse((), (), (), (), (), (), {}, RequestSums(), (), {})
