"""From the text of a configuration to a workload file of ours, or to everything wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.config.load import validated
from perfscale.config.reading.document import read_text
from perfscale.errors import ConfigError
from perfscale.foreign.kube_burner.decoding import ENDPOINTS, decode
from perfscale.foreign.kube_burner.mapping.context import Reading
from perfscale.foreign.kube_burner.mapping.placed import lay_out
from perfscale.foreign.kube_burner.mapping.whole import describe, tree_of
from perfscale.foreign.kube_burner.models.top import Configuration
from perfscale.foreign.kube_burner.refusals import refuse
from perfscale.foreign.kube_burner.rendering import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config.reading.document import Document, TextFile
    from perfscale.foreign.kube_burner.inputs import Inputs


def read_kube_burner(file: TextFile, inputs: Inputs, overrides: Sequence[str] = ()) -> Document:
    """Return a configuration as a workload file of ours, whose values stand where its own do.

    Args:
        file: The file.
        inputs: What it is read with.
        overrides: Values of ``--set`` that replace its own, as ``jobs.0.qps=5``.

    Raises:
        ConfigError: Everything that is wrong in it, or that is not done, in the file's order.
    """
    endpoints = None
    if inputs.metrics_endpoints is not None:
        endpoints = render(read_text(inputs.metrics_endpoints, ENDPOINTS), inputs)
    document = decode(render(file, inputs), overrides, Configuration, endpoints)
    configuration = validated(document, Configuration, as_yaml=True)
    reading = Reading(document, configuration, inputs)
    for note in document.notes:
        reading.note(note)
    tree = tree_of(reading)
    refuse(reading)
    if document.problems:
        problems = sorted(dict.fromkeys(document.problems), key=lambda each: each.line or 0)
        raise ConfigError(problems)
    said = describe(reading, len(tree["workloads"]))
    ours = lay_out(document, tree, said, tuple(reading.notes))
    ours.sign_ins = reading.sign_ins
    return ours
