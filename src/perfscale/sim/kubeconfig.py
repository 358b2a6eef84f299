"""The kubeconfig by which clients find the simulated cluster."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from perfscale.errors import UsageError

if TYPE_CHECKING:
    from perfscale.sim.storage.records import JSON

NAME: Final = "simulated"
"""Of the context, the cluster and the user."""


def kubeconfig_for(url: str, token: str) -> JSON:
    """A kubeconfig with one context, whose user has a token as on many real clusters."""
    cluster: dict[str, Any] = {"server": url}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": token}}],
    }


def write_kubeconfig(path: Path, config: JSON) -> None:
    """Write it in one piece, readable by its owner alone.

    Whoever waits for the file to appear never reads half of it, and what was there before
    stays until the new one is complete.

    Raises:
        UsageError: It cannot be written there.
    """
    try:
        # mkstemp makes files of mode 0600.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                yaml.safe_dump(config, file, sort_keys=False)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise UsageError(
            f"cannot write the kubeconfig to {path}: {error.strerror or error}"
        ) from error
