"""How objects go over the wire: what a client accepts, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import yaml
from aiohttp import web

from perfscale.sim.apiserver.protobuf import MEDIA_TYPE, decode_protobuf
from perfscale.sim.apiserver.table import partial_metadata, table
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import JSON, Record, decode, encode, watch_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from perfscale.errors import ApiError
    from perfscale.kube.resources import Resource
    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.apiserver.verbs import Request

Form = Literal["object", "table", "metadata"]

JSON_TYPE: Final = "application/json"
_ANY: Final = frozenset({JSON_TYPE, "*/*", "application/*", ""})


@lru_cache(maxsize=256)
def accepted_form(accept: str) -> Form:
    """The first representation of an Accept header that there is.

    Raises:
        ApiError: 406: there is no such representation.
    """
    for offer in accept.split(","):
        media, *parameters = (part.strip() for part in offer.split(";"))
        if media not in _ANY:
            continue
        values = dict(part.partition("=")[::2] for part in parameters)
        wanted = values.get("as")
        if wanted is None:
            return "object"
        if values.get("g") != "meta.k8s.io" or values.get("v") != "v1":
            continue
        if wanted == "Table":
            return "table"
        if wanted in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return "metadata"
    raise refusals.refusal(
        406,
        "NotAcceptable",
        f"only the following media types are accepted: {JSON_TYPE}, {JSON_TYPE};as=Table, "
        f"{JSON_TYPE};as=PartialObjectMetadata",
    )


@dataclass(frozen=True, slots=True)
class View:
    """Objects in the version and representation that a client accepts.

    Attributes:
        include: What a table's rows carry: ``None``, ``Metadata`` or ``Object``.
    """

    target: Target
    form: Form
    now: Callable[[], datetime]
    include: str = "Metadata"

    @property
    def is_stored(self) -> bool:
        """Whether stored objects go out as they are."""
        return self.form == "object" and self._resource.version == self.target.kind.versions[0]

    @property
    def _resource(self) -> Resource:
        return self.target.resource

    def raw(self, record: Record) -> bytes:
        """A stored object as the client wants it."""
        return record.raw if self.is_stored else self.encode(record.load())

    def encode(self, obj: JSON) -> bytes:
        """An object as the client wants it."""
        if self.form == "object":
            return encode({**obj, "apiVersion": self._resource.api_version})
        if self.form == "metadata":
            return encode(partial_metadata(obj))
        version = obj["metadata"].get("resourceVersion", "")
        return encode(self._table([obj], {"resourceVersion": version}))

    def list(self, records: Iterable[Record], metadata: JSON) -> bytes:
        """A list of objects as the client wants it."""
        if self.form == "table":
            return encode(self._table((record.load() for record in records), metadata))
        if self.form == "metadata":
            kind, api_version = "PartialObjectMetadataList", "meta.k8s.io/v1"
        else:
            kind, api_version = self.target.kind.list_kind, self._resource.api_version
        return b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[%b]}' % (
            kind.encode(),
            api_version.encode(),
            encode(metadata),
            b",".join(self.raw(record) for record in records),
        )

    def line(self, event_type: str, record: Record) -> bytes:
        """An event of a watch."""
        return watch_line(event_type, self.raw(record))

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        """A bookmark: an object of the kind that has a version and nothing else."""
        metadata: JSON = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        kind, api_version = self.target.kind.kind, self._resource.api_version
        obj: JSON = {"kind": kind, "apiVersion": api_version, "metadata": metadata}
        if self.form == "metadata":
            obj = partial_metadata(obj)
        elif self.form == "table":
            obj = self._table([], {"resourceVersion": str(version)})
            obj["rows"] = [{"cells": [], "object": partial_metadata({"metadata": metadata})}]
        return watch_line("BOOKMARK", encode(obj))

    def _table(self, objects: Iterable[JSON], metadata: JSON) -> JSON:
        kept = list(objects)
        made = table(self.target.kind, kept, metadata, self.now())
        if self.include != "Metadata":
            for shown, obj in zip(made["rows"], kept, strict=True):
                shown["object"] = obj if self.include == "Object" else None
        return made


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: what looks like a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def decode_body(body: bytes, content_type: str) -> Any:  # noqa: ANN401 - JSON
    """The body of a request: JSON, or by its content type YAML, protobuf of a few kinds.

    Raises:
        ApiError: 400: it cannot be read; 415: it is neither.
    """
    try:
        if "yaml" in content_type:
            return yaml.load(body, _Loader)  # noqa: S506 - a safe loader
        if content_type == MEDIA_TYPE:
            obj = decode_protobuf(body)
            if obj is not None:
                return obj
        elif "json" in content_type or content_type in ("", "application/octet-stream"):
            return decode(body)
    except (ValueError, yaml.YAMLError) as error:
        raise refusals.bad_request(
            f"the object provided is unrecognized (must be valid JSON or YAML): {error}"
        ) from error
    raise unsupported(content_type, "application/json, application/yaml")


def unsupported(content_type: str, accepted: str) -> ApiError:
    """415: a body of a type that the server does not take."""
    return refusals.refusal(
        415,
        "UnsupportedMediaType",
        f"the body of the request was in an unknown format ({content_type}) - accepted media "
        f"types include: {accepted}",
    )


def answer(body: bytes, media: str = JSON_TYPE, status: int = 200) -> web.Response:
    """A body that is ready to be sent."""
    return web.Response(body=body, status=status, headers={"Content-Type": media})


def answer_object(request: Request, obj: JSON, status: int = 200) -> web.Response:
    """An object, in the form that the request accepts, with its warnings."""
    view = request.view
    is_plain = view.is_stored or obj["kind"] != request.target.kind.kind  # a Status, a Scale
    made = answer(encode(obj) if is_plain else view.encode(obj), status=status)
    for warning in request.warnings:
        # RFC 7234 with the code and agent that Kubernetes uses for all of its warnings.
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        made.headers.add("Warning", f'299 - "{quoted}"')
    return made


def refuse(error: ApiError, resource: Resource | None) -> web.Response:
    """A refusal: its Status, and when to come again."""
    refusal = answer(encode(refusals.status_of(error, resource)), status=error.status or 500)
    if error.retry_after_s is not None:
        refusal.headers["Retry-After"] = str(int(error.retry_after_s))
    return refusal
