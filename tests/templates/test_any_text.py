"""Whatever stands in a template, it gives objects or a TemplateError, never anything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perfscale.config import load_config
from perfscale.errors import TemplateError
from perfscale.templates import compile_templates, render_manifests

if TYPE_CHECKING:
    from perfscale.config import Config

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a-{{ replica }}\n"
PARTS = st.sampled_from(
    [
        "{{ ", " }}", "{{.replica}}", "{{ replica }}", "{{ x }}", "{{- .x -}}", "{% if x %}",
        "{% endif %}", "{% for i in range(3) %}", "{% endfor %}", "{% raw %}", "{% endraw %}",
        "{#", "#}", "${#a}", "{{ 1/0 }}", "{{ x.y }}", "{{ x | length }}", "range .x", "\\n---\\n",
        "a: ", "\n", "\n  ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!int ", "!!set ", "? ", "|\n",
        "'", '"', "<<: ", "1:30", "0x_", ".inf", "~", "spec: {template: {metadata: [x]}}\n",
        "labels: 5", "kind: List\n", "\t", "\x00", "\u2028", "é", HEAD,
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("any")
    entry = {"templateFile": "t.yaml", "replicas": 2, "inputVars": {"x": "text"}}
    workload = folder / "w.yaml"
    workload.write_text(json.dumps({"workloads": [{"name": "w", "objects": [entry]}]}))
    return load_config(workload)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(text=st.one_of(st.lists(PARTS, max_size=12).map("".join), st.text()), head=st.booleans())
@example(text="a: !!timestamp x", head=True)
@example(text="a: &a [*a]", head=True)
@example(text="[" * 3000 + "]" * 3000, head=False)
@example(text="{{ " + "(" * 300 + "1" + ")" * 300 + " }}", head=True)
@example(text="a: {{ x[" + "9" * 5000 + "] }}", head=True)
@example(text="a: " + "9" * 5000, head=True)
@example(text=f"kind: x\nmetadata: {{name: 0x{'f' * 5000}}}\n0x{'f' * 5000}: 1", head=False)
@example(text="{% for a in range(2) %}" * 30 + "{% endfor %}" * 30, head=True)
def test_any_text_gives_objects_or_a_template_error(config: Config, text: str, head: bool) -> None:
    template = config.source.directory / "t.yaml"
    template.write_text(HEAD + text if head else text, encoding="utf-8", errors="replace")
    try:
        factories = compile_templates(config, run_id="run-1")
    except TemplateError as error:
        problems = error.problems
    else:
        problems = ()
        assert render_manifests(factories)
        requests = [r for replica in (1, 2) for r in factories[0][0].render(1, replica)]
        assert all(json.loads(r.body)["metadata"]["name"] == r.name for r in requests)
    lines = template.read_text(encoding="utf-8").count("\n") + 1
    assert all(problem.line and problem.line <= lines for problem in problems)
