"""Credentials that never change, for a client whose sign-in is not what is tested."""

from perfscale.kube.auth.credentials import Grant


class StaticIssuer:
    renewable = False

    def __init__(self, authorization: str | None = None) -> None:
        self._grant = Grant(authorization)

    async def issue(self, *, fresh: bool) -> Grant:  # noqa: ARG002 -- the protocol's
        return self._grant
