import socket
from contextlib import aclosing

import pytest
from direct_way import get, opened, read_all, read_piece, says, then_closes
from patience import SILENCE_S
from scripted_server import Exchange, Handler, answers, never_answers, scripted_server

from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.proxied import ProxiedTransport
from perfscale.kube.http.transport import LARGEST_OBJECT, Endpoint
from perfscale.sim.faults.http.garbage import gzipped


def through(proxy: str) -> aclosing[ProxiedTransport]:
    return aclosing(ProxiedTransport(Endpoint("http://api.example/base", proxy), None))


async def test_answers_and_streams_come_through_a_proxy() -> None:
    async def streams(exchange: Exchange) -> None:
        exchange.start_stream()
        await exchange.write(b"one")
        exchange.end_stream()

    async with (
        scripted_server(answers({"a": 1}, status=404), streams) as proxy,
        through(proxy.url) as transport,
    ):
        answer = await transport.ask(get("/a?b=c%20d"))
        assert (answer.status, answer.body) == (404, b'{"a": 1}')
        assert answer.headers.get("content-type") == "application/json"
        stream = await opened(transport, get("/b"))
        assert stream.status == 200
        assert [await read_piece(stream) for _ in range(2)] == [b"one", b""]
        stream.close()
    targets = [request.target for request in proxy.requests]
    assert targets == ["http://api.example/base/a?b=c%20d", "http://api.example/base/b"]


BROKEN: dict[str, tuple[Handler, str]] = {
    "nothing": (then_closes(says()), r"without an answer|connection reset"),
    "half an answer": (
        then_closes(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")),
        r"broke in the middle",
    ),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), r"the answer is not HTTP"),
    "a long silence": (never_answers, r"no answer within 0\.05 s"),
}


@pytest.mark.parametrize(("answer", "text"), BROKEN.values(), ids=BROKEN)
async def test_what_is_no_answer_is_explained_as_it_is_without_a_proxy(
    answer: Handler, text: str
) -> None:
    async with scripted_server(answers({}), answer) as proxy, through(proxy.url) as transport:
        await transport.ask(get())
        with pytest.raises(NoAnswerError, match=text) as caught:
            await transport.ask(get(timeout_s=0.05 if "within" in text else 60))
    assert caught.value.failure.timeout is ("within" in text)
    assert not caught.value.failure.connecting


async def test_a_silent_stream_is_given_up() -> None:
    async def goes_silent(exchange: Exchange) -> None:
        exchange.start_stream()
        await exchange.write(b"one")
        await never_answers(exchange)

    async with scripted_server(goes_silent) as proxy, through(proxy.url) as transport:
        with pytest.raises(NoAnswerError, match="no answer in time"):
            await read_all(transport, get(timeout_s=SILENCE_S))
        await proxy.no_connections()


async def test_a_proxy_that_is_not_there_is_told_from_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with through(url) as transport:
        with pytest.raises(NoAnswerError, match="the proxy: connection refused") as caught:
            await transport.ask(get())
    assert caught.value.failure.connecting


async def test_an_answer_that_would_take_all_the_memory_is_none() -> None:
    async def bomb(exchange: Exchange) -> None:
        body = b"".join(gzipped(LARGEST_OBJECT // (1 << 20) + 1))
        await exchange.reply(200, body, {"Content-Encoding": "gzip"})

    async with scripted_server(bomb) as proxy, through(proxy.url) as transport:
        with pytest.raises(NoAnswerError, match="larger than 64 MiB"):
            await transport.ask(get())
