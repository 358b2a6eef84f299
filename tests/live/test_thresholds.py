"""How thresholds stand while a run goes on."""

from typing import Any

import pytest
from snapshots import course, snapshot
from workloads import config, workload

from perfscale.live.thresholds import threshold_rows
from perfscale.results import Sketch


def standing(threshold: dict[str, Any], *seconds: float) -> tuple[str, str]:
    """The word and the text of a threshold when so many objects are ready."""
    ready = Sketch()
    for each in seconds:
        ready.count(each)
    file = config(workload(thresholds=[threshold]))
    [row] = threshold_rows(file, snapshot(9.0, created=len(seconds), ready=ready), course())
    return row.word, row.text


def test_a_percentile_is_judged_by_what_has_got_there() -> None:
    threshold = {"metric": "vmiReady", "quantile": "p99", "max": "3s"}
    word, text = standing(threshold, 1.0, 2.0)
    assert word == "met so far"
    assert text.startswith("density: vmiReady p99 is 1")
    assert standing(threshold, 1.0, 4.0, 4.0)[0] == "missed so far"


@pytest.mark.parametrize(
    "threshold",
    [
        {"metric": "vmiReady", "quantile": "p99", "max": "3s"},
        {"metric": "vmiCreation", "quantile": "p99", "max": "3s"},
        {"metric": "unready", "max": 3},
        {"metric": "achievedQps", "min": 3},
        {"metric": "apiErrors", "max": 3},
    ],
)
def test_what_nothing_is_known_of_yet_is_open(threshold: dict[str, Any]) -> None:
    word, text = standing(threshold)
    assert word == "open"
    assert text.endswith(" is wanted")


def test_failures_count_as_they_happen() -> None:
    assert standing({"metric": "failed", "max": 0}, 1.0)[0] == "met so far"
