"""The edge at which an answer's bytes become objects.

Whatever stands between us and an API server may answer in its name, with a success and
anything for a body: a page to sign in at, nothing, half an object. That is an attempt that
failed, and no bug of ours, whichever of these errors it shows by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from perfscale.errors import IllegibleError

if TYPE_CHECKING:
    from collections.abc import Mapping

UNREADABLE: Final = (ValueError, RecursionError)
"""What decoding raises: msgspec's errors and those of UTF-8 are ValueErrors; nesting of
thousands of levels is the other."""
_LONGEST_REASON: Final = 200
_JSON: Final = "application/json"

Version = Annotated[str, msgspec.Meta(max_length=128)]
"""A resourceVersion: a number of 64 bits where etcd gives it; others may be longer, but not by
much, since it is sent in URLs."""
_MOST_DIGITS: Final = 19
"""etcd's revisions are of 64 bits."""

OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""For answers of which only has to be known that they are an object."""


def version_number(resource_version: str) -> int:
    """A resourceVersion as a number, for comparing; 0 where it is not one.

    API servers backed by etcd give the store's revision, and comparing them is
    sanctioned: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    is_number = resource_version.isdecimal() and len(resource_version) <= _MOST_DIGITS
    return int(resource_version) if is_number else 0


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether the Content-Type of an answer is JSON, or missing."""
    return headers.get("Content-Type", _JSON).lower().startswith(_JSON)


def illegible(
    what: str, status: int, headers: Mapping[str, str], error: BaseException | None = None
) -> IllegibleError:
    """The error for an answer of success that cannot be read. Its body is not repeated.

    Args:
        what: Method and path of the request.
        status: HTTP status of the answer.
        headers: Its headers.
        error: What came of decoding it.
    """
    if not is_json(headers):
        why = f"it is {headers['Content-Type'][:_LONGEST_REASON]}"
    elif isinstance(error, RecursionError):
        why = "it is nested too deeply"
    else:
        why = str(error)[:_LONGEST_REASON]
    return IllegibleError(
        f"{what}: the answer, of status {status}, is not what an API server sends: {why}",
        status=status,
        reason="Illegible",
        hint="check the server's URL; something in front of the API server may have answered",
    )
