"""No credential is in anything that is written or said, whatever way it came in."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import CommandLine
from scripted_prometheus import scripted_prometheus
from scripted_server import refuses, scripted_server
from search_engine import search_engine
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

MARKER = "m4rk3r"
"""Part of every secret."""
PAIR = base64.b64encode(f"me:{MARKER}".encode()).decode()
PORT_OF_NOBODY = "127.0.0.1:9"
RUN = ("run", "workload.yaml", "--simulate", "--speed", "50")


@dataclass
class Way:
    """How secrets come in: by the kubeconfig's user and cluster, by options, by the environment."""

    user: dict[str, Any] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def plugin(script: str) -> dict[str, Any]:
    version = "client.authentication.k8s.io/v1"
    return {
        "exec": {
            "apiVersion": version,
            "command": "sh",
            "args": ["-c", script],
            "env": [{"name": "SECRET", "value": MARKER}],
        }
    }


def gives(status: str) -> dict[str, Any]:
    return plugin(
        f'printf \'{{"apiVersion": "client.authentication.k8s.io/v1", "status": %s}}\' \'{status}\''
    )


WAYS = {
    "a token": Way({"token": MARKER}),
    "a token of two lines": Way({"token": f"{MARKER}\r\nX-Remote-User: admin"}),
    "a password": Way({"username": "me", "password": MARKER}),
    "a client key": Way(
        {
            "client-certificate-data": "anVuaw==",
            "client-key-data": base64.b64encode(MARKER.encode()),
        }
    ),
    "a key that is not base64": Way({"client-key-data": f"%{MARKER}"}),
    "a plugin's token": Way(gives(f'{{"token": "{MARKER}"}}')),
    "a plugin's key": Way(
        gives(f'{{"clientCertificateData": "{MARKER}", "clientKeyData": "{MARKER}"}}')
    ),
    "a plugin that babbles": Way(plugin(f"echo {MARKER}")),
    "a plugin's nothing": Way(gives(f'{{"other": "{MARKER}"}}')),
    "a proxy's password": Way({}, {"proxy-url": f"http://me:{MARKER}@{PORT_OF_NOBODY}"}),
    "a SOCKS proxy's password": Way({}, {"proxy-url": f"socks5://me:{MARKER}@{PORT_OF_NOBODY}"}),
    "a proxy of no kind": Way({}, {"proxy-url": f"ftp://me:{MARKER}@{PORT_OF_NOBODY}"}),
    "the environment's proxy": Way(
        {},
        {"server": "https://api.example"},
        (),
        {"HTTPS_PROXY": f"http://me:{MARKER}@127.0.0.1:9"},
    ),
    "a server's password": Way({}, {"server": f"http://me:{MARKER}@{PORT_OF_NOBODY}"}),
    "an option's server": Way(options=("--master", f"http://me:{MARKER}@{PORT_OF_NOBODY}")),
    "an option's server of no kind": Way(
        options=("--master", f"ftp://me:{MARKER}@{PORT_OF_NOBODY}")
    ),
    "a Prometheus's password": Way(
        options=("--prometheus", f"http://me:{MARKER}@{PORT_OF_NOBODY}/path")
    ),
    "a Prometheus of the file": Way(
        options=("--set", f"globalConfig.audit.prometheusURL=http://me:{MARKER}@p")
    ),
    "the environment's token": Way(
        options=("--prometheus", f"http://{PORT_OF_NOBODY}"),
        environment={"PERFSCALE_PROMETHEUS_TOKEN": MARKER},
    ),
    "an index's password": Way(options=("--index", f"http://me:{MARKER}@{PORT_OF_NOBODY}")),
    "an index's token": Way(
        options=("--index", f"http://{PORT_OF_NOBODY}"),
        environment={"PERFSCALE_INDEX_TOKEN": MARKER},
    ),
    "the environment's password": Way(
        options=("--prometheus", f"http://{PORT_OF_NOBODY}"),
        environment={
            "PERFSCALE_PROMETHEUS_USERNAME": "me",
            "PERFSCALE_PROMETHEUS_PASSWORD": MARKER,
        },
    ),
}


