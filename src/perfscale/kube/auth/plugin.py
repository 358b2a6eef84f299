"""Runs a kubeconfig's exec plugin.

kubernetes_asyncio runs them too, but does not pass the cluster on to them.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.errors import CredentialsError, UsageError
from perfscale.kube.auth.credentials import lifetime_s
from perfscale.kube.auth.kubeconfig import text_of
from perfscale.kube.decoding import UNREADABLE

if TYPE_CHECKING:
    from perfscale.kube.auth.kubeconfig import Entry

_TIMEOUT_S: Final = 300.0
"""Time for a person to sign in, where the plugin asks one to."""
_CHECK_AGAIN_S: Final = 60.0
"""When to ask again where the plugin's own time cannot be read."""
_LONGEST_COMPLAINT: Final = 300
_EXTENSION: Final = "client.authentication.k8s.io/exec"
_OF_CLUSTER: Final = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")


async def run_plugin(plugin: Entry, cluster: Entry) -> tuple[Entry, float | None]:
    """Run a plugin, which may prompt a person on the terminal, and read what it prints.

    Args:
        plugin: ``exec`` of the kubeconfig's user.
        cluster: ``cluster`` of the kubeconfig's entry, for plugins that want to know.

    Returns:
        As in a kubeconfig's user, a token, or a client certificate and its key; and
        the seconds after which to run it again, None for only when the server refuses.

    Raises:
        UsageError: The plugin's entry is wrong.
        CredentialsError: It cannot be run, fails, or gives out nothing.
    """
    command = _required(plugin, "command")
    arguments = [
        text_of(each, "exec.args of the kubeconfig's user") for each in plugin.get("args") or ()
    ]
    environment = {**os.environ, **_environment(plugin)}
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    interactive = has_terminal and plugin.get("interactiveMode") != "Never"
    environment["KUBERNETES_EXEC_INFO"] = _info(plugin, cluster, interactive=interactive)
    try:
        process = await asyncio.create_subprocess_exec(
            command,
            *arguments,
            env=environment,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise CredentialsError(
            f"cannot run the exec plugin {command}: {error.strerror}",
            hint=str(plugin.get("installHint") or "install it, or check PATH"),
        ) from error
    output, complaint = await _outcome(process, command)
    if process.returncode != 0:
        said = shortened(complaint.decode(errors="replace"))
        text = f"the exec plugin {command} failed: it returned {process.returncode}"
        raise CredentialsError(f"{text}: {said}" if said else text)
    status = _status(output, plugin, command)
    return _user_of(command, status), _expiry(status)


async def _outcome(process: asyncio.subprocess.Process, command: str) -> tuple[bytes, bytes]:
    """What it wrote; it is killed if the wait is cancelled or times out."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await process.communicate()
    except TimeoutError as error:
        raise CredentialsError(
            f"the exec plugin {command} timed out after {_TIMEOUT_S:g} s"
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _required(plugin: Entry, key: str) -> str:
    value = plugin.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"exec of the kubeconfig's user has no {key}")
    return value


def _environment(plugin: Entry) -> dict[str, str]:
    found = {}
    for each in plugin.get("env") or ():
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise UsageError("exec.env of the kubeconfig's user: each should have a name")
        what = f"exec.env: {each['name']} of the kubeconfig's user"
        found[each["name"]] = text_of(each.get("value", ""), what)
    return found


def _info(plugin: Entry, cluster: Entry, *, interactive: bool) -> str:
    spec: Entry = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(cluster)
    version = _required(plugin, "apiVersion")
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})


def _cluster_info(cluster: Entry) -> Entry:
    """The cluster, without its files: the authority's certificate is in it, whole."""
    found: Entry = {key: cluster[key] for key in _OF_CLUSTER if key in cluster}
    authority = cluster.get("certificate-authority-data")
    if authority is None and "certificate-authority" in cluster:
        path = cluster["certificate-authority"]
        try:
            authority = base64.b64encode(Path(path).read_bytes()).decode()
        except OSError as error:
            raise UsageError(
                f"certificate-authority: cannot read {path}: {error.strerror}"
            ) from error
    if authority is not None:
        found["certificate-authority-data"] = authority
    for extension in cluster.get("extensions") or ():
        if isinstance(extension, dict) and extension.get("name") == _EXTENSION:
            found["config"] = extension.get("extension")
    return found


def _status(output: bytes, plugin: Entry, command: str) -> Entry:
    # What the plugin printed is a secret, or next to one: no error quotes it.
    try:
        answer = msgspec.json.decode(output, type=dict[str, Any])
    except UNREADABLE:
        raise CredentialsError(
            f"the exec plugin {command} failed: what it printed cannot be decoded as JSON"
        ) from None
    if answer.get("apiVersion") != plugin["apiVersion"]:
        raise CredentialsError(
            f"the exec plugin {command} returned another apiVersion than it was asked for",
            hint=f"the kubeconfig asks for {plugin['apiVersion']}",
        )
    status = answer.get("status")
    return status if isinstance(status, dict) else {}


def _user_of(command: str, status: Entry) -> Entry:
    if token := status.get("token"):
        if not isinstance(token, str):
            raise CredentialsError(f"the exec plugin {command} gave out a token that is no text")
        return {"token": token}
    certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
    if certificate and key:
        # Unlike the kubeconfig's, these are PEM as it is.
        return {
            "client-certificate-data": base64.b64encode(str(certificate).encode()),
            "client-key-data": base64.b64encode(str(key).encode()),
        }
    raise CredentialsError(f"the exec plugin {command} returned neither a token nor a certificate")


def _expiry(status: Entry) -> float | None:
    stamp = status.get("expirationTimestamp")
    if not stamp:
        return None
    try:
        expires = datetime.fromisoformat(str(stamp))
    except ValueError:
        return _CHECK_AGAIN_S
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    return lifetime_s((expires - datetime.now(UTC)).total_seconds())


def shortened(text: str) -> str:
    """The end of an error message, which says most."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_COMPLAINT else f"...{text[-_LONGEST_COMPLAINT:]}"
