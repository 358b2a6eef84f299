"""What a search engine answers to a bulk request."""

from __future__ import annotations

from typing import Any, Final

import msgspec

RETRYABLE: Final = frozenset({429, 502, 503, 504})
"""The server is busy, or not there yet: the same again may be accepted."""
_ILLEGIBLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What decoding an answer raises that is no JSON, or other JSON."""


class ItemError(msgspec.Struct, frozen=True):
    """Why a document was refused."""

    type: str = ""
    reason: str | None = None

    def __str__(self) -> str:
        """As in ``mapper_parsing_exception: failed to parse field [value]``."""
        return ": ".join(part for part in (self.type, self.reason) if part) or "no reason given"


class Item(msgspec.Struct, frozen=True):
    """What became of one document."""

    status: int
    result: str = ""
    error: ItemError | str | None = None


class _Answer(msgspec.Struct, frozen=True):
    items: list[dict[str, Item]]


class _Refusal(msgspec.Struct, frozen=True):
    error: ItemError | str | None = None


def items_of(body: bytes, sent: int) -> list[Item]:
    """What became of each document of a request, in their order.

    Raises:
        ValueError: It is no such answer.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        items = [item for entry in answer.items for item in entry.values()]
    except _ILLEGIBLE as error:
        raise ValueError(str(error)) from None
    if len(items) != sent:
        raise ValueError(f"it is about {len(items)} documents, and {sent} were sent")
    return items


def reason_of(body: bytes) -> str:
    """Why a whole request was refused; empty if the answer does not say so as these servers do."""
    try:
        error = msgspec.json.decode(body, type=_Refusal).error
    except _ILLEGIBLE:
        return ""
    return "" if error is None else str(error)


def version_of(body: bytes) -> str | None:
    """What a search engine calls itself on ``GET /``; None if it is none."""
    try:
        document: Any = msgspec.json.decode(body)
        version = document["version"]
        number = version["number"]
    except (*_ILLEGIBLE, LookupError, TypeError):
        return None
    name = version.get("distribution") or "elasticsearch"
    return f"{name} {number}" if isinstance(number, str) and isinstance(name, str) else None
