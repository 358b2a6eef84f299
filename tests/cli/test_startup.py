"""Ctrl-C before a command has begun: while it is imported, and while its options are read."""

from typing import Final

import pytest
from command_line import CommandLine

PROGRAM: Final = """\
import importlib, os, signal, sys
_, entry, moment, *arguments = sys.argv
class Typed:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            os.kill(os.getpid(), signal.SIGINT)
sys.argv[1:] = arguments
module, _, function = entry.partition(":")
main = getattr(importlib.import_module(module), function)
sys.meta_path.insert(0, Typed())
main()
"""
IN_A_CALL: Final = """\
import os, signal, sys
from perfscale.cli.main import main
import perfscale.foreign
def load_config(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    sys.exit("it went on")
perfscale.foreign.load_config = load_config
main()
"""
ENTRIES: Final = {
    "perfscale.cli.main:main": ("run", "--simulate"),
    "perfscale.cli.commands.legacy:main": ("-workload", "workload.yaml"),
    "perfscale.cli.commands.legacy:audit": ("-config-file", "input.json"),
}


@pytest.mark.parametrize("moment", ["perfscale.cli.app", "typer", "perfscale.cli.commands.audit"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_ctrl_c_while_a_command_is_imported_is_one_line(
    perfscale: CommandLine, entry: str, moment: str
) -> None:
    ended = perfscale.python(PROGRAM, entry, moment, *ENTRIES[entry])
    assert (ended.code, ended.out, ended.err) == (130, "", "interrupted\n")


def test_ctrl_c_while_a_file_is_read_is_one_line(perfscale: CommandLine) -> None:
    ended = perfscale.python(IN_A_CALL, "validate")
    assert (ended.code, ended.out, ended.err) == (130, "", "interrupted\n")


def test_next_to_nothing_is_imported_before_ctrl_c_is_provided_for(
    perfscale: CommandLine,
) -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "import perfscale.cli.main, perfscale.cli.commands.legacy\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - {'__future__'}))"
    )
    assert perfscale.python(program).out == "perfscale\n"


def test_what_ends_a_run_that_is_not_audited_loads_no_http_client(perfscale: CommandLine) -> None:
    program = "import sys, perfscale.auditing; print('aiohttp' in sys.modules)"
    assert perfscale.python(program).out == "False\n"
