from __future__ import annotations

from typing import Any

import pytest

from perfscale.config.sections.churn import Churn
from perfscale.engine.flow.churn.rounds import Rounds, chance_of


def churn(**keys: Any) -> Churn:
    return Churn.model_validate({"share": "10%", **keys})


def test_so_many_rounds_begin_the_first_at_once_and_the_others_after_the_interval() -> None:
    rounds = Rounds(churn(rounds=3, interval="5s"), 100.0)
    assert [rounds.pause_before(number, 100.0 * number) for number in range(1, 5)] == [
        0.0,
        5.0,
        5.0,
        None,
    ]


def test_no_round_begins_after_the_duration_however_long_the_last_one_takes() -> None:
    rounds = Rounds(churn(duration="1m", interval="10s"), 100.0)
    assert rounds.pause_before(1, 100.0) == 0
    assert rounds.pause_before(2, 149.0) == 10
    assert rounds.pause_before(3, 150.0) is None
    assert rounds.pause_before(3, 400.0) is None


@pytest.mark.parametrize("duration", ["1ms", "1h"])
def test_there_is_a_first_round_however_short_the_duration(duration: str) -> None:
    assert Rounds(churn(duration=duration), 7.0).pause_before(1, 8.0) == 0


def test_draws_are_the_same_for_a_seed_and_differ_between_workloads() -> None:
    draws = [chance_of(3, name).sample(range(1000), 20) for name in ("a", "a", "b")]
    assert draws[0] == draws[1] != draws[2]
