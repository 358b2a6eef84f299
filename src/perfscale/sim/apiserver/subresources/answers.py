"""The answers of virt-api: no body where it does what it is asked to, else a Status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ObjectReference,
)
from perfscale.sim.controllers.kinds import KUBEVIRT_GROUP
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON

LOST_RACE: Final = "the server rejected our request due to an error in our request"
UNDER_WAY: Final = "unable to complete request: stop/start already underway"


def _name_of(resource: Resource) -> str:
    return f"{resource.kind.lower()}.{KUBEVIRT_GROUP}"


def _about(resource: Resource, name: str) -> ObjectReference:
    return ObjectReference(kind=resource.kind, namespace=None, name=name)


def not_found(resource: Resource, name: str) -> NotFoundError:
    """404: there is no such VM, or no such instance."""
    message = f'{_name_of(resource)} "{name}" not found'
    return NotFoundError(message, status=404, reason="NotFound", about=_about(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ConflictError:
    """409: not in this state."""
    message = f'Operation cannot be fulfilled on {_name_of(resource)} "{name}": {why}'
    return ConflictError(message, status=409, reason="Conflict", about=_about(resource, name))


def forbidden(resource: Resource, name: str, why: str) -> ForbiddenError:
    """403: never with such an object."""
    message = f'{_name_of(resource)} "{name}" is forbidden: {why}'
    return ForbiddenError(message, status=403, reason="Forbidden", about=_about(resource, name))


def internal_error(why: str) -> ApiError:
    """500: what virt-api has tried was refused."""
    return refusals.refusal(500, "InternalError", f"Internal error occurred: {why}")


def status_of(error: ApiError, resource: Resource) -> JSON:
    """The Status of a refusal; its details name the kind in KubeVirt's way."""
    status = refusals.status_of(error)
    if error.about is not None:
        status["details"] = {
            "name": error.about.name,
            "group": KUBEVIRT_GROUP,
            "kind": (error.about.kind or resource.kind).lower(),
        }
    return status
