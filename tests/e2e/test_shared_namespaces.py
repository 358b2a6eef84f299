from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from clusters import ClusterUnderTest, MemorySink
from workloads import config, objects, template, workload

from perfscale.kube.resources import NAMESPACES
from perfscale.results import RunOutcome

JSON_DECODER = msgspec.json.Decoder(dict[str, Any])
CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ iteration }}-{{ replica }}
"""


async def test_iterations_share_namespaces_that_carry_what_the_file_says(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    load = workload(
        objects(template(tmp_path, CONFIGMAP), 2),
        iterationCount=5,
        namespacedIterations=True,
        iterationsPerNamespace=2,
        iterationCleanup=False,
        iterationDeletionWait=False,
        namespaceLabels={"team": "blue"},
        namespaceAnnotations={"note": "of the test"},
    )
    sink = MemorySink()
    result = await simulated.run(config(load), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    places = Counter((each.namespace, each.iteration) for each in sink.objects)
    assert places == {
        (f"density-{number}", iteration): 2
        for iteration, number in enumerate([1, 1, 2, 2, 3], start=1)
    }
    assert result.namespaces.created == 3
    found = await simulated.names(NAMESPACES, selector="team=blue")
    assert found == ["density-1", "density-2", "density-3"]
    metadata = (await simulated.client.read(JSON_DECODER, NAMESPACES.path(name="density-3")))[
        "metadata"
    ]
    assert metadata["annotations"]["note"] == "of the test"


async def test_a_namespace_that_iterations_share_is_made_again_where_each_is_cleaned_up(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = workload(
        objects(template(tmp_path, CONFIGMAP), 2),
        iterationCount=3,
        namespacedIterations=True,
        iterationsPerNamespace=2,
    )
    result = await cluster.run(config(load))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.namespaces.created == result.namespaces.deleted == 3
