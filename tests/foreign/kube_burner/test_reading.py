"""A configuration is rendered and decoded as kube-burner does it, at the lines of its file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from perfscale.config.writing import dump_config
from perfscale.errors import ConfigError
from perfscale.foreign import load_config
from perfscale.foreign.kube_burner import is_kube_burner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perfscale.config import Config

    Read = Callable[..., Config]
    Problems = Callable[..., list[tuple[int | None, str]]]

JOB = """\
---
global: {gc: false}
jobs:
  - name: density
    namespace: kb
    jobIterations: 3
    objects:
      - objectTemplate: pod.yml
        replicas: 2
        inputVars: {image: pause}
"""


def test_a_file_is_rendered_with_user_data_before_the_environment(read: Read, folder: Path) -> None:
    text = JOB.replace("3", "{{ add .ITERATIONS 1 }}").replace(
        "namespace: kb", "namespace: {{.NS}}"
    )
    (folder / "user.json").write_text(json.dumps({"ITERATIONS": 4}))
    environment = {"ITERATIONS": "9", "NS": "from-env"}
    (job,) = read(text, user_data=folder / "user.json", environment=environment).workloads
    assert job.iteration_count == 5
    assert job.namespace_for(job.objects[0], 1) == "from-env-0"


def test_the_run_is_known_to_the_text(read: Read) -> None:
    text = JOB.replace("image: pause", 'image: "pause:{{.UUID}}"')
    (job,) = read(text).workloads
    assert job.objects[0].input_vars["image"] == "pause:11111111-2222-3333-4444-555555555555"


def test_variables_that_nobody_gives_are_listed_at_their_lines(problems: Problems) -> None:
    text = JOB.replace("3", "{{ .ITERATIONS }}").replace("image: pause", "image: {{ .IMAGE }}")
    found = problems(text)
    assert [line for line, _ in found] == [6, 10]
    assert found[0][1].startswith("the variable ITERATIONS is not defined: give it by --user-data")


def test_the_environment_is_not_seen_unless_it_is_allowed(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    ((line, message),) = problems(JOB.replace("image: pause", 'image: "{{ env `SECRET` }}"'))
    assert (line, "--allow-env" in message, "hunter2" in message) == (10, True, False)


def test_a_missing_variable_is_nothing_where_that_is_allowed(read: Read) -> None:
    text = JOB.replace("jobIterations: 3", "jobIterations: {{ default 7 .ITERATIONS }}")
    (job,) = read(text, allow_missing=True).workloads
    assert job.iteration_count == 7


def test_lines_are_those_of_the_file_and_not_of_what_it_renders_to(problems: Problems) -> None:
    text = JOB.replace(
        "jobs:\n", "{{ range until 5 }}\n# line {{ . }}\n{{ end }}\njobs:\n"
    ).replace("replicas: 2", "replicas: many")
    ((line, message),) = problems(text)
    assert line == 12
    assert "many" in message


def test_yaml_that_is_wrong_is_reported_at_the_line_of_the_file(problems: Problems) -> None:
    wrong = JOB.replace("    jobIterations: 3", "   jobIterations: 3")
    ((plain, message),) = problems(wrong)
    assert "indented" in message
    ((line, again),) = problems(wrong.replace("---\n", "---\n{{- if true }}\n\n{{- end }}\n"))
    assert plain is not None
    assert line == plain + 3
    assert f"(line {plain} of what the file renders to)" in again


def test_unknown_keys_are_refused_with_the_nearest(problems: Problems) -> None:
    text = JOB.replace("jobIterations: 3", "jobIteration: 3").replace("replicas", "Replicas")
    assert problems(text) == [
        (6, "there is no such key; did you mean jobIterations?"),
        (9, "there is no such key; did you mean replicas?"),
    ]


@pytest.mark.parametrize(
    ("key", "accepted"),
    [("300ms", True), ("0s", True), ("1h30m", True), ("0", False), ("5", False), ("5d", False)],
)
def test_durations_have_their_unit(read: Read, key: str, accepted: bool) -> None:
    text = JOB.replace("jobIterations: 3", f"jobIterationDelay: {key}")
    if accepted:
        read(text)
        return
    with pytest.raises(ConfigError) as refused:
        read(text)
    assert refused.value.problems[0].line == 6


def test_a_text_takes_any_scalar_as_it_is_written(read: Read) -> None:
    labels = "namespaceLabels: {a: false, b: 1.20, c: 010}\n    namespace: kb"
    (job,) = read(JOB.replace("namespace: kb", labels)).workloads
    assert dict(job.namespace_labels) == {"a": "false", "b": "1.20", "c": "010"}


def test_variables_of_templates_keep_the_type_that_yaml_gives(read: Read) -> None:
    text = JOB.replace(
        "{image: pause}", "{image: pause, n: 3, flag: yes, list: [1, a], replica: x}"
    )
    (job,) = read(text).workloads
    expected = {"image": "pause", "n": 3, "flag": True, "list": [1, "a"], "replica": "x"}
    assert job.objects[0].input_vars == expected


def test_keys_without_a_value_have_their_defaults(read: Read) -> None:
    text = JOB.replace("jobs:", "metricsEndpoints:\njobs:").replace("gc: false", "gc: ")
    (job,) = read(text.replace("jobIterations: 3", "churnConfig: {cycles: }")).workloads
    assert job.churn is None
    assert job.iteration_count == 1


def test_only_the_first_document_counts(read: Read) -> None:
    assert len(read(f"{JOB}\n---\njobs: 3\n").workloads) == 1


def test_values_are_set_by_paths_with_points(read: Read) -> None:
    config = read(JOB, ["jobs.0.jobIterations=8,jobs.0.qps=2.5", "global.gc=t"])
    assert (config.workloads[0].iteration_count, config.workloads[0].qps) == (8, 2.5)
    assert config.global_config.cleanup


def test_what_cannot_be_set_is_the_problem_of_the_option(read: Read) -> None:
    with pytest.raises(ConfigError) as refused:
        read(JOB, ["jobs.3.qps=5"])
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == ("--set", None)
    assert "the list has 1 elements" in problem.message


def test_our_own_options_change_the_workloads(read: Read) -> None:
    config = read(JOB, ["workloads[0].objects[0].replicas=9"])
    assert config.workloads[0].objects[0].replicas == 9


def test_what_is_read_is_written_as_a_workload_file_that_is_the_same(
    read: Read, folder: Path
) -> None:
    config = read(JOB)
    (folder / "ours.yaml").write_text(dump_config(config))
    assert load_config("ours.yaml") == config


def test_a_workload_file_with_a_list_named_jobs_in_it_is_ours() -> None:
    assert not is_kube_burner("workloads:\n- name: a\njobs: []\n")
    assert not is_kube_burner("apiVersion: batch/v1\njobs: 1\n")
    assert is_kube_burner("{{ if .x }}\njobs:\n{{ end }}")


@pytest.mark.parametrize("override", [f"jobs.{'9' * 5000}.qps=5", f"jobs.0.burst={'9' * 5000}"])
def test_an_endless_number_is_the_problem_of_the_option_too(read: Read, override: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(JOB, [override])
    assert {each.file for each in refused.value.problems} == {"--set"}


@pytest.mark.parametrize(
    "value", ["2020-13-45", "9" * 5000, "[" * 3000 + "]" * 3000, "{ ? [a] : 1 }"]
)
def test_a_template_whose_values_are_none_without_its_actions_is_read(
    read: Read, folder: Path, value: str
) -> None:
    pod = folder / "pod.yml"
    pod.write_text(f"{pod.read_text()}data: {{a: {value}}}\n")
    assert len(read(JOB).workloads) == 1


def test_a_kind_that_aliases_make_larger_than_memory_is_not_written_out(
    read: Read, folder: Path
) -> None:
    bomb = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    pod = folder / "pod.yml"
    without_kind = pod.read_text().replace("kind: Pod", "kind: *a11")
    pod.write_text(f"a0: &a0 [x]\n{bomb}{without_kind}")
    assert len(read(JOB).workloads) == 1


def test_a_name_that_no_file_can_have_is_a_problem_at_its_line(problems: Problems) -> None:
    ((line, message),) = problems(JOB.replace("pod.yml", "a" * 300))
    assert line == JOB[: JOB.index("pod.yml")].count("\n") + 1
    assert "there is no file" in message


def test_a_command_may_be_longer_than_the_name_of_a_file(read: Read) -> None:
    hook = f"hooks: [{{when: beforeJobExecution, cmd: [{'a' * 300}]}}]"
    (job,) = read(JOB.replace("jobIterations:", f"{hook}\n    jobIterations:")).workloads
    assert job.hooks[0].run == ("a" * 300,)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/hostname", "this is outside of the workload file's folder"),
        ("sub/../../f.tpl", "this is outside of the workload file's folder"),
        ("http://elsewhere/f.tpl", "templates are not fetched from elsewhere"),
        ("nope.tpl", "there is no file nope.tpl beside this file"),
        ("a" * 300, "beside this file"),
    ],
)
def test_functions_are_read_from_the_folder_of_the_file_alone(
    problems: Problems, name: str, message: str
) -> None:
    text = f"""\
        global:
          functionTemplates: [{name}]
        jobs:
        - {{name: a, namespace: kb, objects: [{{objectTemplate: pod.yml}}]}}
        """
    (found,) = problems(text)
    assert found[0] == 2
    assert message in found[1]


def test_what_is_no_list_is_refused_in_words(problems: Problems) -> None:
    assert problems("jobs: {name: a}\n") == [
        (1, "this is no list: begin each of its items with a dash")
    ]


def test_a_number_out_of_bounds_is_refused_with_the_bound(problems: Problems) -> None:
    text = "jobs:\n- {name: a, jobIterations: 100000000000, objects: [{objectTemplate: pod.yml}]}\n"
    ((_, message),) = problems(text)
    assert message.endswith("100000000000 is not a number up to 10,000,000")


def test_a_list_is_not_set_to_one_value(read: Read) -> None:
    with pytest.raises(ConfigError, match="jobs: this is a list: set what is in its items"):
        read("jobs: [{name: a}]\n", ["jobs=3"])


def test_an_empty_file_may_become_one_of_either_kind(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("# nothing yet\n")
    with pytest.raises(ConfigError, match="the key workloads, or jobs where it is kube-burner's"):
        load_config(tmp_path / "empty.yml")
