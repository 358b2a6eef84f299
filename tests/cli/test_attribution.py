"""Where slow objects lost their time, as the terminal shows it at the end of a run."""

import io
import json
from pathlib import Path

from attribution import attribution, slow
from clusters import JSON
from command_line import CommandLine
from rich.console import Console
from workload_file import entry, write_workload

from perfscale.cli.output.attribution import print_attribution
from perfscale.results import AttributionResult, WaitCause

PULLED = slow("vm-7", (WaitCause.SCHEDULING, 2.0), (WaitCause.IMAGE_PULL, 18.0))
STUCK = slow("vm-8", (WaitCause.UNKNOWN, 5.0), ready=False)


def printed(found: AttributionResult | None, width: int = 1000) -> str:
    stream = io.StringIO()
    print_attribution(
        Console(file=stream, width=width, force_terminal=True, color_system=None), found
    )
    return stream.getvalue()


def test_causes_are_in_the_order_of_what_they_took() -> None:
    lines = [line.strip() for line in printed(attribution(PULLED, STUCK)).splitlines()]
    assert lines[1:] == [
        "slow objects",
        (
            "2 objects took 25.0 s in all: image pull 18.0 s (72%), unknown 5.0 s (20%), "
            "waiting to be scheduled 2.0 s (8%)"
        ),
        "the slowest, VirtualMachineInstance density-1/vm-7, took 20.0 s, 18.0 s of it image pull",
    ]


def test_an_object_that_is_not_ready_is_said_to_be_so() -> None:
    assert "took 5.0 s and is not ready, 5.0 s of it unknown" in printed(attribution(STUCK))


def test_a_narrow_terminal_tears_no_word() -> None:
    for line in printed(attribution(PULLED, STUCK), width=60).splitlines():
        assert len(line.rstrip()) <= 60
    assert "scheduled" in printed(attribution(PULLED), width=60)


def test_nothing_is_printed_where_nothing_was_slow() -> None:
    assert printed(None) == printed(attribution()) == ""


def test_the_option_turns_it_off(perfscale: CommandLine, tmp_path: Path) -> None:
    load = write_workload(tmp_path, entry("vmi-ephemeral.yaml", 2, "slow"))
    for value, expected in (("off", None), ("3", 3)):
        ended = perfscale("run", load, "--simulate", "--speed", "50", "--attribution", value)
        assert ended.code == 0
        found: JSON | None = json.loads((max(perfscale.results) / "summary.json").read_text())[
            "attribution"
        ]
        assert (None if found is None else found["limit"]) == expected
