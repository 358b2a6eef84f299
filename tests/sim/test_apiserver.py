"""Requests over HTTP are answered as a kube-apiserver answers them."""

import asyncio
from typing import Any

import pytest
from patience import PATIENCE_S
from simulated_api import CONFIG_MAP, VMI, Api, manifest, new_store, serving

from perfscale.kube.resources import NAMESPACES
from perfscale.sim.apiserver.apiserver import ServerOptions

JSON = dict[str, Any]

VMIS = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachineinstances"
ALL_VMIS = "/apis/kubevirt.io/v1/virtualmachineinstances"
CONFIG_MAPS = "/api/v1/namespaces/demo/configmaps"


def _names(listed: JSON) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_an_object_is_created_read_replaced_and_deleted(api: Api) -> None:
    status, created = await api("POST", VMIS, manifest(VMI, "a"))
    assert status == 201
    status, read = await api("GET", f"{VMIS}/a")
    assert (status, read) == (200, created)
    status, replaced = await api("PUT", f"{VMIS}/a", {**read, "spec": {"x": 1}})
    assert (status, replaced["metadata"]["generation"]) == (200, 2)
    status, answer = await api("DELETE", f"{VMIS}/a")
    assert (status, answer["status"]) == (200, "Success")
    assert answer["details"]["uid"] == created["metadata"]["uid"]
    status, _ = await api("GET", f"{VMIS}/a")
    assert status == 404


async def test_the_namespace_of_the_url_is_the_objects(api: Api) -> None:
    body = manifest(VMI, "a")
    del body["metadata"]["namespace"]
    _, created = await api("POST", VMIS, body)
    assert created["metadata"]["namespace"] == "demo"


