"""Jobs that create: what each of their keys becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perfscale.errors import TemplateError
from perfscale.templates import compile_workloads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perfscale.config import Config

    Read = Callable[..., Config]
    Problems = Callable[..., list[tuple[int | None, str]]]

ENTRY = {"objectTemplate": "pod.yml", "inputVars": {"image": "pause"}}
STEPS = {"startIterations": 2, "totalIterations": 6, "pattern": {"linear": {"minSteps": 3}}}


def job(*entries: dict[str, Any], **keys: Any) -> str:
    base = {"name": "density", "namespace": "kb", "objects": list(entries) or [ENTRY]}
    return yaml.safe_dump({"jobs": [{**base, **keys}]}, sort_keys=False)


def test_a_job_has_that_programs_defaults(read: Read) -> None:
    (made,) = read(job()).workloads
    assert (made.name, made.iteration_count, made.qps, made.burst) == ("density", 1, 5, 10)
    assert (made.max_wait_timeout, made.workload_creation_wait) == (4 * 3600, True)
    assert not made.iteration_creation_wait
    assert made.preload_images
    assert made.kube_burner is not None
    assert made.kube_burner.job == "density"


def test_namespaces_count_from_0(read: Read) -> None:
    (made,) = read(job(jobIterations=6, iterationsPerNamespace=2)).workloads
    names = [made.namespace_for(made.objects[0], number) for number in range(1, 7)]
    assert names == ["kb-0", "kb-0", "kb-1", "kb-1", "kb-2", "kb-2"]


def test_one_namespace_has_no_number(read: Read) -> None:
    (made,) = read(job(jobIterations=6, namespacedIterations=False)).workloads
    assert made.namespace_for(made.objects[0], 6) == "kb"


@pytest.mark.parametrize(
    ("keys", "iteration", "workload"),
    [
        ({}, False, True),
        ({"podWait": True}, False, True),
        ({"podWait": True, "waitWhenFinished": False}, True, False),
        ({"waitWhenFinished": False}, False, False),
    ],
)
def test_waits_are_at_the_end_or_in_each_iteration(
    read: Read, keys: dict[str, Any], iteration: bool, workload: bool
) -> None:
    (made,) = read(job(**keys)).workloads
    assert made.iteration_creation_wait is iteration
    assert made.workload_creation_wait is workload


def test_the_last_delay_and_the_pause_come_after_the_job(read: Read) -> None:
    (made,) = read(job(jobIterationDelay="2s", jobPause="3s")).workloads
    assert (made.iteration_interval, made.wait_when_finished) == (2, 5)


def test_rates_of_nothing_are_the_defaults(read: Read) -> None:
    (made,) = read(job(qps=0, burst=-1)).workloads
    assert (made.qps, made.burst) == (5, 10)


def test_entries_know_where_their_documents_stand_in_the_job(read: Read, folder: Path) -> None:
    two = "{{/* c */}}\n---\nkind: A\nname: {{ .x }}\n---\n# nothing\n---\nkind: B\n"
    (folder / "two.yml").write_text(two)
    entries: list[dict[str, Any]] = [
        {"objectTemplate": "two.yml"},
        {**ENTRY, "replicas": 0},
        ENTRY,
        ENTRY,
    ]
    (made,) = read(job(*entries)).workloads
    indexes = [each.kube_burner.index for each in made.objects if each.kube_burner]
    assert indexes == [0, 2, 3]


def test_objects_are_made_once_or_in_every_second_iteration(read: Read) -> None:
    entries: list[dict[str, Any]] = [
        {**ENTRY, "runOnce": True},
        {**ENTRY, "repeatEveryNIterations": 2},
        ENTRY,
    ]
    (made,) = read(job(*entries, jobIterations=4)).workloads
    assert [list(each.iterations_of(4)) for each in made.objects] == [[1], [1, 3], [1, 2, 3, 4]]


def test_an_entry_that_is_not_waited_for_is_ready_once_created(read: Read) -> None:
    (made,) = read(job({**ENTRY, "wait": False})).workloads
    assert [str(each) for each in made.objects[0].ready_when or ()] == ["create"]


@pytest.mark.parametrize(
    ("program", "value", "form"),
    [
        ('(.conditions.[] | select(.type == "Ready")).status', "True", "condition=Ready=True"),
        ('.conditions[] | select(.type=="Ready") | .status', "True", "condition=Ready=True"),
        (
            '(.conditions[] | select(.type == "A") | .status) | ascii_downcase',
            "true",
            "condition=A=True",
        ),
        (".phase", "Bound", "jsonpath={.status.phase}=Bound"),
        (".readyToUse | tostring", "true", "jsonpath={.status.readyToUse}=true"),
        (".a.b[0].c", "x", "jsonpath={.status.a.b[0].c}=x"),
        (".ready > 2 | tostring", "true", "jq={.ready > 2 | tostring}=true"),
    ],
)
def test_the_usual_programs_of_jq_are_forms_of_kubectl_wait(
    read: Read, program: str, value: str, form: str
) -> None:
    waits = {"customStatusPaths": [{"key": program, "value": value}]}
    (made,) = read(job({**ENTRY, "waitOptions": waits})).workloads
    assert [str(each) for each in made.objects[0].ready_when or ()] == [form]


def test_churn_counts_as_that_program_does(read: Read) -> None:
    churn = {"cycles": 3, "percent": 30, "delay": "5s", "mode": "objects"}
    entries: list[dict[str, Any]] = [{**ENTRY, "replicas": 2}, ENTRY, {**ENTRY, "churn": False}]
    (made,) = read(job(*entries, jobIterations=10, churnConfig=churn)).workloads
    assert made.churn is not None
    assert (made.churn.count, made.churn.rounds, made.churn.interval) == (6 + 3, 3, 5)
    assert [each.is_churned for each in made.objects] == [True, True, False]


def test_churn_replaces_at_least_one_namespace_and_ends_at_its_first_limit(read: Read) -> None:
    churn = {"cycles": 3, "duration": "1h", "deleteDelay": "7s"}
    (made,) = read(job(jobIterations=10, churnConfig=churn)).workloads
    assert made.churn is not None
    assert (made.churn.of, made.churn.count) == ("namespaces", 1)
    assert (made.churn.rounds, made.churn.duration) == (3, 3600)
    assert made.churn.recreation_delay == 7


def test_churn_without_limits_is_none(read: Read) -> None:
    (made,) = read(job(churnConfig={"cycles": 0, "duration": "0s", "percent": 10})).workloads
    assert made.churn is None


def test_groups_come_one_after_the_other_and_delete_what_they_are_to(read: Read) -> None:
    def entry(number: int, **group: Any) -> dict[str, Any]:
        return {**ENTRY, "group": {"id": number, **group}}

    entries = [entry(2), entry(1, gc=True, pauseBeforeGC="2s", pauseAfterGC="3s"), entry(1)]
    config = read(job(*entries, jobPause="7s"))
    names = ["density-group-1", "density-group-1-gc", "density-group-2"]
    assert [each.name for each in config.workloads] == names
    first, removal, second = config.workloads
    assert [each.kube_burner.index for each in first.objects if each.kube_burner] == [1, 2]
    assert [each.wait_when_finished for each in config.workloads] == [2, 3, 7]
    assert removal.operation == "delete"
    assert removal.targets is not None
    assert removal.targets.label_selector == "kube-burner.io/job=density,kube-burner.io/index=1"
    assert removal.targets.of_run
    assert second.workload_creation_wait


def test_an_incremental_load_makes_everything_anew_in_each_step(read: Read) -> None:
    load: dict[str, Any] = {"startIterations": 5, "totalIterations": 20, "stepDelay": "2s"}
    load["pattern"] = {"type": "linear", "linear": {"minSteps": 4, "stepSize": 5}}
    workloads = read(job(incrementalLoad=load)).workloads
    assert [each.iteration_count for each in workloads] == [5, 9, 13, 17, 20]
    assert all(each.workload_cleanup for each in workloads)
    assert [each.name for each in workloads][:2] == ["density-step-1", "density-step-2"]


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        ({"linear": {"stepSize": 10}}, [5, 15, 25, 35, 45, 50]),
        ({"type": "exponential"}, [5, 25, 50]),
        ({"type": "exponential", "exponential": {"maxIncrease": 12}}, [5, 17, 29, 41, 50]),
        ({"type": "exponential", "exponential": {"warmupSteps": 3}}, [5, 10, 15, 25, 45, 50]),
    ],
)
def test_steps_grow_as_the_pattern_says(
    read: Read, pattern: dict[str, Any], steps: list[int]
) -> None:
    load = {"startIterations": 5, "totalIterations": 50, "pattern": pattern}
    workloads = read(job(incrementalLoad=load)).workloads
    assert [each.iteration_count for each in workloads] == steps


def test_a_script_looks_at_the_cluster_after_each_step(read: Read) -> None:
    load = {"startIterations": 2, "healthCheckScript": "./health.sh --deep"}
    (step,) = read(job(incrementalLoad=load)).workloads
    (hook,) = step.hooks
    assert (hook.when, hook.run) == ("afterReady", ("/bin/sh", "./health.sh", "--deep"))


def test_watchers_go_on_beside_the_job(read: Read) -> None:
    watchers = [{"kind": "Pod", "apiVersion": "v1", "labelSelector": {"a": "b"}, "replicas": 2}]
    watch, made = read(job(watchers=watchers)).workloads
    assert (watch.operation, watch.background, watch.until, watch.streams) == (
        *("watch", True),
        *(made.name, 2),
    )
    assert watch.targets is not None
    assert watch.targets.label_selector == "a=b"


def test_hooks_run_at_the_moments_that_they_are_for(read: Read) -> None:
    moments = ["beforeJobExecution", "onEachIteration", "afterJobExecution", "beforeCleanup"]
    hooks = [{"cmd": ["true", moment], "when": moment} for moment in moments]
    (made,) = read(job(hooks=[*hooks, {"cmd": ["x"], "when": "afterGC"}])).workloads
    assert [(each.when, each.run[-1]) for each in made.hooks] == [
        ("beforeWorkload", "beforeJobExecution"),
        ("afterWorkload", "afterJobExecution"),
        ("afterWorkload", "beforeCleanup"),
        ("beforeIteration", "onEachIteration"),
    ]


def test_hooks_of_iterations_do_not_run_for_the_deletion_of_a_group(read: Read) -> None:
    hook = {"cmd": ["true"], "when": "onEachIteration"}
    made, deletion = read(job({**ENTRY, "group": {"id": 1, "gc": True}}, hooks=[hook])).workloads
    assert [each.when for each in made.hooks] == ["beforeIteration"]
    assert deletion.operation == "delete"
    assert deletion.hooks == ()


def test_deletion_is_part_of_the_job_or_of_the_run(read: Read) -> None:
    text = job(gc=True).replace("jobs:", "global: {gc: true}\njobs:")
    config = read(text)
    assert config.workloads[0].workload_cleanup
    assert config.global_config.cleanup


def test_leftovers_of_others_are_deleted_only_by_consent(read: Read) -> None:
    config = read(job())
    assert any("is not deleted (--allow-foreign)" in each for each in config.source.notes)
    leftovers, made = read(job(), allow_foreign=True).workloads
    assert leftovers.operation == "delete"
    assert leftovers.targets is not None
    assert (leftovers.targets.kind, leftovers.targets.label_selector) == (
        "Namespace",
        "kube-burner.io/job=density",
    )
    assert not leftovers.targets.of_run
    assert made.name == "density"


def test_what_is_better_here_is_said_once(read: Read) -> None:
    source = read(job(), allow_foreign=True).source
    assert source.reading.startswith("kube-burner: 1 job as 2 workloads. Objects are followed by")
    assert source.reading.endswith("cleanup is of this run alone")
    assert source.notes == ()


def test_churn_of_a_job_that_waits_for_nothing_waits_first(read: Read) -> None:
    churn = {"cycles": 1, "percent": 10}
    config = read(job(churnConfig=churn, waitWhenFinished=False))
    assert config.workloads[0].workload_creation_wait
    assert "so they are waited for" in " ".join(config.source.notes)
    assert not read(job(waitWhenFinished=False)).workloads[0].workload_creation_wait


def test_what_is_not_measured_is_said_once_with_the_reason(read: Read) -> None:
    names: list[dict[str, Any]] = [
        {"name": name} for name in ("pprof", "serviceLatency", "podLatency", "podLatencie")
    ]
    names[1]["thresholds"] = [{"conditionType": "Ready", "metric": "P99", "threshold": "1s"}]
    notes = read(job(measurements=[*names, *names])).source.notes
    assert [each for each in notes if "is not measured" in each] == [
        "pprof is not measured: profiles of processes are not taken",
        "serviceLatency is not measured: nothing is sent through services and policies",
        "podLatencie is not measured: it is not known",
    ]


def test_a_template_is_looked_for_beside_the_file_and_in_the_current_folder(
    read: Read, folder: Path, problems: Problems
) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "cm.yml").write_text("kind: ConfigMap\n")
    (made,) = read(job({"objectTemplate": "elsewhere/cm.yml"})).workloads
    assert made.objects[0].template_file == "elsewhere/cm.yml"
    ((line, message),) = problems(job({"objectTemplate": "cm.yml"}))
    assert line == 5
    assert "there is no file cm.yml" in message


def test_a_program_that_is_none_is_refused_at_its_line(problems: Problems) -> None:
    waits = {"customStatusPaths": [{"key": ".phase[", "value": "x"}]}
    ((line, message),) = problems(job({**ENTRY, "waitOptions": waits}))
    assert line is not None
    assert message.startswith("this is no program of jq: syntax error")


def threshold(condition: str, metric: str = "P99") -> dict[str, Any]:
    return {"conditionType": condition, "metric": metric, "threshold": "5s"}


def test_thresholds_of_measurements_are_those_of_what_is_made(read: Read, folder: Path) -> None:
    (folder / "vm.yml").write_text("apiVersion: kubevirt.io/v1\nkind: VirtualMachine\n")
    vmi = {"name": "vmiLatency", "thresholds": [threshold("VMIRunning", "Avg")]}
    pod = {"name": "podLatency", "thresholds": [threshold("Ready"), threshold("PodScheduled")]}
    claim = {"name": "pvcLatency", "thresholds": [threshold("Bound", "Max")]}
    tree = yaml.safe_load(job(name="pods"))
    tree["jobs"] += yaml.safe_load(job({"objectTemplate": "vm.yml"}, name="vms"))["jobs"]
    tree["global"] = {"measurements": [pod, vmi, claim]}
    pods, vms = read(yaml.safe_dump(tree)).workloads
    assert [(each.metric, each.quantile, str(each.at_most)) for each in pods.thresholds] == [
        ("podReady", "p99", "5s"),
        ("podPodScheduled", "p99", "5s"),
    ]
    assert [(each.metric, each.quantile) for each in vms.thresholds] == [("vmiRunning", "mean")]


def test_thresholds_on_what_no_job_makes_are_said_to_judge_nothing(read: Read) -> None:
    vmi = {"name": "vmiLatency", "thresholds": [threshold("VMIRunning")]}
    pod = {"name": "podLatency", "thresholds": [threshold("Ready")]}
    claim = {"name": "pvcLatency", "thresholds": [threshold("Bound")]}
    tree = {
        "global": {"measurements": [pod, vmi, claim]},
        **yaml.safe_load(job(measurements=[claim])),
    }
    notes = read(yaml.safe_dump(tree)).source.notes
    nothing = "thresholds of {} judge nothing: no {} is created there"
    assert [each for each in notes if "judge nothing" in each] == [
        nothing.format("vmiLatency", "VirtualMachineInstance"),
        f"density: {nothing.format('pvcLatency', 'PersistentVolumeClaim')}",
    ]


def test_a_measurement_of_a_job_stands_in_the_place_of_the_one_for_all(read: Read) -> None:
    own = {"name": "podLatency", "thresholds": [threshold("Ready", "Max")]}
    text = job(measurements=[own])
    for_all = {"name": "podLatency", "thresholds": [threshold("Ready")]}
    tree = {"global": {"measurements": [for_all]}, **yaml.safe_load(text)}
    (made,) = read(yaml.safe_dump(tree)).workloads
    assert [each.quantile for each in made.thresholds] == ["max"]


def refusal(config: Config) -> list[str]:
    with pytest.raises(TemplateError) as refused:
        compile_workloads(config, run_id="r")
    return [each.message for each in refused.value.problems]


def test_a_variable_that_no_step_has_is_refused_once_in_the_keys_of_the_job(read: Read) -> None:
    (message,) = refusal(read(job({"objectTemplate": "pod.yml"}, incrementalLoad=STEPS)))
    way_out = "or set defaultMissingKeysWithZero: true in jobs[0]"
    assert f"set it under inputVars of jobs[0].objects[0], {way_out};" in message


def test_what_every_step_renders_to_wrongly_is_refused_once(read: Read, folder: Path) -> None:
    (folder / "pod.yml").write_text("kind: Pod\nmetadata: {name: '{{.Iteration}}'}\na: b: c\n")
    (message,) = refusal(read(job(incrementalLoad=STEPS)))
    assert message.startswith("not YAML after rendering")


def test_a_variable_that_a_patch_has_not_is_refused_once_for_all_turns(
    read: Read, folder: Path
) -> None:
    (folder / "patch.yml").write_text('{"metadata": {"labels": {"a": "{{.nosuch}}"}}}')
    entry = {"kind": "Pod", "labelSelector": {"a": "b"}, "objectTemplate": "patch.yml"}
    entry["patchType"] = "application/merge-patch+json"
    other = {**entry, "inputVars": {"nosuch": 1}}
    turns = {"jobType": "patch", "executionMode": "sequential", "jobIterations": 3}
    (message,) = refusal(read(job(other, entry, **turns)))
    assert "under inputVars of jobs[0].objects[1], or set defaultMissingKeysWithZero" in message
