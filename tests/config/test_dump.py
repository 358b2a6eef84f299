from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfscale.config import Config, dump_config

if TYPE_CHECKING:
    from collections.abc import Callable


def _config(**keys: Any) -> Config:
    workload = {"name": "a", "objects": [{"templateFile": "t.yaml"}], **keys}
    return Config.model_validate({"workloads": [workload]})


def test_a_dump_has_every_default_as_one_would_write_it() -> None:
    assert dump_config(_config(maxWaitTimeout="90s", qps=20)) == (
        "globalConfig:\n"
        "  qps: 0\n"
        "  burst: 0\n"
        "  maxInFlight: 256\n"
        "  thresholds: []\n"
        "  preloadImages: false\n"
        "  preloadTimeout: 10m\n"
        "  cleanup: false\n"
        "  clusterHealth: false\n"
        "  hooks: []\n"
        "  attribution:\n"
        "    objects: 20\n"
        "    after: 5s\n"
        "    factor: 2\n"
        "    requestsPerSecond: 10\n"
        "workloads:\n"
        "- name: a\n"
        "  operation: create\n"
        "  iterationCount: 1\n"
        "  iterationInterval: 0s\n"
        "  iterationCreationWait: false\n"
        "  workloadCreationWait: false\n"
        "  workloadCleanup: false\n"
        "  iterationCleanup: false\n"
        "  iterationDeletionWait: false\n"
        "  namespacedIterations: false\n"
        "  numberedNamespaces: true\n"
        "  iterationsPerNamespace: 1\n"
        "  namespaceLabels: {}\n"
        "  namespaceAnnotations: {}\n"
        "  maxWaitTimeout: 1m30s\n"
        "  qps: 20\n"
        "  burst: 0\n"
        "  arrival: constant\n"
        "  stages: []\n"
        "  spread: 0s\n"
        "  duration: 0s\n"
        "  background: false\n"
        "  waitWhenFinished: 0s\n"
        "  thresholds: []\n"
        "  hooks: []\n"
        "  preloadImages: false\n"
        "  objects:\n"
        "  - templateFile: t.yaml\n"
        "    replicas: 1\n"
        "    once: false\n"
        "    everyIterations: 1\n"
        "    churn: true\n"
        "    inputVars: {}\n"
    )


SCALARS = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["1.20", "010", "yes", "1e3", "0x10", "0o7", "~", "2024-01-01", "a // b"])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    variables=st.dictionaries(st.sampled_from(["x", "y", "containerTag"]), VALUES),
    qps=st.floats(0, 1_000_000),
    nanoseconds=st.integers(1, 10**15),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_dumped_loads_again_as_the_same(
    variables: dict[str, Any], qps: float, nanoseconds: int, load: Callable[..., Config]
) -> None:
    config = _config(
        qps=qps,
        maxWaitTimeout=f"{nanoseconds}ns",
        objects=[{"templateFile": "t.yaml", "inputVars": variables}],
    )
    assert load(dump_config(config).encode()) == config
