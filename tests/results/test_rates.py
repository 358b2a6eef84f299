"""Three rates of one load: what was due, what was sent, and what the server accepted."""

from collections.abc import Iterable

import pytest

from perfscale.results import CreateTimes, Rate, explain_rate
from perfscale.results.measure.rates import RateTally


def rate(
    creates: Iterable[tuple[float | None, float | None, float | None]],
    *,
    target: float | None = 10,
    burst: int = 1,
) -> Rate:
    times = CreateTimes()
    for due_s, sent_s, accepted_s in creates:
        times.add(due_s, sent_s, accepted_s)
    return times.tally(RateTally(target, burst)).result()


def test_a_load_that_was_held_has_one_rate() -> None:
    found = rate((i / 10, i / 10, i / 10) for i in range(101))
    assert found.offered == found.sent == found.achieved == pytest.approx(10)
    assert found.share == found.sent_share == pytest.approx(1)


def test_an_outage_shows_in_what_was_accepted_alone() -> None:
    # Sent on time for 10 s; what was sent from 4 s on is answered when the server is back, at 20 s.
    found = rate((i / 10, i / 10, 20.0 if i > 40 else i / 10) for i in range(101))
    assert found.offered == found.sent == pytest.approx(10)
    assert found.achieved == pytest.approx(100 / 20)
    assert found.share == pytest.approx(0.5)


def test_a_slow_server_shows_in_what_was_accepted_without_a_rate() -> None:
    found = rate(((0.0, i / 1000, 8.0 + i / 1000) for i in range(1001)), target=None)
    assert found.offered is None
    assert found.sent == pytest.approx(1000)
    assert found.achieved == pytest.approx(1000 / 9)
    assert found.share is None


def test_what_was_refused_is_not_accepted_and_took_its_time() -> None:
    found = rate((i / 10, i / 10, i / 10 if i <= 50 else None) for i in range(101))
    assert found.sent == pytest.approx(10)
    assert found.achieved == pytest.approx(50 / 10)


def test_a_load_that_was_held_back_was_offered_all_the_same() -> None:
    found = rate((i / 10, i / 5, i / 5) for i in range(101))
    assert found.offered == pytest.approx(10)
    assert found.sent == found.achieved == pytest.approx(5)


def test_the_rate_leaves_the_first_burst_out() -> None:
    sent_s = (0.1, 0.0, 0.0, 0.0, 0.2, 0.3)
    found = rate(((at, at, at) for at in sent_s), burst=3)
    assert found.sent == found.achieved == pytest.approx(10)


def test_the_rate_counts_from_when_the_first_burst_was_due() -> None:
    # It took 0.2 s to send, in which the bucket had two tokens more.
    sent_s, due_s = (0.0, 0.1, 0.2, 0.2, 0.2, 0.3), (0.0, 0.0, 0.0, 0.1, 0.2, 0.3)
    found = rate(((due, at, at) for due, at in zip(due_s, sent_s, strict=True)), burst=3)
    assert found.sent == found.achieved == pytest.approx(10)


def test_an_answer_that_the_first_burst_waits_for_is_no_part_of_the_rate() -> None:
    burst = [(0.0, 0.0, 60.0)] * 3
    found = rate([*burst, *((i / 10, i / 10, i / 10) for i in range(1, 11))], burst=3)
    assert found.achieved == pytest.approx(10)


def test_what_was_never_sent_counts_as_offered_and_no_more() -> None:
    found = rate((i / 10, i / 10 if i <= 20 else None, None) for i in range(41))
    assert found.offered == pytest.approx(10)
    assert found.sent == pytest.approx(10)
    assert found.achieved == 0.0


@pytest.mark.parametrize(
    ("burst", "said"), [(3, "its burst, 3 at once"), (1, "its burst, one at a time")]
)
def test_where_no_more_than_a_burst_was_sent_that_is_said(burst: int, said: str) -> None:
    found = rate([(0.0, 0.1 * i, 0.1 * i) for i in range(burst)], burst=burst)
    assert (found.offered, found.sent, found.achieved) == (None, None, None)
    reason = explain_rate(found)
    assert reason is not None
    assert reason.endswith(said)


def test_a_few_that_no_limit_held_apart_are_no_rate() -> None:
    found = rate([(None, 0.0, 0.004), (None, 0.0025, 0.005)], target=None)
    assert (found.offered, found.sent, found.achieved) == (None, None, None)
    reason = explain_rate(found, "watch requests")
    assert reason == "no rate of watch requests: no iteration sent more than a few at once"


def test_a_few_that_took_their_time_are_a_rate() -> None:
    found = rate([(None, i * 2.0, i * 2.0) for i in range(5)], target=None)
    assert found.sent == found.achieved == pytest.approx(0.5)


def test_iterations_of_a_few_come_to_a_rate_together() -> None:
    total = RateTally(None)
    for _ in range(5):
        times = CreateTimes()
        for number in range(4):
            times.add(None, number / 100, number / 100)
        total.add(times.tally(RateTally(None)))
    assert total.result().sent == pytest.approx(100)


def test_of_a_run_that_sent_nothing_nothing_is_said() -> None:
    assert explain_rate(rate([])) is None


@pytest.mark.parametrize("steady", [True, False])
def test_times_that_are_folded_come_to_the_same_rates(steady: bool) -> None:
    exact, folded = CreateTimes(), CreateTimes()
    for number in range(5000):
        due_s = 10 + (number / 100 if steady else (number / 50) ** 0.5)
        lost = number % 100 == 99
        late = number + 7 if number % 2 else number  # they come a little out of order
        times = (due_s + (late - number) / 1000, due_s + 0.01, None if lost else due_s + 0.05)
        exact.add(*times)
        folded.add(*times)
        folded.fold(400)
    wanted = exact.tally(RateTally(100.0, 20, steady=steady)).result()
    found = folded.tally(RateTally(100.0, 20, steady=steady)).result()
    assert (found.creates, found.burst) == (wanted.creates, wanted.burst)
    assert found.offered == pytest.approx(wanted.offered)
    assert found.sent == pytest.approx(wanted.sent)
    assert found.achieved == pytest.approx(wanted.achieved)
    assert found.target == pytest.approx(wanted.target)
    assert found.share == pytest.approx(wanted.share, rel=0.02)
