import asyncio

from perfscale.engine.events import Broadcast, Event, EventsLost, EventStream, Warned


async def collect(stream: EventStream) -> list[Event]:
    return [event async for event in stream]


async def test_every_listener_gets_every_event_in_order() -> None:
    broadcast = Broadcast()
    first, second = broadcast.subscribe(), broadcast.subscribe()
    events: list[Event] = [Warned("a"), Warned("b")]
    for event in events:
        broadcast.send(event)
    broadcast.close()
    assert await collect(first) == events
    assert await collect(second) == events


async def test_a_slow_listener_loses_the_oldest_events_and_is_told_how_many() -> None:
    stream = EventStream(length=3)
    for number in range(10):
        stream.put(Warned(str(number)))
    stream.close()
    assert await collect(stream) == [EventsLost(7), Warned("7"), Warned("8"), Warned("9")]


async def test_a_listener_waits_for_the_next_event() -> None:
    stream = EventStream()
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    assert not waiting.done()
    stream.put(Warned("now"))
    assert await waiting == Warned("now")


async def test_a_listener_that_comes_after_the_end_finds_an_empty_stream() -> None:
    broadcast = Broadcast()
    broadcast.close()
    assert await collect(broadcast.subscribe()) == []


async def test_a_cancelled_listener_loses_no_event() -> None:
    stream = EventStream()
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    stream.put(Warned("kept"))
    assert await anext(stream) == Warned("kept")
