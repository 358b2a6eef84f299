"""An audit has every result that Prometheus can give, and says of the others why not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scripted_prometheus import ScriptedPrometheus, cannot, line, sample
from scripted_server import FakeTime, answers

from perfscale.audit import (
    Audit,
    Profile,
    Series,
    Window,
    data_reaches,
    evaluate,
    load_profile,
    results_document,
    wait_until_scraped,
)
from perfscale.audit.prometheus import Prometheus
from perfscale.audit.query import Query
from perfscale.config.sections.audit import AuditThreshold
from perfscale.errors import PrometheusError, QueryError
from perfscale.servers import Endpoint

END = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WINDOW = Window.ending(END, 60.0, 1.0)


async def audit(
    scripted: ScriptedPrometheus, *queries: Query, **thresholds: dict[str, Any]
) -> Audit:
    profile = Profile("test", queries)
    limits = {name: AuditThreshold.model_validate(limit) for name, limit in thresholds.items()}
    async with Prometheus(Endpoint(scripted.url), pause=FakeTime().sleep) as prometheus:
        return await evaluate(prometheus, profile, WINDOW, limits)


def numbers(found: Audit) -> dict[str, float]:
    return {name: each.value for name, each in found.values.items()}


async def test_results_are_named_by_labels(scripted: ScriptedPrometheus) -> None:
    scripted.gives(
        "requests",
        sample(100, verb="CREATE", resource="pods"),
        sample(7, verb="GET"),
        sample(3, verb="LIST", resource=""),
    )
    scripted.gives("alone", sample(1, pod="a"))
    scripted.gives("several", sample(1, pod="a", __name__="x"), sample(2, pod='"b"'))
    found = await audit(
        scripted,
        Query("{verb}-{resource}-count", "requests"),
        Query("one", "alone"),
        Query("many", "several"),
    )
    assert numbers(found) == {
        "CREATE-pods-count": 100,
        "one": 1,
        'many{pod="a"}': 1,
        'many{pod="\\"b\\""}': 2,
    }


async def test_a_failed_query_leaves_the_others_results(scripted: ScriptedPrometheus) -> None:
    scripted.answers("broken", cannot("parse error"))
    scripted.gives("fine", sample(2))
    found = await audit(scripted, Query("a", "broken("), Query("b", "fine"))
    assert numbers(found) == {"b": 2}
    assert found.failures == ("a: parse error (bad_data)",)


async def test_no_data_no_number_and_infinity_are_told_apart(scripted: ScriptedPrometheus) -> None:
    scripted.gives("nan", sample("NaN"))
    scripted.gives("positive", sample("+Inf"))
    scripted.gives("negative", sample("-Inf"))
    found = await audit(
        scripted,
        Query("nothing", "empty"),
        Query("zero", "empty", default=0),
        Query("nan", "nan"),
        Query("inf", "positive"),
        Query("minus", "negative"),
    )
    assert numbers(found) == {"zero": 0, "nan": 0}
    assert found.empty == ("nothing", "zero")
    assert found.not_numbers == ("nan",)
    assert [failure.split(":")[0] for failure in found.failures] == ["inf", "minus"]
    json.dumps(results_document(found), allow_nan=False)


async def test_a_name_that_two_queries_give_is_told(scripted: ScriptedPrometheus) -> None:
    scripted.gives("up", sample(1, job="a"))
    found = await audit(scripted, Query("{job}", "up"), Query("a", "up * 2"))
    assert numbers(found) == {"a": 1}
    assert found.failures == ("a: another query has given a already",)


async def test_a_query_over_time_counts_by_its_highest_point(scripted: ScriptedPrometheus) -> None:
    start = WINDOW.start.timestamp()
    scripted.gives("load", line((start, 1), (start + 1, "NaN"), (start + 2, 5), (start + 3, 2)))
    found = await audit(scripted, Query("load", "load", kind="range", unit="runs"))
    assert numbers(found) == {"load": 5}
    assert found.series == (Series("load", "runs", ((0, 1), (1, None), (2, 5), (3, 2))),)
    asked = scripted.asked("load")
    assert asked.path == "/api/v1/query_range"
    assert asked.query["step"] == "1"
    assert float(asked.query["end"]) - float(asked.query["start"]) == 60


async def test_a_query_for_the_start_is_asked_for_the_start(scripted: ScriptedPrometheus) -> None:
    await audit(scripted, Query("a", "first", at_start=True), Query("b", "last"))
    assert float(scripted.asked("first").query["time"]) == WINDOW.start.timestamp()
    assert float(scripted.asked("last").query["time"]) == END.timestamp()


async def test_results_are_written_as_the_go_program_does(scripted: ScriptedPrometheus) -> None:
    scripted.gives("creates", sample(100))
    scripted.gives("updates", sample(900))
    scripted.gives("seconds", sample(61))
    found = await audit(
        scripted,
        Query("updates", "updates"),
        Query("creates", "creates"),
        Query("seconds", "seconds", threshold=AuditThreshold(value=70)),
        seconds={"value": 60},
        updates={"metric": "creates", "ratio": 10},
    )
    assert list(results_document(found)["Values"]) == ["creates", "seconds", "updates"]
    assert results_document(found) == {
        "Values": {
            "creates": {"value": 100},
            "seconds": {
                "value": 61,
                "thresholdResult": {"thresholdValue": 60, "thresholdExceeded": True},
            },
            "updates": {
                "value": 900,
                "thresholdResult": {
                    "thresholdValue": 1000,
                    "thresholdMetric": "creates",
                    "thresholdRatio": 9,
                    "thresholdExceeded": False,
                },
            },
        }
    }
    assert found.exceeded == ("seconds",)


async def test_a_threshold_that_nothing_was_judged_by_is_told(scripted: ScriptedPrometheus) -> None:
    scripted.gives("some", sample(1))
    scripted.gives("nan", sample("NaN"))
    found = await audit(
        scripted,
        Query("some", "some"),
        Query("nan", "nan"),
        Query("default", "empty", default=0),
        Query("own", "empty", threshold=AuditThreshold(value=1)),
        missing={"value": 1},
        some={"metric": "missing", "ratio": 1},
        nan={"value": 1},
        default={"value": 1},
    )
    assert set(found.unjudged) == {"missing", "some", "nan", "default", "own"}
    assert found.exceeded == ()


async def test_a_prometheus_that_answers_nothing_is_an_error(scripted: ScriptedPrometheus) -> None:
    scripted.answers("", answers("no", status=401))
    with pytest.raises(PrometheusError, match="wants credentials"):
        await audit(scripted, Query("a", "x"), Query("b", "y"))


async def test_forty_queries_are_asked_side_by_side(scripted: ScriptedPrometheus) -> None:
    scripted.holds_until_in_flight(20)
    scripted.gives("q", sample(1))
    found = await audit(scripted, *(Query(f"n{number}", f"q{number}") for number in range(40)))
    assert len(found.values) == 40
    assert scripted.most_in_flight == 20


async def test_the_default_profile_looks_at_the_whole_test(scripted: ScriptedPrometheus) -> None:
    await audit(scripted, *load_profile("kubevirt").queries)
    assert len(scripted.queries()) == len(load_profile("kubevirt").queries)
    assert {each.query["time"] for each in scripted.requests} == {f"{END.timestamp():.3f}"}
    creation = scripted.asked(
        "quantile(0.99, sum by (le) (rate( kubevirt_vmi_phase_transition_time_from_creation"
    )
    assert "[62s] offset -1s" in creation.query["query"]


async def test_how_far_the_data_reaches(scripted: ScriptedPrometheus) -> None:
    scripted.scraped_until(END.timestamp())
    async with Prometheus(Endpoint(scripted.url)) as prometheus:
        assert await data_reaches(prometheus) == END
        scripted.gives("timestamp(up)")
        assert await data_reaches(prometheus) is None


@pytest.mark.parametrize("value", ["NaN", "+Inf", "1e300"])
async def test_a_reach_that_is_no_time(scripted: ScriptedPrometheus, value: str) -> None:
    scripted.gives("timestamp(up)", sample(value))
    async with Prometheus(Endpoint(scripted.url)) as prometheus:
        with pytest.raises(QueryError, match="is not a time"):
            await data_reaches(prometheus)


async def test_a_wait_ends_once_everything_was_scraped_after_the_test(
    scripted: ScriptedPrometheus,
) -> None:
    clock, notified = FakeTime(), list[str]()

    async def pause(seconds: float) -> None:
        await clock.sleep(seconds)
        if len(clock.slept) == 7:
            scripted.scraped_until(END.timestamp() + 1)

    scripted.scraped_until(END.timestamp())
    async with Prometheus(Endpoint(scripted.url)) as prometheus:
        reached = await wait_until_scraped(
            prometheus, END, 60, notified.append, pause=pause, clock=clock.clock
        )
    assert reached == END + timedelta(seconds=1)
    assert [text.rpartition(" ")[2] for text in notified] == ["1m", "55s"]
    assert len(clock.slept) == 7


async def test_a_wait_ends_at_its_bound(scripted: ScriptedPrometheus) -> None:
    clock = FakeTime()
    scripted.scraped_until(END.timestamp() - 30)
    async with Prometheus(Endpoint(scripted.url)) as prometheus:
        reached = await wait_until_scraped(
            prometheus,
            END,
            2.5,
            lambda _: None,
            pause=clock.sleep,
            clock=clock.clock,
        )
    assert reached == END - timedelta(seconds=30)
    assert clock.slept == [1, 1, 0.5]
