from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from attribution import (
    CLOCK,
    POD_UID,
    VM_UID,
    VMI_UID,
    condition,
    event,
    evidence,
    instance,
    machine,
    pod,
    stamp,
)
from hypothesis import given
from hypothesis import strategies as st

from perfscale.engine.attribution.documents import read_volume
from perfscale.engine.attribution.evidence import Evidence
from perfscale.engine.attribution.splitting import Split, Wait, split
from perfscale.engine.attribution.times import NOTHING_SEEN, OwnTimes
from perfscale.results import WaitCause

INSTANCE = "VirtualMachineInstance"
READY = Wait(10.0, 40.0, is_ready=True)
UNREADY = Wait(10.0, 40.0, is_ready=False)
SCHEDULED = condition("PodScheduled", 12)
NORMAL = instance(10, Scheduling=12, Scheduled=14, Running=16)


def rounded(found: Split) -> dict[WaitCause, int]:
    totals: dict[WaitCause, float] = {}
    for each in found.segments:
        totals[each.cause] = totals.get(each.cause, 0) + each.lasted_s
    return {cause: round(lasted_s) for cause, lasted_s in totals.items()}


def longest(found: Split) -> WaitCause:
    return max(rounded(found).items(), key=lambda each: each[1])[0]


def of_instance(vmi: dict[str, Any], *events: dict[str, Any], **more: Any) -> Evidence:
    return evidence(INSTANCE, vmi, *events, **more)


@pytest.mark.parametrize(
    ("cause", "seen"),
    [
        (
            WaitCause.UNSEEN,
            of_instance(
                instance(10, Scheduling=36, Scheduled=38, Running=39),
                pods=(pod(36, condition("PodScheduled", 36), started_s=37),),
            ),
        ),
        (
            WaitCause.SCHEDULING,
            of_instance(
                instance(10, Scheduling=11, Scheduled=38, Running=39),
                event(POD_UID, "FailedScheduling", 11, "0/3 nodes: 3 Insufficient memory."),
                pods=(pod(11, condition("PodScheduled", 36), started_s=37),),
            ),
        ),
        (
            WaitCause.IMAGE_PULL,
            of_instance(
                instance(10, Scheduling=11, Scheduled=38, Running=39),
                event(POD_UID, "Pulling", 12, 'Pulling image "big:1"'),
                event(
                    POD_UID,
                    "Pulled",
                    36,
                    'Successfully pulled image "big:1" in 1.5s (24.1s including waiting).',
                ),
                pods=(pod(11, SCHEDULED, started_s=37),),
            ),
        ),
        (
            WaitCause.VOLUMES,
            of_instance(
                instance(10, Scheduling=11, Scheduled=38, Running=39),
                event(POD_UID, "FailedMount", 14, "MountVolume.SetUp failed", last_s=30),
                event(POD_UID, "Pulled", 35, 'Container image "x" already present on machine'),
                pods=(pod(11, SCHEDULED, started_s=37),),
            ),
        ),
        (
            WaitCause.VOLUMES,
            of_instance(
                instance(10, Scheduling=11, Scheduled=38, Running=39),
                event(
                    POD_UID,
                    "FailedScheduling",
                    11,
                    "pod has unbound immediate PersistentVolumeClaims",
                ),
                pods=(pod(11, condition("PodScheduled", 36), started_s=37),),
            ),
        ),
        (
            WaitCause.LAUNCHER_START,
            of_instance(
                instance(10, Scheduling=11, Scheduled=38, Running=39),
                pods=(pod(11, SCHEDULED, started_s=37),),
            ),
        ),
        (
            WaitCause.GUEST,
            of_instance(NORMAL, pods=(pod(12, SCHEDULED, started_s=13),)),
        ),
    ],
)
def test_each_cause_is_named_when_it_has_taken_the_time_of_an_instance(
    cause: WaitCause, seen: Evidence
) -> None:
    assert longest(split(seen, READY, CLOCK)) is cause


