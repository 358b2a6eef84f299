import asyncio
import errno
import socket
import tracemalloc
from contextlib import closing
from typing import NoReturn

import msgspec
import pytest
from kube_client import Connect
from observers import Heard
from pages import list_pages
from patience import SILENCE_S
from scripted_server import (
    Exchange,
    FakeTime,
    Handler,
    answers,
    never_answers,
    not_served,
    refuses,
    resets,
    scripted_server,
)

from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    CredentialsError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
    NotServedError,
    ObjectReference,
    ServerError,
    ThrottledError,
    UnreachableError,
)
from perfscale.kube.auth.credentials import Grant
from perfscale.kube.client import ClientSettings
from perfscale.kube.http import direct
from perfscale.kube.http.sockets import Sockets
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.resources import Resource
from perfscale.kube.retrying.retry import NOT_SERVED_S

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)


async def closes_after_answering(exchange: Exchange) -> None:
    await exchange.reply(200, b"{}", {"Connection": "close"})
    exchange.reset()


class Tokens:
    """An issuer with a fixed sequence of tokens."""

    renewable = True

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.asked = 0

    async def issue(self, *, fresh: bool) -> Grant:  # noqa: ARG002 -- the protocol's
        self.asked += 1
        await asyncio.sleep(0)
        token = self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]
        return Grant(f"Bearer {token}")


class CountingLimiter(RateLimiter):
    def __init__(self) -> None:
        super().__init__(1)
        self.admitted = 0

    async def acquire(self) -> None:
        self.admitted += 1


def accepts_only(token: str) -> Handler:
    async def handler(exchange: Exchange) -> None:
        if exchange.request.headers.get("authorization") == f"Bearer {token}":
            await exchange.reply(200, b"{}")
        else:
            await refuses(401, "Unauthorized")(exchange)

    return handler


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def test_an_answer_tells_when_its_request_was_sent_and_when_it_came(
    connect: Connect, fake_time: FakeTime
) -> None:
    async def slow(exchange: Exchange) -> None:
        fake_time.now += 2.5
        await exchange.reply(201, b'{"kind": "Pod"}')

    async with scripted_server(slow) as server:
        client = await connect(server)
        response = await client.request("POST", PODS.path("here"), body=b'{"a": 1}')
    assert (response.status, response.body, response.attempts) == (201, b'{"kind": "Pod"}', 1)
    assert response.answered_s == 1002.5
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/api/v1/namespaces/here/pods")
    assert request.body == b'{"a": 1}'


