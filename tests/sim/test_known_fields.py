"""Fields that a server does not know: a warning, a refusal, or nothing, as one asks for it."""

from typing import Any

import aiohttp
import pytest
from faulty_cluster import VMIS
from simulated_api import POD, VMI, Api, manifest, serving

from perfscale.sim.controllers.kinds import VM

VMS = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachines"
PODS = "/api/v1/namespaces/demo/pods"


async def warnings(api: Api, path: str, obj: Any, **params: str) -> list[str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(api.url + path, json=obj, params=params) as answer,
    ):
        assert answer.status == 201
        return answer.headers.getall("Warning", [])


async def test_a_misspelt_field_is_warned_of_as_a_real_server_does() -> None:
    async with serving() as api:
        obj = manifest(VMI, "a", spec={"domain": {}, "terminationGracePeriodSecond": 0})
        assert await warnings(api, VMIS, obj) == [
            r'299 - "unknown field \"spec.terminationGracePeriodSecond\""'
        ]


async def test_every_field_of_a_template_is_looked_at() -> None:
    async with serving() as api:
        inner = {"domian": {}, "domain": {"resorces": {}, "devices": {"anything": 1}}}
        template = {"metadata": {"label": {}}, "spec": inner}
        obj = manifest(VM, "a", spec={"runStategy": "Always", "template": template}, extra=1)
        assert await warnings(api, VMS, obj) == [
            rf'299 - "unknown field \"{path}\""'
            for path in (
                "spec.runStategy",
                "spec.template.metadata.label",
                "spec.template.spec.domian",
                "spec.template.spec.domain.resorces",
                "extra",
            )
        ]


async def test_nothing_is_said_of_what_is_right_or_of_kinds_without_a_schema() -> None:
    async with serving() as api:
        pod = manifest(POD, "a", spec={"containers": [{"name": "c"}], "restartPolicy": "Never"})
        assert await warnings(api, PODS, pod) == []
        path = "/api/v1/namespaces/demo/configmaps"
        assert await warnings(api, path, {"metadata": {"name": "a"}, "whatever": 1}) == []


async def test_nothing_is_said_where_nobody_wants_to_hear_it() -> None:
    async with serving() as api:
        obj = manifest(VMI, "a", spec={"domian": {}})
        assert await warnings(api, VMIS, obj, fieldValidation="Ignore") == []


@pytest.mark.parametrize("dry_run", [{}, {"dryRun": "All"}])
async def test_a_strict_request_is_refused(dry_run: dict[str, str]) -> None:
    async with serving() as api:
        obj = manifest(VMI, "a", spec={"domian": {}})
        params = {"fieldValidation": "Strict", **dry_run}
        status, said = await api("POST", VMIS, obj, params=params)
        assert (status, said["reason"]) == (400, "BadRequest")
        assert said["message"].endswith('strict decoding error: unknown field "spec.domian"')
        assert (await api("GET", VMIS))[1]["items"] == []


async def test_updates_are_looked_at_too() -> None:
    async with serving() as api:
        _, made = await api("POST", VMIS, manifest(VMI, "a"))
        made["spec"]["domian"] = {}
        strict = {"fieldValidation": "Strict"}
        assert (await api("PUT", f"{VMIS}/a", made, params=strict))[0] == 400
        patch = {"Content-Type": "application/merge-patch+json"}
        answered = await api(
            "PATCH", f"{VMIS}/a", {"spec": {"domian": {}}}, params=strict, headers=patch
        )
        assert answered[0] == 400
        assert (await api("PUT", f"{VMIS}/a", made))[0] == 200


async def test_there_are_three_ways_to_look_at_fields() -> None:
    async with serving() as api:
        status, said = await api(
            "POST", VMIS, manifest(VMI, "a"), params={"fieldValidation": "Maybe"}
        )
        assert (status, said["reason"]) == (422, "Invalid")
