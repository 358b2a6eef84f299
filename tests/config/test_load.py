from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfscale.config import Config, load_config
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

SPECIFICATION = """\
globalConfig:
    qps: 0
    burst: 0
workloads:
  - name: kubevirt-density-10
    iterationCount: 1
    iterationInterval: 0
    iterationCreationWait: true
    iterationCleanup: true
    iterationDeletionWait: true
    namespacedIterations: false   
    maxWaitTimeout: 30m
    qps: 20
    burst: 20
    waitWhenFinished: 30s
    objects:
      - templateFile: templates/vmi-ephemeral.yaml
        replicas: 1
        inputVars:
          containerPrefix: registry:5000/kubevirt/
          containerImg: cirros-container-disk-demo
          containerTag: devel
          namespace: kubevirt-density
"""  # noqa: W291 - as the specification has it

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.yaml")
    if path.parent.name != "faults"
)


def test_the_specifications_file_means_what_it_says(load: Callable[..., Config]) -> None:
    config = load(SPECIFICATION)
    assert config.global_config.qps == 0
    assert config.global_config.max_in_flight == 256
    (workload,) = config.workloads
    assert workload.name == "kubevirt-density-10"
    assert workload.iteration_interval == 0
    assert workload.iteration_deletion_wait
    assert workload.max_wait_timeout == 1800
    assert (workload.qps, workload.burst, workload.bucket_depth) == (20, 20, 20)
    assert workload.wait_when_finished == 30
    (spec,) = workload.objects
    assert spec.template_file == "templates/vmi-ephemeral.yaml"
    assert spec.input_vars["containerPrefix"] == "registry:5000/kubevirt/"
    assert workload.namespace_for(spec, 1) == "kubevirt-density-1"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_loads(example: Path) -> None:
    assert load_config(example).workloads


def test_keys_that_are_left_out_have_their_defaults(load: Callable[..., Config]) -> None:
    config = load("workloads: [{name: a, objects: [{templateFile: t.yaml}]}]")
    (workload,) = config.workloads
    assert workload.iteration_count == 1
    assert workload.max_wait_timeout == 1800
    assert not workload.iteration_cleanup
    assert (workload.qps, workload.burst, workload.bucket_depth) == (0, 0, 0)
    assert workload.objects[0].replicas == 1
    assert workload.objects[0].input_vars == {}


def test_variables_keep_what_was_written(load: Callable[..., Config]) -> None:
    config = load("""\
        workloads:
          - name: a
            objects:
              - templateFile: t.yaml
                inputVars:
                  number: 5
                  negative: -7
                  half: 0.5
                  flag: true
                  version: "1.20"
                  empty:
                  url: http://registry/x
                  list: [1, two, {three: 3}]
        """)
    assert config.workloads[0].objects[0].input_vars == {
        "number": 5,
        "negative": -7,
        "half": 0.5,
        "flag": True,
        "version": "1.20",
        "empty": "",
        "url": "http://registry/x",
        "list": [1, "two", {"three": 3}],
    }


def test_sections_that_are_commented_out_are_taken_as_absent(load: Callable[..., Config]) -> None:
    config = load("""\
        globalConfig:
          # qps: 20
        workloads:
          - name: a
            objects:
              - templateFile: t.yaml
                inputVars:
                  # tag: devel
        """)
    assert config.global_config.qps == 0
    assert config.workloads[0].objects[0].input_vars == {}


def test_anchors_and_merge_keys_work_and_own_keys_win(load: Callable[..., Config]) -> None:
    config = load("""\
        workloads:
          - &base
            name: a
            qps: 20
            objects: &objects
              - templateFile: t.yaml
          - <<: *base
            name: b
            qps: 1e2
        """)
    first, second = config.workloads
    assert second.objects == first.objects
    assert (first.qps, second.qps) == (20, 100)


def test_windows_line_ends_and_a_byte_order_mark_are_no_problem(
    load: Callable[..., Config],
) -> None:
    assert load(b"\xef\xbb\xbf" + SPECIFICATION.replace("\n", "\r\n").encode()).workloads


def test_a_loaded_configuration_knows_where_everything_stands(
    load: Callable[..., Config],
) -> None:
    config = load(SPECIFICATION)
    problem = config.problem(("workloads", 0, "objects", 0, "templateFile"), "is not there")
    assert str(problem) == "w.yaml:17:23: workloads[0].objects[0].templateFile: is not there"
    position = config.locate("workloads", 0, "objects", 0, "inputVars", "absent")
    assert position is not None
    assert (position.line, position.column) == (20, 11), "the nearest that encloses it"


def test_the_folder_of_the_file_is_known(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(SPECIFICATION)
    assert load_config(file).source.directory == tmp_path


def test_importing_the_room_needs_no_cluster_library() -> None:
    code = (
        "import sys, perfscale.config\n"
        "heavy = {'kubernetes_asyncio', 'aiohttp', 'jinja2', 'typer', 'rich', 'msgspec'}\n"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ANYTHING = (
    st.text().map(str.encode)
    | st.binary()
    | st.lists(
        st.sampled_from(
            [*SPECIFICATION.splitlines(), "  - &a [*a]", "\t", "<<: *a", "? x", "{{a}}"]
        )
    ).map(lambda lines: "\n".join(lines).encode())
)


@given(content=ANYTHING, override=st.text() | st.just("workloads[*].name=1"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_configuration_or_a_config_error(
    content: bytes, override: str, load: Callable[..., Config]
) -> None:
    try:
        load(content, overrides=[override])
    except ConfigError as error:
        refused = error
    else:
        return
    assert refused.problems
    assert all(str(problem).splitlines() == [str(problem)] for problem in refused.problems)
