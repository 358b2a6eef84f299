from __future__ import annotations

from perfscale.config import run_labels


def test_the_labels_name_the_run_the_workload_and_the_iteration() -> None:
    assert run_labels("7d2e", "density", 3) == {
        "kubevirt-load-generator-workload": "7d2e",
        "perfscale/workload": "density",
        "perfscale/iteration": "3",
    }
