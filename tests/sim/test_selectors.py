"""Selectors choose what Kubernetes' would."""

import pytest

from perfscale.errors import ApiError
from perfscale.sim.storage.records import Record
from perfscale.sim.storage.selectors import parse_selector


def _record(phase: str | None = None, **labels: str) -> Record:
    metadata = {"name": "a", "namespace": "demo", "uid": "u", "labels": labels}
    return Record({"metadata": metadata, "status": {"phase": phase} if phase else {}}, 1)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app = web , tier=front", True),
        ("app=db", False),
        ("app!=db", True),
        ("missing!=x", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("app in (web, db)", True),
        ("app in (db)", False),
        ("app notin (db)", True),
        ("missing notin (x)", True),
        ("missing in (x)", False),
        ("app in (web),tier notin (back),!missing", True),
        ("perfscale/iteration=1", True),
        ("empty=", True),
    ],
)
def test_labels_are_matched_by_equality_by_set_and_by_presence(text: str, chosen: bool) -> None:
    labels = {"app": "web", "tier": "front", "perfscale/iteration": "1", "empty": ""}
    assert parse_selector(text, "", "pods").matches(_record(**labels)) is chosen


@pytest.mark.parametrize("text", ["a in b", "=x", "a=b=c", "a in (b", "a,,b", "a b"])
def test_a_selector_that_is_none_is_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement") as refused:
        parse_selector(text, "", "pods")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("metadata.name=a", True),
        ("metadata.name!=a", False),
        ("metadata.namespace=demo,status.phase=Running", True),
        ("status.phase!=Running", False),
        ("spec.nodeName=", True),
    ],
)
def test_fields_are_matched_by_equality(text: str, chosen: bool) -> None:
    assert parse_selector("", text, "pods").matches(_record("Running")) is chosen


def test_a_field_that_the_kind_cannot_be_selected_by_is_refused() -> None:
    with pytest.raises(ApiError, match="field label not supported"):
        parse_selector("", "status.phase=Running", "virtualmachineinstances")
