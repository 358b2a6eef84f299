"""Finds the kubeconfig, and the one cluster and user in it that a run is for.

kubectl's rules, which kubernetes_asyncio follows only in part: the first file of
several that sets something wins, and a relative path is relative to the file
that it is written in.
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from perfscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Entry: TypeAlias = "dict[str, Any]"

_SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""
_CLUSTER_FILES: Final = ("certificate-authority",)
_USER_FILES: Final = ("client-certificate", "client-key", "tokenFile")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Dates stay the text that they are: a context may well be called 2026-01-31."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in _Loader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Access:
    """One cluster, and who we are there; the paths in it are absolute.

    Attributes:
        context: Name of the kubeconfig's context; None where there is none.
        origin: Where this comes from, for messages.
        cluster: ``cluster`` of the kubeconfig's entry.
        user: ``user`` of the kubeconfig's entry: secrets.
        namespace: The context's, or the pod's own; None where none is named.
    """

    context: str | None
    origin: str
    cluster: Entry
    user: Entry = field(repr=False)
    namespace: str | None = None


def find_access(
    *,
    kubeconfig: str | None,
    context: str | None,
    master: str | None,
    environ: Mapping[str, str],
    service_account: Path = _SERVICE_ACCOUNT,
) -> Access:
    """The cluster to use: of a given file, of KUBECONFIG, of the default file, our own.

    Args:
        kubeconfig: The file, where the user named one.
        context: The context, where the user named one.
        master: URL to use instead of the cluster's own, or without any file.
        environ: The environment.
        service_account: Where a pod finds its own credentials.

    Raises:
        UsageError: A file is missing or broken, or has no such context, or
            there is no cluster at all.
    """
    paths = _paths(kubeconfig, environ)
    if paths:
        access = _choose(_merge(paths), context, may_be_empty=master is not None)
    elif context is not None:
        raise UsageError(f"no context {context}: there is no kubeconfig")
    elif environ.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").is_file():
        access = _in_cluster(environ, service_account)
    elif master is not None:
        access = Access(None, "--master", {}, {})
    else:
        raise UsageError(
            "no cluster to talk to: there is neither a kubeconfig nor a service account",
            hint="name one with --kubeconfig or KUBECONFIG, or use a simulated cluster",
        )
    if master is None:
        return access
    return replace(access, cluster={**access.cluster, "server": master})


def context_names(kubeconfig: str | None = None) -> list[str]:
    """The contexts that a person can choose from, sorted; none where there is no kubeconfig.

    Raises:
        UsageError: The kubeconfig is not there, or cannot be read.
    """
    return sorted(_merge(_paths(kubeconfig, os.environ)).contexts)


def _paths(kubeconfig: str | None, environ: Mapping[str, str]) -> list[Path]:
    """The files to read; a file that the user named must be there."""
    if kubeconfig:
        path = Path(kubeconfig).expanduser()
        if not path.is_file():
            raise UsageError(f"no such kubeconfig: {kubeconfig}")
        return [path]
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if listed:
        found = [path for path in (Path(part).expanduser() for part in listed) if path.is_file()]
        if not found:
            raise UsageError(f"no such kubeconfig: {os.pathsep.join(listed)} (from KUBECONFIG)")
        return found
    home = environ.get("HOME") or environ.get("USERPROFILE")
    default = Path(home, ".kube", "config") if home else None
    return [default] if default is not None and default.is_file() else []


@dataclass(slots=True)
class _Merged:
    origin: str
    clusters: dict[str, Entry] = field(default_factory=dict)
    contexts: dict[str, Entry] = field(default_factory=dict)
    users: dict[str, Entry] = field(default_factory=dict)
    current: str | None = None


def _merge(paths: Sequence[Path]) -> _Merged:
    merged = _Merged(os.pathsep.join(str(path) for path in paths))
    for path in paths:
        document = _read(path)
        folder = path.parent.absolute()
        for name, cluster in _entries(path, document, "clusters", "cluster"):
            merged.clusters.setdefault(name, _anchored(cluster, _CLUSTER_FILES, folder))
        for name, user in _entries(path, document, "users", "user"):
            merged.users.setdefault(name, _anchored_user(path, name, user, folder))
        for name, context in _entries(path, document, "contexts", "context"):
            merged.contexts.setdefault(name, context)
        current = document.get("current-context")
        merged.current = merged.current or (None if current in (None, "") else str(current))
    return merged


def _read(path: Path) -> Entry:
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 -- a safe loader
    except OSError as error:
        raise UsageError(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(path)
        # Without the cause, which quotes the file: there may be a token in that line.
        raise UsageError(f"{place}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise UsageError(f"{path}: not valid YAML: not a text file") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"{path}: not a kubeconfig: it should be a mapping")
    return document


def _entries(path: Path, document: Entry, section: str, key: str) -> Iterable[tuple[str, Entry]]:
    """The named entries of a section, without what is empty in them."""
    listed = document.get(section) or []
    if not isinstance(listed, list):
        raise UsageError(f"{path}: {section} should be a list")
    for index, item in enumerate(listed):
        if not isinstance(item, dict) or "name" not in item:
            raise UsageError(f"{path}: {section}[{index}] should be a mapping with a name")
        entry = item.get(key) or {}
        if not isinstance(entry, dict):
            raise UsageError(f"{path}: {section}[{index}].{key} should be a mapping")
        yield str(item["name"]), {k: v for k, v in entry.items() if v is not None and v != ""}


def text_of(value: object, what: str) -> str:
    """A value that kubectl takes too; YAML makes another one of what is not quoted (1.20).

    Raises:
        UsageError: It is no text; ``what`` names it.
    """
    if not isinstance(value, str):
        raise UsageError(f"{what} should be text, not {value!r}", hint="write it in quotes")
    return value


def _anchored(entry: Entry, keys: Iterable[str], folder: Path) -> Entry:
    return {**entry, **{key: str(folder / str(entry[key])) for key in keys if key in entry}}


def _anchored_user(path: Path, name: str, user: Entry, folder: Path) -> Entry:
    user = _anchored(user, _USER_FILES, folder)
    for key in ("exec", "auth-provider"):
        if not isinstance(user.get(key, {}), dict):
            raise UsageError(f"{path}: {key} of the user {name} should be a mapping")
    plugin = user.get("exec")
    # A bare command is looked for in PATH; one with a slash is a path like the others.
    if plugin is not None and os.sep in str(plugin.get("command", "")):
        user["exec"] = {**plugin, "command": str(folder / plugin["command"])}
    return user


def _choose(merged: _Merged, context: str | None, *, may_be_empty: bool) -> Access:
    name = context or merged.current
    known = ", ".join(sorted(merged.contexts)) or "none"
    if name is None:
        if may_be_empty:
            return Access(None, merged.origin, {}, {})
        raise UsageError(
            f"{merged.origin} has no current-context (contexts: {known})",
            hint="choose one with --context",
        )
    chosen = merged.contexts.get(name)
    if chosen is None:
        raise UsageError(f"{merged.origin} has no context {name} (contexts: {known})")
    cluster_name, user_name = chosen.get("cluster"), chosen.get("user")
    cluster = merged.clusters.get(str(cluster_name))
    if cluster is None:
        raise UsageError(
            f"{merged.origin}: the context {name} is for the cluster {cluster_name},"
            " which is not in it"
        )
    user = merged.users.get(str(user_name)) if user_name else {}
    if user is None:
        raise UsageError(
            f"{merged.origin}: the context {name} is for the user {user_name}, who is not in it"
        )
    namespace = chosen.get("namespace")
    return Access(name, merged.origin, cluster, user, None if namespace is None else str(namespace))


def _in_cluster(environ: Mapping[str, str], folder: Path) -> Access:
    host = environ["KUBERNETES_SERVICE_HOST"]
    port = environ.get("KUBERNETES_SERVICE_PORT") or "443"
    bracketed = f"[{host}]" if ":" in host else host
    cluster = {
        "server": f"https://{bracketed}:{port}",
        "certificate-authority": str(folder / "ca.crt"),
    }
    user = {"tokenFile": str(folder / "token")}
    return Access(None, "the pod's service account", cluster, user, _text(folder / "namespace"))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None
