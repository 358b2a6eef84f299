"""A server that refuses for a while what it allows otherwise costs no object.

Nor does one in whose place something else answers.
"""

from pathlib import Path
from typing import Any

import pytest
from faulty_runs import faulty_run
from under_test import load_generator
from workloads import config, objects, workload

from perfscale.errors import IllegibleError
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import Accounts, RunOutcome
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults

pytestmark = pytest.mark.virtual_time

COUNT = 30
FEW = 12

CREATES = {"verbs": ["create"], "resources": ["virtualmachineinstances"], "skip": 2}

PAGE: dict[str, Any] = {
    "fault": "garbage",
    "body": "html",
    "verbs": ["create"],
    "resources": ["virtualmachineinstances"],
}
REFUSALS: dict[str, dict[str, Any]] = {
    "401": {"fault": "unauthorized", "skip": 20, "times": 40},
    "403": {"fault": "forbidden", "skip": 20, "times": 40},
    "409": {"fault": "conflict", **CREATES, "times": 40},
    "a webhook": {"fault": "webhookDown", **CREATES, "times": 90},
    "502": {"fault": "badGateway", "skip": 20, "times": 40},
    "a login page": {"fault": "garbage", "body": "html", "scope": "all", "skip": 40, "times": 30},
    "nothing": {"fault": "garbage", "body": "empty", "skip": 40, "times": 30},
    "nesting": {"fault": "garbage", "body": "deep", "skip": 40, "times": 10},
    "wrong types": {"fault": "garbage", "body": "wrongTypes", "skip": 20, "times": 30},
    "a huge version": {"fault": "garbage", "body": "hugeVersion", "skip": 20, "times": 20},
    "a time in the past": {"fault": "badRetryAfter", "value": "-1", "skip": 20, "times": 40},
    "a time that is none": {"fault": "badRetryAfter", "value": "²", "skip": 20, "times": 40},
    "504": {"fault": "gatewayTimeout", "skip": 20, "times": 40},
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_what_is_refused_for_a_while_is_asked_for_again(
    case: str, tmp_path: Path, generators: int | None
) -> None:
    fault = REFUSALS[case]
    if generators is not None:
        # They begin with few requests each, which wait the longer the more often they are refused.
        fault = {**fault, "times": min(fault["times"], FEW)}
    load = config(workload(objects(count=COUNT)))
    async with faulty_run(tmp_path, load, requests=[fault]) as run:
        assert run.result.problems == ()
        assert run.result.outcome is RunOutcome.PASSED
        assert run.result.accounts == Accounts(
            requested=COUNT, created=COUNT, ready=COUNT, deleted=COUNT
        )
        assert (run.vmis.created, run.vmis.present) == (COUNT, 0)
        assert run.left == {}
        assert run.injected[fault["fault"]] == fault["times"]


async def test_a_dry_run_does_not_take_a_login_page_for_a_verdict(tmp_path: Path) -> None:
    faults = Faults.model_validate({"requests": [PAGE]})
    async with SimulatedCluster(faults=faults) as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        options = ClusterOptions(kubeconfig=str(kubeconfig), max_unavailable_s=0.5)
        generator = load_generator(config(workload(objects())), cluster=options)
        async with generator:
            with pytest.raises(IllegibleError, match=r"POST .* not what an API server sends"):
                await generator.dry_run()
