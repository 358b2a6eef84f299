"""The discovery: the server's version, groups, resources and health."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from perfscale.sim.storage import refusals
from perfscale.sim.storage.kinds.calls import GROUP as CALLS_GROUP
from perfscale.sim.storage.kinds.calls import NAMESPACED_CALL

if TYPE_CHECKING:
    from perfscale.sim.storage.catalogue import Catalogue
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.resources import Kind

MAJOR: Final = "1"
MINOR: Final = "32"
HEALTH_PATHS: Final = frozenset({"/healthz", "/livez", "/readyz"})


def version() -> JSON:
    """The answer to ``/version``."""
    return {
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": f"v{MAJOR}.{MINOR}.0+perfscale",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }


def discover(path: str, catalogue: Catalogue) -> JSON:
    """The answer to a path of the discovery; raises `NotFoundError`."""
    match path.strip("/").split("/"):
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            groups = [_group(group, catalogue) for group in catalogue.groups() if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in catalogue.groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, catalogue)}
        case ["api", "v1"]:
            return _resources("", "v1", catalogue)
        case ["apis", group, served] if served in catalogue.groups().get(group, ()):
            return _resources(group, served, catalogue)
    raise refusals.no_such_path()


def is_discovery(path: str) -> bool:
    """Whether a path is the discovery's, and not an object's."""
    parts = path.strip("/").split("/")
    return (parts[0] == "api" and len(parts) <= 2) or (parts[0] == "apis" and len(parts) <= 3)


def group_of(path: str) -> str | None:
    """The group that a path of the discovery is about; None for the lists of all groups."""
    match path.strip("/").split("/"):
        case ["api", _]:
            return ""
        case ["apis", group, *_]:
            return group
    return None


def names_a_version(path: str) -> bool:
    """Whether a path of the discovery lists the kinds of one version of a group."""
    parts = path.strip("/").split("/")
    return (parts[0], len(parts)) in (("api", 2), ("apis", 3))


def _group(group: str, catalogue: Catalogue) -> JSON:
    versions = [
        {"groupVersion": f"{group}/{served}", "version": served}
        for served in catalogue.groups()[group]
    ]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, served: str, catalogue: Catalogue) -> JSON:
    kinds = [kind for kind in catalogue.kinds if kind.group == group and served in kind.versions]
    entries = [entry for kind in kinds for entry in _entries(kind)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{served}" if group else served,
        "resources": [_call(NAMESPACED_CALL), *entries] if group == CALLS_GROUP else entries,
    }


def _entries(kind: Kind) -> list[JSON]:
    if kind.calls:
        return [_call(f"{kind.plural}/{name}") for name in kind.calls]
    entry: JSON = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": sorted(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    entries = [entry]
    if kind.status:
        entries.append(_subresource(kind, "status", kind.kind))
    if kind.scale:
        scale = _subresource(kind, "scale", "Scale")
        entries.append({**scale, "group": "autoscaling", "version": "v1"})
    return entries


def _call(name: str) -> JSON:
    # virt-api lists them with neither kind nor verbs.
    return {
        "name": name,
        "singularName": "",
        "namespaced": True,
        "kind": "",
        "verbs": None,
    }


def _subresource(kind: Kind, name: str, shown_kind: str) -> JSON:
    return {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": shown_kind,
        "verbs": ["get", "patch", "update"],
    }