async def test_yaml_is_taken_where_its_type_says_so(api: Api) -> None:
    body = b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {day: 2026-01-02}\n"
    status, created = await api(
        "POST", CONFIG_MAPS, body, headers={"Content-Type": "application/yaml"}
    )
    assert (status, created["data"]) == (201, {"day": "2026-01-02"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason", "field"),
    [
        ("GET", f"{VMIS}/missing", None, 404, "NotFound", None),
        ("DELETE", f"{VMIS}/missing", None, 404, "NotFound", None),
        ("GET", "/apis/kubevirt.io/v1/toasters", None, 404, "NotFound", None),
        ("GET", "/apis/kubevirt.io/v9/virtualmachineinstances", None, 404, "NotFound", None),
        ("GET", "/nothing/here", None, 404, "NotFound", None),
        ("PUT", f"{VMIS}/a/status", {}, 404, "NotFound", None),
        ("POST", ALL_VMIS, manifest(VMI, "b"), 405, "MethodNotAllowed", None),
        ("POST", VMIS, manifest(VMI, "a"), 409, "AlreadyExists", None),
        ("POST", VMIS, b"{", 400, "BadRequest", None),
        ("POST", VMIS, b"[]", 400, "BadRequest", None),
        ("POST", VMIS, manifest(CONFIG_MAP, "b"), 400, "BadRequest", None),
        ("POST", VMIS, {**manifest(VMI, "b"), "apiVersion": "v1"}, 400, "BadRequest", None),
        ("POST", VMIS, manifest(VMI, "b", metadata={"namespace": "x"}), 400, "BadRequest", None),
        ("POST", VMIS, manifest(VMI, ""), 422, "Invalid", "metadata.name"),
        ("POST", VMIS, manifest(VMI, "Not_A_Name"), 422, "Invalid", "metadata.name"),
        ("POST", VMIS, manifest(VMI, "n" * 254), 422, "Invalid", "metadata.name"),
        ("POST", VMIS, manifest(VMI, "b", spec=None), 422, "Invalid", "spec"),
        (
            "POST",
            VMIS,
            manifest(VMI, "b", metadata={"labels": {"a": "x" * 64}}),
            422,
            "Invalid",
            "metadata.labels",
        ),
        (
            "POST",
            VMIS,
            manifest(VMI, "b", metadata={"labels": {"a": 1}}),
            422,
            "Invalid",
            "metadata.labels.a",
        ),
        (
            "POST",
            "/api/v1/namespaces",
            {"metadata": {"name": "a.b"}},
            422,
            "Invalid",
            "metadata.name",
        ),
        (
            "POST",
            VMIS,
            manifest(VMI, "b", metadata={"ownerReferences": [{"kind": "Pod"}]}),
            422,
            "Invalid",
            "metadata.ownerReferences[0].uid",
        ),
        ("POST", VMIS, manifest(VMI, "b", status="Running"), 422, "Invalid", "status"),
        ("DELETE", "/api/v1/namespaces/kube-system", None, 403, "Forbidden", None),
        ("PUT", f"{VMIS}/a", manifest(VMI, "a"), 422, "Invalid", "metadata.resourceVersion"),
        ("PUT", f"{VMIS}/a", manifest(VMI, "b"), 400, "BadRequest", None),
        ("GET", f"{VMIS}?labelSelector=a%20b", None, 400, "BadRequest", None),
        ("GET", f"{VMIS}?limit=many", None, 400, "BadRequest", None),
        ("GET", f"{VMIS}?resourceVersion=999999", None, 504, "Timeout", None),
        ("GET", f"{VMIS}?resourceVersionMatch=Exact", None, 422, "Invalid", "resourceVersionMatch"),
    ],
)
async def test_a_refusal_is_a_status_that_names_what_is_wrong(
    api: Api, method: str, path: str, body: object, status: int, reason: str, field: str | None
) -> None:
    await api("POST", VMIS, manifest(VMI, "a"))
    code, answer = await api(method, path, body)
    assert (code, answer["kind"], answer["status"]) == (status, "Status", "Failure")
    assert (answer["code"], answer["reason"]) == (status, reason)
    assert answer["message"]
    if field is not None:
        assert field in [cause["field"] for cause in answer["details"]["causes"]]


async def test_a_stale_replacement_is_a_conflict(api: Api) -> None:
    _, first = await api("POST", VMIS, manifest(VMI, "a"))
    await api("PUT", f"{VMIS}/a", {**first, "spec": {"x": 1}})
    status, answer = await api("PUT", f"{VMIS}/a", {**first, "spec": {"x": 2}})
    assert (status, answer["reason"]) == (409, "Conflict")


async def test_a_bug_of_the_server_is_answered_with_a_status_and_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(api.store, "records", broken)
    status, answer = await api("GET", VMIS)
    assert (status, answer["reason"]) == (500, "InternalError")
    assert "ZeroDivisionError" in caplog.text


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with serving(server_options=ServerOptions(max_body_bytes=1000)) as api:
        status, answer = await api("POST", VMIS, manifest(VMI, "a", spec={"x": "y" * 2000}))
    assert (status, answer["reason"]) == (413, "RequestEntityTooLarge")


async def test_over_the_limit_of_requests_in_flight_clients_are_told_to_come_back() -> None:
    async with serving(server_options=ServerOptions(max_in_flight=0)) as api:
        status, answer = await api("GET", VMIS)
    assert (status, answer["reason"]) == (429, "TooManyRequests")
    assert answer["details"]["retryAfterSeconds"] == 1


async def test_a_dry_run_stores_nothing(api: Api) -> None:
    status, _ = await api("POST", VMIS, manifest(VMI, "a"), params={"dryRun": "All"})
    assert status == 201
    status, _ = await api("GET", f"{VMIS}/a")
    assert status == 404


async def test_lists_are_selected_by_labels_fields_and_namespace(api: Api) -> None:
    api.store.create(NAMESPACES, {"metadata": {"name": "other"}})
    for name in "abc":
        api.store.create(VMI, manifest(VMI, name, metadata={"labels": {"letter": name}}))
    api.store.create(VMI, manifest(VMI, "z", metadata={"namespace": "other"}))
    _, everything = await api("GET", ALL_VMIS)
    assert everything["kind"] == "VirtualMachineInstanceList"
    assert _names(everything) == ["a", "b", "c", "z"]
    _, chosen = await api("GET", VMIS, params={"labelSelector": "letter in (a,b),letter!=b"})
    assert _names(chosen) == ["a"]
    _, chosen = await api("GET", ALL_VMIS, params={"fieldSelector": "metadata.namespace=other"})
    assert _names(chosen) == ["z"]


async def test_the_pages_of_a_list_show_one_moment(api: Api) -> None:
    for number in range(5):
        api.store.create(VMI, manifest(VMI, f"vmi-{number}"))
    _, page = await api("GET", VMIS, params={"limit": "2"})
    assert page["metadata"]["remainingItemCount"] == 3
    version, seen = page["metadata"]["resourceVersion"], _names(page)
    api.store.delete(VMI, "demo", "vmi-4")
    api.store.create(VMI, manifest(VMI, "vmi-5"))
    while token := page["metadata"].get("continue"):
        _, page = await api("GET", VMIS, params={"limit": "2", "continue": token})
        assert page["metadata"]["resourceVersion"] == version
        seen += _names(page)
    assert seen == [f"vmi-{number}" for number in range(5)]


async def test_a_token_that_no_server_gave_is_refused(api: Api) -> None:
    status, _ = await api("GET", VMIS, params={"limit": "2", "continue": "bogus"})
    assert status == 400


async def test_a_token_of_a_list_that_is_forgotten_has_expired(api: Api) -> None:
    for number in range(5):
        api.store.create(VMI, manifest(VMI, f"vmi-{number}"))
    _, page = await api("GET", VMIS, params={"limit": "2"})
    for _ in range(70):
        await api("GET", VMIS, params={"limit": "2"})
    token = page["metadata"]["continue"]
    status, answer = await api("GET", VMIS, params={"limit": "2", "continue": token})
    assert (status, answer["reason"]) == (410, "Expired")


@pytest.mark.parametrize(
    ("patch_type", "body"),
    [
        ("application/merge-patch+json", {"metadata": {"labels": {"a": "b"}}}),
        (
            "application/json-patch+json",
            [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}],
        ),
    ],
)
async def test_a_custom_resource_is_patched(api: Api, patch_type: str, body: object) -> None:
    api.store.create(VMI, manifest(VMI, "a"))
    status, patched = await api("PATCH", f"{VMIS}/a", body, headers={"Content-Type": patch_type})
    assert (status, patched["metadata"]["labels"]) == (200, {"a": "b"})


