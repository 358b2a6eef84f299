"""Bodies of many replicas from one rendering: text with the replica's number put in.

Rendering a template and parsing it again for every object costs more than
sending the object. Most templates only print the replica's number, in names
and images, and then the body of one replica is that of another with other
digits in it. This module proves that for a template and an iteration, or says
that it cannot, and then every replica is rendered on its own.

The proof has two halves. The text: the template prints the number as it is and
decides nothing by it (`Source.only_prints`), so the text of two replicas
differs in those digits alone. The manifest: each of those places is inside a
scalar value, and that scalar stays what it is whatever the digits are. In
quotes and in blocks digits are text. Bare, a scalar that is nothing but the
number is an integer; one that has any other character than numbers are written
with is text (`documents` knows no dates and no numbers to base 60). Everything
else is left to the slow way: keys, anchors, escapes, ``1{{ replica }}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import TemplateError
from perfscale.templates.manifests.documents import STR, iter_scalars

if TYPE_CHECKING:
    import yaml

    from perfscale.templates.factory import ObjectFactory
    from perfscale.templates.manifests.documents import JSON

_NUMERIC: Final = re.compile(r"[-+.0-9][-+.0-9a-fA-Fxob_]*")
"""What a bare scalar with a digit in it must look like to be a number, at least."""
STAND_INS: Final = (7_391_846_205, 8_264_073_951)
"""Numbers that stand for the replica's. Every digit is in each of them once, so that they
cannot overlap with themselves; they are longer than any replica's number, so that a name
is at its longest with them."""
_INT: Final = "tag:yaml.org,2002:int"


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """One object to create.

    Attributes:
        api_version: As in the manifest, ``group/version`` or ``v1``.
        kind: CamelCase kind.
        namespace: The namespace that the manifest itself names; None where it
            names none, and the object goes to the iteration's namespace if its
            kind is namespaced.
        name: ``metadata.name``.
        body: The manifest as JSON, with the run's labels merged in.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    body: bytes


class ReplicaForm:
    """One document: its request, cut where the replica's number stands."""

    __slots__ = ("_api_version", "_body", "_kind", "_name", "_namespace")

    def __init__(self, document: JSON, stand_in: str) -> None:
        metadata = document["metadata"]
        namespace = metadata.get("namespace")
        self._api_version: str = document["apiVersion"]
        self._kind: str = document["kind"]
        self._name: list[str] = metadata["name"].split(stand_in)
        self._namespace: list[str] | None = namespace.split(stand_in) if namespace else None
        self._body = msgspec.json.encode(document).split(stand_in.encode())

    def fill(self, digits: str) -> ObjectRequest:
        """The request of the replica whose number has these digits."""
        return ObjectRequest(
            self._api_version,
            self._kind,
            None if self._namespace is None else digits.join(self._namespace),
            digits.join(self._name),
            digits.encode().join(self._body),
        )


def compile_iteration(factory: ObjectFactory, iteration: int) -> list[ReplicaForm] | None:
    """A form for each document of an iteration; None where every replica has to be rendered.

    Args:
        factory: Renders the slow way.
        iteration: Counted from 1.
    """
    manifests = factory.manifests
    if not manifests.source.only_prints(manifests.variables.replica_name):
        return None
    stand_in, other = STAND_INS
    try:
        text, same = (manifests.rendered(iteration, number) for number in STAND_INS)
        documents = factory.documents(iteration, stand_in)
        others = factory.documents(iteration, other)
        bodies = [msgspec.json.encode(each) for each in (documents, others)]
    except (TemplateError, TypeError, ValueError, OverflowError, RecursionError):
        return None  # the slow way raises it for the replicas that are really made
    digits = str(stand_in)
    pieces = text.split(digits)
    is_proven = (
        # Neither number stands in the template's own text.
        pieces == same.split(str(other))
        and bodies[0].split(digits.encode()) == bodies[1].split(str(other).encode())
        and not manifests.variables.tidies_across(pieces)
        and _stand_where_digits_are_free(manifests.variables.tidy(text), digits)
    )
    return [ReplicaForm(document, digits) for document in documents] if is_proven else None


def _stand_where_digits_are_free(text: str, digits: str) -> bool:
    """Whether every stand-in is in a scalar value that stays what it is with other digits."""
    found = 0
    for node in iter_scalars(text):
        count = node.value.count(digits)
        if count and not takes_any_digits(node, digits, text):
            return False
        found += count
    return found == text.count(digits)


def takes_any_digits(node: yaml.ScalarNode, digits: str, text: str) -> bool:
    """Whether a scalar stays what it is with other digits in the place of these.

    Args:
        node: A scalar that the digits are in.
        digits: A whole number.
        text: All that was read.
    """
    if node.tag == _INT:
        return bool(node.value == digits)
    if node.tag != STR:
        return False
    if node.style == '"':
        return "\\" not in text  # an escape would swallow digits
    return bool(node.style) or not _NUMERIC.fullmatch(node.value)
