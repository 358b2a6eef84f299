import pytest

from perfscale.engine.accounting.budget import FailureBudget


def test_a_number_of_failures_is_allowed_and_not_one_more() -> None:
    budget = FailureBudget.parse("10")
    assert budget.allows(10, requested=20)
    assert not budget.allows(11, requested=20)


def test_a_share_counts_against_all_that_is_requested() -> None:
    budget = FailureBudget.parse("2.5%")
    assert budget.allows(5, requested=200)
    assert not budget.allows(6, requested=200)


def test_zero_allows_none() -> None:
    assert FailureBudget.parse("0").allows(0, requested=5)
    assert not FailureBudget.parse("0").allows(1, requested=5)
    assert not FailureBudget.parse("0%").allows(1, requested=5)


@pytest.mark.parametrize("text", ["", "ten", "-1", "1.5", "101%", "-5%", "%", "nan%"])
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="neither a number of objects nor a percentage"):
        FailureBudget.parse(text)


@pytest.mark.parametrize("text", ["10", "2.5%"])
def test_a_budget_prints_as_it_was_written(text: str) -> None:
    assert str(FailureBudget.parse(text)) == text
