"""Jobs that delete, patch, read, and operate virtual machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perfscale.config import Config

    Read = Callable[..., Config]
    Problems = Callable[..., list[tuple[int | None, str]]]

OF_JOB = {"kube-burner.io/job": "density"}
PODS = {"kind": "Pod", "labelSelector": OF_JOB}


def job(kind: str, *entries: dict[str, Any], **keys: Any) -> str:
    base = {"name": "act", "jobType": kind, "objects": list(entries)}
    return yaml.safe_dump({"jobs": [{**base, **keys}]}, sort_keys=False)


def vms(operation: str, **entry: Any) -> dict[str, Any]:
    return {"kubeVirtOp": operation, "labelSelector": OF_JOB, **entry}


def test_a_delete_is_of_what_this_run_made_and_may_find_nothing(read: Read) -> None:
    (delete,) = read(job("delete", PODS, jobIterations=7, jobPause="2s")).workloads
    assert (delete.operation, delete.iteration_count, delete.iteration_wait) == ("delete", 1, True)
    assert delete.wait_when_finished == 2
    targets = delete.targets
    assert targets is not None
    assert (targets.kind, targets.api_version, targets.label_selector) == (
        *("Pod", "v1"),
        "kube-burner.io/job=density",
    )
    assert (targets.of_run, targets.optional) == (True, True)


def test_by_consent_a_delete_is_of_everything_that_matches(read: Read) -> None:
    (delete,) = read(job("delete", PODS), allow_foreign=True).workloads
    assert delete.targets is not None
    assert not delete.targets.of_run


def test_a_delete_that_is_not_waited_for(read: Read) -> None:
    (delete,) = read(job("delete", PODS, waitForDeletion=False)).workloads
    assert not delete.iteration_wait


def test_a_read_is_of_any_objects(read: Read) -> None:
    (reads,) = read(job("read", PODS, jobIterations=20, jobIterationDelay="1s")).workloads
    assert (reads.operation, reads.iteration_count, reads.iteration_interval) == ("get", 20, 1)
    assert reads.targets is not None
    assert not reads.targets.of_run


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("application/json-patch+json", "json"),
        ("application/merge-patch+json", "merge"),
        ("application/strategic-merge-patch+json", "strategic"),
        ("application/apply-patch+yaml", "apply"),
    ],
)
def test_a_patch_has_its_type_and_its_template(
    read: Read, folder: Path, given: str, kind: str
) -> None:
    (folder / "p.yml").write_text("metadata: {labels: {a: '{{.Iteration}}'}}")
    entry = {**PODS, "patchType": given, "objectTemplate": "p.yml", "inputVars": {"x": 1}}
    (patch,) = read(job("patch", entry, jobIterations=3)).workloads
    assert patch.patch is not None
    assert (patch.patch.type, patch.patch.template_file) == (kind, "p.yml")
    assert patch.patch.input_vars == {"x": 1}
    assert patch.iteration_count == 3


def test_entries_take_turns_in_each_iteration_where_they_are_sequential(read: Read) -> None:
    keys = {"jobIterations": 2, "objectDelay": "1s", "jobIterationDelay": "4s", "jobPause": "8s"}
    workloads = read(job("kubevirt", vms("stop"), vms("start"), **keys)).workloads
    assert [(each.name, each.operation) for each in workloads] == [
        *(("act-1", "stop"), ("act-2", "start")),
        *(("act-1-2", "stop"), ("act-2-2", "start")),
    ]
    assert [each.wait_when_finished for each in workloads] == [1, 5, 1, 13]
    first = [each.kube_burner.first_iteration for each in workloads if each.kube_burner]
    assert first == [0, 0, 1, 1]


def test_entries_come_one_after_the_other_where_they_are_parallel(read: Read, folder: Path) -> None:
    (folder / "p.yml").write_text("{}")
    entry = {**PODS, "patchType": "application/merge-patch+json", "objectTemplate": "p.yml"}
    workloads = read(job("patch", entry, entry, jobIterations=5, jobIterationDelay="3s")).workloads
    assert [(each.name, each.iteration_count) for each in workloads] == [("act-1", 5), ("act-2", 5)]
    assert [each.iteration_interval for each in workloads] == [0, 0]


def test_operations_of_kubevirt_have_their_options(read: Read) -> None:
    entries = [
        vms("start", inputVars={"startPaused": True}),
        vms("stop", inputVars={"force": "true"}),
        vms("restart"),
        vms("migrate", wait=False),
        vms("add-volume", inputVars={"volumeName": "data", "cache": "none", "diskType": "lun"}),
        vms("remove-volume", inputVars={"volumeName": "data", "persist": True}),
    ]
    start, stop, restart, migrate, add, remove = read(job("kubevirt", *entries)).workloads
    assert start.paused
    assert (stop.grace_period, restart.grace_period) == (0, None)
    assert (migrate.done_when_answered, migrate.iteration_wait) == (True, False)
    assert add.volume == {
        "name": "data",
        "disk": {"lun": {"bus": "scsi"}, "serial": "data", "cache": "none"},
        "volumeSource": {"persistentVolumeClaim": {"claimName": "data"}},
    }
    assert add.targets is not None
    assert add.targets.kind == "VirtualMachineInstance"
    assert remove.targets is not None
    assert (remove.targets.kind, remove.volume) == ("VirtualMachine", {"name": "data"})


def test_what_a_patch_waits_for_is_what_makes_it_done(read: Read, folder: Path) -> None:
    (folder / "p.yml").write_text("{}")
    waits = {"customStatusPaths": [{"key": ".phase", "value": "Running"}]}
    entry = {**PODS, "patchType": "application/merge-patch+json", "objectTemplate": "p.yml"}
    (patch,) = read(job("patch", {**entry, "waitOptions": waits})).workloads
    assert [str(each) for each in patch.done_when or ()] == ["jsonpath={.status.phase}=Running"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (job("delete", {"kind": "Pod"}), 5, "an entry needs a labelSelector"),
        (job("delete", {"labelSelector": OF_JOB}), 5, "needs the kind that it is for"),
        (job("kubevirt", vms("reboot")), 5, "kubeVirtOp has to be one of start"),
        (job("kubevirt", vms("add-volume")), 5, "inputVars needs the volumeName"),
        (job("patch", PODS), 5, "patchType has to be one of"),
        (job("read", PODS, PODS, jobIterations=900), 12, "are more than 500: lower jobIterations"),
    ],
)
def test_what_is_missing_is_said_at_its_line(
    problems: Problems, text: str, line: int, message: str
) -> None:
    ((found, said),) = problems(text)
    assert message in said
    assert found is not None
    assert abs(found - line) <= 2


def test_options_for_objects_change_the_jobs_that_have_some(read: Read, folder: Path) -> None:
    assert (folder / "pod.yml").exists()
    tree = yaml.safe_load(job("delete", PODS))
    made = {"name": "density", "objects": [{"objectTemplate": "pod.yml"}]}
    text = yaml.safe_dump({"jobs": [made, *tree["jobs"]]})
    config = read(text, ["workloads[*].objects[*].replicas=7", "workloads[*].qps=90"])
    assert config.workloads[0].objects[0].replicas == 7
    assert [each.qps for each in config.workloads] == [90, 90]
