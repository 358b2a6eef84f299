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
    assert ended.out == (f"{workload}: valid; 1 workload, 12 VirtualMachineInstance, 6 ConfigMap\n")
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
    assert ended.out.endswith(": valid; 1 workload, 3 VirtualMachineInstance, 3 ConfigMap\n")
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
