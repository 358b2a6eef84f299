from __future__ import annotations

from collections.abc import Callable

import pytest

from perfscale.config import Config, dump_config
from perfscale.config.sections.namespaces import namespace_manifest
from perfscale.errors import ConfigError

TEXT = """\
workloads:
  - name: a
    iterationCount: 12
    {keys}
    objects: [{{templateFile: t.yaml}}]
"""


def test_so_many_iterations_share_a_namespace(load: Callable[..., Config]) -> None:
    text = TEXT.format(keys="namespacedIterations: true\n    iterationsPerNamespace: 5")
    (workload,) = load(text).workloads
    names = [workload.namespace_for(workload.objects[0], number) for number in (1, 5, 6, 10, 11)]
    assert names == ["a-1", "a-1", "a-2", "a-2", "a-3"]


def test_the_longest_name_of_a_namespace_is_that_of_the_last_one(
    load: Callable[..., Config],
) -> None:
    name = "a" * 61
    text = TEXT.format(keys="namespacedIterations: true\n    iterationsPerNamespace: 2")
    assert load(text.replace("name: a", f"name: {name}")).workloads[0].name == name


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("iterationsPerNamespace: 2", "all iterations share one namespace without"),
        ("namespaceLabels: {perfscale/workload: mine}", "is the run's own label"),
        ("namespaceLabels: {team: two words}", '"two words" is no value of a label'),
        ("namespaceLabels: {'a b': c}", '"a b" is no key of a label or an annotation'),
        ("namespaceLabels: {version: 3}", "not a text: write it in quotes"),
        ("namespaceAnnotations: [a]", "is not a mapping of keys to texts"),
        ("namespaceAnnotations: {on: 2}", "write it in quotes"),
    ],
)
def test_what_a_namespace_could_not_carry_is_refused(
    load: Callable[..., Config], keys: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(TEXT.format(keys=keys))
    (problem,) = refused.value.problems
    assert problem.line == 4
    assert message in problem.message


def test_labels_and_annotations_stand_in_the_manifest_and_in_what_is_written(
    load: Callable[..., Config],
) -> None:
    keys = "namespaceLabels: {example.org/team: blue}\n    namespaceAnnotations: {note: 'a: b'}"
    config = load(TEXT.format(keys=keys))
    assert load(dump_config(config)) == config
    manifest = namespace_manifest("a-1", config.workloads[0], {"run": "x"})
    assert manifest["metadata"] == {
        "name": "a-1",
        "labels": {"example.org/team": "blue", "run": "x"},
        "annotations": {"note": "a: b"},
    }


def test_only_what_creates_makes_namespaces(load: Callable[..., Config]) -> None:
    text = """\
workloads:
  - name: a
    operation: list
    targets: {kind: Pod, apiVersion: v1}
    namespaceLabels: {a: b}
"""
    with pytest.raises(ConfigError, match="only create takes this key"):
        load(text)
