"""As much of the OpenAPI documents as kubectl needs before it creates or applies anything.

Newer kubectl looks in v3 for the ``fieldValidation`` parameter of a kind's patch operation
and then leaves validation to the server; older kubectl reads v2, as protobuf, and skips the
validation of a kind that is not described there. Neither needs the fields of the kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.apiserver import discovery
from perfscale.sim.apiserver.negotiation import JSON_TYPE
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import encode

if TYPE_CHECKING:
    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.catalogue import Catalogue
    from perfscale.sim.storage.records import JSON

# Clients ask for ``v2@v1.0``, which Go's mime package cannot parse in an answer.
V2_PROTOBUF: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_TITLE: Final = "perfscale"
_VERSION: Final = f"v{discovery.MAJOR}.{discovery.MINOR}.0"


def describe(path: str, accept: str, catalogue: Catalogue) -> tuple[bytes, str]:
    """The answer to a path below ``/openapi/``, with its type; raises `NotFoundError`."""
    if path == "/openapi/v2":
        if "protobuf" in accept:
            # Without definitions, as gnostic's OpenAPIv2.Document message.
            info = _text(1, _TITLE) + _text(2, _VERSION)
            return _text(1, "2.0") + _field(2, info), V2_PROTOBUF
        document = {"swagger": "2.0", "info": _info(), "paths": {}, "definitions": {}}
        return encode(document), JSON_TYPE
    if path == "/openapi/v3":
        return encode(v3_index(catalogue)), JSON_TYPE
    return encode(v3_document(path.removeprefix("/openapi/v3/"), catalogue)), JSON_TYPE


def v3_index(catalogue: Catalogue) -> JSON:
    """The answer to ``/openapi/v3``: where each group and version is described."""
    paths = {}
    for group, versions in catalogue.groups().items():
        for served in versions:
            path = f"apis/{group}/{served}" if group else f"api/{served}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}"}
    return {"paths": paths}


def v3_document(path: str, catalogue: Catalogue) -> JSON:
    """The description of a group and version, ``apis/kubevirt.io/v1``; raises `NotFoundError`."""
    if path not in v3_index(catalogue)["paths"]:
        raise refusals.no_such_path()
    *_, served = path.split("/")
    group = path.split("/")[1] if path.startswith("apis/") else ""
    paths: JSON = {}
    schemas: JSON = {}
    for kind in catalogue.kinds:
        if kind.group == group and served in kind.versions and not kind.calls:
            resource = kind.in_version(served)
            namespace = "{namespace}" if resource.namespaced else None
            paths[resource.path(namespace)] = {"post": _operation(resource, "post")}
            paths[resource.path(namespace, "{name}")] = {
                method: _operation(resource, method) for method in ("get", "put", "patch", "delete")
            }
            schemas[_schema_name(resource)] = _schema(resource)
    return {
        "openapi": "3.0.0",
        "info": _info(),
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _info() -> JSON:
    return {"title": _TITLE, "version": _VERSION}


def _gvk(resource: Resource) -> JSON:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _schema_name(resource: Resource) -> str:
    domain = ".".join(reversed(resource.group.split("."))) if resource.group else "core"
    return f"{domain}.{resource.version}.{resource.kind}"


def _operation(resource: Resource, method: str) -> JSON:
    schema = {"$ref": f"#/components/schemas/{_schema_name(resource)}"}
    operation: JSON = {
        "operationId": f"{method}{resource.kind}",
        "x-kubernetes-action": method,
        "x-kubernetes-group-version-kind": _gvk(resource),
        "responses": {
            "200": {"description": "OK", "content": {"application/json": {"schema": schema}}}
        },
    }
    if method in ("post", "put", "patch"):
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in ("dryRun", "fieldManager", "fieldValidation")
        ]
    return operation


def _schema(resource: Resource) -> JSON:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "type": "object",
        "description": f"{resource.kind} of the simulated cluster; any fields are accepted.",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": anything,
            "spec": anything,
            "status": anything,
        },
        "x-kubernetes-preserve-unknown-fields": True,
        "x-kubernetes-group-version-kind": [_gvk(resource)],
    }


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode())


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field: https://protobuf.dev/programming-guides/encoding/."""
    return bytes([number << 3 | 2, len(value)]) + value
