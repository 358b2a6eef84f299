"""A run outlives a resourceVersion that is too old to go on from, and a token that is revoked."""

import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from clusters import MemorySink, real_cluster
from moments import AtMoment, Moment
from real_control_plane import ASSETS_VARIABLE, RealControlPlane, missing_assets
from workloads import config, objects, workload

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import Accounts, RunResult
from perfscale.templates import TemplateDefaults

JSON = dict[str, Any]


def assert_exact(result: RunResult, sink: MemorySink, count: int) -> None:
    assert result.problems == ()
    assert result.accounts == Accounts(requested=count, created=count, ready=count, deleted=count)
    assert len({record.uid for record in sink.objects}) == count


@pytest.mark.real
async def test_a_watch_that_cannot_be_resumed_lists_again_and_misses_nothing(
    at_moment: AtMoment, thread: ThreadPoolExecutor, tmp_path: Path
) -> None:
    if missing_assets():
        pytest.skip("no real control plane")
    home = tmp_path / "control-plane"
    home.mkdir()
    restarts: list[Future[None]] = []
    assets = Path(os.environ[ASSETS_VARIABLE])
    flags = ["--watch-cache=false"]
    with RealControlPlane(assets, home, apiserver_flags=flags) as control_plane:

        def come_back() -> None:
            control_plane.forget_history()
            control_plane.start_apiserver()

        def go() -> None:
            control_plane.stop_apiserver(kill=True)
            restarts.append(thread.submit(come_back))

        at_moment(Moment(change=TransitionKind.READY, count=60), go)
        sink = MemorySink()
        load = config(workload(objects(count=150), maxWaitTimeout="120s"))
        async with real_cluster(control_plane, speed=50) as cluster:
            result = await cluster.run(load, sink=sink)
            assert [restart.result() for restart in restarts] == [None]
            assert_exact(result, sink, 150)
            assert result.watch.relists > 0
            assert result.requests["expired"] > 0
            assert await cluster.left_of(result.run_id) == {}


class Account:
    """A service account with all rights, whose tokens end with the secrets that they hang on."""

    def __init__(self, control_plane: RealControlPlane, directory: Path) -> None:
        self._control_plane = control_plane
        self._file = directory / "token"
        self._secrets = 0
        self.kubeconfig = directory / "kubeconfig"
        self._post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "load"}})
        subject = {"kind": "ServiceAccount", "name": "load", "namespace": "default"}
        role = {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        }
        self._post(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            {"metadata": {"name": "load"}, "roleRef": role, "subjects": [subject]},
        )
        self.replace_token()
        control_plane.write_kubeconfig(self.kubeconfig, "")
        document = json.loads(self.kubeconfig.read_text())
        document["users"][0]["user"] = {"tokenFile": str(self._file)}
        self.kubeconfig.write_text(json.dumps(document))

    def replace_token(self) -> None:
        """Write a new token into the file, then revoke the one that was there."""
        self._secrets += 1
        secrets = "/api/v1/namespaces/default/secrets"
        secret = self._post(secrets, {"metadata": {"name": f"load-{self._secrets}"}})["metadata"]
        reference = {
            "kind": "Secret",
            "apiVersion": "v1",
            "name": secret["name"],
            "uid": secret["uid"],
        }
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [], "boundObjectRef": reference},
        }
        path = "/api/v1/namespaces/default/serviceaccounts/load/token"
        self._file.write_text(self._post(path, request)["status"]["token"])
        self._control_plane.request("DELETE", f"{secrets}/load-{self._secrets - 1}")

    def _post(self, path: str, body: JSON) -> JSON:
        status, answer = self._control_plane.request("POST", path, body)
        assert status == 201, answer
        return answer


async def test_a_token_that_is_revoked_and_replaced_in_its_file_is_read_again(
    real_control_plane: RealControlPlane, at_moment: AtMoment, tmp_path: Path
) -> None:
    account = Account(real_control_plane, tmp_path)
    at_moment(Moment(change=TransitionKind.CREATED, count=3), account.replace_token)
    # The API server believes a token for 10 s after it has looked at it.
    load = config(workload(objects(count=60), qps=4, burst=1))
    sink = MemorySink()
    options = ClusterOptions(kubeconfig=str(account.kubeconfig))
    async with (
        real_cluster(real_control_plane) as cluster,
        LoadGenerator(
            load,
            cluster=options,
            results=sink,
            options=RunOptions(defaults=TemplateDefaults()),
        ) as generator,
    ):
        result = await generator.run()
        assert_exact(result, sink, 60)
        assert result.requests["credentialRenewals"] > 0
        assert await cluster.left_of(result.run_id) == {}
