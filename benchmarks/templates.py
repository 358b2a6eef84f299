"""What the body of one object costs: put together from a compiled form, or rendered anew."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from figures import Row, report

from perfscale import TemplateDefaults, load_config
from perfscale.templates import ObjectFactory, compile_templates, packaged_file

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES: Final = ("kubevirt-density", "vm-density", "vmirs-density")
_QUICK, _SLOW = 50_000, 500


def cost_us(render: Callable[[int, int], object], number: int) -> float:
    """CPU of one call, in microseconds."""
    render(1, 1)
    started_s = time.process_time()
    for replica in range(1, number + 1):
        render(1, replica)
    return (time.process_time() - started_s) / number * 1e6


def factory_of(example: str) -> ObjectFactory:
    """The first object of an example workload."""
    config = load_config(packaged_file("examples", example, f"{example}.yaml"))
    return compile_templates(config, run_id="benchmark", defaults=TemplateDefaults())[0][0]


def main() -> None:
    """Measure every example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    rows: list[Row] = []
    for example in EXAMPLES:
        factory = factory_of(example)
        compiled, rendered = cost_us(factory.render, _QUICK), cost_us(factory.render_slowly, _SLOW)
        rows.append(
            {
                "template": factory.path.name,
                "µs compiled": compiled,
                "µs rendered": rendered,
                "ratio": rendered / compiled,
            }
        )
    report(rows, options.json)


if __name__ == "__main__":
    main()
