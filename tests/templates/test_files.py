"""Templates whose files another process has sent."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from template_folder import RUN_ID

from perfscale.config import load_config
from perfscale.errors import TemplateError
from perfscale.templates import compile_workloads, default_workload
from perfscale.templates.files import recorded_files, sent_files

if TYPE_CHECKING:
    from template_folder import Folder

TEMPLATE = """
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: c-{{.iteration}}-{{.replica}}
    data:
      text: {{ ReadFile "text.txt" | quote }}
"""


def test_what_was_read_makes_the_same_objects_where_the_files_are_not(
    folder: Folder,
) -> None:
    folder.template(TEMPLATE)
    (folder.path / "text.txt").write_text("what stands beside it", encoding="utf-8")
    with recorded_files() as files:
        here = folder.compile()[0][0].render(1, 2)
    config = load_config(folder.path / "workload.yaml")
    shutil.rmtree(folder.path)
    with sent_files(files):
        there = compile_workloads(config, run_id=RUN_ID)
        requests = there.factories[0][0].render(1, 2)
    assert requests == here
    assert b"what stands beside it" in requests[0].body


def test_a_file_that_lies_there_by_chance_is_not_taken_for_one_that_was_sent(
    folder: Folder,
) -> None:
    folder.template(TEMPLATE)
    (folder.path / "text.txt").write_text("by chance", encoding="utf-8")
    folder.compile()
    config = load_config(folder.path / "workload.yaml")
    with sent_files({}), pytest.raises(TemplateError, match="is not there"):
        compile_workloads(config, run_id=RUN_ID)


def test_packaged_templates_are_read_where_the_package_is() -> None:
    config = load_config(default_workload())
    with sent_files({}):
        assert compile_workloads(config, run_id=RUN_ID).factories
