"""Patches of every type, on built-in kinds and on those of a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clusters import CONFIGMAPS, VMIRS, ClusterUnderTest
from operation_load import OperationSink, accounts, done, on
from pages import list_pages
from workloads import config, objects, template

from perfscale.engine.load.requests import APPLY as APPLY_PARAMS
from perfscale.engine.load.requests import PATCH_TYPES
from perfscale.errors import ApiError
from perfscale.results import OperationAccounts, RunOutcome
from perfscale.templates import PatchTarget, compile_patches

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.kube.resources import Resource

COUNT = 5
CONFIGMAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\ndata: {kept: here}\n"
)
MERGE = "metadata: {annotations: {who: '{{ target.name }}'}}\n"
JSON_PATCH = (
    "- {op: add, path: /metadata/annotations, value: {}}\n"
    "- {op: add, path: /metadata/annotations/who, value: '{{ target.name }}'}\n"
)
APPLY = (
    "apiVersion: {version}\nkind: {kind}\n"
    "metadata: {{name: '{{{{ target.name }}}}', annotations: {{who: '{{{{ target.name }}}}'}}}}\n"
)
TEXTS = {"merge": MERGE, "strategic": MERGE, "json": JSON_PATCH}


def made(kind: Resource, directory: Path) -> dict[str, Any]:
    """A workload that makes objects of a kind."""
    one = objects(template(directory, CONFIGMAP, "map.yaml"), COUNT)
    if kind == VMIRS:
        one = objects("vmirs-ephemeral.yaml", COUNT, vmis=1)
    return {"name": "made", "iterationCreationWait": True, "objects": [one]}


def patch_of(kind: Resource, type_: str, directory: Path) -> dict[str, Any]:
    text = TEXTS.get(type_) or APPLY.format(version=kind.api_version, kind=kind.kind)
    return {"type": type_, "templateFile": template(directory, text, "patch.yaml")}


async def annotated(cluster: ClusterUnderTest, kind: Resource) -> dict[str, str | None]:
    """What each object's annotation says, by its name."""
    found: dict[str, str | None] = {}
    async for items, _ in list_pages(cluster.client, kind, "density-1"):
        for item in items:
            metadata = item["metadata"]
            if metadata["name"] != "kube-root-ca.crt":
                found[metadata["name"]] = (metadata.get("annotations") or {}).get("who")
    return found


@pytest.mark.parametrize(
    ("kind", "type_"),
    [*((CONFIGMAPS, each) for each in ("merge", "json", "strategic", "apply")),
     *((VMIRS, each) for each in ("merge", "json", "apply"))],
    ids=lambda value: getattr(value, "plural", value),
)  # fmt: skip
async def test_a_patch_of_each_type_changes_every_target(
    cluster: ClusterUnderTest, kind: Resource, type_: str, tmp_path: Path
) -> None:
    sink = OperationSink()
    load = on("made", "patch", patch=patch_of(kind, type_, tmp_path))
    result = await cluster.run(config(made(kind, tmp_path), load), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    assert result.workloads[0].accounts.failed == 0
    found = await annotated(cluster, kind)
    assert len(found) == COUNT
    assert all(name == who for name, who in found.items())
    assert {record.name for record in sink.operations} == set(found)


async def test_a_type_that_a_kind_does_not_take_is_refused_in_the_servers_words(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    load = on("made", "patch", patch=patch_of(VMIRS, "strategic", tmp_path))
    result = await cluster.run(config(made(VMIRS, tmp_path), load), sink=sink)
    assert result.exit_code == 1
    assert accounts(result) == OperationAccounts(requested=COUNT, failed=COUNT)
    for record in sink.operations:
        assert "the body of the request was in an unknown format" in (record.error or "")
    assert set((await annotated(cluster, VMIRS)).values()) == {None}


@pytest.mark.parametrize("type_", ["merge", "json", "strategic", "apply"])
async def test_a_patch_is_refused_for_another_object_that_has_the_name_by_now(
    cluster: ClusterUnderTest, type_: str, tmp_path: Path
) -> None:
    await cluster.run(config(made(CONFIGMAPS, tmp_path)))
    patch = patch_of(CONFIGMAPS, type_, tmp_path)
    load = config(made(CONFIGMAPS, tmp_path), on("made", "patch", patch=patch))
    _, patches = compile_patches(load, run_id="one")
    assert patches is not None
    gone = PatchTarget("map-1", "density-1", "00000000-0000-4000-8000-000000000000", {}, 1)
    with pytest.raises(ApiError):
        await cluster.client.request(
            "PATCH",
            CONFIGMAPS.path("density-1", "map-1"),
            body=patches.render(1, gone),
            content_type=PATCH_TYPES[type_],
            params=APPLY_PARAMS if type_ == "apply" else None,
            retry=False,
        )
    assert (await annotated(cluster, CONFIGMAPS))["map-1"] is None
