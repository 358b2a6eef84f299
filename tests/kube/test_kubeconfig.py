import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from perfscale.errors import UsageError
from perfscale.kube.auth.kubeconfig import Access, find_access


def document(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443"}}],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}}],
    } | changes


def write(path: Path, content: dict[str, Any] | str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def find(
    kubeconfig: str | None = None,
    *,
    context: str | None = None,
    master: str | None = None,
    environ: dict[str, str] | None = None,
    service_account: Path = Path("/nonexistent"),
) -> Access:
    return find_access(
        kubeconfig=kubeconfig,
        context=context,
        master=master,
        environ=environ or {},
        service_account=service_account,
    )


def test_the_option_comes_before_the_environment_and_that_before_the_default(
    tmp_path: Path,
) -> None:
    option = write(tmp_path / "option", document("option"))
    variable = write(tmp_path / "variable", document("variable"))
    write(tmp_path / ".kube" / "config", document("default"))
    home = {"HOME": str(tmp_path)}
    everything = home | {"KUBECONFIG": variable}
    assert find(option, environ=everything).context == "option"
    assert find(environ=everything).context == "variable"
    assert find(environ=home).context == "default"


def test_a_pod_uses_its_service_account_if_there_is_no_kubeconfig(tmp_path: Path) -> None:
    write(tmp_path / "token", "secret")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = find(environ=environ, service_account=tmp_path)
    assert access.context is None
    assert access.cluster["server"] == "https://[fd00::1]:443"
    assert access.user == {"tokenFile": str(tmp_path / "token")}


def test_the_first_of_several_files_wins_and_missing_ones_are_passed_over(tmp_path: Path) -> None:
    first = write(tmp_path / "one" / "config", document("a"))
    users = [{"name": "a", "user": {"token": "other"}}]
    second = write(tmp_path / "two" / "config", document("b", users=users))
    paths = os.pathsep.join([str(tmp_path / "missing"), first, "", second])
    access = find(environ={"KUBECONFIG": paths})
    assert (access.context, access.user) == ("a", {"token": "token-of-a"})


def test_paths_are_relative_to_the_file_they_are_written_in(tmp_path: Path) -> None:
    cluster = {"server": "https://a", "certificate-authority": "ca.crt", "proxy-url": ""}
    plugin = {"command": "./bin/plugin", "apiVersion": "client.authentication.k8s.io/v1"}
    path = write(
        tmp_path / "config",
        document(
            "a",
            clusters=[{"name": "a", "cluster": cluster}],
            users=[{"name": "a", "user": {"tokenFile": "/abs/token", "exec": plugin}}],
        ),
    )
    access = find(path)
    assert access.cluster["certificate-authority"] == str(tmp_path / "ca.crt")
    assert "proxy-url" not in access.cluster
    assert access.user["tokenFile"] == "/abs/token"
    assert access.user["exec"]["command"] == str(tmp_path / "bin/plugin")


def test_a_master_replaces_the_server_and_keeps_the_credentials(tmp_path: Path) -> None:
    path = write(tmp_path / "config", document("a"))
    access = find(path, master="https://other:1234")
    assert access.cluster["server"] == "https://other:1234"
    assert access.user == {"token": "token-of-a"}


def test_a_master_needs_no_kubeconfig() -> None:
    assert find(master="http://127.0.0.1:8080").cluster == {"server": "http://127.0.0.1:8080"}


def test_a_context_can_be_chosen(tmp_path: Path) -> None:
    first = write(tmp_path / "1", document("a"))
    second = write(tmp_path / "2", document("b"))
    environ = {"KUBECONFIG": os.pathsep.join([first, second])}
    assert find(context="b", environ=environ).cluster["server"] == "https://b:6443"


BROKEN = {
    "no such context": (document("a"), "b", "has no context b .contexts: a.$"),
    "no current context": (document("a", **{"current-context": ""}), None, "contexts: a"),
    "no contexts at all": ("", None, "contexts: none"),
    "cluster is missing": (document("a", clusters=None), None, "the cluster a, which is not in it"),
    "user is missing": (document("a", users=[]), None, "the user a, who is not in it"),
    "not YAML": ("a: b\n\tc: d\n", None, r"config:2:1: not valid YAML: found a tab"),
    "not text": ("a: \0", None, "not valid YAML"),
    "a list": ("- a\n", None, "it should be a mapping"),
    "clusters are a mapping": (
        document("a", clusters={"a": {}}),
        None,
        "clusters should be a list",
    ),
    "a user without a name": (document("a", users=[{"user": {}}]), None, r"users\[0\] should be"),
    "a cluster that is text": (
        document("a", clusters=[{"name": "a", "cluster": "x"}]),
        None,
        r"clusters\[0\]\.cluster should be a mapping",
    ),
    "exec is text": (
        document("a", users=[{"name": "a", "user": {"exec": "aws"}}]),
        None,
        "exec of the user a should be a mapping",
    ),
}


@pytest.mark.parametrize(("content", "context", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_a_kubeconfig_is_said(
    tmp_path: Path, content: dict[str, Any] | str, context: str | None, message: str
) -> None:
    path = write(tmp_path / "config", content)
    with pytest.raises(UsageError, match=message):
        find(path, context=context)


def test_no_secret_of_a_broken_file_gets_into_the_message(tmp_path: Path) -> None:
    path = write(tmp_path / "config", "users:\n- user: {token: top-secret, : ]\n")
    with pytest.raises(UsageError, match=":2:") as caught:
        find(path)
    assert "top-secret" not in str(caught.value)
    secret = document("a", users=[{"name": "a", "user": {"token": "top-secret"}}])
    assert "top-secret" not in repr(find(write(tmp_path / "ok", secret)))


@pytest.mark.parametrize("option", [True, False], ids=["option", "variable"])
def test_a_missing_file_is_named(tmp_path: Path, option: bool) -> None:
    path = str(tmp_path / "nothing")
    with pytest.raises(UsageError, match=r"no such kubeconfig: .*nothing"):
        find(path if option else None, environ={} if option else {"KUBECONFIG": path})


def test_without_any_cluster_the_ways_to_name_one_are_told() -> None:
    with pytest.raises(UsageError, match="no cluster to talk to") as caught:
        find()
    assert "--kubeconfig" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="no context x"):
        find(context="x")


def test_a_context_may_be_called_like_a_date_or_a_number(tmp_path: Path) -> None:
    for name in ("2026-01-31", "2026"):
        text = yaml.safe_dump(document(name)).replace(f"'{name}'", name)
        access = find(write(tmp_path / "config", text))
        assert (access.context, access.user) == (name, {"token": f"token-of-{name}"})
