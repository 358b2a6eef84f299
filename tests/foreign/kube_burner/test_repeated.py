"""Objects whose names come again: the first is made, as kube-burner does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perfscale.errors import TemplateError
from perfscale.foreign.kube_burner.mapping.repeated import variables_in
from perfscale.templates import compile_templates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perfscale.config import Config

    Read = Callable[..., Config]
    Problems = Callable[..., list[tuple[int | None, str]]]

RUN_ID = "11111111-2222-3333-4444-555555555555"
TEMPLATES = {
    "fixed": "metadata:\n  labels:\n    name: x\n  name: fixed\ndata: {n: '{{.Iteration}}'}\n",
    "given": 'metadata:\n  name: "{{ .base }}-{{.Replica}}"\n',
    "each": 'metadata:\n  name: "{{ printf "%s-%d" .JobName .Iteration }}"\n',
    "hidden": "metadata:\n  {{- $n := .Iteration }}\n  name: x-{{ $n }}\n",
    "elsewhere": "metadata:\n  name: one\n  namespace: other\n",
}


@pytest.fixture(autouse=True)
def templates(folder: Path) -> None:
    for name, text in TEMPLATES.items():
        (folder / f"{name}.yml").write_text(f"kind: ConfigMap\napiVersion: v1\n{text}")


def create(name: str, *entries: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "kb", "objects": list(entries), **keys}


def entry(template: str, **keys: Any) -> dict[str, Any]:
    return {"objectTemplate": f"{template}.yml", **keys}


def text_of(*jobs: dict[str, Any]) -> str:
    return yaml.safe_dump({"jobs": list(jobs)}, sort_keys=False)


def made(config: Config) -> list[tuple[str, str]]:
    """The namespace and the name of everything that would be created."""
    factories = compile_templates(config, run_id=RUN_ID)
    return [
        (request.namespace or factory.namespace(iteration), request.name)
        for entries in factories
        for factory in entries
        for iteration in factory.spec.iterations_of(factory.workload.iteration_count)
        for replica in range(1, factory.spec.replicas + 1)
        for request in factory.render(iteration, replica)
    ]


def test_in_one_namespace_a_name_is_made_once(read: Read) -> None:
    entries = [entry("fixed"), entry("given", replicas=2, inputVars={"base": "g"}), entry("each")]
    config = read(text_of(create("a", *entries, jobIterations=3, namespacedIterations=False)))
    assert made(config) == [
        *[("kb", "fixed"), ("kb", "g-1"), ("kb", "g-2")],
        *[("kb", "a-0"), ("kb", "a-1"), ("kb", "a-2")],
    ]
    assert any("objects[1] is made once" in note for note in config.source.notes)
    assert not any("objects[2]" in note for note in config.source.notes)


def test_where_iterations_share_namespaces_it_is_made_once_in_each(read: Read) -> None:
    config = read(text_of(create("a", entry("fixed"), jobIterations=5, iterationsPerNamespace=2)))
    assert made(config) == [("kb-0", "fixed"), ("kb-1", "fixed"), ("kb-2", "fixed")]
    ((factory,),) = compile_templates(config, run_id=RUN_ID)
    last = [json.loads(request.body)["data"] for request in factory.render(5, 1)]
    assert last == [{"n": "4"}]


def test_a_namespace_of_its_own_is_there_once(read: Read) -> None:
    assert made(read(text_of(create("a", entry("elsewhere"), jobIterations=3)))) == [
        ("other", "one")
    ]


def test_what_an_earlier_job_made_is_left_out_of_a_later_one(read: Read) -> None:
    given = {"base": "g"}
    first = create("a", entry("given", replicas=9, inputVars=given))
    second = create("b", entry("given", replicas=3, inputVars=given), entry("each"))
    config = read(text_of(first, second))
    assert made(config)[9:] == [("kb-0", "b-0")]
    assert any("b: objects[0] is left out" in note for note in config.source.notes)
    assert [each.kube_burner.index for each in config.workloads[1].objects if each.kube_burner] == [
        1
    ]


@pytest.mark.parametrize(
    ("second", "between"),
    [
        (entry("given", replicas=3, inputVars={"base": "h"}), []),
        (
            entry("given", replicas=3, inputVars={"base": "g"}),
            [{"jobType": "delete", "name": "d"}],
        ),
    ],
    ids=["other names", "deleted"],
)
def test_what_is_new_is_made(
    read: Read, second: dict[str, Any], between: list[dict[str, Any]]
) -> None:
    first = create("a", entry("given", replicas=9, inputVars={"base": "g"}))
    target = {"kind": "ConfigMap", "labelSelector": {"a": "b"}}
    jobs = [{**each, "objects": [target]} for each in between]
    config = read(text_of(first, *jobs, create("b", second)))
    assert [len(workload.objects) for workload in config.workloads][-1] == 1
    assert len(made(config)) == 12


def test_names_that_are_not_to_be_seen_are_left_to_the_check_of_all_names(read: Read) -> None:
    jobs = create("a", entry("hidden"), jobIterations=2, namespacedIterations=False)
    assert made(read(text_of(jobs))) == [("kb", "x-0"), ("kb", "x-1")]
    both = create("b", entry("given", replicas=1, inputVars={"base": "g"}))
    more = create("c", entry("given", replicas=2, inputVars={"base": "g"}))
    with pytest.raises(TemplateError, match="would be created again"):
        made(read(text_of(both, more)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", set()),
        ("{{.JobName}}-{{ .Replica }}", {"JobName", "Replica"}),
        ('{{ printf "%d.{{x" (add .Iteration 1) }}', {"Iteration"}),
        ("{{ .vm.name | lower }}", {"vm"}),
        ("{{ randAlphaNum 4 }}", None),
        ("{{ $x }}", None),
        ("{{ . }}", None),
        ("{{ uuidv4 }}-{{.Iteration}}", None),
        ("{{" * 100_000, None),
    ],
)
def test_variables_are_those_that_a_text_depends_on(text: str, expected: set[str] | None) -> None:
    assert variables_in(text) == expected


def test_replicas_of_kinds_of_their_own_are_entries_of_their_own(read: Read, folder: Path) -> None:
    (folder / "kinds.yml").write_text(
        'kind: Thing{{ add .Replica -1 }}\napiVersion: a/v1\nmetadata:\n  name: "t-{{.Replica}}"\n'
    )
    config = read(text_of(create("a", entry("kinds", replicas=3), jobIterations=2)))
    factories = compile_templates(config, run_id=RUN_ID)[0]
    assert [factory.kinds for factory in factories] == [
        *[(("a/v1", "Thing0"),), (("a/v1", "Thing1"),), (("a/v1", "Thing2"),)]
    ]
    bodies = [json.loads(each.body) for each in factories[2].render(2, 1)]
    assert bodies[0]["metadata"]["name"] == "t-3"
    assert bodies[0]["metadata"]["labels"]["kube-burner.io/replica"] == "3"


def test_a_line_of_nothing_but_braces_is_read_in_no_time(read: Read, folder: Path) -> None:
    (folder / "braces.yml").write_text("kind: A\nmetadata:\n  name: " + "{{" * 500_000 + "\n")
    assert read(text_of(create("a", entry("braces"), jobIterations=2))).workloads


def test_too_many_kinds_are_refused(problems: Problems, folder: Path) -> None:
    (folder / "kinds.yml").write_text(
        'kind: Thing{{ .Replica }}\napiVersion: a/v1\nmetadata:\n  name: "t-{{.Replica}}"\n'
    )
    ((line, message),) = problems(text_of(create("a", entry("kinds", replicas=201))))
    assert line is not None
    assert "more than 200 replicas has a kind of its own" in message
