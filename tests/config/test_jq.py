"""Programs of jq among the forms of what is waited for."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError

from perfscale.config import Config
from perfscale.config.jq import compile_program, outputs


def ready_when(form: str) -> Config:
    spec = {"templateFile": "t.yaml", "readyWhen": form}
    return Config.model_validate({"workloads": [{"name": "a", "objects": [spec]}]})


def test_a_program_gives_all_its_outputs() -> None:
    program = '.conditions[] | select(.type == "Ready") | .status'
    conditions = [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}]
    assert outputs(program, {"conditions": conditions}) == ["True"]


def test_a_program_that_fails_gives_nothing() -> None:
    assert outputs('.a | strptime("%Y")', {"a": 1}) == []


def test_a_form_has_its_program_and_its_value() -> None:
    config = ready_when('jq={.a == "x=y" | tostring}=true')
    (form,) = config.workloads[0].objects[0].ready_when or ()
    assert (str(form), form.value, form.is_create) == (
        'jq={.a == "x=y" | tostring}=true',
        "true",
        False,
    )
    assert form.program == '.a == "x=y" | tostring'


@pytest.mark.parametrize("form", ["jq=.a", "jq={}=x", "jq={.a[}=x", "jq={.a}="])
def test_what_is_no_program_is_refused(form: str) -> None:
    with pytest.raises(ValidationError):
        ready_when(form)


def test_without_the_library_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jq", None)
    with pytest.raises(ValueError, match=r"install perfscale-load-generator\[jq\]"):
        compile_program(".never | .compiled")
