"""Sets that are scaled: done when as many are ready, in a version that is no older."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from operation_load import OperationSink, accounts, done, on
from workloads import config, objects, template

from perfscale.engine.load.requests import RequestBuilder
from perfscale.results import OperationAccounts, RunOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from clusters import ClusterUnderTest

    from perfscale.engine.load.requests import Outgoing
    from perfscale.engine.load.targets import Target

COUNT = 3
OTHER = "00000000-0000-4000-8000-000000000000"
WORKLOAD = """
apiVersion: apps/v1
kind: KIND
metadata: {name: "set-{{ replica }}"}
spec:
  replicas: 1
  selector: {matchLabels: {app: "set-{{ replica }}"}}
  template:
    metadata: {labels: {app: "set-{{ replica }}"}}
    spec: {containers: [{name: main, image: pause}]}
"""


def sets(kind: str, directory: Path, **keys: Any) -> dict[str, Any]:
    made = objects("vmirs-ephemeral.yaml", COUNT, vmis=1)
    if kind != "VirtualMachineInstanceReplicaSet":
        text = WORKLOAD.replace("KIND", kind)
        made = objects(template(directory, text, "set.yaml"), COUNT)
    return {"name": "sets", "iterationCreationWait": True, "objects": [made], **keys}


@pytest.mark.parametrize(
    "kind", ["VirtualMachineInstanceReplicaSet", "ReplicaSet", "Deployment", "StatefulSet"]
)
async def test_a_set_is_scaled_until_as_many_are_ready(
    cluster: ClusterUnderTest, kind: str, tmp_path: Path
) -> None:
    sink = OperationSink()
    up, down = on("sets", "scale", to=4), {**on("sets", "scale", to=1), "name": "down"}
    result = await cluster.run(config(sets(kind, tmp_path), up, down), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 1) == accounts(result, 2) == done(COUNT)
    assert len(sink.operations) == 2 * COUNT
    for record in sink.operations:
        assert record.kind == kind
        assert record.sent_s is not None
        assert record.answered_s is not None
        assert record.done_s is not None
        assert record.sent_s < record.answered_s <= record.done_s


async def test_scaling_to_what_is_there_is_done_at_once(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(
        sets("VirtualMachineInstanceReplicaSet", tmp_path), on("sets", "scale", to=1)
    )  # fmt: skip
    result = await cluster.run(load)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)


async def test_a_set_that_does_not_get_there_says_how_far_it_came(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    text = template(tmp_path, "spec: {paused: true}\n", "pause.yaml")
    pause = on("sets", "patch", patch={"templateFile": text})
    scale = {**on("sets", "scale", to=3, maxWaitTimeout="300ms"), "name": "scale"}
    made = sets("VirtualMachineInstanceReplicaSet", tmp_path)
    result = await cluster.run(config(made, pause, scale), sink=sink)
    assert result.exit_code == 1
    assert accounts(result, 1) == done(COUNT)
    assert accounts(result, 2) == OperationAccounts(requested=COUNT, unfinished=COUNT)
    unfinished = [each.error for each in sink.operations if each.workload == "scale"]
    assert unfinished == ["1 of 3 replicas are ready"] * COUNT


@pytest.mark.parametrize("kind", ["VirtualMachineInstanceReplicaSet", "Deployment"])
async def test_a_set_is_not_scaled_that_has_the_name_of_one_that_was_replaced(
    cluster: ClusterUnderTest, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = RequestBuilder.request

    def of_another(builder: RequestBuilder, target: Target, iteration: int) -> Outgoing:
        return request(
            builder, replace(target, uid=OTHER) if target.index == 1 else target, iteration
        )

    monkeypatch.setattr(RequestBuilder, "request", of_another)
    sink = OperationSink()
    load = config(sets(kind, tmp_path), on("sets", "scale", to=2))
    result = await cluster.run(load, sink=sink)
    assert accounts(result) == OperationAccounts(requested=COUNT, done=COUNT - 1, failed=1)
    (error,) = [each.error for each in sink.operations if each.error]
    assert error.startswith("it was replaced by another object of its name: ")
