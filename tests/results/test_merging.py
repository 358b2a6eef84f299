"""What several generators have counted becomes the run's."""

from __future__ import annotations

from perfscale.results import Creation, Totals, Vitals
from perfscale.results.journal.merging import merge_totals


def test_what_the_server_refused_and_what_was_slow_adds_up_over_all_generators() -> None:
    near = Creation(seconds=10.0, cpu_s=1.0, answers=100, answer_s=50.0, slow_s=20.0)
    far = Creation(seconds=10.0, cpu_s=2.0, refusals=50, refusal_s=100.0, slow_s=100.0)
    totals: dict[int | None, Totals] = {
        shard: Totals(vitals=Vitals(creations={"density": own}))
        for shard, own in enumerate((near, far))
    }
    vitals = merge_totals(totals, {}).vitals
    assert vitals is not None
    merged = vitals.creations["density"]
    assert (merged.answers, merged.refusals, merged.refusal_s) == (100, 50, 100.0)
    assert merged.taken_mean_s == 1.0  # a mean over both: what was in flight was slow
    assert merged.slow_share == 0.8