class Planted:
    """A command line in one folder, and the secrets in another."""

    def __init__(self, folder: Path) -> None:
        self._secrets = folder / "secrets"
        self._secrets.mkdir()
        work = folder / "work"
        work.mkdir()
        self.perfscale = CommandLine(work)
        write_workload(work, entry("vmi-ephemeral.yaml", 2, "secrets"))

    def kubeconfig(self, server: str, way: Way) -> str:
        path = self._secrets / "config"
        document = {
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server, **way.cluster}}],
            "users": [{"name": "u", "user": way.user}],
        }
        path.write_text(yaml.safe_dump(document))
        return str(path)

    def audit_input(self, **content: Any) -> str:
        path = self._secrets / "input.json"
        path.write_text(yaml.safe_dump(content))
        return str(path)

    def written(self) -> Iterator[tuple[str, str]]:
        """Every file there is, by its name."""
        for folder, _, names in os.walk(self.perfscale.folder):
            for name in names:
                path = Path(folder, name)
                yield str(path), path.read_text(encoding="utf-8", errors="replace")

    def check(self, *said: str) -> None:
        for where, text in [*self.written(), *(("the terminal", each) for each in said)]:
            for secret in (MARKER, PAIR):
                assert secret not in text, (
                    f"{where}: {text[max(0, text.find(secret) - 200) :][:400]}"
                )


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_secret_is_in_nothing_that_a_run_writes_or_says(
    planted: Planted, simulated: SimulatedProcess, way: Way
) -> None:
    async with scripted_server(refuses(401, "Unauthorized")) as refusing:
        for server, verbose in (
            (simulated.server, ["-vv"]),
            (refusing.url, ["-v"]),
            (f"http://{PORT_OF_NOBODY}", []),
        ):
            config = ["--kubeconfig", planted.kubeconfig(server, way)]
            ended = await planted.perfscale.beside(
                "run", "workload.yaml", *config, *way.options, *verbose, **way.environment
            )
            planted.check(ended.out, ended.err)


