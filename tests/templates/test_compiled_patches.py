"""Patches of many targets from one rendering: the same as if each were rendered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perfscale.config import Config
from perfscale.templates import PatchTarget, PatchTemplate, compile_patches

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = (
    *[
        PatchTarget(name, namespace, uid, {"app": "web"}, index)
        for index, (name, namespace, uid) in enumerate(
            [
                ("vm-1", "team-a", "0b7f6d0c-2f0a-4c55-9d0e-0c9a5c3f1a11"),
                ("true", "null", "1e5"),
                ("1", "1.5", "0x10"),
                ("on", "no", "uid"),
                ("a.b", "x", "5"),
                ('q"uo\\te', "n: x # y", "line\nbreak"),
                ("", "~", "é"),
            ],
            start=1,
        )
    ],
    PatchTarget("vm-1", None, "uid-1", {}, 12_345_678_901),
)
FAST = (
    "metadata: {annotations: {touched: 'yes'}}",
    "metadata: {annotations: {touched: '{{ target.index }}'}}",
    "spec: {replicas: {{ target.index }}}",
    "metadata: {annotations: {by: 'x-{{ iteration }}-{{ target.name }}-{{ target.index }}'}}",
    "metadata: {annotations: {name: {{ target.name }}, uid: {{ target.uid }}}}",
    "metadata:\n  annotations:\n    text: run-of {{ target.namespace }}\n",
    "metadata:\n  annotations:\n    text: |\n      {{ target.name }}\n      {{ target.uid }}\n",
    'metadata: {annotations: {"a": "{{ target.name }}"}}',
)
SLOW = (
    "metadata: {annotations: {'{{ target.name }}': x}}",
    "metadata: {annotations: {a: 1{{ target.name }}}}",
    "metadata: {annotations: {a: t{{ target.name }}}}",
    "metadata: {annotations: {a: {{ target.name }}{{ target.index }}}}",
    "metadata: {annotations: {a: '{{ target.labels }}'}}",
    "metadata: {annotations: {a: '{{ target.name | upper }}'}}",
    "{% if target.index > 1 %}metadata: {}{% else %}spec: {}{% endif %}",
    "{% set t = target %}metadata: {annotations: {a: '{{ t.name }}'}}",
    "spec: {replicas: {{ target.index + 1 }}}",
    'metadata: {annotations: {a: "\\x{{ target.index }}"}}',
)


RANDOM = (
    "metadata: {annotations: {a: '{{ range(99999) | random }}-{{ range(99999) | random }}'}}",
    "metadata: {annotations: {a: '{{ randAlphaNum 12 }}'}}",
)


def compiled(
    folder: Path, text: str, kind: str = "merge", seed: int | None = None
) -> PatchTemplate:
    (folder / "patch.yaml").write_text(text)
    patch = {"templateFile": str(folder / "patch.yaml"), "type": kind}
    made = {"name": "vms", "objects": [{"templateFile": "vm-ephemeral.yaml"}]}
    load = {"name": "p", "operation": "patch", "targets": {"workload": "vms"}, "patch": patch}
    limits = {} if seed is None else {"seed": seed}
    config = {"workloads": [made, load], "globalConfig": limits}
    (_, template) = compile_patches(Config.model_validate(config), run_id="r")
    assert template is not None
    return template


def outcome(render: Any, target: PatchTarget) -> Any:
    try:
        return json.loads(render(2, target))
    except Exception as error:  # noqa: BLE001 -- whatever it is, both ways have to raise it
        return str(error)


@pytest.mark.parametrize("text", [*FAST, *SLOW])
def test_a_patch_is_the_same_whether_its_template_is_rendered_for_it_or_not(
    text: str, tmp_path: Path
) -> None:
    template, other = compiled(tmp_path, text), compiled(tmp_path, text)
    for target in TARGETS:
        assert outcome(template.render, target) == outcome(other.render_slowly, target)


def test_the_steps_of_a_json_patch_are_filled_in_too(tmp_path: Path) -> None:
    text = "[{op: add, path: /metadata/annotations/a, value: '{{ target.name }}'}]"
    template = compiled(tmp_path, text, "json")
    for target in TARGETS:
        assert outcome(template.render, target) == outcome(template.render_slowly, target)


@pytest.mark.parametrize("text", FAST)
def test_a_template_that_only_prints_is_rendered_a_few_times_for_any_number_of_targets(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = compiled(tmp_path, text)
    template.render(1, TARGETS[0])
    monkeypatch.setattr(PatchTemplate, "render_slowly", lambda *_: pytest.fail("rendered"))
    for number in range(2, 50):
        uid = f"0b7f6d0c-2f0a-4c55-9d0e-0c9a5c3f1a{number:02}"
        assert template.render(1, PatchTarget(f"vm-{number}", "team-a", uid, {}, number))


@pytest.mark.parametrize("text", RANDOM)
def test_what_is_random_in_patches_is_the_same_for_the_same_seed(text: str, tmp_path: Path) -> None:
    def patches(seed: int | None) -> list[bytes]:
        template = compiled(tmp_path, text, seed=seed)
        return [template.render(1, target) for target in TARGETS]

    assert patches(7) == patches(7)
    assert len({*patches(7), *patches(8), *patches(None), *patches(None)}) == 4 * len(TARGETS)


@pytest.mark.parametrize("text", RANDOM)
def test_what_is_random_in_a_patch_is_its_targets_and_new_each_time(
    text: str, tmp_path: Path
) -> None:
    every, last = compiled(tmp_path, text, seed=7), compiled(tmp_path, text, seed=7)
    first = [every.render(1, target) for target in TARGETS]
    # Of several generators, each patches some of the targets.
    assert last.render(1, TARGETS[-1]) == first[-1]
    again = [every.render(1, target) for target in TARGETS]
    assert len({*first, *again}) == 2 * len(TARGETS)