@pytest.mark.parametrize(
    ("cause", "found", "events"),
    [
        (
            WaitCause.SCHEDULING,
            pod(10, condition("PodScheduled", 11, holds=False, message="Insufficient cpu")),
            (),
        ),
        (
            WaitCause.VOLUMES,
            pod(
                10,
                condition("PodScheduled", 11, holds=False, message="unbound PersistentVolume"),
            ),
            (),
        ),
        (WaitCause.IMAGE_PULL, pod(10, SCHEDULED, waiting="ImagePullBackOff"), ()),
        (
            WaitCause.IMAGE_PULL,
            pod(10, SCHEDULED),
            (event(POD_UID, "Pulling", 12, 'Pulling image "x"'),),
        ),
        (
            WaitCause.VOLUMES,
            pod(10, SCHEDULED),
            (event(POD_UID, "FailedAttachVolume", 12, "Multi-Attach error"),),
        ),
        (WaitCause.LAUNCHER_START, pod(10, SCHEDULED), ()),
        (WaitCause.GUEST, pod(10, SCHEDULED, started_s=13), ()),
    ],
)
def test_a_pod_that_is_not_ready_waits_for_what_it_shows(
    cause: WaitCause, found: dict[str, Any], events: tuple[dict[str, Any], ...]
) -> None:
    seen = evidence("Pod", found, *events, pods=(found,), looked_s=40)
    assert longest(split(seen, UNREADY, CLOCK)) is cause


def test_a_machine_whose_instance_is_not_made_is_not_yet_seen() -> None:
    seen = evidence("VirtualMachine", machine(10), looked_s=40)
    assert rounded(split(seen, UNREADY, CLOCK)) == {WaitCause.UNSEEN: 30}


def test_a_machine_waits_for_its_data_volume_before_its_instance_is_made() -> None:
    seen = evidence("VirtualMachine", machine(10), looked_s=40)
    volume = {
        "metadata": {"name": "root", "uid": "dv", "creationTimestamp": stamp(11)},
        "status": {"phase": "ImportInProgress"},
    }
    seen.volumes["dv"] = read_volume("DataVolume", volume)
    assert longest(split(seen, UNREADY, CLOCK)) is WaitCause.VOLUMES


def test_a_data_volume_that_was_seen_unfilled_was_waited_for_until_the_instance_came() -> None:
    seen = Evidence()
    for looked_s, phase in ((20, "ImportInProgress"), (41, "Succeeded")):
        vmi = None if looked_s == 20 else instance(35, Scheduling=36, Scheduled=37)
        look = evidence("VirtualMachine", machine(10), vmi=vmi, looked_s=looked_s)
        volume = {
            "metadata": {"name": "root", "uid": "dv", "creationTimestamp": stamp(11)},
            "status": {"phase": phase},
        }
        look.volumes["dv"] = read_volume("DataVolume", volume)
        seen.add(look)
    assert rounded(split(seen, READY, CLOCK))[WaitCause.VOLUMES] == 25


@pytest.mark.parametrize("status", ["Provisioning", "ErrorPvcNotFound"])
def test_a_machine_that_says_so_waits_for_its_volumes(status: str) -> None:
    waiting = machine(10)
    waiting["status"]["printableStatus"] = status
    seen = evidence("VirtualMachine", waiting, looked_s=40)
    assert longest(split(seen, UNREADY, CLOCK)) is WaitCause.VOLUMES


def test_an_instance_without_a_claim_that_it_needs_waits_for_volumes() -> None:
    lacking = condition("Synchronized", 11, holds=False, reason="FailedPvcNotFound")
    seen = of_instance(instance(10, lacking), looked_s=40)
    assert longest(split(seen, UNREADY, CLOCK)) is WaitCause.VOLUMES


def test_what_a_quota_refuses_is_unknown_and_says_so() -> None:
    seen = of_instance(
        instance(10), event(VMI_UID, "FailedCreate", 12, "exceeded quota"), looked_s=40
    )
    found = split(seen, UNREADY, CLOCK)
    assert longest(found) is WaitCause.UNKNOWN
    assert any("exceeded quota" in each for each in found.notes)


def test_the_time_of_instances_that_failed_before_is_unknown() -> None:
    seen = evidence(
        "VirtualMachine",
        machine(10, failures=2),
        vmi=instance(35, Scheduling=36, Scheduled=37),
        pods=(pod(36, condition("PodScheduled", 36)),),
    )
    found = split(seen, READY, CLOCK)
    assert longest(found) is WaitCause.UNKNOWN
    assert "2 instances failed before this one" in found.notes


def test_without_pods_what_only_they_say_is_unknown() -> None:
    seen = of_instance(
        instance(10, Scheduling=12, Scheduled=34, Running=38), unread={"pods": "not permitted"}
    )
    found = split(seen, READY, CLOCK)
    assert rounded(found) == {WaitCause.UNSEEN: 2, WaitCause.UNKNOWN: 22, WaitCause.GUEST: 6}
    assert "pods not read: not permitted" in found.notes


def test_without_events_the_start_of_a_launcher_is_unknown_and_the_rest_is_not() -> None:
    seen = of_instance(
        instance(10, Scheduling=12, Scheduled=34, Running=38),
        pods=(pod(12, condition("PodScheduled", 20)),),
        unread={"events": "not permitted"},
    )
    found = split(seen, READY, CLOCK)
    assert rounded(found) == {
        WaitCause.UNSEEN: 2,
        WaitCause.SCHEDULING: 8,
        WaitCause.UNKNOWN: 14,
        WaitCause.GUEST: 6,
    }


