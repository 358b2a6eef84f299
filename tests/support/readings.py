"""What the rules of readiness read off objects, given as documents."""

from __future__ import annotations

from typing import Any

import msgspec

from perfscale.config.sections.objects import ObjectSpec
from perfscale.engine.tracking.readiness import Expectation, Reading, RunRules, rule_for
from perfscale.kube.resources import Resource

JSON = dict[str, Any]


def complete(document: JSON) -> bytes:
    """The document as a server sends it, with a name and a UID."""
    metadata = {"name": "a", "uid": "u", **document.get("metadata", {})}
    return msgspec.json.encode({**document, "metadata": metadata})


def read(group: str, plural: str, document: JSON) -> Reading:
    """By the built-in rule of a kind."""
    rule = rule_for(Resource(group, "v1", plural, "Kind", namespaced=True))
    assert rule.read is not None
    return rule.read(msgspec.json.decode(complete(document), type=rule.decoder))


def condition(kind: str, status: str = "True", **more: Any) -> JSON:
    """A condition as a controller writes it."""
    return {"type": kind, "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z", **more}


class _Template:
    """As much of an `ObjectFactory` as rules need."""

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.kinds = (("v1", "Kind"),)


def judge(
    document: JSON, *, group: str = "example.com", plural: str = "widgets", **keys: Any
) -> Reading:
    """By an entry of ``objects`` with these keys."""
    template: Any = _Template(ObjectSpec.model_validate({"templateFile": "a.yaml", **keys}))
    resource = Resource(group, "v1", plural, "Kind", namespaced=True)
    rules = RunRules([template], {template.kinds[0]: resource})
    rule, expected = rules.of(resource), rules.expected(template)
    assert rule.read is not None
    assert isinstance(expected, Expectation)
    return expected.judge(rule.read(msgspec.json.decode(complete(document), type=rule.decoder)))
