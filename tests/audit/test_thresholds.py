"""Results are judged right at, above and below their limits."""

import pytest
from pydantic import ValidationError

from perfscale.audit.evaluation import judge
from perfscale.config.sections.audit import AuditThreshold


@pytest.mark.parametrize(("value", "exceeded"), [(59.9, False), (60.0, False), (60.1, True)])
def test_by_value(value: float, exceeded: bool) -> None:
    checked = judge(value, AuditThreshold(value=60), {})
    assert checked is not None
    assert (checked.limit, checked.exceeded) == (60.0, exceeded)


@pytest.mark.parametrize(("value", "exceeded"), [(199, False), (200, False), (201, True)])
def test_by_ratio_to_another_result(value: float, exceeded: bool) -> None:
    threshold = AuditThreshold(metric="CREATE-pods-count", ratio=2)
    checked = judge(value, threshold, {"CREATE-pods-count": 100})
    assert checked is not None
    assert (checked.limit, checked.exceeded) == (200, exceeded)
    assert checked.ratio == value / 100


def test_a_ratio_to_nothing_is_exceeded_by_anything() -> None:
    threshold = AuditThreshold(metric="other", ratio=2)
    more, none = judge(1, threshold, {"other": 0}), judge(0, threshold, {"other": 0})
    assert more is not None
    assert none is not None
    assert (more.exceeded, more.ratio) == (True, None)
    assert not none.exceeded


def test_without_the_other_result_there_is_no_checked() -> None:
    assert judge(1, AuditThreshold(metric="other", ratio=2), {}) is None


def test_a_limit_of_nothing_is_a_limit() -> None:
    checked = judge(0.1, AuditThreshold(value=0), {})
    assert checked is not None
    assert checked.exceeded


@pytest.mark.parametrize(
    "written", [{}, {"metric": "x"}, {"ratio": 2}, {"metric": "x", "ratio": 0}, {"value": "60"}]
)
def test_what_is_no_threshold_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AuditThreshold.model_validate(written)


def test_a_ratio_with_the_value_0_that_go_writes_beside_it_is_by_ratio() -> None:
    threshold = AuditThreshold.model_validate({"value": 0, "metric": "other", "ratio": 2})
    checked = judge(1, threshold, {"other": 1})
    assert checked is not None
    assert checked.limit == 2
