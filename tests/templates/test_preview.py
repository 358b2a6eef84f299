"""What `render` prints: YAML that says exactly what would be created."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from perfscale.errors import UsageError
from perfscale.templates import render_manifests

if TYPE_CHECKING:
    from template_folder import Folder

TEXT = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: c-{{ iteration }}-{{ replica }}
data:
  script: |
    one
    two
  version: "1e3"
  number: "010"
"""


def test_every_object_is_there_in_the_order_of_creation(folder: Folder) -> None:
    folder.template(TEXT)
    text = render_manifests(folder.compile(folder.entry(), iterationCount=2))
    assert text.count("---\n") == 3
    names = [document["metadata"]["name"] for document in yaml.safe_load_all(text)]
    assert names == ["c-1-1", "c-1-2", "c-2-1", "c-2-2"]


def test_the_text_says_what_would_be_sent(folder: Folder) -> None:
    folder.template(TEXT)
    factories = folder.compile()
    shown = yaml.safe_load(render_manifests(factories, 1, 2))
    assert shown["metadata"].pop("namespace") == "density-1"
    assert shown == json.loads(factories[0][0].render(1, 2)[0].body)


def test_text_of_several_lines_is_a_block_and_ambiguous_text_is_quoted(folder: Folder) -> None:
    folder.template(TEXT)
    text = render_manifests(folder.compile(), 1, 1)
    assert "  script: |\n    one\n    two\n" in text
    assert "version: '1e3'" in text
    assert "number: '010'" in text


def test_a_cluster_scoped_object_gets_no_namespace(folder: Folder) -> None:
    folder.template("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n-{{ replica }}\n")
    assert "namespace:" not in render_manifests(folder.compile(), 1, 1)


def test_the_namespace_of_a_template_stays(folder: Folder) -> None:
    folder.template(TEXT.replace("\ndata:", "\n  namespace: own\ndata:"))
    assert "  namespace: own\n" in render_manifests(folder.compile(), 1, 1)


@pytest.mark.parametrize(("iteration", "replica"), [(3, None), (0, None), (None, 3), (1, -1)])
def test_a_number_that_does_not_exist_is_refused(
    folder: Folder, iteration: int | None, replica: int | None
) -> None:
    folder.template(TEXT)
    factories = folder.compile(iterationCount=2)
    with pytest.raises(UsageError, match="numbered from 1 to 2"):
        render_manifests(factories, iteration, replica)


def test_entries_with_fewer_replicas_are_left_out(folder: Folder) -> None:
    folder.template(TEXT)
    folder.template(TEXT.replace("ConfigMap", "Secret"), "b.yaml")
    factories = folder.compile(folder.entry(), folder.entry("b.yaml", replicas=1))
    kinds = [each["kind"] for each in yaml.safe_load_all(render_manifests(factories, 1, 2))]
    assert kinds == ["ConfigMap"]
