"""What the body of an object costs, in Jinja2 and in Go: from a compiled form, or rendered."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml
from figures import Row, report

from perfscale import TemplateDefaults, load_config
from perfscale.templates import ObjectFactory, compile_templates, packaged_file

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES: Final = ("kubevirt-density", "vm-density", "vmirs-density")
COMPUTED: Final = {
    "jinja2": "x-{{ '%03d' | format(replica + 1) }}",
    "go": 'x-{{ printf "%03d" (add .replica 1) }}',
}
"""A label's value that is computed from the replica's number, in both languages."""
_QUICK, _SLOW = 50_000, 500
_ROUNDS: Final = 5


def cost_us(render: Callable[[int, int], object], number: int) -> float:
    """CPU of one call, in microseconds: the least of some rounds."""
    render(1, 1)
    rounds = []
    for _ in range(_ROUNDS):
        started_s = time.process_time()
        for replica in range(1, number // _ROUNDS + 1):
            render(1, replica)
        rounds.append((time.process_time() - started_s) / (number // _ROUNDS) * 1e6)
    return min(rounds)


def in_go(text: str) -> str:
    """A template of ours in Go's language: it has nothing but variables."""
    return re.sub(r"\{\{ (\w+) \}\}", r"{{ .\1 }}", text)


def factory_of(example: str, text: str, folder: Path) -> ObjectFactory:
    """The first object of an example workload, with another template."""
    source = packaged_file("examples", example, f"{example}.yaml")
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    document["workloads"][0]["objects"][0]["templateFile"] = "template.yaml"
    (folder / "template.yaml").write_text(text, encoding="utf-8")
    (folder / "workload.yaml").write_text(json.dumps(document), encoding="utf-8")
    config = load_config(folder / "workload.yaml")
    return compile_templates(config, run_id="benchmark", defaults=TemplateDefaults())[0][0]


def rows_of(example: str) -> list[Row]:
    """The costs of one example, as it is and with a label that is computed."""
    config = load_config(packaged_file("examples", example, f"{example}.yaml"))
    path = compile_templates(config, run_id="benchmark")[0][0].path
    text = path.read_text(encoding="utf-8")
    label = "  labels:\n"
    assert label in text, f"{path} has no labels"  # noqa: S101 -- what is measured would be another
    pairs = {
        "printed": (text, in_go(text)),
        "computed": tuple(
            each.replace(label, f"{label}    computed: {COMPUTED[language]}\n", 1)
            for language, each in (("jinja2", text), ("go", in_go(text)))
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        made = {
            what: [factory_of(example, each, Path(folder)) for each in pair]
            for what, pair in pairs.items()
        }
    rows: list[Row] = []
    for what, (jinja, go) in made.items():
        numbers = (_QUICK if what == "printed" else _SLOW, _QUICK)
        create = [cost_us(*each) for each in zip((jinja.render, go.render), numbers, strict=True)]
        rendered = [cost_us(each.render_slowly, _SLOW) for each in (jinja, go)]
        rows.append(
            {
                "template": path.name,
                "numbers": what,
                "µs Jinja2": create[0],
                "µs Go": create[1],
                "Go/Jinja2": create[1] / create[0],
                "µs rendered Jinja2": rendered[0],
                "µs rendered Go": rendered[1],
                "rendered Go/Jinja2": rendered[1] / rendered[0],
            }
        )
    return rows


def main() -> None:
    """Measure every example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    report([row for example in EXAMPLES for row in rows_of(example)], options.json)


if __name__ == "__main__":
    main()
