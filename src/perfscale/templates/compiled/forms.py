"""Bodies of all objects of an entry from one rendering, whatever iteration and replica.

`objects` puts the replica's number into the text of an iteration. Templates in Go's language can
do more: each expression that the numbers or chance change is a hole (`gotemplate.skeleton`), and
what it gives is put into a body that was made once, labels included.

The proof is the same: the text with one set of numbers in its holes, and with another, differs in
those digits alone, and so do the bodies; and each hole is inside a scalar value that stays what it
is, whatever is put there. Into some holes go whole numbers. Into the others goes a word, as of
``printf "%03d"`` or ``randAlphaNum``: bare it could be read as a number or as ``true``, so that it
is looked at each time, unless it is in quotes, in a block, or behind something that neither begins
with; it is in no name, and no longer than a label may be. What does not fit is rendered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.errors import TemplateError
from perfscale.templates.compiled.objects import ObjectRequest, takes_any_digits
from perfscale.templates.dialects.jinja import JinjaTemplate
from perfscale.templates.manifests.documents import STR, iter_scalars

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import yaml

    from perfscale.templates.factory import ObjectFactory
    from perfscale.templates.gotemplate.skeleton import Skeleton
    from perfscale.templates.manifests.documents import JSON

_WORD: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SURELY_TEXT: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]*[-_/]")
"""What neither a number nor a word of YAML's (``true``) begins with."""
_KEYWORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
"""What YAML reads as something else than text, whatever the version."""
_MOST_DIGITS: Final = 10
_ABOVE: Final = 10**_MOST_DIGITS
_LONGEST: Final = 1_000_000
_LONGEST_LABEL: Final = 63
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"""


def _stand_ins(count: int, words: Collection[int], kind: int) -> list[str]:
    """Numbers of ten digits that stand for others, none of them 0 at either end; and words."""
    chance = Random(f"{kind}/{count}")  # noqa: S311 -- no secret: the same each time
    found: dict[str, None] = {}
    while len(found) < count:
        digits = "".join(chance.sample("0123456789", _MOST_DIGITS))
        if digits[0] != "0" and digits[-1] not in "01":
            found[digits] = None
    return [f"w{digits}" if number in words else digits for number, digits in enumerate(found)]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text, cut at its holes: what is fixed, and the numbers of the holes in between."""

    fixed: tuple[str, ...]
    holes: tuple[int, ...]

    def filled(self, texts: Sequence[str]) -> str:
        parts = list(self.fixed)
        for position, hole in enumerate(self.holes):
            parts[position] += texts[hole]
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Word:
    """What is asked of a hole's word.

    Attributes:
        longest: How long it may be.
        is_bare: Whether it has to be text by itself.
    """

    longest: int
    is_bare: bool = False

    def fits(self, value: str) -> bool:
        if len(value) > self.longest or not _WORD.fullmatch(value):
            return False
        return not self.is_bare or (value[0].isalpha() and value.lower() not in _KEYWORDS)


def _cut(text: str, stand_ins: Sequence[str]) -> _Cut:
    numbers = {digits: number for number, digits in enumerate(stand_ins)}
    parts = re.split(f"({'|'.join(stand_ins)})", text)
    return _Cut(tuple(parts[::2]), tuple(numbers[each] for each in parts[1::2]))


