"""What the API server permits the client's user, found out before anything is tried.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import ApiError, NotFoundError, PerfscaleError
from perfscale.kube.calls import Call
from perfscale.kube.resources import Resource

if TYPE_CHECKING:
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place

_log = logging.getLogger(__name__)

_REVIEWS: Final = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    namespaced=False,
)


class _ReviewStatus(msgspec.Struct, frozen=True):
    allowed: bool


class _Review(msgspec.Struct, frozen=True):
    status: _ReviewStatus


class Permissions:
    """What the client's user may do; every answer is asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._decoder = msgspec.json.Decoder(_Review)
        self._known: dict[tuple[str, Place], bool] = {}

    async def allows(self, verb: str, place: Place) -> bool:
        """Whether the verb is allowed there.

        A server that cannot be asked (some have no such API) is taken to allow
        everything: the request itself is refused if it does not.

        Raises:
            ClusterError: The server cannot be reached or refuses the credentials.
        """
        key = (verb, place)
        if key not in self._known:
            try:
                self._known[key] = await self._review(verb, place)
            except ApiError as error:
                _log.info("cannot ask whether %s %s is allowed: %s", verb, place, error)
                self._known[key] = True
            else:
                if self._known[key]:
                    self._client.known.allow(Call(verb, place.resource.plural))
        return self._known[key]

    async def denies(self, verb: str, place: Place) -> bool:
        """Whether the server, asked for it, stands by a refusal of the verb there; never raises.

        One that cannot be asked just now, or says that it is allowed although a
        request was refused, may know better in a moment: an API server that has
        just started has not read its roles yet. One that has no such API stands
        by what it says.
        """
        try:
            return not await self._review(verb, place)
        except NotFoundError:
            return True
        except PerfscaleError as error:
            _log.info("cannot ask whether %s %s is denied: %s", verb, place, error)
            return False

    async def _review(self, verb: str, place: Place) -> bool:
        resource, _, subresource = place.resource.plural.partition("/")
        attributes = {
            "verb": verb,
            "group": place.resource.group,
            "version": place.resource.version,
            "resource": resource,
            "subresource": subresource,
            "namespace": place.namespace or "",
        }
        body = msgspec.json.encode(
            {
                "apiVersion": _REVIEWS.api_version,
                "kind": _REVIEWS.kind,
                "spec": {"resourceAttributes": attributes},
            }
        )
        review, _ = await self._client.create_and_read(self._decoder, _REVIEWS, None, body)
        return review.status.allowed
