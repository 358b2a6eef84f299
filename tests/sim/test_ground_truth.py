"""The server's own account can be compared with what a client saw."""

import pytest
from controlled_store import until_gone, until_phase
from faulty_cluster import VMIS, faulty
from simulated_api import VMI

from perfscale.sim.controllers.kinds import VM
from perfscale.sim.ground_truth import OperationTruth, operations


async def test_every_object_is_accounted_for() -> None:
    async with faulty() as api:
        await api.create_many(5)
        await until_phase(api.store, VMI, "Running")
        truth = api.vmis
        assert (truth.created, truth.ready, truth.failed) == (5, 5, 0)
        assert (truth.gone, truth.present) == (0, 5)
        await api("DELETE", VMIS)
        await until_gone(api.store, VMI)
        truth = api.vmis
        assert (truth.created, truth.ready, truth.gone, truth.present) == (5, 5, 5, 0)
        assert api.injected == {}


async def test_another_process_can_read_them() -> None:
    async with faulty(requests=[{"fault": "unavailable", "times": 2}]) as api:
        assert await api.create_many(3) == [503, 503, 201]
        status, truth = await api("GET", "/simulation/books")
        assert status == 200
        assert truth["faults"] == {"unavailable": 2}
        account = truth["objects"]["virtualmachineinstances.kubevirt.io"]
        assert (account["created"], account["present"]) == (1, 1)


async def test_a_name_that_is_used_again_is_another_object() -> None:
    async with faulty() as api:
        for _ in range(2):
            assert await api.create("a") == 201
            await until_phase(api.store, VMI, "Running")
            await api("DELETE", VMIS)
            await until_gone(api.store, VMI)
        assert (api.vmis.created, api.vmis.ready, api.vmis.gone) == (2, 2, 2)


async def test_a_cluster_that_is_used_for_days_remembers_the_last_operations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "MOST_RECORDS", 2)
    async with faulty() as api:
        truth = OperationTruth(api.store)
        asked = [
            truth.requested("restart", VM, ("density", name), "old", 0.0)
            for name in ("a", "b", "c")
        ]
        assert list(truth.records) == asked[1:]
