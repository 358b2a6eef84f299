from itertools import pairwise

from perfscale.results import StageLog, StageSpan


def test_a_stage_lasts_until_the_next_one_of_its_workload() -> None:
    log = StageLog()
    log.enter(1.0, "creating", "first")
    log.enter(2.0, "creating", "second")
    log.enter(3.0, "waiting until ready", "first")
    log.leave(5.0, "first")
    assert log.spans(9.0) == (
        StageSpan("creating", "first", 1.0, 3.0),
        StageSpan("creating", "second", 2.0, 9.0),
        StageSpan("waiting until ready", "first", 3.0, 5.0),
    )


def test_a_stage_of_the_whole_run_ends_those_of_all_workloads() -> None:
    log = StageLog()
    log.enter(1.0, "creating", "first")
    log.enter(4.0, "cleaning up")
    assert log.spans(6.0) == (
        StageSpan("creating", "first", 1.0, 4.0),
        StageSpan("cleaning up", None, 4.0, 6.0),
    )


def test_a_stage_that_is_entered_again_goes_on() -> None:
    log = StageLog()
    log.enter(1.0, "creating", "first")
    log.enter(2.0, "creating", "first")
    assert log.spans(3.0) == (StageSpan("creating", "first", 1.0, 3.0),)


def test_rounds_begin_with_their_first_stage() -> None:
    log = StageLog()
    for at_s, stage, number in ((1.0, "deleting", 1), (2.0, "creating", 1), (3.0, "deleting", 2)):
        log.enter(at_s, stage, "first", number)
    assert [(each.round, each.began_s) for each in log.rounds] == [(1, 1.0), (2, 3.0)]


def test_any_number_of_rounds_takes_bounded_memory_and_covers_the_same_time() -> None:
    log = StageLog()
    for number in range(1, 20_001):
        log.enter(2.0 * number, "deleting", "first", number)
        log.enter(2.0 * number + 1.5, "creating", "first", number)
    spans = log.spans(50_000.0)
    assert len(spans) <= 258
    assert len(log.rounds) <= 256
    assert (spans[0].began_s, spans[-1].ended_s) == (2.0, 50_000.0)
    assert all(a.ended_s == b.began_s for a, b in pairwise(spans))
    assert log.rounds[0].round == 1
    assert log.rounds[-1].round > 19_000
