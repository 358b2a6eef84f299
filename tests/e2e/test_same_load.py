"""One, two and four generators make the same load: the same objects, at one rate at the server.

Both are looked at from outside: in the cluster, and in a log of what arrives at its server.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from clusters import CONFIGMAPS, ClusterUnderTest, simulated_cluster
from pages import list_pages
from refusals import put_before_servers
from several_generators import run
from workloads import config, objects, template, workload

from perfscale.results import RunOutcome

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\n"
DRAWN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ kind }}-{{ iteration }}-{{ replica }}-{{ range(100, 999) | random }}"}
data: {size: "{{ ['s', 'm', 'l'] | random }}"}
"""
DRAWN_IN_GO = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .kind }}-{{ .iteration }}-{{ .replica }}"}
data: {word: "{{ randAlphaNum 8 }}", n: "{{ randInt 0 1000 }}"}
"""
SEVERAL = pytest.mark.parametrize("count", [1, 2, 4])
WINDOW_S = 5.0
QPS, BURST = 80.0, 4


class Arrivals:
    """When each create of a ConfigMap has arrived at the server, on the loop's clock."""

    def __init__(self) -> None:
        self.at_s: list[float] = []

    async def __call__(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.method == "POST" and request.path.endswith("/configmaps"):
            self.at_s.append(asyncio.get_running_loop().time())
        response: web.StreamResponse = await handler(request)
        return response

    def between(self, from_s: float, to_s: float) -> int:
        """How many came from then on and before that, in seconds since the first."""
        first = self.at_s[0]
        return bisect_left(self.at_s, first + to_s) - bisect_left(self.at_s, first + from_s)


@asynccontextmanager
async def logged(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    arrivals = Arrivals()
    put_before_servers(monkeypatch, arrivals)
    async with simulated_cluster(directory) as cluster:
        yield cluster, arrivals


def assert_rate(arrivals: Arrivals, due: Callable[[float], float], until_s: float) -> None:
    """In each window, as many have arrived as were ``due`` in it, to 1 %, or to one request."""
    for step in range(int((until_s - WINDOW_S) * 4) + 1):
        from_s = step / 4
        wanted = due(from_s + WINDOW_S) - due(from_s)
        found = arrivals.between(from_s, from_s + WINDOW_S)
        assert found == pytest.approx(wanted, rel=0.01, abs=1.001), from_s


@pytest.mark.virtual_time
@SEVERAL
async def test_a_steady_rate_arrives_at_the_server_to_a_percent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    total = int(8 * QPS)
    load = config(
        workload(objects(template(tmp_path, MAP), total), qps=QPS, burst=BURST), qps=0, burst=0
    )
    async with logged(tmp_path, monkeypatch) as (cluster, arrivals):
        result = await run(cluster, load, count)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert len(arrivals.at_s) == total
    # The burst comes at once; the rate is what follows.
    steady = Arrivals()
    steady.at_s = arrivals.at_s[BURST:]
    assert_rate(steady, lambda at_s: QPS * at_s, (total - BURST) / QPS)
    for number, at_s in enumerate(arrivals.at_s, start=1):
        assert number <= BURST + QPS * (at_s - arrivals.at_s[0]) + count


@pytest.mark.virtual_time
@SEVERAL
async def test_a_rate_of_stages_arrives_at_the_server_to_a_percent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    stages = [
        {"duration": "4s", "qps": 100},
        {"duration": "3s", "qps": 100},
        {"duration": "3s", "qps": 20},
    ]
    load = config(workload(objects(template(tmp_path, MAP), 5000), stages=stages), qps=0, burst=0)
    async with logged(tmp_path, monkeypatch) as (cluster, arrivals):
        result = await run(cluster, load, count)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert len(arrivals.at_s) == result.accounts.requested == 200 + 300 + 180

    first_s = math.sqrt(1 / 12.5)  # one request is due by then, and is sent

    def due(since_first_s: float) -> float:
        at_s = since_first_s + first_s
        ramp, plateau, slope = min(at_s, 4.0), max(0.0, min(at_s - 4, 3.0)), max(0.0, at_s - 7)
        return 12.5 * ramp**2 + 100 * plateau + 100 * slope - 80 / 3 / 2 * slope**2

    assert_rate(arrivals, due, 10 - first_s)


async def test_the_objects_of_a_seed_are_the_same_whatever_the_number_of_generators(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(
        workload(
            objects(template(tmp_path, DRAWN, "drawn.yaml"), 9, kind="jinja"),
            objects(template(tmp_path, DRAWN_IN_GO, "go.yaml"), 11, kind="go"),
            iterationCount=2,
            iterationCleanup=False,
            iterationDeletionWait=False,
        ),
        seed=7,
    )
    made = []
    for count in (1, 2, 4):
        result = await run(simulated, load, count)
        assert result.outcome is RunOutcome.PASSED, result.problems
        made.append(
            {
                item["metadata"]["name"]: item["data"]
                async for items, _ in list_pages(simulated.client, CONFIGMAPS, None)
                for item in items
            }
        )
        await simulated.empty()
    assert len(made[0]) == 40
    assert made[1] == made[0]
    assert made[2] == made[0]
