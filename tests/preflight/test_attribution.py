"""What may not be read, and a run goes on without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from clusters import CONFIGMAPS, VMIS
from workloads import config

from perfscale.kube.permissions import Permissions
from perfscale.preflight.permissions.attribution import find_unreadable

if TYPE_CHECKING:
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place, Resource

NOBODY = cast("Client", None)


def permit(monkeypatch: pytest.MonkeyPatch, *allowed: tuple[str, str | None]) -> list[str]:
    asked: list[str] = []

    async def allows(_: Permissions, verb: str, place: Place) -> bool:
        asked.append(f"{verb} {place}")
        return (place.resource.plural, place.namespace) in allowed

    monkeypatch.setattr(Permissions, "allows", allows)
    return asked


async def warnings(
    *created: Resource, namespaces: tuple[str, ...] = ("a", "b"), **more: Any
) -> Any:
    return await find_unreadable(NOBODY, config(**more), created, namespaces)


async def test_what_may_not_be_listed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    permit(monkeypatch, ("pods", None))
    (said,) = await warnings(VMIS)
    assert said.startswith("not permitted: list events in namespace a: ")
    assert "globalConfig.attribution: off" in said


async def test_permission_in_the_namespace_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    permit(monkeypatch, ("pods", "a"), ("events", "a"))
    assert await warnings(VMIS) == ()


async def test_nothing_is_asked_where_it_would_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = permit(monkeypatch)
    assert await warnings(VMIS, attribution="off") == ()
    assert await warnings(CONFIGMAPS) == ()
    assert await warnings(VMIS, namespaces=()) == ()
    assert asked == []
