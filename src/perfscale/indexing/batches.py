"""Bulk requests: documents as lines, in batches of bounded size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_BYTES: Final = 5 * 2**20
"""Of the lines of a request; a longer document goes alone. A server takes 100 MiB by default."""
MOST_DOCUMENTS: Final = 1000
_NOT_IN_NAMES: Final = frozenset('\\/*?"<>| ,#:')
_LONGEST_NAME: Final = 255


class Line(NamedTuple):
    """A document as a bulk request has it: its id, and the lines of its action and of itself."""

    id: str
    data: bytes


def check_name(name: str) -> str | None:
    """Why an index cannot have a name; None if it can.

    https://docs.opensearch.org/latest/api-reference/index-apis/create-index/#index-naming-restrictions
    """
    if not name or name in (".", ".."):
        return "the name of an index is not empty, and not . or .."
    if name != name.lower():
        return f"{name!r} is no name of an index: it has to be in lower case"
    if name[0] in "_-+":
        return f"{name!r} is no name of an index: it begins with {name[0]}"
    if wrong := sorted(_NOT_IN_NAMES.intersection(name)):
        return f"{name!r} is no name of an index: it has {wrong[0]!r} in it"
    if len(name.encode()) > _LONGEST_NAME:
        return f"a name of an index has at most {_LONGEST_NAME} bytes"
    return None


def as_line(index: str, document: Mapping[str, Any]) -> Line:
    """The lines of a document; its id is a hash of it, so that it is there once however often sent.

    Keys are sorted, so that the id does not depend on who wrote the document.
    """
    body = msgspec.json.encode(document, order="sorted")
    identity = hashlib.sha256(body).hexdigest()
    action = msgspec.json.encode({"index": {"_index": index, "_id": identity}})
    return Line(identity, b"%b\n%b\n" % (action, body))


@dataclass
class Limits:
    """What a request may hold; less once the server has refused one of that size."""

    most_bytes: int = MOST_BYTES
    most_documents: int = MOST_DOCUMENTS

    def shrink(self, refused: Sequence[Line]) -> None:
        """Make the following batches half as large as one that was too large."""
        self.most_bytes = min(self.most_bytes, sum(len(line.data) for line in refused) // 2)


def batched(lines: Iterable[Line], limits: Limits) -> Iterator[list[Line]]:
    """Put lines together, never more than fit; only one batch is in memory at a time."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        full = len(batch) >= limits.most_documents or size + len(line.data) > limits.most_bytes
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.data)
    if batch:
        yield batch


def body_of(batch: Sequence[Line]) -> bytes:
    """A request's body, which ends with a newline, as it has to."""
    return b"".join(line.data for line in batch)