async def test_a_request_says_who_sends_it_and_nothing_from_the_environment(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    cookie = {"Set-Cookie": "session=1"}
    async with scripted_server(answers({}, headers=cookie)) as server:
        client = await connect(server, issuer=Tokens("secret"))
        await client.request("GET", "/a")
        await client.request("POST", "/a", body=b"{}", content_type="application/merge-patch+json")
    first, second = (request.headers for request in server.requests)
    assert first["user-agent"].startswith("perfscale/")
    assert first["authorization"] == "Bearer secret"
    assert "content-type" not in first
    assert second["content-type"] == "application/merge-patch+json"
    assert "cookie" not in second
    assert server.connections == 1


async def test_whatever_is_in_a_name_or_a_selector_stays_in_its_place(connect: Connect) -> None:
    async with scripted_server(answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/a?b#c d/é", params={"labelSelector": "a in (b,c)&x=y"})
    (request,) = server.requests
    assert request.target.startswith("/a%3Fb%23c%20d/%C3%A9?")
    assert request.query == {"labelSelector": "a in (b,c)&x=y"}


@pytest.mark.parametrize(
    ("status", "reason", "branch"),
    [
        (400, "BadRequest", ApiError),
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotFoundError),
        (409, "AlreadyExists", AlreadyExistsError),
        (409, "Conflict", ConflictError),
        (410, "Expired", ExpiredError),
        (422, "Invalid", ApiError),
        (501, "NotImplemented", ServerError),
    ],
)
async def test_an_error_answer_becomes_the_error_of_its_kind(
    connect: Connect, status: int, reason: str, branch: type[ApiError]
) -> None:
    details = {"name": "x", "kind": "pods"}
    async with scripted_server(refuses(status, reason, details=details)) as server:
        client = await connect(server)
        with pytest.raises(branch) as caught:
            await client.request("POST", PODS.path("here"), body=b"{}")
    error = caught.value
    assert type(error) is branch
    assert (error.status, error.reason) == (status, reason)
    assert error.about == ObjectReference("pods", "here", "x")
    assert error.sent_s == 1000.0
    assert error.answered_s is not None


async def test_the_causes_that_the_message_leaves_out_are_added_to_it(connect: Connect) -> None:
    causes = [
        {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.domain"},
        {"message": "the server says Invalid", "field": "spec.said"},
    ]
    async with scripted_server(refuses(422, "Invalid", details={"causes": causes})) as server:
        client = await connect(server)
        with pytest.raises(ApiError, match=r"^the server says Invalid; spec\.domain: Required v"):
            await client.request("POST", PODS.path("here"), body=b"{}")


async def test_an_error_page_of_something_else_is_summarised(connect: Connect) -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.reply(400, b"<html>\n" + b"no such thing " * 1000)

    async with scripted_server(page) as server:
        client = await connect(server)
        with pytest.raises(ApiError, match="400 Bad Request: <html> no such thing") as caught:
            await client.request("GET", "/")
    assert len(str(caught.value)) < 300


async def test_a_throttled_request_comes_back_when_the_server_says(
    connect: Connect, fake_time: FakeTime
) -> None:
    throttled = refuses(429, "TooManyRequests", headers={"Retry-After": "7"})
    async with scripted_server(throttled, throttled, answers({})) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        response = await client.request("POST", "/", body=b"{}")
    assert response.attempts == 3
    assert all(7 <= slept < 9 for slept in fake_time.slept)
    assert [status for _, status, *_ in heard.answers] == [429, 429, 200]
    assert len(heard.throttled_s) == 2
    assert client.stats.sent == 3


async def test_every_attempt_is_admitted_by_the_limiter(connect: Connect) -> None:
    limiter = CountingLimiter()
    async with scripted_server(refuses(503, "Unavailable"), answers({})) as server:
        client = await connect(server, limiter=limiter)
        await client.request("GET", "/")
    assert limiter.admitted == 2


async def test_a_server_error_that_stays_is_reported_after_some_attempts(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(refuses(500, "InternalError")) as server:
        client = await connect(server)
        with pytest.raises(ServerError, match="InternalError") as caught:
            await client.request("GET", "/")
    assert caught.value.attempts == len(server.requests) > 2
    assert sum(fake_time.slept) < 30


@pytest.mark.usefixtures("fake_time")
async def test_a_server_error_after_a_long_outage_is_tried_again(connect: Connect) -> None:
    gone = refuses(503, "ServiceUnavailable")
    async with scripted_server(*[gone] * 20, refuses(500, "InternalError"), answers({})) as server:
        client = await connect(server)
        response = await client.request("POST", "/", body=b"{}")
    assert response.attempts == 22


async def test_an_unavailable_server_is_given_the_whole_bound(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(refuses(503, "ServiceUnavailable")) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=100))
        with pytest.raises((UnreachableError, ServerError)):
            await client.request("GET", "/")
    assert 85 < sum(fake_time.slept) <= 100


async def test_a_kind_that_a_server_does_not_serve_yet_is_waited_for(
    connect: Connect, fake_time: FakeTime
) -> None:
    gone = refuses(503, "ServiceUnavailable")
    async with scripted_server(*[gone] * 20, *[not_served] * 5, answers({})) as server:
        client = await connect(server)
        response = await client.request("POST", PODS.path("here"), body=b"{}")
    assert response.attempts == 26
    assert sum(fake_time.slept) > NOT_SERVED_S


async def test_a_kind_that_is_not_served_any_more_is_not_waited_for_long(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(not_served) as server:
        client = await connect(server)
        with pytest.raises(NotServedError, match="404 page not found"):
            await client.request("POST", PODS.path("here"), body=b"{}")
    assert NOT_SERVED_S - 10 < sum(fake_time.slept) <= NOT_SERVED_S


async def test_what_does_not_exist_is_not_asked_for_twice(connect: Connect) -> None:
    async with scripted_server(refuses(404, "NotFound"), not_served) as server:
        client = await connect(server)
        with pytest.raises(NotFoundError):
            await client.delete(PODS, "here", "a")
        with pytest.raises(NotFoundError):
            await client.request("GET", "/apis/unheard.of/v1")
    assert len(server.requests) == 2


async def test_throttling_does_not_go_on_for_ever(connect: Connect, fake_time: FakeTime) -> None:
    throttled = refuses(429, "TooManyRequests", headers={"Retry-After": "30"})
    async with scripted_server(throttled) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=100))
        with pytest.raises(ThrottledError):
            await client.request("GET", "/")
    assert sum(fake_time.slept) <= 100


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_no_request_is_sent_again_without_being_counted(
    method: str, connect: Connect
) -> None:
    async with scripted_server(answers({}), resets, answers({})) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        await client.request("GET", "/")  # leaves a connection open to be used again
        response = await client.request(method, "/")
    assert response.attempts == 2
    assert (client.stats.sent, len(heard.silences), len(heard.throttled_s)) == (3, 1, 1)


async def test_a_create_is_stamped_once_when_it_is_first_sent(connect: Connect) -> None:
    sent: list[float] = []
    thing = msgspec.json.Decoder(dict[str, object])
    async with scripted_server(refuses(503, "ServiceUnavailable"), answers({})) as server:
        client = await connect(server)
        _, response = await client.create_and_read(thing, PODS, "here", b"{}", on_sent=sent.append)
    assert response.attempts == 2
    assert response.answered_s > 1000.0
    assert sent == [1000.0]


async def test_a_retried_create_that_finds_its_own_object_can_be_told(connect: Connect) -> None:
    async with scripted_server(resets, refuses(409, "AlreadyExists")) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        with pytest.raises(AlreadyExistsError) as caught:
            await client.request("POST", PODS.path("here"), body=b"{}")
    assert caught.value.attempts == 2
    assert [timeout for _, timeout in heard.silences] == [False]


async def test_a_request_without_retries_is_sent_once(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(resets, refuses(503, "Unavailable")) as server:
        client = await connect(server)
        with pytest.raises(UnreachableError):
            await client.request("POST", "/", retry=False)
        with pytest.raises(ServerError):
            await client.request("POST", "/", retry=False)
    assert len(server.requests) == 2
    assert fake_time.slept == []


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL])
async def test_what_this_machine_cannot_open_is_no_failure_of_the_server(
    number: int, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [OSError(number, "")]

    class Scarce(Sockets):
        def make(self, family: int, kind: int, protocol: int) -> socket.socket:
            if refusals and served:
                raise refusals.pop()
            return super().make(family, kind, protocol)

    served: list[bool] = []
    monkeypatch.setattr(direct, "Sockets", Scarce)
    async with scripted_server(closes_after_answering, answers({})) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        await client.request("GET", "/")
        await server.no_connections()
        served.append(True)
        await client.request("GET", "/")
    assert (client.stats.local_failures, client.stats.outages) == (1, 0)
    assert len(heard.silences) == len(heard.throttled_s) == 1


async def test_an_answer_that_breaks_off_is_asked_for_again(connect: Connect) -> None:
    async def breaks_off(exchange: Exchange) -> None:
        await exchange.write_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        exchange.reset()

    async with scripted_server(breaks_off, answers({})) as server:
        client = await connect(server)
        response = await client.request("POST", "/")
    assert response.attempts == 2


async def test_a_silent_server_is_a_timeout_and_is_asked_again(connect: Connect) -> None:
    async with scripted_server(answers({}), never_answers, answers({})) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        await client.request("GET", "/")
        response = await client.request("POST", "/", timeout_s=SILENCE_S)
    # A busy machine may be late with the answer, and the server is asked once more.
    assert response.attempts == 1 + len(heard.silences) >= 2
    assert all(timeout for _, timeout in heard.silences)


async def test_a_server_that_was_there_may_be_gone_until_the_bound(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({})) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=60))
        await client.request("GET", "/")
    with pytest.raises(UnreachableError, match=r"for 60 s: .*connection refused") as caught:
        await client.request("GET", "/")
    assert sum(fake_time.slept) == pytest.approx(60)
    assert caught.value.attempts > 3
    assert caught.value.sent_s == 1000.0
    assert client.stats.outages == 1
    assert client.stats.outage_seconds == pytest.approx(60)


