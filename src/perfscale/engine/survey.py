"""What carries a label, in numbers: of tens of thousands of objects none is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from perfscale.config.labels import RUN_LABEL
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.deletion import CONCURRENCY
from perfscale.engine.readiness import AnyObject
from perfscale.engine.tracker import version_number
from perfscale.errors import ForbiddenError, NotFoundError, NotServedError
from perfscale.kube.listing import page_decoder, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.engine.readiness import Metadata
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place


@dataclass(slots=True)
class Share:
    """What of a place is one run's.

    Attributes:
        count: Objects.
        oldest: The server's timestamp of the first that was created; empty if
            none has one.
        newest: Of the last.
    """

    count: int = 0
    oldest: str = ""
    newest: str = ""


@dataclass(slots=True)
class Finding:
    """What there is in one place.

    Attributes:
        count: Objects.
        namespaces: Where they are; None for those outside of any.
        holders: How many were asked to go and have which finalizers; of the
            others, how many there are, under none.
        runs: By run id.
    """

    count: int = 0
    namespaces: set[str | None] = field(default_factory=set)
    holders: Counter[tuple[str, ...]] = field(default_factory=Counter)
    runs: dict[str, Share] = field(default_factory=dict)

    def add(self, metadata: Metadata) -> None:
        """Count one more."""
        self.count += 1
        self.namespaces.add(metadata.namespace)
        leaving = metadata.deletion_timestamp is not None
        self.holders[tuple(metadata.finalizers or ()) if leaving else ()] += 1
        share = self.runs.setdefault((metadata.labels or {}).get(RUN_LABEL, ""), Share())
        share.count += 1
        if stamp := metadata.creation_timestamp:  # of one format, so they are ordered as text
            share.oldest = min(share.oldest or stamp, stamp)
            share.newest = max(share.newest, stamp)


@dataclass(frozen=True, slots=True)
class Survey:
    """What carries a label.

    Attributes:
        found: What there is, by place; places without anything are left out.
        versions: resourceVersion of each place's list, as a number.
        forbidden: Places that may not be listed.
    """

    found: dict[Place, Finding] = field(default_factory=dict)
    versions: dict[Place, int] = field(default_factory=dict)
    forbidden: list[Place] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of objects."""
        return sum(finding.count for finding in self.found.values())


async def survey(client: Client, places: Iterable[Place], selector: str) -> Survey:
    """List what carries the label.

    Raises:
        ApiError: A list failed for a reason other than a missing permission.
    """
    result = Survey()

    async def look(place: Place) -> None:
        finding = Finding()
        version = ""
        pages = read_pages(
            client,
            place.resource,
            page_decoder(AnyObject),
            namespace=place.namespace,
            label_selector=selector,
        )
        try:
            async for page in pages:
                if page.first:
                    finding = Finding()
                for item in page.items:
                    finding.add(item.metadata)
                version = page.version
        except ForbiddenError:
            result.forbidden.append(place)
            return
        except (NotFoundError, NotServedError):
            return  # the resource was uninstalled meanwhile, and its objects with it
        result.versions[place] = version_number(version)
        if finding.count:
            result.found[place] = finding

    await run_bounded((partial(look, place) for place in places), limit=CONCURRENCY)
    return result
