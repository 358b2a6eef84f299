"""`perfscale convert`: another tool's file as one of ours, which runs alike."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import CommandLine

CONFIGURATION = """\
global:
  gc: true
  functionTemplates: [functions.tpl]
jobs:
- name: fill
  jobIterations: {{ .ITERATIONS }}
  qps: 100
  burst: 100
  namespace: fill
  namespaceLabels: {purpose: test}
  waitWhenFinished: true
  preLoadImages: false
  cleanup: false
  objects:
  - objectTemplate: objects/map.yml
    replicas: 2
    inputVars: {text: hello}
  - objectTemplate: objects/nested/pod.yml
    replicas: 1
    wait: true
- name: change
  jobType: patch
  jobIterations: 1
  qps: 100
  burst: 100
  waitWhenFinished: false
  objects:
  - kind: ConfigMap
    apiVersion: v1
    labelSelector: {kube-burner.io/job: fill}
    patchType: application/merge-patch+json
    objectTemplate: objects/patch.json
"""
FILES = {
    "functions.tpl": '{{ define "name" }}map-{{ .Iteration }}-{{ .Replica }}{{ end }}',
    "objects/map.yml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
        '  name: {{ template "name" . }}\n'
        'data:\n  text: {{ .text }}\n  read: {{ ReadFile "objects/read.txt" }}\n'
    ),
    "objects/read.txt": "read",
    "objects/nested/pod.yml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod-{{ add .Iteration 10 }}\n"
        "spec:\n  containers: [{name: a, image: b}]\n"
    ),
    "objects/patch.json": '{"data": {"text": "changed"}}',
    "data.yml": "ITERATIONS: 3\n",
}
SIMULATED = ("--simulate", "--speed", "50", "--quiet", "--output", "json")


@pytest.fixture
def written(perfscale: CommandLine) -> CommandLine:
    for name, text in {**FILES, "density.yml": CONFIGURATION}.items():
        path = perfscale.folder / "theirs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return perfscale


def outcome(perfscale: CommandLine, *arguments: str) -> tuple[Any, set[Any]]:
    """The accounts of all workloads of a run, and its objects and operations."""
    before = set(perfscale.results)
    ended = perfscale("run", *arguments, *SIMULATED)
    assert ended.code == 0, ended.err
    accounts = [
        (
            each["name"], each["operation"], each["objects"],
            [operation["operations"] for operation in each["operations"]],
        )
        for each in json.loads(ended.out)["workloads"]
    ]  # fmt: skip
    (folder,) = set(perfscale.results) - before
    lines = [
        json.loads(line)
        for name in ("objects.ndjson", "operations.ndjson")
        for line in (folder / name).read_text().splitlines()
    ]
    keys = ("workload", "iteration", "kind", "namespace", "name", "outcome", "operation")
    return accounts, {tuple(each.get(key) for key in keys) for each in lines}


def test_a_configuration_of_kube_burner_runs_alike_when_it_is_converted(
    written: CommandLine,
) -> None:
    data = ("--user-data", "theirs/data.yml")
    ended = written("convert", "theirs/density.yml", "--out", "ours", *data)
    assert ended.code == 0, ended.err
    places = {"density.yml", "functions.tpl", *(name for name in FILES if name.startswith("obj"))}
    assert set(ended.out.split()) == {str(Path("ours", name)) for name in places}
    assert "kube-burner: 2 jobs as 2 workloads" in ended.err
    for name in places - {"density.yml"}:
        assert (written.folder / "ours" / name).read_text() == FILES[name]
    theirs = outcome(written, "theirs/density.yml", *data)
    assert theirs == outcome(written, "ours/density.yml")
    assert len(theirs[1]) == 3 * 3 + 6
    shown = written("render", "theirs/density.yml", *data), written("render", "ours/density.yml")
    assert shown[0].out == shown[1].out
    assert shown[0].out.count("read: read") == 6


def test_the_new_file_has_what_was_said_and_no_more(written: CommandLine) -> None:
    options = ("--out", "ours", "--user-data", "theirs/data.yml", "--set", "jobs.0.qps=7")
    assert written("convert", "theirs/density.yml", *options).code == 0
    file = yaml.safe_load((written.folder / "ours" / "density.yml").read_text())
    fill, change = file["workloads"]
    assert (fill["iterationCount"], fill["qps"], fill["kubeBurner"]["job"]) == (3, 7, "fill")
    assert fill["objects"][0]["templateFile"] == "objects/map.yml"
    assert "thresholds" not in fill
    assert change["patch"]["templateFile"] == "objects/patch.json"


def test_a_file_of_the_second_generation_is_converted_too(perfscale: CommandLine) -> None:
    (perfscale.folder / "old").mkdir()
    (perfscale.folder / "template.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{{ .index }}\n  namespace: x\n"
    )
    (perfscale.folder / "old" / "burst.yaml").write_text(
        "type: burst\nname: burst\ntimeout: 1m\ncount: 3\n"
        "object: {templateFile: ../template.yaml}\n"
    )
    ended = perfscale("convert", "old/burst.yaml", "--out", "new")
    assert ended.code == 0, ended.err
    assert set(ended.out.split()) == {"new/burst.yaml", "new/templates/template.yaml"}
    assert "workloads:" in (perfscale.folder / "new" / "burst.yaml").read_text()


def test_nothing_that_is_there_is_overwritten(written: CommandLine) -> None:
    options = ("--out", "ours", "--user-data", "theirs/data.yml")
    (written.folder / "ours" / "objects").mkdir(parents=True)
    (written.folder / "ours" / "objects" / "map.yml").write_text("mine")
    ended = written("convert", "theirs/density.yml", *options)
    assert ended.code == 2
    assert f"{Path('ours/objects/map.yml')}: there is such a file already" in ended.err
    assert not (written.folder / "ours" / "density.yml").exists()
    assert (written.folder / "ours" / "objects" / "map.yml").read_text() == "mine"


def test_what_cannot_stay_as_it_is_is_said(written: CommandLine) -> None:
    template = written.folder / "theirs" / "objects" / "map.yml"
    template.write_text(template.read_text().replace('"objects/read.txt"', ".path"))
    file = written.folder / "theirs" / "density.yml"
    text = file.read_text()
    file.write_text(text.replace("hello", "{{ .UUID }}, path: objects/read.txt"))
    options = ("--user-data", "theirs/data.yml")
    ended = written("convert", "theirs/density.yml", "--out", "brought", *options)
    assert ended.code == 0, ended.err
    assert (written.folder / "brought" / "objects" / "read.txt").is_file()
    assert "reads files" not in ended.err
    file.write_text(text.replace("hello", "{{ .UUID }}, path: /elsewhere/read.txt"))
    ended = written("convert", "theirs/density.yml", "--out", "ours", *options)
    assert ended.code == 0, ended.err
    assert "warning: objects/map.yml reads files whose names it works out" in ended.err
    assert "warning: UUID stands in the file" in ended.err


def test_a_file_of_ours_is_not_converted(written: CommandLine) -> None:
    options = ("--out", "ours", "--user-data", "theirs/data.yml")
    assert written("convert", "theirs/density.yml", *options).code == 0
    ended = written("convert", "ours/density.yml", "--out", "again")
    assert ended.code == 2
    assert "this is a workload file of perfscale already" in ended.err
