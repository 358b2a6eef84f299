"""Acting as somebody else: the kubeconfig's `as`, `as-uid`, `as-groups` and `as-user-extra`.

Without these headers a run would go on as whoever signs in, who is often an admin.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from perfscale.errors import UsageError
from perfscale.kube.auth.kubeconfig import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.kube.auth.kubeconfig import Entry

_OTHERS: Final = ("as-uid", "as-groups", "as-user-extra")
_KEY_CHARACTERS: Final = "!#$&'*+-.^_`|~"
"""What a header field's name may hold beside letters and digits, without the escape itself:
https://github.com/kubernetes/client-go/blob/master/transport/round_trippers.go"""


def impersonation_headers(user: Entry, origin: str) -> tuple[tuple[str, str], ...]:
    """The header fields that make the API server act as somebody else; none for most users.

    Args:
        user: ``user`` of the kubeconfig's entry.
        origin: Where it comes from, for messages.

    Raises:
        UsageError: One of the keys has a value that cannot be sent, or there are
            groups, a UID or extra fields of nobody.
    """
    fields = tuple(_fields(user, origin))
    for name, value in fields:
        if not value.isprintable():  # a line break in it would begin another header field
            raise UsageError(f"{origin}: {name} has characters that cannot be sent: {value!r}")
    return fields


def _fields(user: Entry, origin: str) -> Iterator[tuple[str, str]]:
    name = user.get("as")
    if name is None:
        for key in _OTHERS:
            if user.get(key):
                raise UsageError(
                    f"{origin}: {key} of the user needs a user to impersonate",
                    hint="name the user as `as`",
                )
        return
    yield "Impersonate-User", text_of(name, f"{origin}: as of the user")
    if "as-uid" in user:
        yield "Impersonate-Uid", text_of(user["as-uid"], f"{origin}: as-uid of the user")
    for group in _texts(user.get("as-groups", []), "as-groups", origin):
        yield "Impersonate-Group", group
    extra = user.get("as-user-extra", {})
    if not isinstance(extra, dict):
        raise UsageError(f"{origin}: as-user-extra of the user should be a mapping")
    for key, values in extra.items():
        field = f"Impersonate-Extra-{quote(str(key), safe=_KEY_CHARACTERS)}"
        for value in _texts(values, f"as-user-extra.{key}", origin):
            yield field, value


def _texts(values: object, key: str, origin: str) -> list[str]:
    if not isinstance(values, list):
        raise UsageError(f"{origin}: {key} of the user should be a list")
    return [text_of(value, f"{origin}: {key} of the user") for value in values]
