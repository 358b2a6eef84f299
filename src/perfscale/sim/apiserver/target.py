"""What the path of a request names: a kind, and in it a namespace, an object, a subresource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.errors import NotFoundError
from perfscale.sim.apiserver import options
from perfscale.sim.apiserver.discovery import is_discovery
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from aiohttp.web import Request

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.catalogue import Catalogue
    from perfscale.sim.storage.resources import Kind

CALLS_PATH: Final = "/apis/subresources.kubevirt.io/"
"""Below it, virt-api answers, which is a server of its own."""
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class Target(NamedTuple):
    """Where a request goes; `resource` is in the version of the URL."""

    kind: Kind
    resource: Resource
    namespace: str | None
    name: str | None
    subresource: str | None


def parse_target(path: str, catalogue: Catalogue) -> Target:
    """The target of a path below ``/api/`` or ``/apis/``; raises `NotFoundError`."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) > 2:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise refusals.no_such_path()
    namespace = None
    own = len(rest) == 3 and rest[2] in ("status", "finalize")
    if rest[:1] == ["namespaces"] and len(rest) > 2 and not own:
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 4 or not all(rest):
        raise refusals.no_such_path()
    # As in ``vnc/screenshot``: that is one subresource.
    rest = [*rest[:2], *filter(None, ["/".join(rest[2:])])]
    plural, name, subresource = (*rest, None, None)[:3]
    kind = catalogue.find(group, version, str(plural))
    if kind is None or (kind.namespaced and name and namespace is None):
        raise refusals.no_such_path()
    if namespace is not None and not kind.namespaced:
        raise refusals.no_such_path()
    if subresource is not None and subresource not in _subresources(kind):
        raise refusals.no_such_path()
    if kind.calls and subresource is None:
        raise refusals.no_such_path()
    return Target(kind, kind.in_version(version), namespace, name, subresource)


def _subresources(kind: Kind) -> set[str]:
    if kind.calls:
        return set(kind.calls)
    known = {"status": kind.status, "scale": kind.scale, "finalize": kind.plural == "namespaces"}
    return {name for name, served in known.items() if served}


def find_target(path: str, catalogue: Catalogue) -> Target | None:
    """The target of any path; None if it is none of the objects'."""
    if not path.startswith(("/api/", "/apis/")) or is_discovery(path):
        return None
    try:
        return parse_target(path, catalogue)
    except NotFoundError:
        return None


def verb_of(request: Request, target: Target) -> str:
    """What a request wants done, in Kubernetes' words."""
    method = request.method
    if method == "DELETE":
        return "deletecollection" if target.name is None else "delete"
    if method in _VERBS:
        return _VERBS[method]
    if options.flag(request.query, "watch"):
        return "watch"
    return "list" if target.name is None else "get"