async def test_a_custom_resource_takes_no_strategic_patch(api: Api) -> None:
    api.store.create(VMI, manifest(VMI, "a"))
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    status, answer = await api("PATCH", f"{VMIS}/a", {}, headers=headers)
    assert (status, answer["reason"]) == (415, "UnsupportedMediaType")


async def test_apply_creates_and_then_merges(api: Api) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    path, params = f"{VMIS}/a", {"fieldManager": "me"}
    status, _ = await api("PATCH", path, manifest(VMI, "a"), params=params, headers=headers)
    assert status == 201
    changed = manifest(VMI, "a", spec={"x": 1})
    status, obj = await api("PATCH", path, changed, params=params, headers=headers)
    assert (status, obj["spec"]) == (200, {"x": 1})
    status, _ = await api("PATCH", path, changed, headers=headers)
    assert status == 422


async def test_the_scale_of_a_replica_set_is_its_replicas(api: Api) -> None:
    path = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachineinstancereplicasets"
    kind = "VirtualMachineInstanceReplicaSet"
    body = {"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": {"name": "a"}}
    await api("POST", path, {**body, "spec": {"replicas": 2, "template": {}}})
    _, scale = await api("GET", f"{path}/a/scale")
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 2)
    status, _ = await api("PUT", f"{path}/a/scale", {**scale, "spec": {"replicas": 5}})
    _, obj = await api("GET", f"{path}/a")
    assert (status, obj["spec"]) == (200, {"replicas": 5, "template": {}})


async def test_a_collection_is_deleted_as_the_selector_says(api: Api) -> None:
    for number in range(250):
        labels = {"labels": {"odd": str(number % 2)}}
        api.store.create(VMI, manifest(VMI, f"vmi-{number}", metadata=labels))
    status, deleted = await api("DELETE", VMIS, params={"labelSelector": "odd=1"})
    assert (status, len(deleted["items"])) == (200, 125)
    assert len(api.store.list(VMI)) == 125


