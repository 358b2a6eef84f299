"""A folder with a workload file and templates in it, compiled as a user's would be."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from perfscale.config import load_config
from perfscale.errors import TemplateError
from perfscale.templates import ObjectFactory, TemplateDefaults, compile_templates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perfscale.errors import Problem

RUN_ID = "5f0f5f0e-0000-4000-8000-000000000001"
Factories: TypeAlias = tuple[tuple[ObjectFactory, ...], ...]


class Folder:
    """Writes templates and workloads below one folder, and compiles them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def template(self, text: str, name: str = "object.yaml") -> Path:
        """Write a template; its indentation is taken away."""
        path = self.path / name
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def entry(
        self, name: str = "object.yaml", replicas: int = 2, **variables: object
    ) -> dict[str, Any]:
        """An entry of ``objects``."""
        return {"templateFile": name, "replicas": replicas, "inputVars": variables}

    def compile(
        self,
        *objects: dict[str, Any],
        defaults: TemplateDefaults | None = None,
        **keys: object,
    ) -> Factories:
        """Compile a workload file of one workload."""
        entries = list(objects) or [self.entry()]
        return self.compile_all({"name": "density", "objects": entries, **keys}, defaults=defaults)

    def compile_all(
        self, *workloads: dict[str, Any], defaults: TemplateDefaults | None = None
    ) -> Factories:
        """Compile a workload file of several workloads."""
        document = {"workloads": list(workloads)}
        workload = self.path / "workload.yaml"
        workload.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return compile_templates(load_config(workload), run_id=RUN_ID, defaults=defaults)

    def problems(self, *objects: dict[str, Any], **keys: object) -> tuple[Problem, ...]:
        """What compiling complains about; it must."""
        entries = list(objects) or [self.entry()]
        return self.problems_of_all({"name": "density", "objects": entries, **keys})

    def problems_of_all(self, *workloads: dict[str, Any]) -> tuple[Problem, ...]:
        """What compiling several workloads complains about; it must."""
        with pytest.raises(TemplateError) as caught:
            self.compile_all(*workloads)
        assert caught.value.exit_code == 2
        return caught.value.problems

    def manifest(
        self,
        text: str,
        variables: Mapping[str, Any] | None = None,
        defaults: TemplateDefaults | None = None,
    ) -> dict[str, Any]:
        """The first object that a template gives."""
        self.template(text)
        factories = self.compile(self.entry(**(variables or {})), defaults=defaults)
        body: dict[str, Any] = json.loads(factories[0][0].render(1, 1)[0].body)
        return body
