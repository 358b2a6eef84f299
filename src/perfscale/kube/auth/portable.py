"""A kubeconfig that is complete in itself, for a process on another machine."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from perfscale.errors import UsageError

if TYPE_CHECKING:
    from perfscale.kube.auth.kubeconfig import Access, Entry

_CERTIFICATES = ("certificate-authority", "client-certificate", "client-key")
_NAME = "sent"


def portable_kubeconfig(access: Access) -> bytes:
    """A kubeconfig of one context, with the content of the files that the access names.

    It holds the credentials. A token in a file is as it is now; a plugin (``exec``) is named, and
    has to be where the kubeconfig is used.

    Raises:
        UsageError: One of the files cannot be read.
    """
    context: Entry = {"cluster": _NAME, "user": _NAME}
    if access.namespace is not None:
        context["namespace"] = access.namespace
    user = _with_content(access.user, access.origin)
    if "tokenFile" in user:
        user["token"] = _read(user.pop("tokenFile"), access.origin).decode().strip()
    return msgspec.json.encode(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": _NAME, "cluster": _with_content(access.cluster, access.origin)}],
            "users": [{"name": _NAME, "user": user}],
            "contexts": [{"name": access.context or _NAME, "context": context}],
            "current-context": access.context or _NAME,
        }
    )


def _with_content(entry: Entry, origin: str) -> Entry:
    found = dict(entry)
    for key in _CERTIFICATES:
        if key in found and f"{key}-data" not in found:
            content = _read(found[key], origin)
            found[f"{key}-data"] = base64.b64encode(content).decode()
        found.pop(key, None)
    return found


def _read(path: object, origin: str) -> bytes:
    try:
        return Path(str(path)).read_bytes()
    except OSError as error:
        raise UsageError(f"{origin}: {path} cannot be read: {error.strerror}") from error
