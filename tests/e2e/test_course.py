"""What may be seen of a run beside its load while it goes on, as its page shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from faulty_runs import faulty_run
from patience import PATIENCE_S
from workloads import config, objects, workload

pytestmark = pytest.mark.virtual_time


async def test_outages_and_slow_objects_are_seen_as_the_results_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is left out because the machine is busy.
    monkeypatch.setattr("perfscale.engine.attribution.attributor.CLOSING_S", PATIENCE_S)
    load = config(workload(objects(count=60), qps=30, burst=1), attribution={"after": "0s"})
    outage = {"afterRequests": 70, "lasts": "1500ms"}
    async with faulty_run(tmp_path, load, speed=10, outages=[outage]) as run:
        result, course = run.result, run.course
    assert result.attribution is not None
    assert course is not None
    assert result.attribution.objects
    assert course.attribution == result.attribution
    assert (course.outages, course.blind_spans) == (result.outages, result.blind_spans)
    assert course.outages
    assert course.blind_spans