def test_events_that_have_expired_leave_the_start_of_a_launcher_unknown() -> None:
    seen = of_instance(
        instance(10, Scheduling=12, Scheduled=34), pods=(pod(12, SCHEDULED),), looked_s=4000
    )
    assert WaitCause.LAUNCHER_START not in rounded(split(seen, READY, CLOCK))


def test_a_pod_that_is_gone_leaves_unknown_what_only_it_had_said() -> None:
    found = split(of_instance(NORMAL), READY, CLOCK)
    assert rounded(found)[WaitCause.UNKNOWN] == 2


def test_what_was_pending_at_the_last_look_is_known_until_then_alone() -> None:
    seen = of_instance(instance(10, Scheduling=12), pods=(pod(12),), looked_s=30)
    assert rounded(split(seen, READY, CLOCK)) == {
        WaitCause.UNSEEN: 2,
        WaitCause.SCHEDULING: 18,
        WaitCause.UNKNOWN: 10,
    }


def test_a_condition_that_kubevirt_copies_counts_where_pods_may_not_be_read() -> None:
    stuck = instance(
        10, condition("Synchronized", 13, holds=False, reason="ErrImagePull"), Scheduling=12
    )
    seen = of_instance(stuck, unread={"pods": "not permitted"}, looked_s=40)
    assert longest(split(seen, UNREADY, CLOCK)) is WaitCause.IMAGE_PULL


def test_a_watch_says_more_exactly_when_a_phase_came_than_a_timestamp() -> None:
    seen = of_instance(NORMAL, pods=(pod(12, SCHEDULED, started_s=13),))
    own = OwnTimes(10.1, {"Scheduling": 12.25, "Scheduled": 14.75, "Running": 16.5})
    found = split(seen, READY, CLOCK, own)
    assert found.segments[-1].began_s == 14.75
    assert found.segments[-1].precision_s == 0


def test_a_watch_that_was_late_does_not_count() -> None:
    seen = of_instance(NORMAL, pods=(pod(12, SCHEDULED, started_s=13),))
    found = split(seen, READY, CLOCK, OwnTimes(None, {"Scheduled": 33.0}))
    assert found.segments[-1].began_s == pytest.approx(14.5)
    assert found.segments[-1].precision_s == pytest.approx(0.51)


def test_a_kind_without_pods_is_unknown() -> None:
    seen = evidence("Gadget", instance(10))
    seen.expects_pod = False
    assert rounded(split(seen, READY, CLOCK)) == {WaitCause.UNKNOWN: 30}


def test_later_looks_keep_what_has_gone_meanwhile() -> None:
    seen = Evidence()
    first = of_instance(
        instance(10, Scheduling=12),
        event(POD_UID, "Pulling", 13, 'Pulling image "x"'),
        pods=(pod(12, SCHEDULED),),
        looked_s=20,
    )
    seen.add(first)
    seen.add(of_instance(instance(10, Scheduling=12, Scheduled=39), looked_s=41))
    assert longest(split(seen, READY, CLOCK)) is WaitCause.IMAGE_PULL
    gone = Evidence(looked_s=50, unread={"object": "it is gone"})
    seen.add(gone)
    assert (seen.looked_s, seen.looks) == (41, 3)


def test_of_a_set_the_pod_counts_that_is_last_at_the_last_look() -> None:
    seen = Evidence()
    early = pod(10, SCHEDULED, started_s=13)
    early["metadata"] |= {"uid": "early", "name": "early"}
    late = pod(30, condition("PodScheduled", 39), started_s=39)
    for found, looked_s in ((early, 20), (late, 41)):
        look = evidence("Deployment", machine(10), pods=(found,), looked_s=looked_s)
        look.chosen = "of 2 pods, this is about the one that was last"
        seen.add(look)
    assert rounded(split(seen, READY, CLOCK))[WaitCause.UNSEEN] == 20


def test_several_containers_that_pull_one_image_count_what_was_pulled_alone() -> None:
    seen = of_instance(
        instance(10, Scheduling=11, Scheduled=38),
        event(POD_UID, "Pulling", 12, 'Pulling image "x"'),
        event(POD_UID, "Pulled", 17, 'Successfully pulled image "x" in 5s (5s including waiting)'),
        event(POD_UID, "Pulled", 30, 'Container image "x" already present on machine'),
        pods=(pod(11, SCHEDULED, started_s=37),),
    )
    assert rounded(split(seen, READY, CLOCK))[WaitCause.IMAGE_PULL] == 5


