"""A real Kubernetes control plane on loopback, from the binaries in KUBEBUILDER_ASSETS.

The simulated cluster is only as good as our reading of Kubernetes; the same tests against
the real thing show where that reading is wrong. There is no kubelet and no scheduler:
whatever should become of an object, the test has to do.
"""

import http.client
import json
import os
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import trustme
from kubevirt_crds import kubevirt_crds
from ports import free_ports
from process_group import ProcessGroup

JSON = dict[str, Any]

ASSETS_VARIABLE: Final = "KUBEBUILDER_ASSETS"
HOST: Final = "127.0.0.1"
_PROGRAMS: Final = ("etcd", "kube-apiserver", "kube-controller-manager")
_START_TIMEOUT_S: Final = 120.0
_POLL_S: Final = 0.05
_LEAVE_S: Final = 2.0


class ControlPlaneError(Exception):
    """A server of the control plane did not start; the end of its log is in the message."""


def missing_assets() -> str | None:
    """Say why no real control plane can be started here, or None if one can."""
    directory = os.environ.get(ASSETS_VARIABLE)
    if not directory:
        return f"{ASSETS_VARIABLE} is not set"
    missing = [name for name in _PROGRAMS if not os.access(Path(directory) / name, os.X_OK)]
    return f"{', '.join(missing)} not in {ASSETS_VARIABLE}={directory}" if missing else None


@dataclass(frozen=True)
class _Ports:
    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int


