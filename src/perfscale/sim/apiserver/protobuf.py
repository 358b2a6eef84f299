"""The objects that newer kubectl sends as protobuf and cannot be talked into sending as JSON.

`kubectl create namespace`, `create configmap`, `create quota` and `auth can-i` do. Of these few
kinds, the fields that count are known here; the field numbers are those of ``generated.proto`` in
https://github.com/kubernetes/api (core/v1) and https://github.com/kubernetes/apimachinery.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.sim.storage.records import JSON

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\x00"

_METADATA: Final = 1
# Field number: name and type: ``text``, ``texts`` one after the other, ``map`` of texts, ``bytes``
# map of base64, ``quantities`` map of messages whose only field is a text, or another message.
_Known: TypeAlias = Mapping[int, tuple[str, "str | _Known"]]
_OBJECT_META: Final[_Known] = {
    1: ("name", "text"),
    2: ("generateName", "text"),
    3: ("namespace", "text"),
    11: ("labels", "map"),
    12: ("annotations", "map"),
}
_FIELDS: Final[Mapping[str, _Known]] = {
    "Namespace": {},
    "ServiceAccount": {},
    "SelfSubjectAccessReview": {},
    "SelfSubjectRulesReview": {},
    "ConfigMap": {2: ("data", "map"), 3: ("binaryData", "bytes")},
    "ResourceQuota": {2: ("spec", {1: ("hard", "quantities"), 2: ("scopes", "texts")})},
    "Secret": {2: ("data", "bytes"), 3: ("type", "text"), 4: ("stringData", "map")},
}


def decode_protobuf(body: bytes) -> JSON | None:
    """The object in a protobuf body; None for a kind that is not known here.

    Raises:
        ValueError: It is not Kubernetes' protobuf.
    """
    if not body.startswith(_MAGIC):
        raise ValueError("the body does not begin with the prefix of Kubernetes' protobuf")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    type_meta = dict(_fields(envelope.get(1, b"")))
    kind = type_meta.get(2, b"").decode()
    known = _FIELDS.get(kind)
    if known is None:
        return None
    obj: JSON = {"apiVersion": type_meta.get(1, b"").decode(), "kind": kind}
    content = list(_fields(envelope.get(2, b"")))
    metadata = b"".join(value for number, value in content if number == _METADATA)
    obj["metadata"] = _message(_fields(metadata), _OBJECT_META)
    return obj | _message(iter(content), known)


def _message(fields: Iterator[tuple[int, bytes]], known: _Known) -> JSON:
    message: JSON = {}
    for number, value in fields:
        if number not in known:
            continue
        name, kind = known[number]
        if not isinstance(kind, str):
            message[name] = _message(_fields(value), kind)
        elif kind == "text":
            if value:
                message[name] = value.decode()
        elif kind == "texts":
            message.setdefault(name, []).append(value.decode())
        else:
            entry = dict(_fields(value))
            key, content = entry.get(1, b"").decode(), entry.get(2, b"")
            message.setdefault(name, {})[key] = _value(content, kind)
    return message


def _value(content: bytes, kind: str) -> str:
    """What stands in a map."""
    if kind == "bytes":
        return base64.b64encode(content).decode()
    if kind == "quantities":
        return dict(_fields(content)).get(1, b"").decode()
    return content.decode()


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each length-delimited field; others are passed over."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        wire = tag & 7
        if wire == 2:
            length, position = _varint(message, position)
            if position + length > len(message):
                raise ValueError("the protobuf message is cut off")
            yield tag >> 3, message[position : position + length]
            position += length
        elif wire == 0:
            _, position = _varint(message, position)
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError(f"the protobuf message has a field of unknown wire type {wire}")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(message):
            raise ValueError("the protobuf message is cut off")
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
