"""What the server warns of in its answers is told once, with the template's line."""

from pathlib import Path

from clusters import MemorySink, simulated_cluster
from workloads import config, objects, template, workload

from perfscale.engine.events import Warned

TYPO = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: vmi-{{ replica }}
spec:
  terminationGracePeriodSecond: 0
  domain:
    devices: {}
    memory: {guest: 64Mi}
"""


async def test_a_field_that_the_server_does_not_know_is_told_once_with_its_line(
    tmp_path: Path,
) -> None:
    load = config(workload(objects(template(tmp_path, TYPO), count=10)))
    async with (
        simulated_cluster(tmp_path) as cluster,
        cluster.generator(load, sink=MemorySink()) as generator,
    ):
        events = generator.events()
        await generator.run()
        told = [event.message async for event in events if isinstance(event, Warned)]
    [message] = [text for text in told if "the server warns" in text]
    assert ":6: the server warns of VirtualMachineInstance vmi-" in message
    assert 'unknown field "spec.terminationGracePeriodSecond"' in message