class RealControlPlane:
    """etcd, kube-apiserver and the controllers that remove namespaces and orphans.

    Ready for use once constructed: the API server answers, KubeVirt's kinds are served.
    `kubeconfig` names a file with an administrator's token, `server` is the URL. All data
    lives in `directory`, which must be empty.
    """

    def __init__(
        self, assets: Path, directory: Path, *, apiserver_flags: Sequence[str] = ()
    ) -> None:
        self._assets = assets
        self._directory = directory
        self._apiserver_flags = tuple(apiserver_flags)
        self._ports = _Ports(*free_ports(4))
        self.server: Final = f"https://{HOST}:{self._ports.apiserver}"
        self._token = secrets.token_hex(16)
        self.outsider_token: Final = secrets.token_hex(16)
        self._write_credentials()
        self.kubeconfig: Final = self.write_kubeconfig(directory / "kubeconfig", self._token)
        self._group = ProcessGroup()
        try:
            self._start_etcd()
            self._apiserver = self._launch_apiserver()
            self._wait_ready()
            self.install_crds()
            # Last: the garbage collector looks for new kinds only every 30 s, and so
            # it must find KubeVirt's already there.
            self._start_controller_manager()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Kill everything and wait for its end; the data is of no further use."""
        self._group.close()

    def stop_apiserver(self, *, kill: bool = False) -> None:
        """End the API server: asked to, or killed outright.

        One that is asked to end takes no more connections, but serves the open watches for
        another minute; here it gets a few seconds.
        """
        if not kill:
            self._apiserver.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._apiserver.wait(timeout=_LEAVE_S)
        self._apiserver.kill()
        self._apiserver.wait()

    def start_apiserver(self) -> None:
        """Start the API server again, on the same port and data, and wait until it is ready."""
        self._apiserver = self._launch_apiserver()
        self._wait_ready()

    def restart_apiserver(self, *, kill: bool = False) -> None:
        """End the API server and bring it back on the same port, with the same data."""
        self.stop_apiserver(kill=kill)
        self.start_apiserver()

    def forget_history(self) -> None:
        """Make every resourceVersion until now too old to watch or list from.

        The API server must run with ``--watch-cache=false``: its cache would still have them.
        """
        for _ in range(2):  # what was read last must be older than what is kept
            self._ask_etcd("/v3/kv/put", {"key": "Zm9yZ2V0", "value": ""})  # base64: "forget"
        answer = self._ask_etcd("/v3/kv/range", {"key": "Zm9yZ2V0"})
        self._ask_etcd("/v3/kv/compaction", {"revision": answer["header"]["revision"]})

    def _ask_etcd(self, path: str, body: JSON) -> JSON:
        connection = http.client.HTTPConnection(HOST, self._ports.etcd, timeout=60)
        try:
            connection.request("POST", path, body=json.dumps(body).encode())
            answer: JSON = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer

    def install_crds(self) -> None:
        """Have KubeVirt's kinds served; return once the API server has accepted all of them."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        definitions = kubevirt_crds()
        for definition in definitions:
            status, answer = self.request("POST", path, definition)
            if status not in (http.client.CREATED, http.client.CONFLICT):
                raise ControlPlaneError(f"{definition['metadata']['name']}: {answer}")
        # "Established" comes up to 5 s before discovery and OpenAPI know the kind.
        plurals = {definition["spec"]["names"]["plural"] for definition in definitions}
        self._wait("KubeVirt's kinds", lambda: plurals <= self._served_resources())

    def write_kubeconfig(self, path: Path, token: str) -> Path:
        """Write a kubeconfig for the holder of `token`; return its path.

        `outsider_token` belongs to a user named "outsider", who may do only what a test
        grants by RBAC.
        """
        certificate = {"certificate-authority": str(self._directory / "ca.pem")}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "real", "cluster": {"server": self.server, **certificate}}],
            "users": [{"name": "real", "user": {"token": token}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "real"}}],
            "current-context": "real",
        }
        path.write_text(json.dumps(config), encoding="utf-8")
        path.chmod(0o600)
        return path

    def request(self, method: str, path: str, body: JSON | None = None) -> tuple[int, JSON]:
        """Send one request as the administrator; return the status code and the answer."""
        trust = ssl.create_default_context(cafile=str(self._directory / "ca.pem"))
        connection = http.client.HTTPSConnection(
            HOST, self._ports.apiserver, context=trust, timeout=60
        )
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=data, headers=headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        parsed: JSON = json.loads(answer) if answer.startswith(b"{") else {}
        return response.status, parsed

    def _served_resources(self) -> set[str]:
        _, served = self.request("GET", "/apis/kubevirt.io/v1")
        _, also_served = self.request("GET", "/apis/kubevirt.io/v1alpha3")
        names = [
            {resource["name"] for resource in answer.get("resources", [])}
            for answer in (served, also_served)
        ]
        return names[0] & names[1]

    def _write_credentials(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self._directory / "ca.pem")
        certificate = authority.issue_cert(HOST, "localhost")
        certificate.private_key_pem.write_to_path(self._directory / "server.key")
        for number, part in enumerate(certificate.cert_chain_pems):
            part.write_to_path(self._directory / "server.pem", append=number > 0)
        tokens = self._directory / "tokens.csv"
        tokens.write_text(
            f"{self._token},admin,1,system:masters\n{self.outsider_token},outsider,2,\n",
            encoding="utf-8",
        )
        tokens.chmod(0o600)

    def _start_etcd(self) -> None:
        client, peer = (
            f"http://{HOST}:{port}" for port in (self._ports.etcd, self._ports.etcd_peer)
        )
        data = self._directory / "etcd"
        self._etcd = self._start(
            "etcd",
            f"--data-dir={data}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            "--unsafe-no-fsync",
        )

    def _launch_apiserver(self) -> subprocess.Popen[bytes]:
        # Certificate and key of the server sign service account tokens too: one file less.
        key = self._directory / "server.key"
        return self._start(
            "kube-apiserver",
            f"--etcd-servers=http://{HOST}:{self._ports.etcd}",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={self._ports.apiserver}",
            f"--tls-cert-file={self._directory / 'server.pem'}",
            f"--tls-private-key-file={key}",
            f"--cert-dir={self._directory}",
            f"--token-auth-file={self._directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://localhost",
            f"--service-account-signing-key-file={key}",
            f"--service-account-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            *self._apiserver_flags,
        )

    def _start_controller_manager(self) -> None:
        # Releases before 1.24 open a second, plain port too, always the same one, unless told
        # not to; later ones do not know the flag.
        program = self._assets / "kube-controller-manager"
        usage = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
        plain_port = ["--port=0"] if " --port int" in usage.stdout else []
        process = self._start(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--controllers=namespace,garbagecollector",
            f"--service-account-private-key-file={self._directory / 'server.key'}",
            "--use-service-account-credentials=false",
            "--leader-elect=false",
            "--concurrent-namespace-syncs=50",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            f"--bind-address={HOST}",
            f"--secure-port={self._ports.controller_manager}",
            f"--cert-dir={self._directory}",
            *plain_port,
        )

        # It listens before it works, and gives up for good if the API server is stopped by then.
        namespaces = "/api/v1/namespaces"
        self.request("POST", namespaces, {"metadata": {"name": "to-be-removed"}})
        self.request("DELETE", f"{namespaces}/to-be-removed")

        def has_removed_it() -> bool:
            self._check_alive("kube-controller-manager", process)
            status, _ = self.request("GET", f"{namespaces}/to-be-removed")
            return status == http.client.NOT_FOUND

        self._wait("kube-controller-manager", has_removed_it)

    def _start(self, program: str, *flags: str) -> subprocess.Popen[bytes]:
        log = self._directory / f"{program}.log"
        return self._group.start([self._assets / program, *flags], log=log)

    def _wait_ready(self) -> None:
        def ready() -> bool:
            self._check_alive("etcd", self._etcd)
            self._check_alive("kube-apiserver", self._apiserver)
            try:
                status, _ = self.request("GET", "/readyz")
            except OSError:
                return False
            return status == http.client.OK

        self._wait("kube-apiserver", ready)

    def _check_alive(self, program: str, process: subprocess.Popen[bytes]) -> None:
        if (code := process.poll()) is not None:
            raise ControlPlaneError(f"{program} ended with {code}:\n{self._log_end(program)}")

    def _wait(self, what: str, is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not is_done():
            if time.monotonic() > deadline:
                logs = f"the logs are in {self._directory}"
                raise ControlPlaneError(f"{what} not ready in {_START_TIMEOUT_S:.0f} s; {logs}")
            time.sleep(_POLL_S)

    def _log_end(self, program: str) -> str:
        log = self._directory / f"{program}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-20:])
