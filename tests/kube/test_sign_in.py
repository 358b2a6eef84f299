"""What is imported to sign in, in processes of their own: imports are for good."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from perfscale.errors import CredentialsError
from perfscale.kube.auth.login import provided_token

_SIGN_IN = """
import asyncio, sys
from perfscale.kube.cluster import ClusterOptions, open_cluster

async def sign_in():
    async with await open_cluster(ClusterOptions(kubeconfig=sys.argv[1])):
        pass

asyncio.run(sign_in())
print(*sorted({"aiohttp", "kubernetes_asyncio"} & sys.modules.keys()))
"""


def jwt() -> str:
    claims = json.dumps({"exp": int(time.time()) + 3600}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"


PRINTS = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": "t"},
}
PLUGIN = {"apiVersion": PRINTS["apiVersion"], "command": "echo", "args": [json.dumps(PRINTS)]}


def provider(name: str, **config: str) -> dict[str, Any]:
    return {"auth-provider": {"name": name, "config": config}}


@pytest.mark.parametrize(
    ("user", "imported"),
    [
        pytest.param({}, "", id="nobody"),
        pytest.param({"token": "t"}, "", id="token"),
        pytest.param({"username": "me", "password": "pw"}, "", id="password"),
        pytest.param({"exec": PLUGIN}, "", id="plugin"),
        pytest.param(provider("oidc", **{"id-token": jwt()}), "aiohttp", id="OpenID Connect"),
        pytest.param(
            provider("gcp", **{"access-token": "t"}), "aiohttp kubernetes_asyncio", id="gcp"
        ),
    ],
)
def test_only_who_needs_a_library_to_sign_in_imports_it(
    tmp_path: Path, user: dict[str, Any], imported: str
) -> None:
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example"}}],
        "users": [{"name": "c", "user": user}],
    }
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [sys.executable, "-c", _SIGN_IN, str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == imported


async def test_a_gcp_users_token_comes_from_its_command_and_is_kept_until_it_is_refused(
    tmp_path: Path,
) -> None:
    count = tmp_path / "count"
    command = tmp_path / "gcloud"
    given = {"credential": {"access_token": "t-$n", "token_expiry": "2999-01-01T00:00:00Z"}}
    text = json.dumps(given).replace('"', '\\"')
    command.write_text(
        f'#!/bin/sh\nn=$(($(cat {count} 2>/dev/null) + 1)); echo $n > {count}; echo "{text}"\n'
    )
    command.chmod(0o700)
    config = {"cmd-path": str(command), "cmd-args": "config-helper"}
    gcp = {"name": "gcp", "config": config}
    assert await provided_token(gcp, fresh=False) == "t-1"
    del config["expiry"]  # the library reads it with what Python deprecates
    assert await provided_token(gcp, fresh=False) == "t-1"
    assert await provided_token(gcp, fresh=True) == "t-2"


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("gcp", {}, "auth-provider gcp: .*cmd-path"),
        ("gcp", {"cmd-path": "/no/such", "cmd-args": "a"}, "auth-provider gcp: .*No such file"),
        ("oidc", {}, "no valid id-token, and no refresh-token"),
        ("oidc", {"id-token": "junk"}, "no valid id-token, and no refresh-token"),
    ],
)
async def test_a_provider_without_a_token_is_refused(
    name: str, config: dict[str, str], message: str
) -> None:
    with pytest.raises(CredentialsError, match=message):
        await provided_token({"name": name, "config": config}, fresh=False)
