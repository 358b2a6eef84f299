"""Turns an error answer of the API server into the matching exception.

The server explains itself in a ``Status`` object:
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
Whatever stands in front of it (a proxy, a load balancer) answers with anything.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    DependencyError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    NotPermittedError,
    NotServedError,
    ObjectReference,
    ServerError,
    ThrottledError,
)
from perfscale.kube.calls import call_of
from perfscale.kube.decoding import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_SUMMARY: Final = 200
_LONGEST_RETRY_AFTER_S: Final = 60.0
_WEBHOOK: Final = 'failed calling webhook "'
_CONVERSION: Final = "conversion webhook for "
_UNREACHED: Final = "error trying to reach service"
_UNABLE: Final = "the server is currently unable to handle the request"
"""In a 500 the API server repeats the words of another; in a 503 it means itself."""
_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
    429: ThrottledError,
}


class Cause(msgspec.Struct, frozen=True):
    """One entry of ``details.causes``: what is wrong with which field."""

    reason: str | None = None
    message: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        """``field: message``, leaving out what is not known."""
        return ": ".join(part for part in (self.field, self.message or self.reason) if part)


class Details(msgspec.Struct, frozen=True, rename="camel"):
    """``details`` of a Status."""

    name: str | None = None
    kind: str | None = None
    causes: list[Cause] | None = None
    retry_after_seconds: float | None = None


class Status(msgspec.Struct, frozen=True):
    """The server's explanation of an error."""

    kind: str | None = None
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: Details | None = None


_decoder = msgspec.json.Decoder(Status)


def error_from_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, path: str = ""
) -> ApiError:
    """The exception for an answer of ``status`` 300 or more.

    Args:
        status: HTTP status of the answer.
        headers: Its headers; ``Retry-After`` in seconds is understood.
        body: A Status object, or anything else, of which the beginning is shown.
        path: Path of the request, for the namespace, which a Status does not repeat.
    """
    try:
        explained = _decoder.decode(body)
    except UNREADABLE:
        explained = Status()
    if explained.kind != "Status":
        summary = _summary(status, headers, body)
        if status == HTTPStatus.NOT_FOUND and call_of("GET", path).resource:
            return NotServedError(summary, status=status, reason="NotFound")
        if status == HTTPStatus.FORBIDDEN:  # of something in front of the API server
            return NotPermittedError(summary, status=status, reason="Forbidden")
        explained = Status(message=summary)
    error = error_from_status(
        explained,
        status=status,
        namespace=_namespace_in(path),
        retry_after_s=_seconds(headers.get("Retry-After")),
    )
    if isinstance(error, DependencyError) and not error.called:
        error.called = _group_in(path)
    return error


def error_from_status(
    explained: Status,
    *,
    status: int,
    namespace: str | None = None,
    retry_after_s: float | None = None,
) -> ApiError:
    """The exception for a Status object, which may also come inside a watch."""
    details = explained.details or Details()
    reason = explained.reason or _phrase(status).replace(" ", "")
    branch = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    if branch is ConflictError and reason == "AlreadyExists":
        branch = AlreadyExistsError
    if branch is ForbiddenError and _is_of_authorizer(explained.message or ""):
        branch = NotPermittedError
    about = None
    if details.kind or details.name:
        about = ObjectReference(details.kind, namespace, details.name)
    if retry_after_s is None:
        retry_after_s = _bounded(details.retry_after_seconds)
    dependency = None
    if branch is ServerError:
        dependency = _find_dependency(status, explained.message or "")
    error = (DependencyError if dependency else branch)(
        _with_causes(explained.message or reason, details.causes or []),
        status=status,
        reason=reason,
        about=about,
        retry_after_s=retry_after_s,
    )
    if dependency and isinstance(error, DependencyError):
        error.dependency, error.called = dependency
    return error


def _find_dependency(status: int, message: str) -> tuple[str, str] | None:
    """What could not be called: ``webhook`` or ``aggregated server``, and its name if it is said.

    Such a 5xx looks like any other, and is no fault of the object that is refused: it passes
    when what could not be called is back. It shows by the words alone: those of k8s.io/apiserver
    (``webhookerrors``, ``admission/plugin/webhook``), k8s.io/apiextensions-apiserver
    (``conversion/webhook_converter.go``) and k8s.io/kube-aggregator. A webhook that answers,
    and refuses, is not among them.
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


def _is_of_authorizer(message: str) -> bool:
    """Whether a 403 is for want of a permission: its reason is that of quotas and admission, too.

    The words are those of ``forbiddenMessage`` in k8s.io/apiserver's ``responsewriters``.
    """
    _, user, rest = message.partition('User "')
    return bool(user) and '" cannot ' in rest


def _with_causes(message: str, causes: list[Cause]) -> str:
    """The message, and each cause whose words are not in it already."""
    missing = [str(cause) for cause in causes if not (cause.message and cause.message in message)]
    return "; ".join([message, *(text for text in missing if text)])


def _summary(status: int, headers: Mapping[str, str], body: bytes) -> str:
    phrase = f"{status} {_phrase(status)}"
    if 300 <= status < 400:
        return f"{phrase}: redirected to {headers.get('Location', 'nowhere')}"
    text = " ".join(body[: 4 * _LONGEST_SUMMARY].decode(errors="replace").split())
    if len(text) > _LONGEST_SUMMARY:
        text = f"{text[:_LONGEST_SUMMARY]}..."
    return f"{phrase}: {text}" if text else phrase


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown status"


def _seconds(retry_after: str | None) -> float | None:
    """Kubernetes sends whole seconds; an HTTP date, which it does not send, is ignored."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return _bounded(float(retry_after))


def _bounded(retry_after_s: float | None) -> float | None:
    """The time to come back, where it is one; no longer than a server needs that is coming up."""
    if retry_after_s is None or not retry_after_s >= 0:
        return None
    return min(retry_after_s, _LONGEST_RETRY_AFTER_S)


def _namespace_in(path: str) -> str | None:
    """The namespace that a path is inside of, as in ``/api/v1/namespaces/NAME/pods``."""
    _, found, rest = path.partition("/namespaces/")
    namespace, inside, _ = rest.partition("/")
    return namespace if found and inside else None


def _group_in(path: str) -> str:
    """The API group of a path, as in ``/apis/GROUP/VERSION``."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "apis" else ""
