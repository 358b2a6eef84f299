"""`perfscale validate` and `perfscale render`: what is wrong, and what would be created."""

import re
import socket
from pathlib import Path

import pytest
import yaml
from command_line import CommandLine
from workload_file import entry, write_workload

BROKEN = """\
workloads:
  - name: density
    iterationCout: 2
    maxWaitTimeout: 30
    objects:
      - templateFile: nowhere.yaml
        replicas: 0
"""


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    return write_workload(
        tmp_path,
        entry("vmi-ephemeral.yaml", 4, "rendered"),
        entry("configmap.yaml", 2, "rendered", bytes=8),
        iterationCount=3,
        namespacedIterations=True,
    )


def test_a_valid_file_is_said_to_be_valid(perfscale: CommandLine, workload: Path) -> None:
    ended = perfscale("validate", workload)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        f"{workload}: valid; 1 workload, 12 VirtualMachineInstance, 6 ConfigMap",
        (
            "  density: 12 VirtualMachineInstance, 6 ConfigMap in 3 iterations, "
            "as fast as the cluster takes them"
        ),
    ]
    assert ended.err == ""


def test_everything_that_is_wrong_is_told_at_once_and_no_cluster_is_asked(
    perfscale: CommandLine,
) -> None:
    file = perfscale.folder / "broken.yaml"
    file.write_text(BROKEN)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        kubeconfig = perfscale.folder / "kubeconfig"
        cluster = {"server": f"http://127.0.0.1:{server.getsockname()[1]}"}
        document = {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it"}}],
            "clusters": [{"name": "it", "cluster": cluster}],
        }
        kubeconfig.write_text(yaml.safe_dump(document))
        for command in ("validate", "run"):
            ended = perfscale(command, "broken.yaml", KUBECONFIG=str(kubeconfig))
            assert ended.code == 2
            assert ended.out == ""
            assert "Traceback" not in ended.err
            places = re.findall(r"broken\.yaml:(\d+):\d+: ", ended.err)
            assert {"3", "4", "7"} <= set(places)
            assert "iterationCount" in ended.err
            assert "4 problems" in ended.err or "3 problems" in ended.err
        with pytest.raises(BlockingIOError):
            server.accept()
    assert perfscale.results == []


def test_rendering_gives_every_object_of_the_workload_as_yaml(
    perfscale: CommandLine, workload: Path
) -> None:
    ended = perfscale("render", workload)
    assert ended.code == 0, ended.err
    documents = list(yaml.safe_load_all(ended.out))
    assert len(documents) == 3 * (4 + 2)
    assert {document["metadata"]["namespace"] for document in documents} == {
        "rendered-1",
        "rendered-2",
        "rendered-3",
    }


def test_rendering_can_be_narrowed_down_to_one_iteration_and_one_replica(
    perfscale: CommandLine, workload: Path
) -> None:
    ended = perfscale("render", workload, "--iteration", "2", "--replica", "1")
    assert ended.code == 0, ended.err
    documents = list(yaml.safe_load_all(ended.out))
    assert [document["metadata"]["name"] for document in documents] == [
        "kubevirt-density-2-1",
        "configmap-2-1",
    ]
    assert documents[0]["metadata"]["labels"]["perfscale/iteration"] == "2"


@pytest.mark.parametrize("beyond", [("--iteration", "4"), ("--replica", "5"), ("--replica", "0")])
def test_a_number_out_of_range_is_refused(
    beyond: tuple[str, str], perfscale: CommandLine, workload: Path
) -> None:
    ended = perfscale("render", workload, *beyond)
    assert ended.code == 2
    assert ended.out == ""
    assert beyond[0].removeprefix("--") in ended.err
    assert "Traceback" not in ended.err


def test_a_reader_who_has_seen_enough_is_no_error(perfscale: CommandLine) -> None:
    ended = perfscale.shell("perfscale render | head -n 1")
    assert ended.err == ""


@pytest.mark.parametrize("command", ["validate", "render", "run"])
@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--replicas", "-5", "-5 is not a whole number from 1 to 10,000,000"),
        ("--iterations", "many", "many is not a whole number from 1 to 10,000,000"),
        ("--qps", "-1", "-1 is not a rate from 0 (no limit) to 1,000,000 a second"),
        ("--burst", "1.5", "1.5 is not a whole number from 0 (chosen by qps) to 10,000,000"),
    ],
)
def test_a_value_that_is_wrong_names_its_option_once(
    command: str, option: str, value: str, says: str, perfscale: CommandLine, workload: Path
) -> None:
    ended = perfscale(command, workload, f"{option}={value}")
    assert ended.code == 2
    assert ended.err == f"error: {option}: {says}\n"


