"""How many objects a workload asks for, whatever in its file makes them fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perfscale.templates import count_objects, objects_of_iteration, sure_replicas

if TYPE_CHECKING:
    from template_folder import Factories, Folder

MAP = ("v1", "ConfigMap")
SECRET = ("v1", "Secret")
PAIR = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: 'map-{{ iteration }}-{{ replica }}'}
---
apiVersion: v1
kind: Secret
metadata: {name: 'secret-{{ iteration }}-{{ replica }}'}
"""
ALONE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: 'alone-{{ iteration }}-{{ replica }}'}
"""


def compiled(folder: Folder, *, alone: dict[str, Any] | None = None, **keys: Any) -> Factories:
    folder.template(PAIR, "pair.yaml")
    folder.template(ALONE, "alone.yaml")
    pair = folder.entry("pair.yaml", replicas=10)
    return folder.compile(pair, {**folder.entry("alone.yaml", 4), **(alone or {})}, **keys)


def test_all_replicas_of_all_iterations_count(folder: Folder) -> None:
    (factories,) = compiled(folder, iterationCount=3)
    assert count_objects(factories) == {MAP: 42, SECRET: 30}


@pytest.mark.parametrize(
    ("alone", "counts"),
    [({"once": True}, [14, 10, 10, 10, 10]), ({"everyIterations": 2}, [14, 10, 14, 10, 14])],
)
def test_objects_that_not_every_iteration_has_count_where_they_come(
    folder: Folder, alone: dict[str, Any], counts: list[int]
) -> None:
    (factories,) = compiled(folder, alone=alone, iterationCount=5)
    assert [objects_of_iteration(factories, n)[MAP] for n in range(1, 6)] == counts
    assert count_objects(factories)[MAP] == sum(counts)


@pytest.mark.parametrize(
    ("due", "maps", "secrets", "sure"),
    [(5, 3, 2, [2, 0]), (20, 10, 10, [10, 0]), (22, 12, 10, [10, 2]), (500, 14, 10, [10, 4])],
)
def test_of_a_load_that_ends_by_its_time_the_last_templates_are_left_out_first(
    folder: Folder, due: int, maps: int, secrets: int, sure: list[int]
) -> None:
    (factories,) = compiled(folder, qps=due, burst=1, duration="1s")
    assert objects_of_iteration(factories, 1) == {MAP: maps, SECRET: secrets}
    assert list(sure_replicas(factories, 1).values()) == sure


def test_of_random_arrivals_no_replica_is_sure(folder: Folder) -> None:
    (factories,) = compiled(folder, qps=5, arrival="poisson", duration="1s")
    assert set(sure_replicas(factories, 1).values()) == {0}