def test_a_pull_that_failed_first_counts_from_its_beginning() -> None:
    seen = of_instance(
        instance(10, Scheduling=11, Scheduled=38),
        event(POD_UID, "Pulling", 12, 'Pulling image "x"', last_s=33),
        event(POD_UID, "Failed", 13, 'Failed to pull image "x": no route'),
        event(POD_UID, "Pulled", 35, 'Successfully pulled image "x" in 2s'),
        pods=(pod(11, SCHEDULED, started_s=37),),
    )
    assert rounded(split(seen, READY, CLOCK))[WaitCause.IMAGE_PULL] == 23


def test_an_event_of_the_new_kind_has_its_time_elsewhere() -> None:
    refusal = event(POD_UID, "FailedScheduling", 0, "no PersistentVolume for it")
    refusal |= {"firstTimestamp": None, "lastTimestamp": None, "eventTime": stamp(12)}
    seen = of_instance(
        instance(10, Scheduling=11, Scheduled=38),
        refusal,
        pods=(pod(11, condition("PodScheduled", 36)),),
    )
    assert rounded(split(seen, READY, CLOCK))[WaitCause.VOLUMES] == 24


TIMES = st.one_of(st.none(), st.floats(-50, 120))
REASONS = st.sampled_from(
    [
        ("Pulling", 'Pulling image "x"'),
        ("Pulled", 'Successfully pulled image "x" in 2.5s (40.25s including waiting).'),
        ("Pulled", 'Successfully pulled image "x" in nonsense'),
        ("Failed", 'Failed to pull image "x": no such host'),
        ("FailedMount", "no"),
        ("SuccessfulAttachVolume", "yes"),
        ("FailedScheduling", "volume"),
        ("FailedScheduling", "Insufficient cpu"),
        ("FailedCreate", "quota"),
        ("SuccessfulCreate", "made"),
    ]
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Evidence, Wait, OwnTimes]:
    def maybe(kind: str) -> list[dict[str, Any]]:
        at_s = draw(TIMES)
        return [] if at_s is None else [condition(kind, at_s, holds=draw(st.booleans()))]

    phases = {
        phase: at_s
        for phase in ("Scheduling", "Scheduled", "Running")
        if (at_s := draw(TIMES)) is not None
    }
    vmi = instance(draw(st.floats(-50, 120)), *maybe("PodScheduled"), **phases)
    pods = (
        pod(
            draw(st.floats(-50, 120)),
            *maybe("PodScheduled"),
            *maybe("ContainersReady"),
            started_s=draw(TIMES),
            waiting=draw(st.sampled_from([None, "ErrImagePull"])),
            claims=draw(st.sampled_from([(), ("data",)])),
        ),
    )[: draw(st.integers(0, 1))]
    events = [
        event(of, reason, draw(st.floats(-50, 120)), message)
        for of, (reason, message) in draw(
            st.lists(st.tuples(st.sampled_from([POD_UID, VMI_UID, VM_UID]), REASONS), max_size=6)
        )
    ]
    kind = draw(st.sampled_from(["VirtualMachine", INSTANCE, "Pod", "Deployment"]))
    obj = {"VirtualMachine": machine(0), INSTANCE: vmi}.get(kind, pod(0))
    unread = draw(st.sampled_from([{}, {"pods": "no"}, {"events": "no"}, {"instance": "no"}]))
    seen = evidence(
        kind,
        obj,
        *events,
        vmi=draw(st.sampled_from([vmi, None])),
        pods=pods,
        looked_s=draw(st.floats(0, 120)),
        unread=unread,
    )
    began_s = draw(st.floats(0, 60))
    until_s = began_s + draw(st.floats(0, 60))
    own = draw(st.sampled_from([NOTHING_SEEN, OwnTimes(11.0, {"Scheduling": 13.0})]))
    return seen, Wait(began_s, until_s, draw(st.booleans())), own


@given(worlds())
def test_segments_follow_each_other_and_none_is_negative_whatever_the_cluster_says(
    world: tuple[Evidence, Wait, OwnTimes],
) -> None:
    seen, wait, own = world
    segments = split(seen, wait, CLOCK, own).segments
    if wait.until_s == wait.began_s:
        assert segments == ()
        return
    assert segments[0].began_s == wait.began_s
    assert segments[-1].ended_s == wait.until_s
    for before, after in pairwise(segments):
        assert before.ended_s == after.began_s
        assert before.cause is not after.cause
    assert all(each.ended_s > each.began_s for each in segments)
    assert all(each.precision_s >= 0 for each in segments)
