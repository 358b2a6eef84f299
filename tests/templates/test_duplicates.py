"""Objects that would be created twice are found before the first is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perfscale.errors import TemplateError

if TYPE_CHECKING:
    from template_folder import Folder

BOTH = {"iterationCleanup": True, "iterationDeletionWait": True}


def named(name: str, *lines: str) -> str:
    return "\n".join(
        ["apiVersion: v1", "kind: ConfigMap", "metadata:", f"  name: {name}", *lines, ""]
    )


@pytest.mark.parametrize(
    ("name", "way"), [("a", "{{ replica }}"), ("a{{.iteration}}", "{{.replica}}")]
)
@pytest.mark.parametrize("replicas", [2, 5000])
def test_a_name_without_the_replica_is_told_at_its_line(
    folder: Folder, name: str, way: str, replicas: int
) -> None:
    path = folder.template(named(name))
    (problem,) = folder.problems(folder.entry(replicas=replicas))
    assert (problem.file, problem.line) == (str(path), 4)
    assert "for replica 1 and for replica 2" in problem.message
    assert f"put {way} in its name" in problem.message


def test_a_name_that_wraps_around_is_found_in_a_small_workload(folder: Folder) -> None:
    folder.template(named("a-{{ replica % 30 }}"))
    (problem,) = folder.problems(folder.entry(replicas=40))
    assert "for replica 1 and for replica 31" in problem.message


def test_two_documents_of_one_name_are_told(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}") + "---\n" + named("a-{{ replica }}"))
    (problem,) = folder.problems()
    assert (problem.line, "stands twice in this template" in problem.message) == (9, True)


def test_two_entries_of_one_template_are_told_at_the_second(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    (problem,) = folder.problems(folder.entry(), folder.entry())
    assert problem.path == "workloads[0].objects[1]"
    assert "ConfigMap density-1/a-1 is also made by objects[0]" in problem.message


def test_other_kinds_and_other_namespaces_are_no_duplicates(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    folder.template(named("a-{{ replica }}").replace("ConfigMap", "Secret"), "b.yaml")
    entries = [folder.entry(), folder.entry("b.yaml"), folder.entry(namespace="other")]
    assert len(folder.compile(*entries)[0]) == 3


def test_iterations_that_leave_their_objects_must_differ(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    (problem,) = folder.problems(iterationCount=3)
    assert problem.path == "workloads[0].objects[0]"
    assert "in iteration 1 and again in iteration 2" in problem.message
    assert "set namespacedIterations, or put {{ iteration }} in its name" in problem.message


def test_cleanup_that_is_not_waited_for_is_not_enough(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    assert folder.problems(iterationCount=3, iterationCleanup=True)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("a-{{ replica }}", BOTH),
        ("a-{{ replica }}", {"namespacedIterations": True}),
        ("a-{{ replica }}-{{ iteration }}", {}),
    ],
)
def test_iterations_may_repeat_what_is_gone_or_elsewhere(
    folder: Folder, name: str, keys: dict[str, Any]
) -> None:
    folder.template(named(name))
    assert folder.compile(iterationCount=3, **keys)


def test_a_fixed_namespace_is_the_same_in_every_iteration(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}", "  namespace: fixed"))
    (problem,) = folder.problems(iterationCount=2, namespacedIterations=True)
    assert "ConfigMap fixed/a-1" in problem.message
    assert "set namespacedIterations" not in problem.message


def test_a_cluster_scoped_kind_is_the_same_in_every_namespace(folder: Folder) -> None:
    folder.template(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata:\n  name: a-{{ replica }}\n"
    )
    (problem,) = folder.problems(iterationCount=2, namespacedIterations=True)
    assert "StorageClass a-1 would" in problem.message


def test_what_a_workload_leaves_behind_must_not_be_made_again(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    entry = folder.entry(namespace="same")
    workloads: list[dict[str, Any]] = [
        {"name": "first", "objects": [entry]},
        {"name": "second", "objects": [entry], **BOTH},
    ]
    (problem,) = folder.problems_of_all(*workloads)
    assert problem.path == "workloads[1].objects[0]"
    assert "left behind by the workload 'first'" in problem.message


def test_workloads_that_clean_up_may_repeat_one_another(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    entry = folder.entry(namespace="same")
    workloads = [{"name": name, "objects": [entry], **BOTH} for name in ("first", "second")]
    assert len(folder.compile_all(*workloads)) == 2


def test_duplicates_and_broken_templates_come_at_once(folder: Folder) -> None:
    folder.template(named("a"))
    folder.template("{{ x", "b.yaml")
    assert len(folder.problems(folder.entry(), folder.entry("b.yaml"))) == 2


def test_what_a_workload_in_the_background_makes_is_made_by_no_later_one(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    entry = folder.entry(namespace="shared")
    first = {"name": "first", "objects": [entry], **BOTH}
    second = {"name": "second", "objects": [entry]}
    folder.compile_all(first, second)
    with pytest.raises(TemplateError, match="by the workload 'first' at the same time"):
        folder.compile_all({**first, "background": True}, second)


def test_what_comes_again_after_some_iterations_is_found(folder: Folder) -> None:
    folder.template(named("a-{{ replica }}"))
    often = {**folder.entry(replicas=5000), "everyIterations": 3}
    (problem,) = folder.problems(often, iterationCount=7)
    assert "in iteration 1 and again in iteration 4" in problem.message
    assert folder.compile({**folder.entry(), "once": True}, iterationCount=7)


CHURN: dict[str, Any] = {"iterationCreationWait": True, "churn": {"count": 1, "rounds": 2}}


@pytest.mark.parametrize("replicas", [1, 3, 5000])
def test_what_churn_creates_anew_must_have_another_name(folder: Folder, replicas: int) -> None:
    path = folder.template(named("a-{{ [replica, 1] | min }}" if replicas == 1 else "a"))
    problems = folder.problems(folder.entry(replicas=replicas), **CHURN)
    assert [problem.file for problem in problems] == [str(path)]
    if replicas == 1:
        message = problems[0].message
        assert "churn would create ConfigMap density-1/a-1 anew while it may be there" in message
        assert "put {{ replica }} in its name, or set once of the entry" in message


def test_what_is_made_once_may_have_any_name_beside_churn(folder: Folder) -> None:
    folder.template(named("shared"))
    folder.template(named("a-{{ replica }}"), "b.yaml")
    shared = {**folder.entry(replicas=1), "once": True}
    assert len(folder.compile(shared, folder.entry("b.yaml"), **CHURN)[0]) == 2
