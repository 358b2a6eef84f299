"""The rules of one run: the table's, and what its workload file has in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from perfscale.engine.tracking.readiness.documents import (
    METADATA,
    STATUS,
    DetailedMetadata,
    Document,
    decode_or_none,
)
from perfscale.engine.tracking.readiness.expectation import Expectation
from perfscale.engine.tracking.readiness.objects import ABSENT
from perfscale.engine.tracking.readiness.reading import ACCEPTED, KindRule, Reading
from perfscale.engine.tracking.readiness.table import rule_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from perfscale.kube.resources import Resource
    from perfscale.templates import ObjectFactory


class RunRules:
    """How the objects of a run are followed.

    Args:
        factories: Its templates.
        resources: How the cluster serves each ``(apiVersion, kind)`` of theirs.
    """

    def __init__(
        self,
        factories: Iterable[ObjectFactory] = (),
        resources: Mapping[tuple[str, str], Resource] | None = None,
    ) -> None:
        self._expected: dict[ObjectFactory, Expectation] = {}
        self._by_resource: dict[str, list[Expectation]] = {}
        self._rules: dict[str, KindRule[Any]] = {}
        known: dict[str, Resource] = {}
        for factory in factories:
            spec = factory.spec
            if spec.ready_when is None and spec.failed_when is None:
                continue
            expected = self._expected[factory] = Expectation(spec.ready_when, spec.failed_when)
            for key in factory.kinds:
                resource = (resources or {})[key]
                known[resource.name] = resource
                self._by_resource.setdefault(resource.name, []).append(expected)
        for name, resource in known.items():
            tops = {top for expected in self._by_resource[name] for top in expected.tops}
            self._rules[name] = documented(rule_for(resource), tops)

    def of(self, resource: Resource) -> KindRule[Any]:
        """How a watch on a resource decodes and reads objects."""
        return self._rules.get(resource.name) or rule_for(resource)

    def expected(self, factory: ObjectFactory) -> Expectation | None:
        """What the objects of a template are judged by beside their kind's rule."""
        return self._expected.get(factory)

    def has_failed(self, resource: Resource, reading: Reading) -> bool:
        """Whether an object may have failed, by its kind's rule or by any ``failedWhen`` of it."""
        document = reading.document
        return reading.failure is not None or (
            document is not None
            and any(each.failure(document) for each in self._by_resource[resource.name])
        )


def is_created_ready(resource: Resource, expected: Expectation | None) -> bool:
    """Whether an object is ready as soon as its create is answered."""
    if expected is not None and expected.is_created_ready is not None:
        return expected.is_created_ready
    return rule_for(resource).read is None


def documented(rule: KindRule[Any], tops: Collection[str]) -> KindRule[Any]:
    """The same rule, of which each reading also has the object's top fields of these names.

    A watch decodes an object into its metadata and those fields, which stay as they came until
    they are looked into.
    """
    own = {
        field.encode_name: (field.name, msgspec.json.Decoder(field.type))
        for field in msgspec.structs.fields(rule.decoder)
        if field.encode_name != METADATA
    }
    names = dict.fromkeys((*own, STATUS, *tops))
    names.pop(METADATA, None)
    attributes = {name: f"field_{number}" for number, name in enumerate(names)}
    decoder = msgspec.defstruct(
        "DocumentedObject",
        [
            (METADATA, DetailedMetadata),
            *(
                (attribute, msgspec.Raw, msgspec.field(default=ABSENT, name=name))
                for name, attribute in attributes.items()
            ),
        ],
        frozen=True,
        gc=False,
    )

    def read(obj: Any) -> Reading:  # noqa: ANN401 - a struct that is made here
        raw = {name: getattr(obj, attribute) for name, attribute in attributes.items()}
        reading = ACCEPTED if rule.read is None else rule.read(rebuild(obj.metadata, raw))
        return msgspec.structs.replace(reading, document=Document(obj.metadata, raw))

    def rebuild(metadata: DetailedMetadata, raw: dict[str, msgspec.Raw]) -> object:
        fields = {
            name: found
            for encoded, (name, field_decoder) in own.items()
            if raw[encoded] and (found := decode_or_none(field_decoder, raw[encoded])) is not None
        }
        return _constructor(rule.decoder)(metadata=metadata, **fields)

    return KindRule(decoder, read, rule.path)


def _constructor(struct: type[Any]) -> Callable[..., object]:
    return struct