async def test_delete_options_of_the_body_are_heeded(api: Api) -> None:
    api.store.create(VMI, manifest(VMI, "a"))
    status, _ = await api("DELETE", f"{VMIS}/a", {"preconditions": {"uid": "other"}})
    assert status == 409
    status, held = await api("DELETE", f"{VMIS}/a", {"propagationPolicy": "Foreground"})
    assert (status, held["metadata"]["finalizers"]) == (200, ["foregroundDeletion"])
    status, _ = await api("DELETE", f"{VMIS}/a", {"propagationPolicy": "Sideways"})
    assert status in (404, 422)


async def test_a_deleted_namespace_goes_with_its_contents_a_little_later(api: Api) -> None:
    api.store.create(VMI, manifest(VMI, "a"))
    async with api.watch("/api/v1/namespaces", fieldSelector="metadata.name=demo") as watch:
        assert await watch.names(1) == ["ADDED demo"]
        status, going = await api("DELETE", "/api/v1/namespaces/demo")
        assert (status, going["status"]["phase"]) == (200, "Terminating")
        events = [await watch.next() for _ in range(2)]
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED"]
    assert not api.store.list(VMI)


async def test_the_older_version_shows_the_same_objects_as_its_own(api: Api) -> None:
    api.store.create(VMI, manifest(VMI, "a"))
    path = VMIS.replace("/v1/", "/v1alpha3/")
    _, obj = await api("GET", f"{path}/a")
    _, listed = await api("GET", path)
    assert obj["apiVersion"] == listed["items"][0]["apiVersion"] == "kubevirt.io/v1alpha3"


async def test_a_table_has_the_columns_that_kubevirt_defines(api: Api) -> None:
    status = {
        "phase": "Running",
        "nodeName": "node-1",
        "interfaces": [{"ipAddress": "10.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    api.store.create(VMI, manifest(VMI, "a", status=status))
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    _, table = await api("GET", VMIS, headers=accept)
    shown = [each["name"] for each in table["columnDefinitions"] if not each["priority"]]
    assert shown == ["Name", "Age", "Phase", "IP", "NodeName", "Ready"]
    assert table["rows"][0]["cells"][:6] == ["a", "0s", "Running", "10.0.0.1", "node-1", "True"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_metadata_alone_can_be_had(api: Api) -> None:
    api.store.create(VMI, manifest(VMI, "a"))
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    _, listed = await api("GET", VMIS, headers=accept)
    assert listed["kind"] == "PartialObjectMetadataList"
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}


async def test_a_representation_that_there_is_not_is_not_acceptable(api: Api) -> None:
    status, answer = await api("GET", VMIS, headers={"Accept": "application/cbor"})
    assert (status, answer["reason"]) == (406, "NotAcceptable")


async def test_discovery_leads_to_every_kind(api: Api) -> None:
    _, groups = await api("GET", "/apis")
    versions = {
        group["name"]: [version["version"] for version in group["versions"]]
        for group in groups["groups"]
    }
    assert versions["kubevirt.io"] == ["v1", "v1alpha3"]
    _, resources = await api("GET", "/apis/kubevirt.io/v1")
    served = {entry["name"]: entry for entry in resources["resources"]}
    assert "vmi" in served["virtualmachineinstances"]["shortNames"]
    assert "virtualmachines/status" in served
    assert "virtualmachineinstances/status" not in served
    _, version = await api("GET", "/version")
    assert version["major"] == "1"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_the_server_is_well(api: Api, path: str) -> None:
    assert await api.text(path) == "ok"


async def test_everything_is_allowed_to_everyone(api: Api) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    spec = {"resourceAttributes": {"verb": "create", "resource": "pods"}}
    status, review = await api("POST", path, {"spec": spec})
    assert (status, review["status"]["allowed"]) == (201, True)


async def test_the_server_ends_cleanly_with_watches_open() -> None:
    store = new_store()
    async with asyncio.timeout(PATIENCE_S), serving(store) as api, api.watch(ALL_VMIS) as watch:
        api.store.create(VMI, manifest(VMI, "a"))
        assert await watch.names(1) == ["ADDED a"]


async def test_a_server_can_be_started_again_on_the_same_objects() -> None:
    store = new_store()
    async with serving(store) as api:
        await api("POST", VMIS, manifest(VMI, "a"))
    async with serving(store) as api:
        _, listed = await api("GET", VMIS)
    assert _names(listed) == ["a"]