class EntryForm:
    """All objects of an entry.

    Args:
        skeleton: The template's text.
        words: The holes that words go into; numbers go into the others.
        documents: Each as JSON, with stand-ins in its holes.
        stand_ins: Of the holes, of the replica, of the iteration, and of the one before it.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        words: Mapping[int, _Word],
        documents: Sequence[JSON],
        stand_ins: Sequence[str],
    ) -> None:
        self._skeleton = skeleton
        self._words = words
        self._documents = [_DocumentForm(document, stand_ins) for document in documents]

    def fill(
        self, factory: ObjectFactory, iteration: int, replica: int
    ) -> tuple[ObjectRequest, ...] | None:
        """The objects of one replica; None where a hole gets what does not fit."""
        source, variables = factory.manifests.source, factory.manifests.variables_of
        assert not isinstance(source, JinjaTemplate)  # noqa: S101 -- of no such one is there a form
        values = source.fillings(self._skeleton, variables(iteration, replica))
        texts = _texts(values, self._words)
        if texts is None:
            return None
        texts += [str(replica), str(iteration), str(iteration - 1)]
        return tuple([document.fill(texts) for document in self._documents])


class _DocumentForm:
    """One document: its request, cut at its holes."""

    def __init__(self, document: JSON, stand_ins: Sequence[str]) -> None:
        metadata = document["metadata"]
        namespace = metadata.get("namespace")
        self._api_version: str = document["apiVersion"]
        self._kind: str = document["kind"]
        self._name = _cut(metadata["name"], stand_ins)
        self._namespace = _cut(namespace, stand_ins) if namespace else None
        self._body = _cut(msgspec.json.encode(document).decode(), stand_ins)

    def fill(self, texts: Sequence[str]) -> ObjectRequest:
        return ObjectRequest(
            self._api_version,
            self._kind,
            None if self._namespace is None else self._namespace.filled(texts),
            self._name.filled(texts),
            self._body.filled(texts).encode(),
        )


def _texts(values: Sequence[Any] | None, words: Mapping[int, _Word]) -> list[str] | None:
    """What is put into the holes; None where something does not fit."""
    if values is None:
        return None
    texts = []
    for number, value in enumerate(values):
        word = words.get(number)
        if type(value) is str:
            fits = word is not None and word.fits(value)
            text = value
        else:
            is_number = isinstance(value, int) and not isinstance(value, bool)
            fits = word is None and is_number and 0 <= value < _ABOVE
            text = str(int(value)) if fits else ""
        if not fits:
            return None
        texts.append(text)
    return texts


def compile_entry(factory: ObjectFactory, iteration: int | None = None) -> EntryForm | None:
    """The form of an entry; None where its objects have to be rendered.

    Args:
        factory: Renders the slow way.
        iteration: The form is for that one alone, counted from 1; None: for all of them.
    """
    source, variables = factory.manifests.source, factory.manifests.variables
    if isinstance(source, JinjaTemplate):
        return None
    sample = variables.of(iteration or 1, 1)
    changing = variables.changing if iteration is None else {variables.replica_name}
    skeleton = source.skeleton(sample, changing)
    values = None if skeleton is None else source.fillings(skeleton, sample)
    if skeleton is None or values is None:
        return None
    texts = [number for number, value in enumerate(values) if type(value) is str]
    words = dict.fromkeys(texts, _Word(_LONGEST))
    if _texts(values, words) is None or (words and variables.tidies):
        return None
    sets = [_stand_ins(skeleton.count + 2, words, kind) for kind in (0, 1)]
    try:
        one, other = (_Made.of(factory, skeleton, each, iteration) for each in sets)
    except (TemplateError, TypeError, ValueError, OverflowError, RecursionError):
        return None  # the slow way raises it for the replicas that are really made
    is_proven = (
        # No stand-in is in the template's own text.
        one.cut() == other.cut()
        and not variables.tidies_across(one.cut()[0].fixed)
        and _stay_what_they_are(one, sets[0][: skeleton.count], words)
    )
    if not is_proven or not _fit_metadata(one, words) or _texts(values, words) is None:
        return None
    return EntryForm(skeleton, words, one.documents, one.stand_ins)


@dataclass(frozen=True, slots=True)
class _Made:
    """A text with stand-ins in its holes, and what it was read as.

    Attributes:
        rendered: The text.
        tidy: The same, as it was read.
        documents: What was read, labelled.
        stand_ins: Of the holes, of the replica, of the iteration, and of the one before it.
    """

    rendered: str
    tidy: str
    documents: list[JSON]
    stand_ins: list[str]

    @classmethod
    def of(
        cls,
        factory: ObjectFactory,
        skeleton: Skeleton,
        stand_ins: list[str],
        iteration: int | None,
    ) -> _Made:
        replica, any_iteration = map(int, stand_ins[-2:])
        rendered = skeleton.text(stand_ins)
        tidy = factory.manifests.variables.tidy(rendered)
        documents = factory.documents_of(tidy, iteration or any_iteration, replica)
        return cls(rendered, tidy, documents, [*stand_ins, str(any_iteration - 1)])

    def cut(self) -> tuple[_Cut, _Cut]:
        """The text and the documents, cut at their holes."""
        body = msgspec.json.encode(self.documents).decode()
        return _cut(self.rendered, self.stand_ins), _cut(body, self.stand_ins)


def _fit_metadata(made: _Made, words: dict[int, _Word]) -> bool:
    """Whether words are in no name; those in labels are bounded by what a label's value may be."""
    for document in made.documents:
        metadata = document["metadata"]
        rest = {key: metadata[key] for key in metadata if key not in {"annotations", "labels"}}
        labels = metadata.get("labels") or {}
        named = msgspec.json.encode([rest, list(labels), document["kind"]]).decode()
        if any(made.stand_ins[number] in named for number in words):
            return False
        for value in labels.values():
            here = [hole for hole in _cut(value, made.stand_ins).holes if hole in words]
            if len(here) > 1:
                return False
            for hole in here:
                longest = _LONGEST_LABEL - len(value) + len(made.stand_ins[hole])
                words[hole] = replace(words[hole], longest=min(words[hole].longest, longest))
    return True


def _stay_what_they_are(made: _Made, stand_ins: Sequence[str], words: dict[int, _Word]) -> bool:
    """Whether every hole is in a scalar value that stays what it is, whatever is put there."""
    text = made.tidy
    found = 0
    for node in iter_scalars(text):
        here = [number for number, digits in enumerate(stand_ins) if digits in node.value]
        if not here:
            continue
        found += sum(node.value.count(stand_ins[number]) for number in here)
        only = stand_ins[here[0]]
        if any(number in words for number in here):
            fits = _takes_any_word(node, text, stand_ins, words)
        else:
            fits = takes_any_digits(node, only, text)
        if not fits:
            return False
    return found == sum(map(text.count, stand_ins))


def _takes_any_word(
    node: yaml.ScalarNode, text: str, stand_ins: Sequence[str], words: dict[int, _Word]
) -> bool:
    """Whether a scalar stays text with any words, perhaps after a look at each of them."""
    if node.tag != STR:
        return False
    if node.style == '"':
        return "\\" not in text  # an escape would swallow something
    cut = _cut(node.value, stand_ins)
    before, behind, first = cut.fixed[0], cut.fixed[1], cut.holes[0]
    if node.style or _SURELY_TEXT.match(before):
        return True
    is_alone = not behind and len(cut.holes) == 1
    if before or first not in words or not (is_alone or behind.startswith(("-", "_", "/"))):
        return False
    words[first] = replace(words[first], is_bare=True)
    return True
