"""TLS as a kubeconfig's cluster and user want it."""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.kube.auth.kubeconfig import Entry

_CERTIFICATES: Final = ("certificate-authority", "client-certificate", "client-key")


def tls_context(cluster: Entry, user: Entry, origin: str) -> ssl.SSLContext:
    """A context that trusts the cluster, and shows the user's certificate if there is one.

    Args:
        cluster: ``cluster`` of the kubeconfig's entry.
        user: ``user`` of the kubeconfig's entry.
        origin: Where they come from, for messages.

    Raises:
        UsageError: A certificate or key is missing or broken.
    """
    with _in_files({**cluster, **user}, origin) as files:
        context = ssl.create_default_context(cafile=files.get("certificate-authority"))
        # Clusters' own certificate authorities often lack extensions that strict
        # verification, on by default since Python 3.13, insists on, and Go does not.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        _load_certificate(context, files)
    return context


def show_certificate(context: ssl.SSLContext, user: Entry, origin: str) -> None:
    """Show another certificate on connections opened from now on; raises as `tls_context` does."""
    with _in_files(user, origin) as files:
        _load_certificate(context, files)


def _load_certificate(context: ssl.SSLContext, files: dict[str, str]) -> None:
    if "client-certificate" in files:
        # The password is for encrypted keys: by default, OpenSSL would ask on the terminal.
        context.load_cert_chain(files["client-certificate"], files.get("client-key"), lambda: "")


@contextmanager
def _in_files(entry: Entry, origin: str) -> Iterator[dict[str, str]]:
    """Paths of the certificates and keys, in a private folder while they are loaded.

    Python's ssl takes client certificates and keys from files only.
    """
    files = {}
    with tempfile.TemporaryDirectory(prefix="perfscale-") as folder:
        for key in _CERTIFICATES:
            if f"{key}-data" in entry:
                path = Path(folder, key)
                path.write_bytes(_decoded(key, entry[f"{key}-data"]))
                files[key] = str(path)
            elif key in entry:
                files[key] = str(entry[key])
                if not Path(files[key]).is_file():
                    raise UsageError(f"{key}: no such file: {files[key]}")
        try:
            yield files
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or error.strerror or "not readable"
            raise UsageError(f"{origin}: a certificate or key cannot be used: {reason}") from error


def _decoded(key: str, data: object) -> bytes:
    text = data if isinstance(data, bytes) else "".join(str(data).split())
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"{key}-data in the kubeconfig is not base64") from None
