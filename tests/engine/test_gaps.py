import pytest

from perfscale.engine.accounting.gaps import GapLog
from perfscale.engine.accounting.journal_feed import JournalFeed
from perfscale.engine.stopwatch import Stopwatch
from perfscale.kube.resources import Place, Resource
from perfscale.kube.retrying.outages import OutageSpan
from perfscale.results import BlindSpan, Entry
from perfscale.results.model.interruptions import Cause

PODS = Place(Resource("", "v1", "pods", "Pod", namespaced=True), "here")


class Now:
    """A clock that stands where it was put; the run began at 1000."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


class Journal:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)

    def begin(self, info: object) -> None: ...

    def record(self, objects: object, *, children: bool = False) -> None: ...

    def finish(self, result: object) -> None: ...


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def gaps(now: Now, journal: Journal) -> GapLog:
    def fail(error: OSError) -> None:
        raise error

    return GapLog(Stopwatch(now, 1000.0), JournalFeed(journal, fail), print)


def test_a_blind_span_is_in_the_journal_from_its_beginning(gaps: GapLog, journal: Journal) -> None:
    pods = gaps.of(PODS)
    pods.lost(1010.0)
    pods.regained(1014.5)
    open_span = BlindSpan(Cause.WATCH, "Pod", "here", 10.0)
    closed_span = BlindSpan(Cause.WATCH, "Pod", "here", 10.0, 14.5)
    assert [each.span for each in journal.entries] == [open_span, closed_span]  # type: ignore[attr-defined]
    assert list(gaps.blind) == [closed_span]


def test_a_stall_lasts_until_what_has_come_meanwhile_is_worked_on(gaps: GapLog, now: Now) -> None:
    now.at_s = 1025.5
    gaps.stalled(1020.0, 5.0)
    assert list(gaps.blind) == [BlindSpan(Cause.GENERATOR, None, None, 20.0, 26.5)]


def test_stalls_that_follow_one_another_are_one(gaps: GapLog, now: Now) -> None:
    for at_s in (1021.0, 1022.0, 1023.0):
        now.at_s = at_s
        gaps.stalled(at_s - 1.0, 0.5)
    assert list(gaps.blind) == [BlindSpan(Cause.GENERATOR, None, None, 20.0, 23.5)]


def test_an_outage_is_told_with_the_requests_and_creates_that_it_held_up(
    gaps: GapLog, journal: Journal
) -> None:
    gaps.record_outages([], retries=3, in_flight=9)
    for ended_s, retries, in_flight in ((1011.0, 7, 5), (1012.0, 14, 20), (1012.0, 90, 90)):
        spans = [OutageSpan(1010.0, ended_s, "server", "")]
        gaps.record_outages(spans, retries, in_flight)
    (outage,) = gaps.outages
    assert (outage.began_s, outage.ended_s) == (10.0, 12.0)
    assert (outage.retries, outage.creates) == (11, 20)
    assert len(journal.entries) == 2
