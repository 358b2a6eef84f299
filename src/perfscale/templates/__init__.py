"""Template file to compiled object factory: (iteration, replica) to ObjectRequest."""

from perfscale.templates.compiled import ObjectRequest
from perfscale.templates.compiling import compile_templates, resolve_template
from perfscale.templates.duplicates import sampled_replicas
from perfscale.templates.factory import ObjectFactory
from perfscale.templates.packaged import default_workload, packaged_file, packaged_templates
from perfscale.templates.preview import render_manifests
from perfscale.templates.variables import TemplateDefaults

__all__ = [
    "ObjectFactory",
    "ObjectRequest",
    "TemplateDefaults",
    "compile_templates",
    "default_workload",
    "packaged_file",
    "packaged_templates",
    "render_manifests",
    "resolve_template",
    "sampled_replicas",
]
