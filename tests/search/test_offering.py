"""Whether a search of rates offers them, before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from searches import workload

from perfscale.errors import ConfigError
from perfscale.search import Circumstances, OpenedSearch, SearchPlan, Varied, begin_search
from perfscale.templates.first_workload import FirstWorkload


def begin(file: Path, start: float, end: float | None = None, vary: str = "qps") -> OpenedSearch:
    results = file.parent / "results"
    return begin_search(Varied(file, (), vary), SearchPlan(start, end), results, Circumstances())


@pytest.mark.parametrize(
    ("keys", "start", "end", "place"),
    [
        ({"burst": 0}, 5, 200, r":\d+:\d+: workloads\[0\].objects\[0\].replicas: at 200/s"),
        ({"burst": 0}, 100, None, r":\d+:\d+: workloads\[0\].objects\[0\].replicas: at 100/s"),
        ({"burst": 100}, 5, None, r":\d+:\d+: workloads\[0\].burst: at 5/s"),
    ],
)
def test_a_rate_that_fewer_objects_than_its_burst_never_offer_is_refused_with_its_line(
    tmp_path: Path, keys: dict[str, Any], start: float, end: float | None, place: str
) -> None:
    file = workload(tmp_path, **keys)
    with pytest.raises(ConfigError, match=f"workload.yaml{place} the rate is never") as caught:
        begin(file, start, end)
    assert "no more objects than its burst" in str(caught.value)
    assert "burst: 1" in str(caught.value.hint)
    assert "replicas" in str(caught.value.hint)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("keys", "vary"),
    [
        ({"burst": 0}, "maxInFlight"),
        ({"burst": 500, "qps": 5}, "replicas"),
        ({"burst": 99}, "qps"),
        ({"burst": 0, "arrival": "poisson", "qps": 5}, "qps"),
        ({"burst": 500, "iterationCount": 6, **dict.fromkeys(
            ("iterationCreationWait", "iterationCleanup", "iterationDeletionWait"), False
        )}, "workloads[0].qps"),
    ],
)  # fmt: skip
def test_what_offers_its_rate_or_varies_none_is_not_refused(
    tmp_path: Path, keys: dict[str, Any], vary: str
) -> None:
    assert begin(workload(tmp_path, **keys), 5, 200, vary).document.steps == []


def test_templates_that_make_several_objects_are_counted_with_all_of_them(tmp_path: Path) -> None:
    one = "apiVersion: v1\nkind: {}\nmetadata: {{name: 'a-{{{{ replica }}}}'}}\n"
    (tmp_path / "two.yaml").write_text(
        one.format("ConfigMap") + "---\n" + one.format("ServiceAccount")
    )
    keys: dict[str, Any] = {"objects": [{"templateFile": "two.yaml", "replicas": 100}], "burst": 0}
    file = tmp_path / "workload.yaml"
    threshold = {"metric": "failed", "max": 0}
    file.write_text(repr({"workloads": [{"name": "two", "thresholds": [threshold], **keys}]}))
    assert begin(file, 150).document.steps == []
    with pytest.raises(ConfigError, match="200 at once"):
        begin(file, 200)


def test_the_first_workload_file_can_be_searched(tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    file.write_text(FirstWorkload(ready_within="1m").text(), encoding="utf-8")
    assert begin(file, 5, 200).document.steps == []