async def test_a_server_that_comes_back_in_time_is_not_an_error(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/")
        port = server.port
    asking = asyncio.create_task(client.request("GET", "/"))
    await fake_time.has_slept(3)
    async with scripted_server(answers({}), port=port):
        response = await asking
    assert response.attempts > 3
    assert client.stats.outages == 1
    assert client.stats.outage_seconds == pytest.approx(sum(fake_time.slept))


async def test_a_lost_answer_among_others_is_no_outage(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), resets, answers({})) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        for _ in range(2):
            await client.request("GET", "/")
    assert sum(fake_time.slept) < 1
    assert len(heard.silences) == 1
    assert (client.stats.outages, client.stats.outage_seconds) == (0, 0)


async def test_a_server_that_answers_nothing_but_503_for_a_second_is_gone(
    connect: Connect, fake_time: FakeTime
) -> None:
    unavailable = refuses(503, "ServiceUnavailable", headers={"Retry-After": "2"})
    async with scripted_server(answers({}), unavailable, answers({})) as server:
        client = await connect(server)
        for _ in range(2):
            await client.request("GET", "/")
    assert client.stats.outages == 1
    assert client.stats.outage_seconds == pytest.approx(sum(fake_time.slept))


async def test_the_first_connection_fails_at_once(connect: Connect, fake_time: FakeTime) -> None:
    client = await connect(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnreachableError, match="connection refused"):
        await client.request("GET", "/")
    assert fake_time.slept == []


