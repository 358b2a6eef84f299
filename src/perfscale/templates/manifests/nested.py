"""Templates inside templates: of what controllers make for an object, in its manifest.

The run's labels in them are what those objects are found by. Not all of them go with what they
were made for: the claims of a StatefulSet stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from perfscale.templates.manifests.documents import JSON

KindKey: TypeAlias = tuple[str, str]
"""``(apiVersion, kind)``."""

_POD: Final = ("v1", "Pod")
_CLAIM: Final = ("v1", "PersistentVolumeClaim")
_VMI: Final = ("kubevirt.io/v1", "VirtualMachineInstance")

# The members of a kind's spec that are templates, or lists of them. References:
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ and
# https://kubevirt.io/api-reference/
_TEMPLATES: Final[Mapping[str, Mapping[str, KindKey]]] = {
    **{
        kind: {"template": _POD}
        for kind in ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController")
    },
    "StatefulSet": {"template": _POD, "volumeClaimTemplates": _CLAIM},
    "CronJob": {"jobTemplate": ("batch/v1", "Job")},
    "VirtualMachine": {
        "template": _VMI,
        "dataVolumeTemplates": ("cdi.kubevirt.io/v1beta1", "DataVolume"),
    },
    "VirtualMachineInstanceReplicaSet": {"template": _VMI},
    "VirtualMachinePool": {"virtualMachineTemplate": ("kubevirt.io/v1", "VirtualMachine")},
}


class InnerTemplate(NamedTuple):
    """A template in a manifest.

    Attributes:
        path: Keys, and numbers in lists, that lead to it.
        made: The ``(apiVersion, kind)`` of what is made from it; None where that is not known.
        metadata: Its ``metadata``, as it stands; None where it has none.
    """

    path: tuple[str | int, ...]
    made: KindKey | None
    metadata: object


def find_templates(document: JSON) -> Iterator[InnerTemplate]:
    """Every template in a manifest, outer ones first.

    Of kinds that are not known, ``spec.template`` is one if it has ``metadata``.
    """
    yield from _templates_of(document, str(document.get("kind")), ())


def _templates_of(owner: JSON, kind: str, path: tuple[str | int, ...]) -> Iterator[InnerTemplate]:
    spec = owner.get("spec")
    if not isinstance(spec, dict):
        return
    for key, made in _TEMPLATES.get(kind, {}).items():
        for place, template in _mappings(spec.get(key)):
            where = (*path, "spec", key, *place)
            yield InnerTemplate(where, made, template.get("metadata"))
            yield from _templates_of(template, made[1], where)
    if kind == "Pod":
        yield from _ephemeral_claims(spec, (*path, "spec"))
    elif kind not in _TEMPLATES:
        for _, template in _mappings(spec.get("template")):
            if isinstance(template.get("metadata"), dict):
                yield InnerTemplate((*path, "spec", "template"), None, template["metadata"])


def _ephemeral_claims(pod_spec: JSON, path: tuple[str | int, ...]) -> Iterator[InnerTemplate]:
    """Claims that come and go with a pod.

    https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
    """
    for place, volume in _mappings(pod_spec.get("volumes")):
        for _, ephemeral in _mappings(volume.get("ephemeral")):
            for _, template in _mappings(ephemeral.get("volumeClaimTemplate")):
                where = (*path, "volumes", *place, "ephemeral", "volumeClaimTemplate")
                yield InnerTemplate(where, _CLAIM, template.get("metadata"))


def _mappings(value: object) -> Iterator[tuple[tuple[int, ...], JSON]]:
    """A mapping, or those in a list, each with its place."""
    if isinstance(value, dict):
        yield (), value
    elif isinstance(value, list):
        for number, member in enumerate(value):
            if isinstance(member, dict):
                yield (number,), member


def kinds_made(document: JSON) -> Iterator[KindKey]:
    """The ``(apiVersion, kind)`` of everything that controllers make from a manifest.

    Instances are of the version that their owner is of.
    """
    version = str(document.get("apiVersion"))
    for template in find_templates(document):
        if template.made == _VMI and version.startswith("kubevirt.io/"):
            yield version, _VMI[1]
        elif template.made is not None:
            yield template.made


def kinds_that_stay(document: JSON) -> Iterator[KindKey]:
    """Those of them that nobody deletes with what they were made for.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
    """
    for template in find_templates(document):
        if template.made is not None and "volumeClaimTemplates" in template.path:
            yield template.made


def change_templates(document: JSON, change: Callable[[JSON], JSON]) -> None:
    """Put another ``metadata`` into every template in a manifest.

    What leads there is copied: through an alias, a template may share it with other places.
    """
    for template in list(find_templates(document)):
        if template.metadata is None or isinstance(template.metadata, dict):
            changed = change(template.metadata or {})
            first, *rest = (*template.path, "metadata")
            document[str(first)] = _replaced(document[str(first)], rest, changed)


def _replaced(value: Any, path: Sequence[str | int], leaf: JSON) -> Any:  # noqa: ANN401 -- JSON
    """A copy of a JSON value with another at the end of a path."""
    if not path:
        return leaf
    copy = value.copy()
    first, *rest = path
    copy[first] = _replaced(copy.get(first) if isinstance(copy, dict) else copy[first], rest, leaf)
    return copy


def images_in(part: object) -> Iterator[str]:
    """Every image that a part of a manifest names: what pods and KubeVirt call ``image``."""
    if isinstance(part, list):
        for each in part:
            yield from images_in(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "image" and isinstance(value, str) and value:
                yield value
            else:
                yield from images_in(value)
