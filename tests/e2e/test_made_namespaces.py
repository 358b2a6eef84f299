"""Templates that make namespaces, and objects in them."""

from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, MemorySink
from workloads import config, objects, template, workload

from perfscale.kube.resources import NAMESPACES
from perfscale.results import Accounts

pytestmark = pytest.mark.one_generator("several refuse templates that create namespaces")

TENANT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: 'map-{{ replica }}', namespace: 'tenant-{{ iteration }}-{{ replica }}'}
---
apiVersion: v1
kind: Namespace
metadata: {name: 'tenant-{{ iteration }}-{{ replica }}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: 'other-{{ replica }}'}
"""
OWN = """\
apiVersion: v1
kind: Namespace
metadata: {name: '{{ namespace }}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: 'map-{{ replica }}'}
"""


@pytest.mark.parametrize("cleanup", [{}, {"iterationCount": 2, "namespacedIterations": True}])
async def test_namespaces_come_before_what_goes_into_them_and_go_with_it(
    cleanup: dict[str, Any], cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = MemorySink()
    load = config(workload(objects(template(tmp_path, TENANT), count=20), qps=1000, **cleanup))
    result = await cluster.run(load, sink=sink)
    count = 60 * len(result.workloads[0].iterations)
    assert result.accounts == Accounts(requested=count, created=count, ready=count, deleted=count)
    assert result.problems == ()
    assert sink.children == []
    assert result.namespaces.created == result.namespaces.deleted == count // 60
    left = await cluster.names(NAMESPACES)
    assert not [name for name in left if name.startswith(("tenant-", "density-"))]


async def test_an_iteration_may_make_its_own_namespace(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = MemorySink()
    result = await cluster.run(
        config(workload(objects(template(tmp_path, OWN), count=1))), sink=sink
    )
    assert result.accounts == Accounts(requested=2, created=2, ready=2, deleted=2)
    assert (result.namespaces.created, sink.children) == (0, [])
    assert "density-1" not in await cluster.names(NAMESPACES)
