"""What a run reports of objects that no watch shows to be gone, when their deletion times out."""

from pathlib import Path
from typing import Any, Final

import pytest
from faulty_runs import faulty_run
from workloads import config, objects, template, workload

pytestmark = pytest.mark.virtual_time

CONFIGMAP: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "map-{{ replica }}"}
"""
BLIND: Final = {"fault": "late", "delay": "1h", "resources": ["configmaps"]}


def load(directory: Path, replicas: int, **keys: Any) -> Any:
    made = objects(template(directory, CONFIGMAP), replicas)
    return config(workload(made, maxWaitTimeout="2s", **keys))


@pytest.mark.parametrize("replicas", [3, 30], ids=["one by one", "by a list"])
async def test_what_is_gone_and_no_watch_has_shown_is_not_left_over(
    tmp_path: Path, replicas: int
) -> None:
    async with faulty_run(tmp_path, load(tmp_path, replicas), watches=[BLIND]) as run:
        accounts = run.result.accounts
        assert (accounts.created, accounts.deleted, accounts.leftover) == (replicas, replicas, 0)
        text = "\n".join(run.result.problems)
        assert "timed out after 2s waiting for everything to be gone" in text
        assert f"{replicas} objects were gone by then, and no watch had shown it" in text
        assert "still there" not in text
        assert not run.result.remains


async def test_what_cannot_be_read_is_not_said_to_be_there(tmp_path: Path) -> None:
    mute = {"fault": "slow", "delay": "1h", "verbs": ["get"], "resources": ["configmaps"]}
    async with faulty_run(tmp_path, load(tmp_path, 3), watches=[BLIND], requests=[mute]) as run:
        text = "\n".join(run.result.problems)
        assert "3 ConfigMap not known to be gone: no answer within 10 s" in text
        assert "still there" not in text
        assert run.result.accounts.leftover == 3


async def test_what_a_watch_shows_while_it_is_read_is_not_called_unseen(tmp_path: Path) -> None:
    late = {"fault": "late", "delay": "4s", "resources": ["configmaps"]}
    slow = {"fault": "slow", "delay": "6s", "verbs": ["get"], "resources": ["configmaps"]}
    async with faulty_run(tmp_path, load(tmp_path, 1), watches=[late], requests=[slow]) as run:
        text = "\n".join(run.result.problems)
        assert "timed out after 2s waiting for everything to be gone" in text
        assert "gone by then" not in text
        assert run.result.accounts.deleted == 1