def test_what_is_checked_and_shown_takes_the_overrides_of_a_run(
    perfscale: CommandLine, workload: Path
) -> None:
    options = ("--qps", "5", "--burst", "2", "--replicas", "3", "--iterations", "1")
    ended = perfscale("validate", workload, *options)
    first = ended.out.splitlines()[0]
    assert first.endswith(": valid; 1 workload, 3 VirtualMachineInstance, 3 ConfigMap")
    ended = perfscale("render", workload, *options, "--set", "workloads[0].objects[0].replicas=1")
    assert ended.out.count("kind: VirtualMachineInstance") == 1
    assert ended.out.count("kind: ConfigMap") == 3


def test_a_workload_file_comes_by_standard_input(perfscale: CommandLine, workload: Path) -> None:
    ended = perfscale.shell(f"cat {workload} | perfscale validate -")
    assert ended.out.startswith("standard input: valid; 1 workload, 12 VirtualMachineInstance")
    ended = perfscale.shell(f"cat {workload} | perfscale render - --iteration 1 --replica 1")
    assert ended.out == perfscale("render", workload, "--iteration", "1", "--replica", "1").out
    ended = perfscale.shell("echo 'workloads: [{name: a}]' | perfscale validate -")
    assert ended.code == 2
    assert "error: standard input:1:13: workloads[0].objects: this key is missing" in ended.err
    ended = perfscale.shell("perfscale validate - <&-")
    assert ended.code == 2
    assert ended.err.startswith("error: standard input")


def test_templates_of_a_workload_from_standard_input_are_in_the_current_folder(
    perfscale: CommandLine,
) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: own-{{ replica }}\n"
    (perfscale.folder / "own.yaml").write_text(text)
    document = {"workloads": [{"name": "a", "objects": [{"templateFile": "own.yaml"}]}]}
    ended = perfscale.shell(f"echo '{yaml.safe_dump(document)}' | perfscale render -")
    assert "name: own-1" in ended.out


MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: 'map-{{ iteration }}-{{ replica }}'}
"""
VM = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: 'vm-{{ iteration }}-{{ replica }}'}
spec: {runStrategy: Halted, template: {spec: {domain: {devices: {}}}}}
"""
EVERYTHING = """\
workloads:
  - name: vms
    iterationCount: 2
    namespacedIterations: true
    iterationCreationWait: true
    qps: 20
    objects: [{templateFile: vm.yaml, replicas: 25}]
    churn: {share: 10%, rounds: 4, interval: 5s}
  - {name: reads, operation: list, targets: {workload: vms}, qps: 10, background: true}
  - {name: watches, operation: watch, streams: 3, targets: {workload: vms}, background: true}
  - {name: gets, operation: get, targets: {workload: vms}, qps: 10, burst: 1, duration: 30s}
  - name: restarts
    operation: restart
    targets: {workload: vms, share: 15%}
    iterationCount: 2
  - {name: some, operation: delete, targets: {workload: vms, count: 5}}
  - {name: rest, operation: delete, targets: {workload: vms}, deleteCollection: true}
  - {name: others, operation: get, targets: {kind: Pod, apiVersion: v1}}
"""


@pytest.fixture
def loads(perfscale: CommandLine) -> Path:
    (perfscale.folder / "map.yaml").write_text(MAP)
    (perfscale.folder / "vm.yaml").write_text(VM)
    return perfscale.folder / "loads.yaml"


