from controlled_store import until
from workload_kinds import a_workload, condition_in, running_cluster, until_condition

from perfscale.sim.controllers.kinds import JOB, POD


async def test_a_job_is_complete_when_enough_pods_have_succeeded() -> None:
    most = 0
    async with running_cluster() as cluster:
        store = cluster.store

        def note(_event: str, _obj: object) -> None:
            nonlocal most
            most = max(most, sum(pod["status"]["phase"] == "Running" for pod in store.list(POD)))

        store.subscribe(POD, note)
        store.create(JOB, a_workload(JOB, completions=5, parallelism=2))
        job = await until_condition(store, JOB, "Complete")
        pods = store.list(POD)
    assert job["status"]["succeeded"] == 5
    assert job["status"]["completionTime"]
    assert [pod["status"]["phase"] for pod in pods] == ["Succeeded"] * 5
    assert most <= 2


async def test_a_job_has_failed_when_too_many_pods_have() -> None:
    fault = {"fault": "fails", "phase": "Running", "resources": ["pods"]}
    async with running_cluster(objects=[fault]) as cluster:
        cluster.store.create(JOB, a_workload(JOB, backoffLimit=2))
        job = await until_condition(cluster.store, JOB, "Failed")
    assert condition_in(job, "Failed")["reason"] == "BackoffLimitExceeded"
    assert job["status"]["failed"] == 3


async def test_a_suspended_job_has_no_pods_until_it_goes_on() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(JOB, a_workload(JOB, suspend=True))
        (job,) = await until(store, JOB, lambda jobs: "status" in jobs[0])
        assert not store.list(POD)
        store.update(JOB, {**job, "spec": {**job["spec"], "suspend": False}})
        await until_condition(store, JOB, "Complete")
