"""What a server, or a balancer in front of it, answers where a fault refuses a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.errors import ApiError, ServerError
from perfscale.sim.apiserver.negotiation import refuse
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.faults.model import RequestFault

_USER: Final = "system:serviceaccount:perfscale:loader"
_AGAIN: Final = {
    429: (429, "TooManyRequests", "too many requests, please try again later"),
    503: (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
}
_COUNTED_MEANWHILE: Final = (
    'Operation cannot be fulfilled on resourcequotas "quota": the object has been modified; '
    "please apply your changes to the latest version and try again"
)
# As HAProxy has them; other balancers differ in the words, and not in the form.
_BALANCED: Final = {
    "badGateway": (502, "The server returned an invalid or incomplete response."),
    "gatewayTimeout": (504, "The server didn't respond in time."),
}
_TITLES: Final = {502: "Bad Gateway", 504: "Gateway Time-out"}


def refusal_of(
    fault: RequestFault, request: web.Request, target: Target | None, verb: str
) -> web.Response:
    """The answer of a fault that refuses a request; `target` is None if it is for no object."""
    if fault.fault in _BALANCED:
        status, why = _BALANCED[fault.fault]
        title = f"{status} {_TITLES[status]}"
        page = f"<html><body><h1>{title}</h1>\n{why}\n</body></html>\n"
        return web.Response(text=page, status=status, content_type="text/html")
    if fault.fault == "groupUnavailable":
        # As kube-aggregator has it: plain text, and no Status.
        return web.Response(text="service unavailable\n", status=503)
    error = _error_of(fault, request, target, verb)
    refused = refuse(error, None if target is None else target.resource)
    if fault.value is not None:
        refused.headers["Retry-After"] = fault.value
    return refused


def _error_of(
    fault: RequestFault, request: web.Request, target: Target | None, verb: str
) -> ApiError:
    retry_s = fault.retry_after
    match fault.fault:
        case "tooManyRequests":
            return refusals.too_many_requests(1 if retry_s is None else int(retry_s))
        case "unavailable":
            _, reason, message = _AGAIN[503]
            return ServerError(message, status=503, reason=reason, retry_after_s=retry_s)
        case "badRetryAfter":
            status, reason, message = _AGAIN[fault.status]
        case "unauthorized":
            status, reason, message = 401, "Unauthorized", "Unauthorized"
        case "forbidden":
            status, reason, message = 403, "Forbidden", _forbidden(request, target, verb)
        case "conflict":
            status, reason, message = 409, "Conflict", _COUNTED_MEANWHILE
        case "webhookDown":
            status, reason, message = 500, "InternalError", _uncalled(fault.webhook)
        case _:
            status, reason = 500, "InternalError"
            message = "Internal error occurred: injected by the simulation"
    return refusals.refusal(status, reason, message)


def _forbidden(request: web.Request, target: Target | None, verb: str) -> str:
    """In the words of RBAC: https://kubernetes.io/docs/reference/access-authn-authz/authorization/."""
    if target is None:
        method = request.method.lower()
        return f'forbidden: User "{_USER}" cannot {method} path "{request.path}"'
    resource = target.resource
    what = resource.name if target.name is None else f'{resource.name} "{target.name}"'
    asked = resource.plural
    if target.subresource is not None:
        asked = f"{asked}/{target.subresource}"
    where = "at the cluster scope"
    if target.namespace is not None:
        where = f'in the namespace "{target.namespace}"'
    return (
        f'{what} is forbidden: User "{_USER}" cannot {verb} resource "{asked}" '
        f'in API group "{resource.group}" {where}'
    )


def _uncalled(webhook: str) -> str:
    return (
        f'Internal error occurred: failed calling webhook "{webhook}": failed to call webhook: '
        'Post "https://virt-api.kubevirt.svc:443/validate?timeout=10s": dial tcp 10.96.0.10:443: '
        "connect: connection refused"
    )