def test_what_operations_churn_and_background_loads_will_do_is_said_too(
    perfscale: CommandLine, loads: Path
) -> None:
    loads.write_text(EVERYTHING)
    ended = perfscale("validate", loads)
    assert ended.err == ""
    fast = "as fast as the cluster takes them"
    assert ended.out.splitlines() == [
        f"{loads}: valid; 8 workloads, 50 VirtualMachine",
        (
            "  vms: 50 VirtualMachine in 2 iterations, at 20/s, 20 at once, then 10% of the "
            "objects replaced in 4 rounds 5s apart (5 of 50 replicas in each, 20 in all)"
        ),
        (
            "  reads: list VirtualMachine, until no other load is left, at 10/s, 10 at once, "
            "in the background"
        ),
        (
            "  watches: watch VirtualMachine, 6 requests, until no other load is left, "
            f"{fast}, in the background"
        ),
        "  gets: get VirtualMachine, 300 requests, 10/s, for 30s",
        f"  restarts: restart VirtualMachine, 16 requests in 2 iterations, {fast}",
        f"  some: delete VirtualMachine, 5 requests, {fast}",
        f"  rest: delete VirtualMachine, at most 2 requests, {fast}",
        f"  others: get Pod, {fast}",
    ]


def test_an_operation_that_its_targets_are_not_made_for_is_refused_without_a_cluster(
    perfscale: CommandLine, loads: Path
) -> None:
    loads.write_text(
        """\
workloads:
  - name: maps
    objects: [{templateFile: map.yaml}]
  - name: both
    objects: [{templateFile: map.yaml}, {templateFile: vm.yaml}]
  - {name: a, operation: restart, targets: {workload: maps}}
  - {name: b, operation: get, targets: {workload: both}}
  - {name: c, operation: get, targets: {workload: maps, kind: Secret}}
  - {name: d, operation: migrate, targets: {kind: Pod, apiVersion: v1}}
  - {name: e, operation: restart, targets: {workload: both}}
  - name: f
    operation: patch
    patch: {templateFile: nowhere.yaml}
    targets: {workload: maps}
"""
    )
    for command in ("validate", "run"):
        ended = perfscale(command, loads, *(("--simulate",) if command == "run" else ()))
        assert ended.code == 2
        places = [line.partition("loads.yaml:")[2] for line in ended.err.splitlines()]
        problems = [re.sub(r"(\d+):\d+: ", r"\1: ", place) for place in places if place]
        assert problems[:4] == [
            (
                "6: workloads[2].targets.workload: restart can be done to VirtualMachine "
                "(kubevirt.io), and maps makes ConfigMap"
            ),
            (
                "7: workloads[3].targets.workload: both makes ConfigMap and VirtualMachine: name "
                "one of them as kind"
            ),
            "8: workloads[4].targets.kind: maps makes no Secret, only ConfigMap",
            (
                "9: workloads[5].targets.kind: migrate can be done to VirtualMachineInstance or "
                "VirtualMachine (kubevirt.io), and this is Pod"
            ),
        ]
        assert (
            "workloads[7].patch.templateFile: the template 'nowhere.yaml' is not there"
            in (problems[4])
        )
        assert len(problems) == 5
    assert perfscale.results == []


def test_a_threshold_that_nothing_is_measured_for_is_refused_without_a_cluster(
    perfscale: CommandLine, loads: Path
) -> None:
    loads.write_text(
        """\
workloads:
  - name: maps
    objects: [{templateFile: map.yaml}]
    thresholds: [{metric: restartEffect, quantile: p99, max: 5s}]
"""
    )
    ended = perfscale("validate", loads)
    assert ended.code == 2
    assert "loads.yaml:4:27: workloads[0].thresholds[0].metric: " in ended.err
    assert "there will be no restart to measure, only create" in ended.err


def test_a_command_of_a_hook_that_is_not_here_is_a_warning(
    perfscale: CommandLine, loads: Path
) -> None:
    loads.write_text(
        """\
globalConfig:
  hooks: [{when: beforeRun, run: [no-such-command-here]}]
workloads:
  - name: maps
    objects: [{templateFile: map.yaml}]
"""
    )
    ended = perfscale("validate", loads)
    assert ended.code == 0
    assert ended.err.startswith("warning: ")
    assert "no-such-command-here is not a command here" in ended.err


def test_more_objects_than_any_cluster_has_are_a_warning_with_the_arithmetic(
    perfscale: CommandLine,
) -> None:
    many = entry("vmi-ephemeral.yaml", 1000, "many")
    write_workload(perfscale.folder, many, iterationCount=20_000, qps=100, burst=1)
    ended = perfscale("validate", "workload.yaml")
    assert ended.code == 0
    assert (
        "creates 20,000,000 objects, in 20,000 iterations of up to 1,000, "
        "which take 2 days at 100/s" in ended.err
    )
