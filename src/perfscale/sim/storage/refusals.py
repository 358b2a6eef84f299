"""The errors that the server answers with, in the words of a kube-apiserver.

Clients (and people) recognise refusals by their reason, message and causes, so these are
made in one place, as the project's own exceptions; `status_of` turns any into a Status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    ObjectReference,
    ServerError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.kube.resources import Resource


class Cause(NamedTuple):
    """One reason among several: ``details.causes[]`` of a Status."""

    reason: str
    message: str
    field: str = ""


class InvalidError(ApiError):
    """422: the object, or an option of the request, breaks a rule of its kind."""

    def __init__(
        self, message: str, *, causes: Iterable[Cause], about: ObjectReference | None = None
    ) -> None:
        super().__init__(message, status=422, reason="Invalid", about=about)
        self.causes = tuple(causes)


class NamespaceTerminatingError(ForbiddenError):
    """403: a create in a namespace that is being deleted."""

    def __init__(self, resource: Resource, namespace: str, name: str) -> None:
        super().__init__(
            f'{resource.name} "{name}" is forbidden: unable to create new content in namespace '
            f"{namespace} because it is being terminated",
            status=403,
            reason="Forbidden",
            about=_about(resource, namespace, name),
        )
        why = f"namespace {namespace} is being terminated"
        self.causes = (Cause("NamespaceTerminating", why, "metadata.namespace"),)


class TooLargeVersionError(ServerError):
    """504: the client has seen a resourceVersion that the server has not reached."""

    def __init__(self, wanted: int, current: int) -> None:
        message = f"Too large resource version: {wanted}, current: {current}"
        super().__init__(message, status=504, reason="Timeout", retry_after_s=1)
        self.causes = (Cause("ResourceVersionTooLarge", "Too large resource version"),)


def _about(resource: Resource, namespace: str | None, name: str) -> ObjectReference:
    return ObjectReference(kind=resource.kind, namespace=namespace or None, name=name)


def not_found(resource: Resource, namespace: str | None, name: str) -> NotFoundError:
    """No object of that name."""
    return NotFoundError(
        f'{resource.name} "{name}" not found',
        status=404,
        reason="NotFound",
        about=_about(resource, namespace, name),
    )


def no_such_path() -> NotFoundError:
    """The URL leads nowhere: an unknown group, version, resource or subresource."""
    return NotFoundError(
        "the server could not find the requested resource", status=404, reason="NotFound"
    )


def already_exists(
    resource: Resource, namespace: str | None, name: str, *, is_going: bool = False
) -> AlreadyExistsError:
    """The name is taken, perhaps by an object that is being deleted."""
    why = "object is being deleted: " if is_going else ""
    return AlreadyExistsError(
        f'{why}{resource.name} "{name}" already exists',
        status=409,
        reason="AlreadyExists",
        about=_about(resource, namespace, name),
    )


def conflict(resource: Resource, namespace: str | None, name: str, why: str) -> ConflictError:
    """A stale resourceVersion, or a precondition that does not hold."""
    return ConflictError(
        f'Operation cannot be fulfilled on {resource.name} "{name}": {why}',
        status=409,
        reason="Conflict",
        about=_about(resource, namespace, name),
    )


def invalid(
    resource: Resource, namespace: str | None, name: str, causes: Sequence[Cause]
) -> InvalidError:
    """An object that breaks rules of its kind; every broken rule is a cause."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return InvalidError(
        f'{kind} "{name}" is invalid: {text}',
        causes=causes,
        about=_about(resource, namespace, name),
    )


def bad_request(message: str) -> ApiError:
    """400: the request cannot be understood."""
    return ApiError(message, status=400, reason="BadRequest")


def expired_token() -> ExpiredError:
    """410: a continue token that is too old."""
    return expired(
        "The provided continue parameter is too old to display a consistent list "
        "result. You must start a new list without the continue parameter."
    )


def expired(message: str) -> ExpiredError:
    """410: history that the server no longer has."""
    return ExpiredError(message, status=410, reason="Expired")


def too_many_requests(retry_after_s: int = 1) -> ThrottledError:
    """429: over the in-flight limit."""
    return ThrottledError(
        "too many requests, please try again later",
        status=429,
        reason="TooManyRequests",
        retry_after_s=retry_after_s,
    )


def refusal(status: int, reason: str, message: str) -> ApiError:
    """Any other refusal."""
    return ApiError(message, status=status, reason=reason)


def status_of(error: ApiError, resource: Resource | None = None) -> dict[str, Any]:
    """The Status object of an error, as the body of its answer."""
    details: dict[str, Any] = {}
    if error.about is not None and error.about.name:
        details["name"] = error.about.name
    if resource is not None and error.about is not None:
        details["kind"] = resource.kind if error.status == 422 else resource.plural
        if resource.group:
            details["group"] = resource.group
    causes: tuple[Cause, ...] = getattr(error, "causes", ())
    if causes:
        details["causes"] = [
            {"reason": cause.reason, "message": cause.message}
            | ({"field": cause.field} if cause.field else {})
            for cause in causes
        ]
    if error.retry_after_s is not None:
        details["retryAfterSeconds"] = int(error.retry_after_s)
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": str(error),
        "reason": error.reason,
        "code": error.status,
    }
    if details:
        status["details"] = details
    return status
