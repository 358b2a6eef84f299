"""An entry of ``objects``, of ``watchers``, and what an entry waits for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from perfscale.config.sections.fields import Flag
from perfscale.config.sections.section import Section
from perfscale.foreign.kube_burner.models.fields import (
    AnyText,
    GoDuration,
    Number,
    Texts,
    Variables,
)


class StatusPath(Section):
    """A program of jq on an object's status, and the text that one of its outputs has to be."""

    called: ClassVar[str] = "a mapping (key, value)"

    key: AnyText = ""
    value: AnyText = ""


class WaitOptions(Section):
    """What is waited for, in the place of what the kind is known for."""

    called: ClassVar[str] = "a mapping (kind, apiVersion, labelSelector, customStatusPaths)"

    kind: AnyText = ""
    api_version: AnyText = ""
    label_selector: Texts = Field(default_factory=dict)
    custom_status_paths: tuple[StatusPath, ...] = ()


class Group(Section):
    """The group of an object."""

    called: ClassVar[str] = "a mapping (id, gc, pauseBeforeGC, pauseAfterGC)"

    id: Number = 0
    gc: Flag = False
    pause_before_gc: GoDuration = Field(default=0.0, alias="pauseBeforeGC")
    pause_after_gc: GoDuration = Field(default=0.0, alias="pauseAfterGC")


class Entry(Section):
    """An entry of ``objects`` of any type of job."""

    called: ClassVar[str] = "a mapping (objectTemplate, replicas, inputVars, ...)"

    object_template: AnyText = ""
    replicas: Number = 1
    input_vars: Variables = Field(default_factory=dict)
    kind: AnyText = ""
    api_version: AnyText = ""
    label_selector: Texts = Field(default_factory=dict)
    patch_type: AnyText = ""
    wait: Flag = True
    wait_options: WaitOptions = Field(default_factory=WaitOptions)
    run_once: Flag = False
    kube_virt_op: AnyText = ""
    churn: Flag = True
    group: Group = Field(default_factory=Group)
    repeat_every_n_iterations: Number = Field(default=1, alias="repeatEveryNIterations")


class Watcher(Section):
    """An entry of ``watchers``."""

    called: ClassVar[str] = "a mapping (kind, apiVersion, labelSelector, replicas)"

    kind: AnyText = ""
    api_version: AnyText = ""
    label_selector: Texts = Field(default_factory=dict)
    replicas: Number = 1
