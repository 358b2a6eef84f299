"""What admission and others change of objects that are not theirs."""

from typing import Any

from controlled_store import until, until_phase
from faulty_cluster import CONFIG_MAPS, VMIS, FaultyApi, faulty
from simulated_api import CONFIG_MAP, VMI, manifest

LABELS = {"mine/a": "1", "mine/b": "2", "theirs": "3"}


async def created(api: FaultyApi, name: str = "a", **keys: Any) -> tuple[int, Any]:
    sent = manifest(VMI, name, metadata={"labels": LABELS, "annotations": LABELS})
    return await api("POST", VMIS, sent, **keys)


async def test_admission_takes_the_labels_that_fit() -> None:
    fault = {"fault": "labelsStripped", "labels": ["mine/*"]}
    async with faulty(objects=[fault]) as api:
        status, answer = await created(api)
        assert (status, answer["metadata"]["labels"]) == (201, {"theirs": "3"})
        assert (await api("GET", VMIS, params={"labelSelector": "mine/a"}))[1]["items"] == []
        assert answer["metadata"]["annotations"] == LABELS
        assert api.injected == {"labelsStripped": 1}


async def test_admission_takes_all_labels_where_none_are_named() -> None:
    async with faulty(objects=[{"fault": "labelsStripped"}]) as api:
        assert (await created(api))[1]["metadata"]["labels"] == {}


async def test_admission_changes_values_instead() -> None:
    fault = {"fault": "labelsStripped", "labels": ["theirs"], "to": "other"}
    async with faulty(objects=[fault]) as api:
        assert (await created(api))[1]["metadata"]["labels"] == {**LABELS, "theirs": "other"}


async def test_admission_takes_annotations() -> None:
    fault = {"fault": "annotationsStripped", "annotations": ["mine/a"]}
    async with faulty(objects=[fault]) as api:
        metadata = (await created(api))[1]["metadata"]
        assert metadata["annotations"] == {"mine/b": "2", "theirs": "3"}
        assert metadata["labels"] == LABELS
        assert api.injected == {"annotationsStripped": 1}


async def test_admission_gives_another_name_which_may_be_taken() -> None:
    fault = {"fault": "renamed", "suffix": "b", "names": ["a"]}
    async with faulty(objects=[fault]) as api:
        status, answer = await created(api)
        assert (status, answer["metadata"]["name"]) == (201, "a-b")
        assert (await api("GET", f"{VMIS}/a"))[0] == 404
        assert (await api("GET", f"{VMIS}/a-b"))[0] == 200
        assert (await created(api))[0] == 409
        assert api.vmis.created == 1


async def test_several_hands_may_be_at_one_object() -> None:
    objects = [{"fault": "labelsStripped"}, {"fault": "renamed"}, {"fault": "held"}]
    async with faulty(objects=objects) as api:
        metadata = (await created(api))[1]["metadata"]
        assert (metadata["name"], metadata["labels"]) == ("a-renamed", {})
        assert metadata["finalizers"][-1] == "simulation.perfscale/held"
        assert api.injected == {"labelsStripped": 1, "renamed": 1}
        assert api.vmis.held == 1


async def test_a_dry_run_shows_what_admission_would_do() -> None:
    async with faulty(objects=[{"fault": "labelsStripped"}]) as api:
        _, answer = await created(api, params={"dryRun": "All"})
        assert answer["metadata"]["labels"] == {}
        assert api.injected == {}


async def test_a_controller_takes_labels_once_an_object_runs() -> None:
    fault = {"fault": "labelRemoved", "labels": ["mine/*"], "phase": "Running", "after": "1ms"}
    async with faulty(objects=[fault]) as api, api.watch(VMIS, labelSelector="mine/a") as watch:
        status, answer = await created(api)
        assert (status, answer["metadata"]["labels"]) == (201, LABELS)
        events = [await watch.next()]
        while events[-1]["type"] != "DELETED":
            events.append(await watch.next())
        # It has only stopped matching: it is still there, and runs.
        (vmi,) = await until_phase(api.store, VMI, "Running")
        assert vmi["metadata"]["uid"] == events[-1]["object"]["metadata"]["uid"]
        node = vmi["status"]["nodeName"]
        assert vmi["metadata"]["labels"] == {"theirs": "3", "kubevirt.io/nodeName": node}
        assert api.injected == {"labelRemoved": 1}
        assert (api.vmis.vanished, api.vmis.present) == (0, 1)


async def test_labels_go_from_objects_of_any_kind_at_once() -> None:
    fault = {"fault": "labelRemoved", "resources": ["configmaps"], "to": "other"}
    async with faulty(objects=[fault]) as api:
        sent = manifest(CONFIG_MAP, "a", metadata={"labels": {"x": "y"}})
        assert (await api("POST", CONFIG_MAPS, sent))[1]["metadata"]["labels"] == {"x": "y"}
        await until(
            api.store, CONFIG_MAP, lambda found: found[0]["metadata"]["labels"] == {"x": "other"}
        )
