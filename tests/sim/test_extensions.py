"""Kinds that somebody defines, aggregated API servers, load balancers, and what KubeVirt tells."""

from typing import Any

from controlled_store import NAMESPACE, until, until_gone
from faulty_cluster import FaultyApi, faulty
from workload_kinds import an_object, has_condition, running_cluster

from perfscale.kube.resources import Resource
from perfscale.sim.controllers.kinds import API_SERVICE, CRD, KUBEVIRT, SERVICE

JSON = dict[str, Any]

GADGETS = Resource("example.com", "v1", "gadgets", "Gadget", namespaced=True)
DEFINITION = an_object(
    CRD,
    "gadgets.example.com",
    {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
        ],
    },
)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PATH = "/apis/example.com/v1/namespaces/demo/gadgets"
GADGET = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}}


async def _until_established(api: FaultyApi) -> None:
    await until(api.store, CRD, lambda found: has_condition("Established")(found[0]))


async def test_a_defined_kind_is_served_once_it_is_established_and_until_it_is_deleted() -> None:
    async with faulty() as api:
        assert (await api("GET", PATH))[0] == 404
        status, _ = await api(
            "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION
        )
        assert status == 201
        await _until_established(api)
        assert (await api("POST", PATH, GADGET))[0] == 201
        _, kinds = await api("GET", "/apis/example.com/v1")
        assert [each["name"] for each in kinds["resources"]] == ["gadgets", "gadgets/status"]
        await api(
            "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.com"
        )
        assert (await api("GET", PATH))[0] == 404
        await until_gone(api.store, GADGETS)


async def test_an_api_service_becomes_available() -> None:
    async with running_cluster() as cluster:
        spec = {"group": "example.com", "version": "v1", "groupPriorityMinimum": 1}
        cluster.store.create(API_SERVICE, an_object(API_SERVICE, "v1.example.com", spec))
        await until(
            cluster.store,
            API_SERVICE,
            lambda found: any(
                has_condition("Available")(each)
                for each in found
                if each["metadata"]["name"] == "v1.example.com"
            ),
        )


async def test_a_load_balancer_gets_an_address_and_other_services_do_not() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(SERVICE, an_object(SERVICE, "inner", {}))
        store.create(SERVICE, an_object(SERVICE, "outer", {"type": "LoadBalancer"}))

        def ingress(name: str) -> object:
            return store.get(SERVICE, NAMESPACE, name)["status"]["loadBalancer"].get("ingress")

        await until(store, SERVICE, lambda _: bool(ingress("outer")))
        assert not ingress("inner")
        assert store.get(SERVICE, NAMESPACE, "inner")["spec"]["clusterIP"].startswith("10.")


async def test_kubevirt_tells_its_version_and_limits() -> None:
    async with running_cluster() as cluster:
        (installed,) = cluster.store.list(KUBEVIRT)
    assert installed["status"]["observedKubeVirtVersion"]
    configuration = installed["spec"]["configuration"]
    assert configuration["migrations"]["parallelMigrationsPerCluster"] == 5
    assert configuration["migrations"]["parallelOutboundMigrationsPerNode"] == 2
    assert configuration["developerConfiguration"]["featureGates"]
    limits = configuration["controllerConfiguration"]["restClient"]["rateLimiter"]
    assert limits["tokenBucketRateLimiter"] == {"qps": 200, "burst": 400}


async def test_replicas_are_scaled_by_their_subresource() -> None:
    path = "/apis/apps/v1/namespaces/demo/deployments"
    async with faulty() as api:
        labels = {"app": "web"}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
        assert (await api("POST", path, {**made, "spec": spec}))[0] == 201
        status, scale = await api("GET", f"{path}/web/scale")
        assert (status, scale["spec"]["replicas"]) == (200, 1)
        assert scale["status"]["selector"] == "app=web"
        merge = {"Content-Type": "application/merge-patch+json"}
        patch = {"spec": {"replicas": 3}}
        assert (await api("PATCH", f"{path}/web/scale", patch, headers=merge))[0] == 200
        _, scale = await api("GET", f"{path}/web/scale")
        assert scale["spec"]["replicas"] == 3
        scale["spec"]["replicas"] = 2
        del scale["metadata"]["resourceVersion"]  # the controller writes its status meanwhile
        assert (await api("PUT", f"{path}/web/scale", scale))[0] == 200
        _, deployment = await api("GET", f"{path}/web")
        assert deployment["spec"]["replicas"] == 2
