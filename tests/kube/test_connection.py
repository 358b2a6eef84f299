import asyncio
import errno
import gzip
import ssl

import pytest
from direct_way import (
    get,
    opened,
    read_all,
    read_piece,
    reply,
    says,
    some_turns,
    then_closes,
    way_to,
)
from patience import SILENCE_S
from scripted_server import (
    Exchange,
    Handler,
    answers,
    never_answers,
    scripted_server,
)

from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.transport import READ_BUFFER, Arrival

BODY = b'{"a": 1}'


async def test_a_compressed_answer_is_unpacked(server_tls: ssl.SSLContext | None) -> None:
    packed = gzip.compress(BODY * 100_000)
    whole = reply(packed, b"Content-Encoding: gzip")
    async with (
        scripted_server(says(whole), tls=server_tls) as server,
        way_to(server.url) as transport,
    ):
        assert (await transport.ask(get())).body == BODY * 100_000
        assert await read_all(transport, get()) == BODY * 100_000
    assert server.connections == 1


BROKEN: dict[str, tuple[Handler, str]] = {
    "nothing": (then_closes(says()), "without an answer|connection reset"),
    "half a head": (then_closes(says(b"HTTP/1.1 200 OK\r\nDa")), "without an answer|reset"),
    "half a body": (then_closes(says(reply(BODY)[:-1])), "broke in the middle"),
    "no last chunk": (
        then_closes(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")),
        "broke in the middle",
    ),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "the answer is not HTTP"),
    "a long silence": (never_answers, r"no answer within 0\.01 s"),
    "a silent middle": (says(reply(BODY)[:-1]), r"no answer within 0\.01 s"),
}


@pytest.mark.parametrize(("answer", "text"), BROKEN.values(), ids=BROKEN)
async def test_what_is_no_answer_is_explained_and_asked_once(
    answer: Handler, text: str, server_tls: ssl.SSLContext | None
) -> None:
    # A handshake on a busy machine may take longer than the bound of the request.
    async with (
        scripted_server(answers({}), answer, tls=server_tls) as server,
        way_to(server.url) as transport,
    ):
        await transport.ask(get())
        bound_s = 0.01 if "within" in text else 60
        with pytest.raises(NoAnswerError, match=text) as caught:
            await transport.ask(get(timeout_s=bound_s))
        await server.no_connections()
    assert not caught.value.failure.connecting
    assert caught.value.failure.timeout is ("within" in text)
    assert len(server.requests) == 2


def endless(*pieces: bytes) -> Handler:
    async def handler(exchange: Exchange) -> None:
        exchange.start_stream()
        for piece in pieces:
            await exchange.write(piece)
        await never_answers(exchange)

    return handler


async def test_a_stream_gives_all_that_has_come_at_once(
    server_tls: ssl.SSLContext | None,
) -> None:
    async def two_and_the_end(exchange: Exchange) -> None:
        exchange.start_stream()
        await exchange.write(b"one\n")
        await exchange.write(b"two\n")
        exchange.end_stream()

    async with (
        scripted_server(two_and_the_end, answers({}), tls=server_tls) as server,
        way_to(server.url) as transport,
    ):
        stream = await opened(transport)
        assert stream.status == 200
        assert stream.headers["Content-Type"] == "application/json"
        await some_turns()
        found = []
        while piece := await read_piece(stream):
            found.append(piece)
        stream.close()
        assert b"".join(found) == b"one\ntwo\n"
        await transport.ask(get())
        assert server.connections == 1


async def test_what_comes_on_a_stream_is_stamped_when_it_comes_not_when_it_is_read() -> None:
    now_s = 1.0

    async with scripted_server(endless(b"one")) as server, way_to(server.url) as transport:
        stream = await opened(transport, clock=lambda: now_s)
        await some_turns()
        now_s = 99.0
        assert await stream.read_some() == [Arrival(1.0, b"one")]
        stream.close()


async def test_a_stream_whose_network_is_gone_was_silent_and_did_not_break() -> None:
    """The kernel's probes have had no answer: nothing was seen since the last event."""
    async with scripted_server(endless(b"one")) as server, way_to(server.url) as transport:
        stream = await opened(transport)
        await read_piece(stream)
        (connection,) = transport.connections
        connection.connection_lost(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
        with pytest.raises(NoAnswerError, match="connection timed out") as caught:
            await stream.read_some()
        assert caught.value.failure.timeout
        connection.abort()
        await server.no_connections()


async def test_a_silent_stream_is_given_up() -> None:
    async with scripted_server(endless(b"one")) as server, way_to(server.url) as transport:
        with pytest.raises(NoAnswerError, match="no answer in time") as caught:
            await read_all(transport, get(timeout_s=SILENCE_S))
        assert caught.value.failure.timeout
        await server.no_connections()


async def test_what_a_broken_stream_said_is_read_before_the_error() -> None:
    async with scripted_server(then_closes(_begun)) as server, way_to(server.url) as transport:
        stream = await opened(transport)
        assert await read_piece(stream) == b"one"
        with pytest.raises(NoAnswerError, match="broke in the middle"):
            await read_piece(stream)
        stream.close()
        await server.no_connections()


async def _begun(exchange: Exchange) -> None:
    exchange.start_stream()
    await exchange.write(b"one")


async def test_a_stream_that_is_not_read_is_not_taken_in_either(
    server_tls: ssl.SSLContext | None,
) -> None:
    sent = 64 * READ_BUFFER
    piece = bytes(READ_BUFFER // 4)

    async def much(exchange: Exchange) -> None:
        exchange.start_stream()
        for _ in range(sent // len(piece)):
            await exchange.write(piece)
        exchange.end_stream()

    async with scripted_server(much, tls=server_tls) as server, way_to(server.url) as transport:
        stream = await opened(transport)
        sizes = []
        while True:
            for _ in range(3):
                await some_turns()
            sizes.append(len(await read_piece(stream)))
            if not sizes[-1]:
                break
        stream.close()
    assert sum(sizes) == sent
    assert max(sizes) < 4 * READ_BUFFER


@pytest.mark.parametrize("handler", [never_answers, endless(b"one")], ids=["asking", "reading"])
async def test_closing_the_way_ends_what_is_on_it_and_leaves_no_connection(
    handler: Handler, server_tls: ssl.SSLContext | None
) -> None:
    asked = asyncio.Event()

    async def tells(exchange: Exchange) -> None:
        asked.set()
        await handler(exchange)

    async with scripted_server(tells, tls=server_tls) as server:
        async with way_to(server.url) as transport:
            asking = asyncio.create_task(read_all(transport, get()))
            await asked.wait()
            await some_turns()
            await transport.aclose()
            with pytest.raises(NoAnswerError):
                await asking
        await server.no_connections()


async def test_a_request_that_is_cancelled_at_any_moment_leaves_no_connection(
    server_tls: ssl.SSLContext | None,
) -> None:
    async with scripted_server(never_answers, tls=server_tls) as server:
        for turns in range(30):
            async with way_to(server.url) as transport:
                asking = asyncio.create_task(transport.ask(get()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
            await server.no_connections()


async def test_a_request_that_is_cancelled_with_its_answer_does_no_harm_to_the_next() -> None:
    """Its connection rests by then, and may carry another."""
    async with scripted_server(answers({})) as server, way_to(server.url) as transport:
        for turns in range(40):
            asking = asyncio.create_task(transport.ask(get()))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            next_answer = await transport.ask(get())
            assert next_answer.status == 200
            await asyncio.wait([asking])