async def test_the_password_of_an_audits_input_is_in_nothing_that_it_writes_or_says(
    planted: Planted,
) -> None:
    for more in (
        {"prometheusUserName": "me", "prometheusPassword": MARKER},
        {"prometheusBearerToken": MARKER},
        {"prometheusBearerToken": MARKER, "prometheusUserName": "me"},
        {"prometheusURL": f"http://me:{MARKER}@{PORT_OF_NOBODY}"},
        {"prometheusURL": f"http://me:{MARKER}@{PORT_OF_NOBODY}?x"},
        {"prometheusPassword": [MARKER]},
    ):
        file = planted.audit_input(**{"prometheusURL": f"http://{PORT_OF_NOBODY}", **more})
        for verbose in ((), ("-vv",)):
            ended = await planted.perfscale.beside("audit", "--config-file", file, *verbose)
            assert ended.code in {2, 4}, ended.err
            planted.check(ended.out, ended.err)


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "a-{{.Iteration}}"}
spec: {containers: [{name: a, image: x}]}
"""


@pytest.mark.parametrize(
    ("secrets", "authorization"),
    [
        ({"token": MARKER}, f"Bearer {MARKER}"),
        ({"token": f"{MARKER}\n"}, f"Bearer {MARKER}"),
        ({"username": "me", "password": MARKER}, f"Basic {PAIR}"),
        ({}, f"Basic {PAIR}"),
    ],
    ids=["token", "token with a newline", "password", "in the URL"],
)
async def test_the_secrets_of_a_configuration_of_kube_burner_go_to_its_servers_alone(
    planted: Planted, simulated: SimulatedProcess, secrets: dict[str, str], authorization: str
) -> None:
    way = ["--kubeconfig", planted.kubeconfig(simulated.server, Way())]
    async with scripted_prometheus() as prometheus, search_engine() as engine:
        engine.authorization = f"Basic {PAIR}"
        url = engine.url.replace("://", f"://me:{MARKER}@")
        endpoint = prometheus.url if secrets else prometheus.url.replace("://", f"://me:{MARKER}@")
        indexer = {"type": "elastic", "esServers": [url]}
        job = {"name": "d", "namespace": "d", "preLoadImages": False, "jobIterations": 1}
        document = {
            "global": {"gc": True},
            "metricsEndpoints": [
                {"endpoint": endpoint, "step": "1s", "alerts": ["a.yml"], **secrets},
                {"indexer": indexer},
            ],
            "jobs": [{**job, "objects": [{"objectTemplate": "pod.yml"}]}],
        }
        kitchen = planted.perfscale.folder.parent / "secrets"
        (kitchen / "kb.yml").write_text(yaml.safe_dump(document))
        (kitchen / "pod.yml").write_text(POD)
        (kitchen / "a.yml").write_text("- {expr: up, description: up, severity: info}\n")
        file = str(kitchen / "kb.yml")
        ended = await planted.perfscale.beside("run", file, "-vv", "--yes", *way)
        assert ended.code == 0, ended.err
        planted.check(ended.out, ended.err)
        assert {each.headers.get("authorization") for each in prometheus.requests} == {
            authorization
        }
        assert engine.documents
        elsewhere = f"--prometheus=http://{PORT_OF_NOBODY}"
        ended = await planted.perfscale.beside("run", file, "-vv", "--yes", elsewhere, *way)
        planted.check(ended.out, ended.err)
        ended = await planted.perfscale.beside("convert", file, "--out", "ours")
        assert ended.code == 0, ended.err
        assert f"how to sign in to {engine.url} is not in the new file" in ended.err + ended.out
        planted.check(ended.out, ended.err)


@pytest.mark.parametrize(
    "line",
    [
        f"token: [{MARKER}]",
        f"token: {{a: {MARKER}}}",
        f"token: {MARKER}: x",
        f"token: '{MARKER}",
        f'password: "a\\n{MARKER}"',
        f"tokn: {MARKER}",
        f"token: {MARKER}\n    token: {MARKER}",
        f"endpoint: http://me:{MARKER}@x y",
        f"endpoint: ftp://me:{MARKER}@x",
        f"token: *{MARKER}",
        f"token: !x {MARKER}",
        f"token: {MARKER}\n    step: 5",
    ],
)
async def test_a_secret_is_in_no_error_about_a_configuration_of_kube_burner(
    planted: Planted, line: str
) -> None:
    kitchen = planted.perfscale.folder.parent / "secrets"
    text = f"metricsEndpoints:\n  - alias: a\n    {line}\njobs:\n  - name: d\n"
    (kitchen / "kb.yml").write_text(text)
    (kitchen / "plain.yml").write_text("jobs:\n  - name: d\n")
    (kitchen / "e.yml").write_text(f"- alias: a\n  {line.replace('    ', '  ')}\n")
    for arguments in (["kb.yml"], ["plain.yml", "-e", str(kitchen / "e.yml")]):
        ended = await planted.perfscale.beside(
            "validate", str(kitchen / arguments[0]), *arguments[1:], "-vv"
        )
        assert ended.code == 2, ended.out
        planted.check(ended.out, ended.err)


async def test_a_command_line_is_kept_without_the_passwords_in_it(planted: Planted) -> None:
    async with scripted_prometheus() as prometheus:
        url = prometheus.url.replace("://", f"://me:{MARKER}@") + "/path"
        ended = await planted.perfscale.beside(*RUN, "-vv", f"--prometheus={url}")
        assert ended.code == 0, ended.err
        signed_in = {request.headers["authorization"] for request in prometheus.requests}
    assert signed_in == {f"Basic {PAIR}"}
    planted.check(ended.out, ended.err)
    [folder] = planted.perfscale.results
    command = json.loads((folder / "run.json").read_text())["command"]
    assert command[-1] == f"--prometheus={prometheus.url.replace('://', '://***@')}/path"


async def test_the_credentials_of_an_index_go_to_it_and_nowhere_else(planted: Planted) -> None:
    async with search_engine() as engine:
        engine.authorization = f"Basic {PAIR}"
        url = engine.url.replace("://", f"://me:{MARKER}@")
        ended = await planted.perfscale.beside(*RUN, "-vv", f"--index={url}")
        assert ended.code == 0, ended.err
        planted.check(ended.out, ended.err)
        [folder] = planted.perfscale.results
        command = json.loads((folder / "run.json").read_text())["command"]
        assert command[-1] == f"--index={engine.url.replace('://', '://***@')}"
        assert engine.documents
        assert MARKER not in json.dumps(list(engine.documents.values()))
        environment = {"PERFSCALE_INDEX_USERNAME": "me", "PERFSCALE_INDEX_PASSWORD": MARKER}
        for status in (200, 401, 400):
            engine.statuses.append(status)
            ended = await planted.perfscale.beside(
                "index", str(folder), "-vv", "--url", engine.url, **environment
            )
            assert ended.code == (0 if status == 200 else 4), ended.err
            planted.check(ended.out, ended.err)
