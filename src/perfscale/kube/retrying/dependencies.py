"""Which 5xx say that the API server could not call a webhook or an aggregated server.

They look like any other, and are no fault of the object that is refused: they pass when what
could not be called is back. Their words are those of k8s.io/apiserver (``webhookerrors``,
``admission/plugin/webhook``), k8s.io/apiextensions-apiserver (``conversion/webhook_converter.go``)
and k8s.io/kube-aggregator. A webhook that answers, and refuses, is not among them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

_WEBHOOK: Final = 'failed calling webhook "'
_CONVERSION: Final = "conversion webhook for "
_UNREACHED: Final = "error trying to reach service"
_UNABLE: Final = "the server is currently unable to handle the request"
"""In a 500 the API server repeats what another has told it; in a 503 it means itself."""


def find_dependency(status: int, message: str) -> tuple[str, str] | None:
    """What could not be called: ``webhook`` or ``aggregated server``, and its name if it is said.

    Args:
        status: HTTP status, 500 or more.
        message: Of the Status.
    """
    _, failed, rest = message.partition(_WEBHOOK)
    if failed:
        return "webhook", rest.partition('"')[0]
    _, failed, rest = message.partition(_CONVERSION)
    kind, unconverted, _ = rest.partition(" failed:")
    if failed and unconverted:
        return "webhook", f"conversion of {kind}"
    if _UNREACHED in message or (status == HTTPStatus.INTERNAL_SERVER_ERROR and _UNABLE in message):
        return "aggregated server", ""
    return None
