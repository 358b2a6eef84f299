"""Refusing objects that a real API server would refuse, naming every field that is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.sim.storage import refusals
from perfscale.sim.storage.refusals import Cause
from perfscale.sim.storage.schemas import misshapen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.resources import Kind

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_ANNOTATIONS_SIZE: Final = 256 * 1024

_LABEL_RULE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', and must start and end with an alphanumeric character"
)
_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
    "or '.', and must start and end with an alphanumeric character"
)
_KEY_RULE: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character"
)
# Kinds whose objects mean nothing without a spec: the API's own required fields.
_NEED_SPEC: Final = frozenset(
    {
        "VirtualMachineInstance",
        "VirtualMachine",
        "VirtualMachineInstanceReplicaSet",
        "VirtualMachineInstanceMigration",
        "Pod",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "ReplicationController",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "DataVolume",
        "VolumeSnapshot",
        "VirtualMachinePool",
        "CustomResourceDefinition",
    }
)
_REQUIRED: Final = {"Pod": "containers", "VirtualMachineInstanceMigration": "vmiName"}
_NAMES_ARE_FREE: Final = "rbac.authorization.k8s.io"


def prepare(kind: Kind, resource: Resource, obj: object, namespace: str | None) -> JSON:
    """The object of a request, in the namespace and of the kind of the URL.

    Raises:
        ApiError: 400, because it is not an object, or another one than the URL names.
    """
    if not isinstance(obj, dict):
        raise refusals.bad_request("the body of the request is not a JSON object")
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise refusals.bad_request("metadata is not an object")
    _check_type(resource, obj)
    given = metadata.get("namespace")
    if not kind.namespaced:
        return {**obj, "metadata": metadata}
    if given and given != namespace:
        raise refusals.bad_request(
            f"the namespace of the provided object does not match the namespace sent on the "
            f"request: {given!r} is not {namespace!r}"
        )
    return {**obj, "metadata": {**metadata, "namespace": namespace}}


def _check_type(resource: Resource, obj: JSON) -> None:
    given = (obj.get("apiVersion"), obj.get("kind"))
    if given == (resource.api_version, resource.kind):
        return
    if not given[0] and not given[1]:
        # The API server knows the type from the URL; kubectl never leaves it out.
        return
    if given[1] != resource.kind:
        raise refusals.bad_request(
            f"the kind of the object ({given[1] or 'none'}) does not match the kind of the "
            f"URL ({resource.kind})"
        )
    raise refusals.bad_request(
        f"the API version in the data ({given[0] or 'none'}) does not match the expected API "
        f"version ({resource.api_version})"
    )


def validate(kind: Kind, resource: Resource, obj: JSON) -> None:
    """Check names, labels and the little that is known of specs.

    Raises:
        InvalidError: With a cause for each field that is wrong.
    """
    causes = [
        *_metadata_causes(kind, obj["metadata"]),
        *_spec_causes(obj, resource),
        *misshapen(resource.name, obj),
    ]
    if causes:
        metadata = obj["metadata"]
        name = metadata.get("name") or metadata.get("generateName") or ""
        raise refusals.invalid(resource, metadata.get("namespace"), str(name), causes)


def _metadata_causes(kind: Kind, metadata: JSON) -> Iterator[Cause]:
    name = metadata.get("name")
    if name:
        yield from _name_causes(kind, name)
    elif not isinstance(metadata.get("generateName", ""), str):
        yield _wrong("metadata.generateName", metadata["generateName"], "must be a string")
    elif not metadata.get("generateName"):
        why = "Required value: name or generateName is required"
        yield Cause("FieldValueRequired", why, "metadata.name")
    yield from _label_causes(metadata.get("labels"))
    annotations = metadata.get("annotations")
    if annotations is not None:
        yield from _annotation_causes(annotations)
    finalizers = metadata.get("finalizers") or []
    if not isinstance(finalizers, list) or not all(isinstance(each, str) for each in finalizers):
        yield _wrong("metadata.finalizers", finalizers, "must be a list of strings")
    yield from _owner_causes(metadata.get("ownerReferences") or [])


def _owner_causes(owners: object) -> Iterator[Cause]:
    field = "metadata.ownerReferences"
    if not isinstance(owners, list) or not all(isinstance(each, dict) for each in owners):
        yield _wrong(field, owners, "must be a list of objects")
        return
    for index, owner in enumerate(owners):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key) or not isinstance(owner[key], str):
                why = "Required value: must be a string that is not empty"
                yield Cause("FieldValueRequired", why, f"{field}[{index}].{key}")


def _name_causes(kind: Kind, name: object) -> Iterator[Cause]:
    if not isinstance(name, str):
        yield _wrong("metadata.name", name, "must be a string")
        return
    if kind.group == _NAMES_ARE_FREE:
        return
    if kind.plural == "namespaces":
        longest, pattern, rule = 63, _DNS_LABEL, _LABEL_RULE
    else:
        longest, pattern, rule = 253, _DNS_SUBDOMAIN, _SUBDOMAIN_RULE
    if len(name) > longest:
        yield _wrong("metadata.name", name, f"must be no more than {longest} characters")
    if not pattern.fullmatch(name):
        yield _wrong("metadata.name", name, rule)


def _label_causes(labels: object, field: str = "metadata.labels") -> Iterator[Cause]:
    if labels is None:
        return
    if not isinstance(labels, dict):
        yield _wrong(field, labels, "must be an object")
        return
    for key, value in labels.items():
        yield from _key_causes(key, field)
        if not isinstance(value, str):
            yield _wrong(f"{field}.{key}", value, "must be a string: write it in quotes")
        elif len(value) > 63:
            yield _wrong(field, value, "must be no more than 63 characters")
        elif not _LABEL_VALUE.fullmatch(value):
            yield _wrong(field, value, _VALUE_RULE)


def _annotation_causes(annotations: object) -> Iterator[Cause]:
    field = "metadata.annotations"
    if not isinstance(annotations, dict):
        yield _wrong(field, annotations, "must be an object")
        return
    for key, value in annotations.items():
        yield from _key_causes(key.lower(), field)
        if not isinstance(value, str):
            yield _wrong(f"{field}.{key}", value, "must be a string: write it in quotes")
    if sum(len(key) + len(str(value)) for key, value in annotations.items()) > _ANNOTATIONS_SIZE:
        yield Cause("FieldValueTooLong", f"Too long: at most {_ANNOTATIONS_SIZE} bytes", field)


def _key_causes(key: str, field: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if len(name) > 63 or not _QUALIFIED.fullmatch(name):
        yield _wrong(field, key, _KEY_RULE)
    if slash and (len(prefix) > 253 or not _DNS_SUBDOMAIN.fullmatch(prefix)):
        yield _wrong(field, key, f"prefix part {_SUBDOMAIN_RULE}")


def _spec_causes(obj: JSON, resource: Resource) -> Iterator[Cause]:
    if not isinstance(obj.get("status") or {}, dict):
        yield _wrong("status", obj["status"], "must be an object")
    spec = obj.get("spec")
    if spec is None:
        if resource.kind in _NEED_SPEC:
            yield Cause("FieldValueRequired", "Required value", "spec")
        return
    if not isinstance(spec, dict):
        yield _wrong("spec", spec, "must be an object")
        return
    count = spec.get("replicas")
    if count is not None and (type(count) is not int or count < 0):
        yield _wrong("spec.replicas", count, "must be greater than or equal to 0")
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("metadata"), dict):
        labels = template["metadata"].get("labels")
        yield from _label_causes(labels, "spec.template.metadata.labels")
    required = _REQUIRED.get(resource.kind)
    if required is not None and not spec.get(required):
        yield Cause("FieldValueRequired", "Required value", f"spec.{required}")
    both = spec.get("running") is not None and spec.get("runStrategy")
    if resource.kind == "VirtualMachine" and both:
        why = "Invalid value: Running and RunStrategy are mutually exclusive"
        yield Cause("FieldValueInvalid", why, "spec.running")


def _wrong(field: str, value: object, why: str) -> Cause:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)
