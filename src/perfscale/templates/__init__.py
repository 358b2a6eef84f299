"""Template file to compiled object factory: (iteration, replica) to ObjectRequest."""

from perfscale.templates.compiled.objects import ObjectRequest
from perfscale.templates.compiling import (
    CompiledWorkloads,
    compile_templates,
    compile_workloads,
    resolve_template,
)
from perfscale.templates.factory import WORTH_COMPILING, ObjectFactory
from perfscale.templates.outline.counting import (
    WorkloadOutline,
    count_churned,
    count_objects,
    objects_of_iteration,
    outline_workload,
    replaced_iterations,
    sure_replicas,
)
from perfscale.templates.outline.duplicates import sampled_replicas
from perfscale.templates.outline.targeting import (
    UNCOUNTED,
    RequestCount,
    count_requests,
    target_kind,
)
from perfscale.templates.packaged import default_workload, packaged_file, packaged_templates
from perfscale.templates.patches import PatchTarget, PatchTemplate, compile_patches
from perfscale.templates.preview import render_manifests
from perfscale.templates.variables import TemplateDefaults

__all__ = [
    "UNCOUNTED",
    "WORTH_COMPILING",
    "CompiledWorkloads",
    "ObjectFactory",
    "ObjectRequest",
    "PatchTarget",
    "PatchTemplate",
    "RequestCount",
    "TemplateDefaults",
    "WorkloadOutline",
    "compile_patches",
    "compile_templates",
    "compile_workloads",
    "count_churned",
    "count_objects",
    "count_requests",
    "default_workload",
    "objects_of_iteration",
    "outline_workload",
    "packaged_file",
    "packaged_templates",
    "render_manifests",
    "replaced_iterations",
    "resolve_template",
    "sampled_replicas",
    "sure_replicas",
    "target_kind",
]
