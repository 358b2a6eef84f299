"""A kubeconfig that is sent to another machine."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from perfscale.errors import UsageError
from perfscale.kube.auth.kubeconfig import Access, find_access
from perfscale.kube.auth.portable import portable_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path


def access(folder: Path) -> Access:
    return Access(
        "staging",
        "kubeconfig",
        {"server": "https://cluster", "certificate-authority": str(folder / "ca.crt")},
        {"tokenFile": str(folder / "token"), "client-key-data": "a2V5"},
        "team",
    )


def test_it_has_the_content_of_the_files_that_it_named(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("certificate", encoding="utf-8")
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    there = tmp_path / "there"
    there.write_bytes(portable_kubeconfig(access(tmp_path)))
    for name in ("ca.crt", "token"):
        (tmp_path / name).unlink()
    found = find_access(kubeconfig=str(there), context=None, master=None, environ={})
    assert found.context == "staging"
    assert found.namespace == "team"
    assert found.cluster == {
        "server": "https://cluster",
        "certificate-authority-data": base64.b64encode(b"certificate").decode(),
    }
    assert found.user == {"token": "secret", "client-key-data": "a2V5"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="token cannot be read"):
        portable_kubeconfig(access(tmp_path))


def test_a_plugin_stays_a_plugin() -> None:
    plugin = {"exec": {"command": "aws", "apiVersion": "client.authentication.k8s.io/v1"}}
    sent = json.loads(portable_kubeconfig(Access(None, "", {"server": "http://a"}, plugin)))
    assert sent["users"][0]["user"] == plugin
