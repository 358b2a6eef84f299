"""Refusals for want of what the file itself makes, apart from those that are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from template_folder import Folder

from perfscale.preflight.prerequisites import missing_prerequisite

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata:\n  name: vm-{{ replica }}\n"
MOVE = (
    "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstanceMigration\n"
    "metadata:\n  name: vm-{{ replica }}\n"
)
NO_INSTANCE = 'the VMI "default/vm-7" does not exist'
NO_ACCOUNT = (
    'pods "vm-7" is forbidden: error looking up service account a/b: serviceaccount "b" not found'
)
NO_PRIORITY = "no PriorityClass with name vm-7 was found"
INVALID = 'VirtualMachineInstanceMigration "vm-7" is invalid: spec.vmiName: not found'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.template(MACHINE, "vm.yaml")
    made.template(MOVE, "move.yaml")
    return made


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        (NO_INSTANCE, "VirtualMachine vm-7"),
        (NO_PRIORITY, "VirtualMachine vm-7"),
        ('the VMI "default/vm-70" does not exist', None),
        ("Cannot migrate VMI vm-7, Reason: InterfaceNotLiveMigratable", None),
        (NO_ACCOUNT, None),
        (INVALID, None),
    ],
)
def test_what_the_server_misses_and_the_file_makes_is_named(
    folder: Folder, said: str, missing: str | None
) -> None:
    factories = folder.compile_all(
        {"name": "first", "objects": [folder.entry("vm.yaml", 10)]},
        {"name": "second", "objects": [folder.entry("move.yaml", 3)]},
    )
    assert missing_prerequisite(said, factories, 1, 0) == missing


def test_what_comes_later_or_is_deleted_before_is_no_ground(folder: Folder) -> None:
    machines = {"name": "machines", "objects": [folder.entry("vm.yaml", 10)]}
    moves = {"name": "moves", "objects": [folder.entry("move.yaml", 3)]}
    assert missing_prerequisite(NO_INSTANCE, folder.compile_all(moves, machines), 0, 0) is None
    gone = {**machines, "iterationCleanup": True, "iterationDeletionWait": True}
    assert missing_prerequisite(NO_INSTANCE, folder.compile_all(gone, moves), 1, 0) is None


def test_what_the_same_workload_makes_counts_but_not_the_objects_of_the_entry_itself(
    folder: Folder,
) -> None:
    both = folder.compile(folder.entry("vm.yaml", 10), folder.entry("move.yaml", 3))
    assert missing_prerequisite(NO_INSTANCE, both, 0, 1) == "VirtualMachine vm-7"
    alone = folder.compile(folder.entry("vm.yaml", 10))
    assert missing_prerequisite(NO_INSTANCE, alone, 0, 0) is None
