import asyncio

from kube_client import Connect
from scripted_server import FakeTime, answers, refuses, scripted_server
from scripted_watch import VMIS, event, following, listed, stays, streams

from perfscale.kube.client import Client
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.retrying.recovery import Pause, Recovery
from perfscale.kube.retrying.retry import Timing


class Asleep:
    """Sleeps of a second or more last until somebody is woken; shorter ones are over at once."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.long: list[float] = []
        self._began = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds < 1:
            await self.time.sleep(seconds)
            return
        self.long.append(seconds)
        self._began.set()
        await asyncio.Event().wait()

    async def until(self, times: int) -> None:
        while len(self.long) < times:
            self._began.clear()
            await self._began.wait()

    def timing(self) -> Timing:
        return Timing(self.time.clock, self.sleep, self.time.random)


def sleeping(client: Client, time: FakeTime) -> tuple[Client, Asleep]:
    """A client whose long sleeps end by being woken alone."""
    asleep = Asleep(time)
    client.timing = asleep.timing()
    return client.limited(RateLimiter(0)), asleep


async def test_a_success_elsewhere_wakes_a_watch_that_waits_to_be_opened_again(
    connect: Connect, fake_time: FakeTime
) -> None:
    unavailable = refuses(503, "ServiceUnavailable")
    async with scripted_server(
        listed("5"),
        streams(event("a", "6")),
        *[unavailable] * 5,
        answers({}),
        streams(event("b", "7"), then=stays),
        listed("7"),
    ) as server:
        client = await connect(server)
        client.known.streams_lists = False
        client, asleep = sleeping(client, fake_time)
        async with following(client) as follower:
            await asleep.until(1)
            others = client.limited(limiter=None)  # type: ignore[arg-type]
            await others.request("GET", "/version")
            await follower.until("MODIFIED b")
    assert len(asleep.long) == 1
    assert fake_time.slept[-1] <= 0.05


async def test_a_success_elsewhere_wakes_a_watch_that_waits_to_read_its_list_again(
    connect: Connect, fake_time: FakeTime
) -> None:
    unavailable = refuses(503, "ServiceUnavailable")
    async with scripted_server(
        listed("5"),
        refuses(410, "Expired"),
        *[unavailable] * 5,
        answers({}),
        listed("9", "b"),
        streams(then=stays),
    ) as server:
        client = await connect(server)
        client.known.streams_lists = False
        client, asleep = sleeping(client, fake_time)
        async with following(client) as follower:
            await asleep.until(1)
            await client.request("GET", "/version")
            await follower.until("list b")
    assert len(asleep.long) == 1


async def test_who_is_woken_in_vain_again_and_again_sleeps_longer_each_time(
    fake_time: FakeTime,
) -> None:
    asleep = Asleep(fake_time)
    recovery = Recovery()
    pause = Pause(recovery, asleep.timing())
    for number in range(1, 5):
        task = asyncio.create_task(pause.sleep(100.0))
        await asleep.until(number)
        recovery.notify()
        await task
    for_certain = [each for each in fake_time.slept if each >= 0.1]
    assert for_certain == [0.1, 0.2, 0.4]


async def test_a_pause_that_nobody_wakes_lasts_as_long_as_it_was_to(fake_time: FakeTime) -> None:
    recovery = Recovery()
    pause = Pause(recovery, Timing(fake_time.clock, fake_time.sleep, fake_time.random))
    await pause.sleep(7.0, at_least_s=3.0)
    assert fake_time.slept == [3.0, 4.0]
    assert not recovery.sleepers


async def test_a_success_does_not_come_before_the_time_that_the_server_asked_for(
    fake_time: FakeTime,
) -> None:
    asleep = Asleep(fake_time)
    recovery = Recovery()
    task = asyncio.create_task(Pause(recovery, asleep.timing()).sleep(30.0, at_least_s=20.0))
    await asleep.until(1)
    recovery.notify()
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_pause_that_is_cancelled_leaves_nobody_asleep(fake_time: FakeTime) -> None:
    asleep = Asleep(fake_time)
    recovery = Recovery()
    task = asyncio.create_task(Pause(recovery, asleep.timing()).sleep(30.0))
    await asleep.until(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not recovery.sleepers


async def test_the_end_of_an_outage_wakes_the_creates_that_it_held_up_and_another_success_does_not(
    fake_time: FakeTime,
) -> None:
    asleep = Asleep(fake_time)
    recovery = Recovery()
    task = asyncio.create_task(Pause(recovery, asleep.timing(), eager=False).sleep(10.0))
    await asleep.until(1)
    recovery.notify()
    await asyncio.sleep(0)
    assert not task.done()
    recovery.outage_over()
    await task
    assert fake_time.slept == [0.5]  # half of the second over which they are spread


async def test_creates_that_waited_for_the_server_are_sent_again_when_it_answers(
    connect: Connect, fake_time: FakeTime
) -> None:
    unavailable = refuses(503, "ServiceUnavailable")
    script = (*[unavailable] * 5, answers({}), answers({}, status=201))
    async with scripted_server(*script) as server:
        client = await connect(server)
        client, asleep = sleeping(client, fake_time)
        create = asyncio.create_task(client.request("POST", VMIS.path("here"), body=b"{}"))
        await asleep.until(1)
        await client.request("GET", "/version")
        assert (await create).status == 201
    assert len(asleep.long) == 1
