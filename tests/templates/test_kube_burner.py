"""Templates of kube-burner's jobs: variables, labels, and where they are copied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perfscale.config import Config
from perfscale.errors import TemplateError
from perfscale.foreign import load_config
from perfscale.foreign.kube_burner import Inputs
from perfscale.templates import compile_patches, compile_templates
from perfscale.templates.patches import PatchTarget

RUN_ID = "11111111-2222-3333-4444-555555555555"
CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: "{{.JobName}}-{{ .Iteration }}-{{.Replica}}-{{.size}}"
  labels: {kube-burner.io/index: mine}
"""
VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: "vm-{{.Replica}}", labels: {tier: web}}
spec:
  dataVolumeTemplates: [{metadata: {name: disk}, spec: {}}]
  runStrategy: Always
  template: {spec: {}}
"""
SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: "set-{{.Replica}}"}
spec:
  selector: {matchLabels: {app: x}}
  template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: b}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: "job-{{.Replica}}"}
spec:
  template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}
"""


def render(
    directory: Path, text: str, iteration: int = 1, replica: int = 1, **entry: Any
) -> list[dict[str, Any]]:
    (directory / "t.yaml").write_text(text)
    spec = {"templateFile": str(directory / "t.yaml"), "replicas": 20, **entry}
    job = {"job": "density", "namespace": "kb"}
    workload = {"name": "w", "iterationCount": 9, "kubeBurner": job, "objects": [spec]}
    workload["namespacedIterations"] = True
    config = Config.model_validate({"workloads": [workload]})
    ((factory,),) = compile_templates(config, run_id=RUN_ID)
    assert factory.namespace(iteration) == f"kb-{iteration - 1}"
    slowly = factory.render_slowly(iteration, replica)
    assert factory.render(iteration, replica) == slowly
    return [json.loads(each.body) for each in slowly]


def theirs(labels: dict[str, str]) -> dict[str, str]:
    begins = "kube-burner.io/"
    return {key[len(begins) :]: value for key, value in labels.items() if key.startswith(begins)}


def test_iterations_count_from_0_and_variables_of_the_entry_come_first(tmp_path: Path) -> None:
    names = {"size": "l", "JobName": "mine"}
    (document,) = render(tmp_path, CONFIGMAP, 3, 12, inputVars=names)
    assert document["metadata"]["name"] == "mine-2-12-l"


def test_objects_of_every_second_iteration_count_only_those(tmp_path: Path) -> None:
    (document,) = render(tmp_path, CONFIGMAP, 5, everyIterations=2, inputVars={"size": "l"})
    assert document["metadata"]["name"] == "density-2-1-l"
    assert theirs(document["metadata"]["labels"])["job-iteration"] == "4"


def test_of_a_key_that_stands_twice_the_last_counts(tmp_path: Path) -> None:
    twice = CONFIGMAP + "data: {a: '1'}\ndata: {b: '{{.Replica}}'}\n"
    (document,) = render(tmp_path, twice, replica=7, inputVars={"size": "l"})
    assert document["data"] == {"b": "7"}


def test_templates_see_the_environment_where_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(CONFIGMAP + "data: {home: '{{ env \"HOME\" }}'}\n")
    entry = "{templateFile: t.yaml, inputVars: {size: l}}"
    (tmp_path / "w.yaml").write_text(
        f"workloads: [{{name: w, kubeBurner: {{job: j}}, objects: [{entry}]}}]"
    )
    allowed = load_config(tmp_path / "w.yaml", inputs=Inputs(environment={"HOME": "/home/me"}))
    ((factory,),) = compile_templates(allowed, run_id=RUN_ID)
    assert json.loads(factory.render(1, 1)[0].body)["data"] == {"home": "/home/me"}
    assert "/home/me" not in repr(allowed)
    with pytest.raises(TemplateError, match=r"`env` reads the environment.*--allow-env"):
        compile_templates(load_config(tmp_path / "w.yaml"), run_id=RUN_ID)


def test_labels_tell_objects_apart_and_those_of_the_template_stay(tmp_path: Path) -> None:
    given = {"kubeBurner": {"index": 4, "group": 2}, "inputVars": {"size": "l"}}
    (document,) = render(tmp_path, CONFIGMAP, 2, 3, **given)
    assert theirs(document["metadata"]["labels"]) == {
        "job": "density",
        "uuid": RUN_ID,
        "runid": RUN_ID,
        "index": "mine",
        "job-iteration": "1",
        "replica": "3",
        "group": "2",
    }


def test_each_document_of_a_template_has_an_index_of_its_own(tmp_path: Path) -> None:
    documents = render(tmp_path, SET, kubeBurner={"index": 4})
    assert [theirs(each["metadata"]["labels"])["index"] for each in documents] == ["4", "5"]


def test_labels_are_copied_into_templates_and_volumes_of_some_kinds(tmp_path: Path) -> None:
    (vm,) = render(tmp_path, VM)
    own = {**theirs(vm["metadata"]["labels"]), "tier": "web"}
    for place in (vm["spec"]["template"], vm["spec"]["dataVolumeTemplates"][0]):
        labels = place["metadata"]["labels"]
        assert {**theirs(labels), "tier": labels["tier"]} == own


def test_a_stateful_set_selects_by_them_and_a_job_does_not_have_them(tmp_path: Path) -> None:
    stateful, job = render(tmp_path, SET, replica=9)
    selected = stateful["spec"]["selector"]["matchLabels"]
    assert selected["app"] == "x"
    assert theirs(selected) == theirs(stateful["metadata"]["labels"])
    assert selected.items() <= stateful["spec"]["template"]["metadata"]["labels"].items()
    assert theirs(job["spec"]["template"]["metadata"]["labels"]) == {}


def test_a_patch_has_the_variables_of_its_job(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "metadata: {labels: {at: '{{.JobName}}-{{.Iteration}}-{{.Replica}}-{{.to}}'}}"
    )
    patch = {"templateFile": str(tmp_path / "p.yaml"), "inputVars": {"to": "x"}}
    targets = {"kind": "Pod", "apiVersion": "v1", "ofRun": True}
    keys = {"operation": "patch", "kubeBurner": {"job": "relabel"}}
    workload = {"name": "w", "patch": patch, "targets": targets, **keys}
    (template,) = compile_patches(Config.model_validate({"workloads": [workload]}), run_id=RUN_ID)
    assert template is not None
    body = json.loads(template.render(3, PatchTarget("p", "n", "uid", {}, 1)))
    assert body["metadata"]["labels"] == {"at": "relabel-2-0-x"}


@pytest.mark.parametrize("name", ["../outside.tpl", "link.tpl"])
def test_functions_are_not_read_from_outside_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "outside.tpl").write_text('{{ define "f" }}hidden{{ end }}')
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "link.tpl").symlink_to(tmp_path / "outside.tpl")
    (folder / "t.yaml").write_text(CONFIGMAP)
    entry = {"templateFile": "t.yaml", "inputVars": {"size": "l"}}
    job = {"job": "density", "functionTemplates": [name]}
    workload = {"name": "w", "kubeBurner": job, "objects": [entry]}
    config = Config.model_validate({"workloads": [workload]})
    with pytest.raises(TemplateError, match="outside of the workload file's folder"):
        compile_templates(config, run_id=RUN_ID)
