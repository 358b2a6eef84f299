import asyncio
import socket
import ssl
from datetime import timedelta
from typing import cast

import pytest
from direct_way import (
    get,
    issued,
    opened,
    reply,
    says,
    some_turns,
    then_closes,
    way_to,
)
from scripted_server import (
    Exchange,
    Handler,
    answers,
    resets,
    scripted_server,
)

from perfscale.kube.calls import call_of
from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.transport import Request

BODY = b'{"a": 1}'


async def test_a_request_is_one_message_and_its_answer_comes_whole(
    server_tls: ssl.SSLContext | None,
) -> None:
    async with scripted_server(answers({"a": 1}, status=201), tls=server_tls) as server:
        request = Request(
            "POST",
            "/apis/x?dryRun=All",
            60,
            call_of("POST", "/apis/x"),
            body=BODY,
            content_type="application/json",
        )
        request.authorization = "Bearer secret"
        async with way_to(server.url + "/base") as transport:
            answer = await transport.ask(request)
    assert (answer.status, answer.body) == (201, BODY)
    assert answer.headers["content-type"] == "application/json"
    (received,) = server.requests
    assert (received.method, received.target) == ("POST", "/base/apis/x?dryRun=All")
    assert received.body == BODY
    user_agent = received.headers.pop("user-agent")
    assert user_agent.startswith("perfscale/")
    assert received.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "authorization": "Bearer secret",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
    }


async def test_requests_side_by_side_have_a_connection_each_and_later_ones_use_them_again(
    server_tls: ssl.SSLContext | None,
) -> None:
    all_in = asyncio.Barrier(5)

    async def together(exchange: Exchange) -> None:
        await all_in.wait()
        await exchange.reply(200, exchange.request.target.encode())

    async with scripted_server(together, tls=server_tls) as server, way_to(server.url) as transport:
        for _ in range(2):
            paths = [f"/{number}" for number in range(5)]
            found = await asyncio.gather(*(transport.ask(get(path)) for path in paths))
            assert [each.body.decode() for each in found] == paths
        server.will_from_now_on(answers({}))
        await transport.ask(get())
        assert server.connections == 5


@pytest.mark.parametrize(
    "answer",
    [
        says(reply(BODY, b"Connection: close")),
        says(reply(BODY) + reply(b"surplus")),
        then_closes(says(reply(BODY))),
        then_closes(says(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)),
    ],
    ids=["as it said", "answers too much", "after the answer", "which ends the answer"],
)
async def test_a_connection_that_is_over_is_not_used_again(
    answer: Handler, server_tls: ssl.SSLContext | None
) -> None:
    async with scripted_server(answer, tls=server_tls) as server, way_to(server.url) as transport:
        for _ in range(2):
            assert (await transport.ask(get())).body == BODY
            await server.no_connections()
            await some_turns()
        assert server.connections == 2


async def test_words_that_nobody_asked_for_end_a_connection_at_rest() -> None:
    said = asyncio.Event()

    async def talks_on(exchange: Exchange) -> None:
        await exchange.reply(200, BODY)
        await said.wait()
        await exchange.write_raw(reply(b"request timeout"))

    async with scripted_server(talks_on) as server, way_to(server.url) as transport:
        await transport.ask(get())
        said.set()
        await server.no_connections()


async def test_a_connection_at_rest_is_closed_after_a_while(
    monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext | None
) -> None:
    monkeypatch.setattr("perfscale.kube.http.connection.KEEPALIVE_S", 0.0)
    async with (
        scripted_server(answers({}), tls=server_tls) as server,
        way_to(server.url) as transport,
    ):
        await transport.ask(get())
        await server.no_connections()


async def test_a_connection_that_goes_while_it_rests_fails_no_request_but_its_next() -> None:
    async with (
        scripted_server(answers({}), resets, answers({})) as server,
        way_to(server.url) as transport,
    ):
        await transport.ask(get())
        with pytest.raises(NoAnswerError, match=r"without an answer|reset"):
            await transport.ask(get())
        await transport.ask(get())
        assert server.connections == 2


@pytest.mark.parametrize("streaming", [False, True], ids=["request", "stream"])
async def test_a_server_that_does_not_take_part_in_the_handshake_is_given_up(
    streaming: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfscale.kube.http.direct.CONNECT_TIMEOUT_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        async with way_to(url) as transport:
            opening = opened(transport) if streaming else transport.ask(get())
            with pytest.raises(NoAnswerError, match="no connection in time") as caught:
                await opening
    assert caught.value.failure.connecting
    assert caught.value.failure.timeout


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (issued("other.example"), "IP address mismatch"),
        (issued(age=timedelta(days=9)), "certificate has expired"),
    ],
    ids=["of another name", "expired"],
)
async def test_a_certificate_that_is_not_good_is_refused_with_the_reason(
    certificate: ssl.SSLContext, reason: str
) -> None:
    async with (
        scripted_server(answers({}), tls=certificate) as server,
        way_to(server.url) as transport,
    ):
        with pytest.raises(NoAnswerError, match=f"could not be verified: .*{reason}") as caught:
            await transport.ask(get())
    assert "certificate-authority" in (caught.value.failure.hint or "")
    assert caught.value.failure.connecting


class Refusal(asyncio.Protocol):
    """Says that what it hears is not HTTP, as a server does on a plain port."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 -- whatever it is
        self._transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        self._transport.close()


async def test_tls_to_a_plain_port_is_told() -> None:
    plain = await asyncio.get_running_loop().create_server(Refusal, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    async with plain, way_to(f"https://127.0.0.1:{port}") as transport:
        with pytest.raises(NoAnswerError, match="TLS handshake failed: ") as caught:
            await transport.ask(get())
    assert "whether the server speaks TLS" in (caught.value.failure.hint or "")
    assert caught.value.failure.connecting


async def test_plain_words_to_a_tls_port_are_told() -> None:
    async with (
        scripted_server(answers({}), tls=issued()) as server,
        way_to(server.url.replace("https", "http")) as transport,
    ):
        with pytest.raises(NoAnswerError, match=r"not HTTP|without an answer|connection reset"):
            await transport.ask(get())


async def test_the_next_address_is_tried_where_there_is_nobody_at_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scripted_server(answers({})) as server:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = closed.getsockname()
        ways = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", nobody),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: ways)
        async with way_to("http://two.example") as transport:
            assert (await transport.ask(get())).status == 200
