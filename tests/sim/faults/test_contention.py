"""Contention in the whole simulated cluster."""

import asyncio

from controlled_store import until
from faulty_cluster import faulty
from simulated_api import VMI


async def test_instances_are_brought_on_their_way_at_the_rate_of_the_file_and_no_faster() -> None:
    contention = {"perSecond": 10, "jitter": 0}
    async with faulty(cluster={"contention": contention}) as api:
        began_s = asyncio.get_running_loop().time()
        assert await api.create_many(6) == [201] * 6
        await until(
            api.store,
            VMI,
            lambda vmis: all(vmi["status"]["phase"] == "Running" for vmi in vmis),
        )
        assert asyncio.get_running_loop().time() - began_s >= 6 / 10
        assert api.vmis.ready == 6
