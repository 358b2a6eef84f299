from hypothesis import given
from hypothesis import strategies as st
from lives import record

from perfscale.results import (
    IterationFacts,
    IterationTally,
    ObjectRecord,
    Outcome,
    RunTally,
    WorkloadPlan,
    assess,
)
from perfscale.results.measure.blindness import BlindSpans
from perfscale.results.model.client.health import Validity, Vitals
from perfscale.results.model.interruptions import BlindSpan, Cause


def blind_to(kind: str, began_s: float, ended_s: float, namespace: str | None = None) -> BlindSpans:
    spans = BlindSpans()
    spans.lose(kind, namespace, began_s)
    spans.regain(kind, namespace, ended_s)
    return spans


def test_what_is_heard_of_in_a_blind_span_may_have_happened_since_its_beginning() -> None:
    spans = blind_to("Pod", 10.0, 14.0)
    assert spans.earliest_s("Pod", "here", 13.5) == 10.0
    assert spans.earliest_s("Pod", "here", 14.0) == 10.0
    assert spans.earliest_s("Pod", "here", 10.0) is None
    assert spans.earliest_s("Pod", "here", 14.1) is None
    assert spans.earliest_s("VirtualMachine", "here", 13.5) is None
    assert spans.earliest_s(None, None, 13.5) is None  # an answer, which no watch tells


def test_a_watch_of_one_namespace_is_not_blind_to_another() -> None:
    spans = blind_to("Pod", 10.0, 14.0, namespace="here")
    assert spans.earliest_s("Pod", "here", 12.0) == 10.0
    assert spans.earliest_s("Pod", "there", 12.0) is None


def test_a_generator_that_stands_still_sees_nothing_at_all() -> None:
    spans = BlindSpans()
    spans.stall(10.0, 16.0)
    assert spans.earliest_s("Pod", "here", 15.0) == 10.0
    assert spans.earliest_s(None, None, 15.0) == 10.0


def test_what_was_missed_before_a_stall_may_be_as_old_as_that() -> None:
    spans = blind_to("Pod", 8.0, 12.0)
    spans.stall(11.0, 16.0)
    assert spans.earliest_s("Pod", "here", 15.0) == 8.0


def test_a_watch_that_breaks_before_it_has_caught_up_is_blind_since_the_first_time() -> None:
    spans = blind_to("Pod", 8.0, 12.0)
    spans.lose("Pod", None, 11.5)
    spans.regain("Pod", None, 20.0)
    assert list(spans) == [BlindSpan(Cause.WATCH, "Pod", None, 8.0, 20.0)]


def test_as_long_as_nothing_is_seen_there_is_no_end_to_it() -> None:
    spans = BlindSpans()
    spans.lose("Pod", None, 8.0)
    assert spans.earliest_s("Pod", "here", 1e9) == 8.0
    spans.close(30.0)
    assert [each.ended_s for each in spans] == [30.0]


def test_spans_are_bounded_however_often_a_watch_breaks() -> None:
    spans = BlindSpans()
    for number in range(3000):
        spans.lose("Pod", None, 10.0 * number)
        spans.regain("Pod", None, 10.0 * number + 1)
    assert len(spans) == 1000
    assert spans.earliest_s("Pod", None, 29990.5) is not None


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.booleans()), max_size=8),
    st.integers(0, 80),
)
def test_a_moment_is_touched_when_a_span_holds_it(
    given: list[tuple[int, int, bool]], at: int
) -> None:
    spans = BlindSpans()
    for number, (began, length, everything) in enumerate(sorted(given)):
        if everything:
            spans.stall(began, began + length)
        else:
            spans.lose(f"kind-{number}", None, began)
            spans.regain(f"kind-{number}", None, began + length)
    held = any(span.began_s < at <= span.until_s for span in spans)
    assert spans.touches(at) == held


WORKLOAD = WorkloadPlan("density", 1, {"Pod": 100}, None, 1)


def counted(spans: BlindSpans, *, late: int) -> RunTally:
    """100 pods, ready after 5 s; that many of them are heard of at 30 s, after 15 to 29 s."""
    run_tally = RunTally([WORKLOAD], {"Pod": ("Running",)}, spans)
    tally = run_tally.open_tally(children=False)
    tally.add([pod(number, late=number >= 100 - late) for number in range(100)])
    facts = IterationFacts("density", 1, {"Pod": 100}, 0.0, 40.0, 0.0, ())
    run_tally.enter(facts, tally)
    return run_tally


def pod(number: int, *, late: bool) -> ObjectRecord:
    sent_s = 10.0 + number / 20 if late else number / 20
    ready_s = 30.0 if late else sent_s + 5.0
    return record(
        name=f"pod-{number}",
        uid=str(number),
        sent_s=sent_s,
        created_s=sent_s + 0.1,
        phases_s={"Running": ready_s},
        ready_s=ready_s,
        outcome=Outcome.READY,
    )


def test_percentiles_that_a_blind_span_may_have_moved_make_a_run_uncertain() -> None:
    run_tally = counted(blind_to("Pod", 16.0, 30.0), late=10)
    run_sum = run_tally.close()
    health = assess(Vitals(), run_sum.workloads, {})
    assert health.verdict is Validity.UNCERTAIN
    (reason,) = health.reasons
    assert reason.startswith("density, Pod: p9")
    ready = run_sum.kinds["Pod"].phases["Ready"]
    assert ready.earliest is not None
    assert ready.earliest.uncertain == 10
    assert ready.p99 is not None
    assert ready.earliest.p99 is not None
    assert ready.earliest.p99 < ready.p99 - 10.0
    assert ready.earliest.p50 == ready.p50


def test_a_blind_span_that_moves_no_percentile_leaves_a_run_valid() -> None:
    run_sum = counted(blind_to("Pod", 29.9, 30.0), late=10).close()
    assert assess(Vitals(), run_sum.workloads, {}).verdict is Validity.VALID


def test_without_anything_late_a_blind_span_says_nothing() -> None:
    run_sum = counted(blind_to("Pod", 16.0, 30.0), late=0).close()
    assert assess(Vitals(), run_sum.workloads, {}).verdict is Validity.VALID
    assert run_sum.kinds["Pod"].phases["Ready"].earliest is None


def test_a_deletion_that_was_heard_of_late_is_uncertain_and_an_answer_is_not() -> None:
    tally = IterationTally({}, children=False, blind=blind_to("Pod", 20.0, 30.0))
    gone = record(
        sent_s=21.0, created_s=22.0, ready_s=22.0, delete_requested_s=23.0, deleted_s=29.0
    )
    tally.add([gone])
    result = tally.kinds["Pod"].result()
    assert result.deletion.earliest is not None
    assert (result.deletion.p50, result.deletion.earliest.p50) == (6.0, 0.0)
    assert result.creation is not None
    assert result.creation.earliest is None
    assert result.phases["Ready"].earliest is None
