"""Patches of many targets from one rendering: text with what each target has put in.

As with the bodies of creates (see `objects`), most templates only print what they know of their
target, and then the patch of one is that of another with other texts in it. It is proven so: the
template prints attributes of ``target`` and decides nothing by them, and each stands in a value
that stays text, or the number, whatever is put in. Of a bare scalar that is nothing but a name,
YAML takes some names for a number or a truth value; targets of such names are left to the slow
way, as is every template of which nothing is proven.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.errors import TemplateError
from perfscale.templates.compiled.objects import STAND_INS, takes_any_digits
from perfscale.templates.manifests.documents import STR, iter_scalars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


ATTRIBUTES: Final = ("index", "name", "namespace", "uid")
"""Of a target, what can be put in."""
_PLAIN: Final = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
"""What names and UIDs are made of; in quotes and in blocks, YAML and JSON write it as it is."""
_WORD: Final = re.compile(r"[a-z][.a-z0-9]*-[-.a-z0-9]*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PHRASE: Final = re.compile(r"[A-Za-z][^:#\n]*[-/ _]")
"""How a bare scalar begins that is text whatever follows."""


@dataclass(frozen=True, slots=True)
class PatchForm:
    """A patch as JSON, cut where something of its target stands.

    Attributes:
        literals: What is between the cuts.
        attributes: Of the target, what stands at each cut.
        bare: Those that stand alone in a bare scalar.
    """

    literals: tuple[bytes, ...]
    attributes: tuple[str, ...]
    bare: frozenset[str]

    def fill(self, shown: Mapping[str, str]) -> bytes | None:
        """The patch of a target with these attributes; None where it has to be rendered."""
        for name in self.attributes:
            value = shown[name]
            if name == "index":
                continue
            if not _PLAIN.fullmatch(value):
                return None
            if name in self.bare and not (_WORD.fullmatch(value) or _UUID.fullmatch(value)):
                return None
        parts = [self.literals[0]]
        for name, literal in zip(self.attributes, self.literals[1:], strict=True):
            parts += (shown[name].encode(), literal)
        return b"".join(parts)


def compile_patch(render: Callable[[Mapping[str, str]], tuple[str, bytes]]) -> PatchForm | None:
    """A form for the patches of a template that only prints `ATTRIBUTES` of its target.

    Args:
        render: Gives the text and the patch, as JSON, for a target with these attributes.

    Returns:
        None where every patch has to be rendered.
    """
    first, second = (_stand_ins(number) for number in STAND_INS)
    try:
        (text, body), (other_text, other_body) = render(first), render(second)
    except (TemplateError, TypeError, ValueError, OverflowError, RecursionError):
        return None  # the slow way raises it for the targets that there are
    cut, other_cut = list(_cut(text, first)), list(_cut(other_text, second))
    cut_body, other_cut_body = (
        list(_cut(body.decode(), first)),
        list(_cut(other_body.decode(), second)),
    )
    if cut != other_cut or cut_body != other_cut_body:
        return None
    bare = _bare_ones(text, first)
    if bare is None:
        return None
    literals = tuple(each.encode() for each in cut_body[::2])
    return PatchForm(literals, tuple(cut_body[1::2]), bare)


def _stand_ins(number: int) -> dict[str, str]:
    """A target's attributes that stand for any: none of them is part of another."""
    digits = str(number)
    words = {name: f"{name}-{digits[::-1]}x" for name in ATTRIBUTES}
    return {**words, "index": digits}


def _cut(text: str, stand_ins: Mapping[str, str]) -> Iterator[str]:
    """Literal text and names of attributes in turn."""
    names = {value: name for name, value in stand_ins.items()}
    pattern = "|".join(map(re.escape, names))
    for number, each in enumerate(re.split(f"({pattern})", text)):
        yield names[each] if number % 2 else each


def _bare_ones(text: str, stand_ins: Mapping[str, str]) -> frozenset[str] | None:
    """The attributes that stand alone in a bare scalar; None if any stands where it may not."""
    bare: set[str] = set()
    found = 0
    for node in iter_scalars(text):
        inside = {name: node.value.count(value) for name, value in stand_ins.items()}
        here = [name for name, count in inside.items() if count]
        if not here:
            continue
        found += sum(inside.values())
        if here == ["index"] and takes_any_digits(node, stand_ins["index"], text):
            continue
        if node.tag != STR or (node.style == '"' and "\\" in text):
            return None
        if node.style or _PHRASE.match(next(_cut(node.value, stand_ins))):
            continue
        if len(here) > 1 or node.value != stand_ins[here[0]]:
            return None
        bare.add(here[0])
    wanted = sum(text.count(value) for value in stand_ins.values())
    return frozenset(bare) if found == wanted else None
