"""Objects that exist already, as far as the checks need them."""

from __future__ import annotations

from typing import Final

import msgspec

from perfscale.kube.listing import page_decoder


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    namespace: str | None = None
    labels: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class Existing(msgspec.Struct, frozen=True):
    """An object of any kind."""

    metadata: _Metadata

    @property
    def terminating(self) -> bool:
        """Whether it is being deleted."""
        return self.metadata.deletion_timestamp is not None


EXISTING: Final = msgspec.json.Decoder(Existing)
EXISTING_PAGE: Final = page_decoder(Existing)
