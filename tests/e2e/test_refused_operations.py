"""Operations that a server refuses: for a moment, because of their object's state, or for good."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from clusters import CONFIGMAPS, VMS
from operation_load import OperationSink, accounts, done, on
from refusals import Refusal, Refusing
from workloads import config, objects, template

from perfscale.engine import RunOptions
from perfscale.engine.events import ObjectFailed, OperationFailed
from perfscale.results import OperationAccounts, RunOutcome
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttp import web

COUNT = 5
CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\n"
_CANNOT = 'Operation cannot be fulfilled on virtualmachine.kubevirt.io "vm": '
REFUSED = Refusal(403, "Forbidden", 'configmaps "map" is forbidden: it is protected')


def vms() -> dict[str, Any]:
    made = objects("vm-ephemeral.yaml", COUNT)
    return {"name": "vms", "iterationCreationWait": True, "objects": [made]}


def maps(directory: Path) -> dict[str, Any]:
    made = objects(template(directory, CONFIGMAP, "map.yaml"), COUNT)
    return {"name": "maps", "iterationCreationWait": True, "objects": [made]}


def at_first(refusal: Refusal, times: int, end: str) -> Callable[[web.Request, int], Any]:
    """Refuses the first requests for each object."""

    def rule(request: web.Request, number: int) -> Refusal | None:
        return refusal if request.path.endswith(end) and number <= times else None

    return rule


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (409, f"{_CANNOT}testing value /status/stateChangeRequests failed: test failed"),
        (409, f"{_CANNOT}the server rejected our request due to an error in our request"),
        (409, f"{_CANNOT}the object has been modified; please apply your changes to the latest"),
        (500, "Internal error occurred: unable to complete request: stop/start already underway"),
        (500, "Internal error occurred: the server rejected our request due to an error in our "),
    ],
)  # fmt: skip
async def test_a_lost_race_is_tried_again_until_it_is_won(
    refusing: Refusing, status: int, message: str
) -> None:
    cluster, refusals = refusing
    reason = "Conflict" if status == 409 else "InternalError"
    refusals.rule = at_first(Refusal(status, reason, message), 2, "/restart")
    sink = OperationSink()
    result = await cluster.run(config(vms(), on("vms", "restart")), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    tries = [count for (_, path), count in refusals.sent.items() if path.endswith("/restart")]
    assert tries == [3] * COUNT
    for record in sink.operations:  # from the first request on, and answered once
        assert record.sent_s is not None
        assert record.answered_s is not None
        assert record.done_s is not None
        assert record.sent_s < record.answered_s <= record.done_s


@pytest.mark.parametrize(
    "why",
    ["VM is not running: Halted", "VMI is already paused", "VM is already running",
     "Always does not support manual start requests"],
)  # fmt: skip
async def test_an_object_in_no_state_for_it_is_that_targets_failure_at_once(
    refusing: Refusing, why: str
) -> None:
    cluster, refusals = refusing
    refusals.rule = at_first(Refusal(409, "Conflict", _CANNOT + why), 1, "/restart")
    sink = OperationSink()
    result = await cluster.run(config(vms(), on("vms", "restart")), sink=sink)
    assert result.exit_code == 1
    assert accounts(result) == OperationAccounts(requested=COUNT, failed=COUNT)
    assert {each.error for each in sink.operations} == {f"Conflict: {_CANNOT}{why}"}
    tries = [count for (_, path), count in refusals.sent.items() if path.endswith("/restart")]
    assert tries == [1] * COUNT


def protected(request: web.Request, number: int) -> Refusal | None:
    """Refuses to delete an object for the first time."""
    is_delete = request.method == "DELETE" and "/map-" in request.path
    return REFUSED if is_delete and number == 1 else None


async def test_what_a_server_refused_to_delete_has_no_deletion_that_could_be_measured(
    refusing: Refusing, tmp_path: Path
) -> None:
    cluster, refusals = refusing
    refusals.rule = protected
    sink = OperationSink()
    result = await cluster.run(config(maps(tmp_path), on("maps", "delete")), sink=sink)
    assert result.exit_code == 1
    assert accounts(result) == OperationAccounts(requested=COUNT, failed=COUNT)
    assert result.workloads[0].accounts.failed == 0
    assert [each.error for each in sink.objects] == [None] * COUNT
    assert [each.delete_requested_s for each in sink.objects] == [None] * COUNT
    assert len(await cluster.names(CONFIGMAPS, namespace="density-1")) == COUNT


async def test_a_loss_after_a_delete_that_was_refused_is_no_success(
    refusing: Refusing, tmp_path: Path
) -> None:
    cluster, refusals = refusing
    refusals.rule = protected
    sink = OperationSink()
    load = config(maps(tmp_path), on("maps", "delete", qps=0.02, burst=1))
    failures: list[ObjectFailed | OperationFailed] = []
    async with cluster.generator(load, sink=sink) as generator:
        events = generator.events()
        running = asyncio.create_task(generator.run())
        async for event in events:
            if isinstance(event, ObjectFailed | OperationFailed):
                failures.append(event)
                if len(failures) > 1:
                    break
                await cluster.client.delete(CONFIGMAPS, "density-1", str(event.name))
        generator.interrupt()
        await running
    refused, lost = failures
    assert refused.name == lost.name
    assert "it is protected" in refused.error
    assert lost.error == "somebody else deleted it"
    (record,) = [each for each in sink.objects if each.error is not None]
    assert record.name == lost.name
    assert record.delete_requested_s is None


@pytest.mark.parametrize("own", [True, False])
async def test_a_target_that_another_workload_deletes_meanwhile_was_deleted_by_the_run(
    refusing: Refusing, own: bool, tmp_path: Path
) -> None:
    cluster, _ = refusing
    theirs = {"kind": "VirtualMachine", "apiVersion": "kubevirt.io/v1", "labelSelector": "kind=vm"}
    targets = {"workload": "vms"} if own else theirs
    if not own:
        await cluster.create_namespace("theirs")
        for n in range(COUNT):
            await cluster.create(VMS, foreign_vm(n))
    text = template(tmp_path, "metadata: {annotations: {a: b}}\n", "patch.yaml")
    waits = on(
        "", "patch", targets=targets, patch={"templateFile": text},
        doneWhen="jsonpath={.status.never}=1",
    )  # fmt: skip
    waits = {**waits, "name": "waits", "background": True, "qps": 0}
    deletes = {**on("", "delete", targets=targets, qps=5, burst=1), "name": "deletes"}
    sink = OperationSink()
    options = RunOptions(defaults=TemplateDefaults(), allow_foreign=True)
    load = config(*([vms()] if own else []), waits, deletes)
    result = await cluster.run(load, sink=sink, options=options)
    first = 1 if own else 0
    assert accounts(result, first + 1) == done(COUNT), result.problems
    assert accounts(result, first) == OperationAccounts(requested=COUNT, failed=COUNT)
    errors = {each.error for each in sink.operations if each.workload == "waits"}
    assert errors == {"it is gone, as this run has requested"}
    if own:
        assert result.workloads[0].accounts.failed == 0


def foreign_vm(number: int) -> dict[str, Any]:
    metadata = {"name": f"vm-{number}", "namespace": "theirs", "labels": {"kind": "vm"}}
    spec = {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}}
    return {
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata,
        "spec": spec,
    }  # fmt: skip
