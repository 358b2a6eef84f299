"""What a manifest must have before it can be sent, and the run's labels in it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from perfscale.templates.manifests.nested import change_templates, find_templates
from perfscale.templates.scopes import group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perfscale.templates.manifests.documents import JSON

# Limits and characters: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_API_VERSION = re.compile(r"(?:[a-z0-9.-]+/)?v[a-z0-9]+")
_MAX_SUBDOMAIN, _MAX_LABEL = 253, 63
_MAX_DEPTH = 200
# Names that follow the wider rule of a path segment (`system:node`, `v1.`, `user:tag`), which the
# server alone can judge: whole groups, and kinds of others.
_PATH_SEGMENT_GROUPS = frozenset(
    {
        "apiregistration.k8s.io",
        "authorization.openshift.io",
        "certificates.k8s.io",
        "events.k8s.io",
        "image.openshift.io",
        "internal.apiserver.k8s.io",
        "oauth.openshift.io",
        "rbac.authorization.k8s.io",
        "user.openshift.io",
    }
)
_PATH_SEGMENT_KINDS = frozenset({("", "Event"), ("networking.k8s.io", "IPAddress")})
_UNUSABLE = re.compile(r"""[^!-~]|[/%?#"<>\\^`{|}]""")
"""What cannot stand in a path as it is (RFC 3986, 3.3)."""


class Flaw(NamedTuple):
    """Something wrong in a manifest: where (keys from the top), and what to do."""

    path: tuple[str, ...]
    message: str


def find_flaws(document: object, reserved: Mapping[str, str]) -> Iterator[Flaw]:
    """Everything that is wrong with one document of a rendered template.

    Args:
        document: As it was parsed.
        reserved: The labels that the run sets.
    """
    if not isinstance(document, dict):
        yield Flaw(
            (), f"a manifest is a mapping with apiVersion, kind and metadata, not {_a(document)}"
        )
        return
    kind = document.get("kind")
    if kind == "List" or (str(kind).endswith("List") and isinstance(document.get("items"), list)):
        yield Flaw(
            ("kind",),
            f"`kind: {kind}` is a bundle, not an object that can be created and followed: "
            "write its items as documents of their own, separated by `---`",
        )
        return
    yield from _type_flaws(document)
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        got = "is missing" if "metadata" not in document else f"is {_a(metadata)}, not a mapping"
        yield Flaw(("metadata",), f"metadata {got}: every object needs metadata.name")
        return
    yield from _name_flaws(document, metadata)
    yield from _text_map_flaws(metadata, ("metadata",), reserved)
    for template in find_templates(document):
        where = (*map(str, template.path), "metadata")
        if isinstance(template.metadata, dict):
            yield from _text_map_flaws(template.metadata, where, reserved)


def _type_flaws(document: JSON) -> Iterator[Flaw]:
    """What is wrong with ``apiVersion`` and ``kind``."""
    version, kind = document.get("apiVersion"), document.get("kind")
    if version in (None, ""):
        yield Flaw(
            ("apiVersion",), "apiVersion is missing: write it as in `apiVersion: kubevirt.io/v1`"
        )
    elif not isinstance(version, str) or not _API_VERSION.fullmatch(version):
        yield Flaw(
            ("apiVersion",), f"apiVersion {version!r} is not of the form `v1` or `kubevirt.io/v1`"
        )
    if kind in (None, ""):
        yield Flaw(("kind",), "kind is missing: write it as in `kind: VirtualMachineInstance`")
    elif not isinstance(kind, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", kind):
        yield Flaw(("kind",), f"kind {kind!r} is not the name of a kind")


def _name_flaws(document: JSON, metadata: JSON) -> Iterator[Flaw]:
    """What is wrong with the object's name and namespace."""
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if "generateName" in metadata:
        yield Flaw(
            ("metadata", "generateName"),
            "generateName is not taken, because an object must be known before it is created: "
            "write metadata.name with the replica's number in it",
        )
    elif name in (None, ""):
        yield Flaw(("metadata", "name"), "metadata.name is missing or empty")
    elif not isinstance(name, str):
        yield Flaw(("metadata", "name"), f"metadata.name is {_a(name)} ({name}): put it in quotes")
    else:
        yield from _spelling(name, document)
    if namespace is None:
        return
    if not isinstance(namespace, str):
        yield Flaw(
            ("metadata", "namespace"),
            f"metadata.namespace is {_a(namespace)} ({namespace}): put it in quotes",
        )
    elif len(namespace) > _MAX_LABEL or not _LABEL.fullmatch(namespace):
        yield Flaw(
            ("metadata", "namespace"),
            f"{namespace!r} cannot be the name of a namespace: at most {_MAX_LABEL} lower-case "
            "letters, digits and `-`, beginning and ending with a letter or digit",
        )


def _spelling(name: str, document: JSON) -> Iterator[Flaw]:
    """What Kubernetes would refuse in a name."""
    group, kind = group_of(str(document.get("apiVersion"))), str(document.get("kind"))
    if group in _PATH_SEGMENT_GROUPS or (group, kind) in _PATH_SEGMENT_KINDS:
        if name in (".", "..") or _UNUSABLE.search(name):
            yield Flaw(("metadata", "name"), f"metadata.name {name!r} cannot be part of a URL")
    elif len(name) > _MAX_SUBDOMAIN:
        yield Flaw(
            ("metadata", "name"),
            f"metadata.name has {len(name)} characters; at most {_MAX_SUBDOMAIN} are accepted",
        )
    elif not _SUBDOMAIN.fullmatch(name):
        yield Flaw(
            ("metadata", "name"),
            f"metadata.name {name!r} is not a DNS-1123 subdomain: lower-case letters, digits, "
            "`-` and `.`, beginning and ending with a letter or digit",
        )


def _text_map_flaws(
    metadata: JSON, path: tuple[str, ...], reserved: Mapping[str, str]
) -> Iterator[Flaw]:
    """What is wrong with the labels and annotations of one ``metadata``."""
    for field in ("labels", "annotations"):
        members, where = metadata.get(field), (*path, field)
        if members is None:
            continue
        if not isinstance(members, dict):
            yield Flaw(where, f"{'.'.join(where)} is {_a(members)}, not a mapping")
            continue
        for key, value in members.items():
            if not isinstance(value, str):
                yield Flaw(
                    (*where, str(key)),
                    f"{'.'.join(where)}: the value of {key!r} is {_a(value)}, and must be text: "
                    "put it in quotes",
                )
            elif field == "labels" and (len(value) > _MAX_LABEL or not _VALUE.fullmatch(value)):
                yield Flaw(
                    (*where, key),
                    f"{'.'.join(where)}: {value!r}, the value of {key!r}, is not accepted: at most "
                    f"{_MAX_LABEL} letters, digits, `-`, `_` and `.`, beginning and ending with a "
                    "letter or digit",
                )
            if field == "labels" and key in reserved:
                yield Flaw(
                    (*where, str(key)),
                    f"the label {key!r} is set by the run itself, which finds its objects by it: "
                    "remove it here",
                )


def find_unsendable(
    value: object, path: tuple[str, ...] = (), above: tuple[int, ...] = ()
) -> Iterator[Flaw]:
    """What YAML can say and JSON cannot: endless numbers, odd keys, a value inside itself.

    Args:
        value: A document, or a part of one.
        path: Keys that lead to it.
        above: Identities of the collections that it is inside of.
    """
    if isinstance(value, float) and not math.isfinite(value):
        yield Flaw(path, f"{'.'.join(path)} is {value}, which JSON does not have")
    if isinstance(value, (bytes, set, tuple)):
        yield Flaw(path, f"{'.'.join(path)} has a YAML tag that JSON has nothing for")
    if not isinstance(value, (dict, list)):
        return
    if id(value) in above or len(above) > _MAX_DEPTH:
        why = "contains itself through an alias" if id(value) in above else "is nested too deeply"
        yield Flaw(path, f"{'.'.join(path)} {why}")
        return
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        if isinstance(value, dict) and not isinstance(key, str):
            yield Flaw(path, f"the key {key!r} is {_a(key)}, and must be text: put it in quotes")
        inner = (*path, str(key)) if isinstance(value, dict) else path
        yield from find_unsendable(member, inner, (*above, id(value)))


_WORDS: dict[type, str] = {
    type(None): "empty",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}


def _a(value: object) -> str:
    """What sort of value it is, in the words of YAML."""
    return _WORDS.get(type(value), f"a {type(value).__name__}")


def add_labels(document: JSON, labels: Mapping[str, str]) -> None:
    """Merge labels into a manifest, and into every template in it.

    The template's own labels stay.
    """

    def labelled(metadata: JSON) -> JSON:
        # a new mapping: through an alias, the template may share it with other places
        return {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}

    document["metadata"] = labelled(document["metadata"])
    change_templates(document, labelled)