async def test_a_host_name_that_does_not_exist_is_named_at_once(
    connect: Connect, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", unknown)
    client = await connect("http://no-such-host.example:6443")
    with pytest.raises(UnreachableError, match=r"no-such-host\.example cannot be resolved"):
        await client.request("GET", "/")
    assert fake_time.slept == []


async def test_refused_credentials_are_renewed_once_for_many_requests(connect: Connect) -> None:
    issuer = Tokens("old", "new")
    async with scripted_server(accepts_only("new")) as server:
        client = await connect(server, issuer=issuer)
        responses = await asyncio.gather(*(client.request("GET", "/") for _ in range(10)))
    assert {response.attempts for response in responses} <= {1, 2}
    assert issuer.asked == 2


async def test_credentials_that_stay_refused_are_an_error(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(refuses(401, "Unauthorized")) as server:
        client = await connect(server, issuer=Tokens("bad", "worse", "worst", "no better"))
        with pytest.raises(CredentialsError, match="refused the credentials") as caught:
            await client.request("GET", "/")
    assert len(server.requests) == 3
    assert fake_time.slept == []
    assert "worst" not in str(caught.value)


async def test_credentials_that_cannot_be_renewed_are_an_error_at_once(connect: Connect) -> None:
    async with scripted_server(refuses(401, "Unauthorized")) as server:
        client = await connect(server)
        with pytest.raises(CredentialsError) as caught:
            await client.request("GET", "/")
    assert len(server.requests) == 1
    assert caught.value.hint


async def test_a_long_list_comes_page_by_page(connect: Connect) -> None:
    def page(name: str, token: str | None) -> Handler:
        metadata = {"resourceVersion": "7"} | ({"continue": token} if token else {})
        return answers({"metadata": metadata, "items": [{"metadata": {"name": name}}]})

    async with scripted_server(page("a", "next&1"), page("b", None)) as server:
        client = await connect(server)
        pages = [
            ([item["metadata"]["name"] for item in items], version)
            async for items, version in list_pages(client, PODS, label_selector="x=y", limit=1)
        ]
    assert pages == [(["a"], "7"), (["b"], "7")]
    first, second = (request.query for request in server.requests)
    assert first == {"labelSelector": "x=y", "limit": "1"}
    assert second == {"labelSelector": "x=y", "limit": "1", "continue": "next&1"}


async def test_a_list_that_expires_on_the_way_begins_again_in_one_piece(connect: Connect) -> None:
    begun = answers({"metadata": {"resourceVersion": "1", "continue": "c"}, "items": [{"n": 1}]})
    whole = answers({"metadata": {"resourceVersion": "9"}, "items": None})
    async with scripted_server(begun, refuses(410, "Expired"), whole) as server:
        client = await connect(server)
        pages = [page async for page in list_pages(client, PODS, "here")]
    assert pages == [([{"n": 1}], "1"), ([], "9")]
    assert server.requests[-1].query == {}


async def test_a_delete_asks_for_the_very_object(connect: Connect) -> None:
    async with scripted_server(answers({})) as server:
        client = await connect(server)
        await client.delete(PODS, "here", "x", uid="u-1")
        await client.delete_collection(PODS, None, label_selector="a=b")
    one, many = server.requests
    assert one.path == "/api/v1/namespaces/here/pods/x"
    assert b'"preconditions":{"uid":"u-1"}' in one.body
    assert many.query == {"labelSelector": "a=b"}
    assert b"Background" in many.body


async def test_the_answer_to_a_delete_of_many_is_not_kept_in_memory(connect: Connect) -> None:
    megabyte = bytes(1 << 20)

    async def tells_all_that_it_deletes(exchange: Exchange) -> None:
        exchange.start_stream()
        for _ in range(32):
            await exchange.write(megabyte)
        exchange.end_stream()

    async with scripted_server(tells_all_that_it_deletes, answers({})) as server:
        client = await connect(server)
        tracemalloc.start()
        try:
            response = await client.delete_collection(PODS, "here", label_selector="a=b")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (response.status, response.body) == (200, b"")
        assert most < 16 * len(megabyte)
        await client.request("GET", "/")
        assert server.connections == 1


async def test_a_delete_of_many_fails_as_every_request_does(connect: Connect) -> None:
    async with scripted_server(refuses(403, "Forbidden"), never_answers) as server:
        client = (await connect(server)).observed_by(heard := Heard())
        with pytest.raises(ForbiddenError, match="Forbidden"):
            await client.delete_collection(PODS, "here", label_selector="a=b")
        with pytest.raises(UnreachableError, match=r"no answer within 0\.01 s"):
            await client.delete_collection(
                PODS, "here", label_selector="a=b", timeout_s=0.01, retry=False
            )
        await server.no_connections()
    assert [timeout for _, timeout in heard.silences] == [True]


async def test_a_cancelled_request_leaves_no_connection(connect: Connect) -> None:
    started = asyncio.Event()

    async def hangs(exchange: Exchange) -> None:
        started.set()
        await never_answers(exchange)

    async def breaks(exchange: Exchange) -> None:
        await exchange.write_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        await hangs(exchange)

    async with scripted_server(hangs, breaks) as server:
        client = await connect(server)
        for _ in range(2):
            started.clear()
            asking = asyncio.create_task(client.request("GET", "/"))
            await started.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await server.no_connections()


async def test_a_closed_stream_leaves_no_connection(connect: Connect) -> None:
    async def endless(exchange: Exchange) -> None:
        exchange.start_stream()
        await exchange.write(b"one")
        await never_answers(exchange)

    async with scripted_server(endless) as server:
        client = await connect(server)
        with closing(await client.open_stream("/", {"watch": "true"})) as stream:
            assert [arrival.data for arrival in await stream.read_some()] == [b"one"]
        await server.no_connections()
