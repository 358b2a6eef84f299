"""The manifests for many generators: what is in their containers makes one run together."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme
from command_line import CommandLine, until
from deployment import JSON, OVERLAYS, arguments, build, of_kind
from ports import free_ports
from process_group import ProcessGroup
from simulated_process import simulated_process

OVERLAY = OVERLAYS / "many-generators"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def manifests() -> list[JSON]:
    return build(OVERLAY)


def pod_of(manifests: list[JSON], name: str) -> JSON:
    """The pod of the Deployment or Job of this name."""
    [found] = [
        each
        for each in manifests
        if each["kind"] in {"Deployment", "Job"} and each["metadata"]["name"] == name
    ]
    pod: JSON = found["spec"]["template"]["spec"]
    return pod


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """The Secret, mounted."""
    folder = tmp_path / "tls"
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    issued = authority.issue_cert("perfscale")
    issued.cert_chain_pems[0].write_to_path(str(folder / "tls.crt"))
    issued.private_key_pem.write_to_path(str(folder / "tls.key"))
    return folder


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "simulated"
    folder.mkdir()
    with simulated_process(folder, speed=20) as cluster:
        yield cluster.kubeconfig


class Here:
    """Runs containers of the manifests as processes of this machine."""

    def __init__(self, manifests: list[JSON], tls: Path, folder: Path) -> None:
        self._manifests = manifests
        self._folder = folder
        self._port = str(free_ports(1)[0])
        self._replaced = {
            "perfscale-scheduler:8786": f"127.0.0.1:{self._port}",
            "--port=8786": f"--port={self._port}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104 -- it is what is replaced
            "/tls/": f"{tls}/",
            "--local-directory=/tmp": f"--local-directory={folder}",
        }
        [self.given] = [
            {name: self.replaced(value) for name, value in each["data"].items()}
            for each in manifests
            if each["metadata"]["name"].startswith("perfscale-dask-")
        ]

    def replaced(self, text: str) -> str:
        """What a container says, with what is in its place here."""
        for name, stand_in in self._replaced.items():
            text = text.replace(name, stand_in)
        return text.replace("$(GENERATORS)", "2")

    def start(self, group: ProcessGroup, pod: str, log: str, kubeconfig: Path) -> Path:
        """Start the container of a pod; returns where it logs."""
        [container] = pod_of(self._manifests, pod)["containers"]
        program, *rest = (self.replaced(each) for each in container["command"])
        set_first = (
            "import json, os, sys; os.environ.update(json.loads(sys.argv[1])); "
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        environment = json.dumps({**self.given, "KUBECONFIG": str(kubeconfig)})
        file = self._folder / log
        command = [sys.executable, "-c", set_first, environment, str(PROGRAMS / program), *rest]
        group.start(command, log=file)
        return file

    def wait_for_workers(self) -> None:
        """Run the Job's init container to its end."""
        [container] = pod_of(self._manifests, "perfscale")["initContainers"]
        _, flag, program = (self.replaced(each) for each in container["command"])
        perfscale = CommandLine(self._folder)
        ended = perfscale.execute([sys.executable, flag, program], **self.given)
        assert ended.code == 0, ended.err


def test_scheduler_workers_and_coordinator_make_one_run_over_tls(
    manifests: list[JSON], tls: Path, kubeconfig: Path, tmp_path: Path
) -> None:
    here = Here(manifests, tls, tmp_path)
    with ProcessGroup() as group:
        log = here.start(group, "perfscale-scheduler", "scheduler.log", kubeconfig)
        until(lambda: "Scheduler at" in log.read_text(), "the scheduler", state=log.read_text)
        for number in range(2):
            here.start(group, "perfscale-worker", f"worker-{number}.log", kubeconfig)
        here.wait_for_workers()
        command = arguments(manifests, tmp_path / "workload.yaml", "perfscale")
        ended = CommandLine(tmp_path)(
            *map(here.replaced, command),
            "--replicas=6",
            "--no-report",
            **here.given,
            KUBECONFIG=str(kubeconfig),
        )
    assert ended.code == 0, ended.err
    assert "6 requested, 6 created, 6 ready, 6 deleted" in ended.out


def test_only_the_scheduler_goes_without_a_token(manifests: list[JSON]) -> None:
    tokens: Mapping[str, bool] = {
        name: pod_of(manifests, name)["automountServiceAccountToken"]
        for name in ("perfscale", "perfscale-worker", "perfscale-scheduler")
    }
    assert tokens == {"perfscale": True, "perfscale-worker": True, "perfscale-scheduler": False}
    assert "serviceAccountName" not in pod_of(manifests, "perfscale-scheduler")


def test_the_coordinator_waits_for_as_many_workers_as_there_are(manifests: list[JSON]) -> None:
    [workers] = [
        each["spec"]["replicas"]
        for each in manifests
        if each["metadata"]["name"] == "perfscale-worker"
    ]
    [given] = [
        each["data"] for each in manifests if each["metadata"]["name"].startswith("perfscale-dask-")
    ]
    assert given["GENERATORS"] == str(workers)


def test_the_service_leads_to_the_scheduler_alone(manifests: list[JSON]) -> None:
    selector = of_kind(manifests, "Service")["spec"]["selector"].items()
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"].items()
        for each in manifests
        if each["kind"] in {"Deployment", "Job"}
    }
    assert [name for name, has in labels.items() if selector <= has] == ["perfscale-scheduler"]


def test_nothing_is_said_without_encryption(manifests: list[JSON]) -> None:
    assert "tcp://" not in json.dumps(manifests)
