"""What an observer is told of the requests of a client."""

from contextlib import closing

import pytest
from kube_client import Connect
from observers import Heard
from patience import SILENCE_S
from scripted_server import Exchange, FakeTime, answers, never_answers, refuses, scripted_server

from perfscale.errors import NotFoundError
from perfscale.kube.calls import Call, call_of
from perfscale.kube.ratelimit import RateLimiter

VMIS = "/apis/kubevirt.io/v1/namespaces/density-1/virtualmachineinstances"
DATE = "Fri, 02 Jan 2026 03:04:05 GMT"


@pytest.mark.parametrize(
    ("method", "path", "verb", "resource"),
    [
        ("POST", VMIS, "create", "virtualmachineinstances"),
        ("GET", VMIS, "list", "virtualmachineinstances"),
        ("GET", "/apis/kubevirt.io/v1/virtualmachineinstances", "list", "virtualmachineinstances"),
        ("GET", f"{VMIS}/vmi-1", "get", "virtualmachineinstances"),
        ("DELETE", f"{VMIS}/vmi-1", "delete", "virtualmachineinstances"),
        ("DELETE", VMIS, "deletecollection", "virtualmachineinstances"),
        ("GET", "/api/v1/namespaces/density-1", "get", "namespaces"),
        ("GET", "/api/v1/namespaces", "list", "namespaces"),
        ("GET", "/api/v1/namespaces/namespaces/pods/namespaces", "get", "pods"),
        ("GET", "/api/v1/nodes/node-1", "get", "nodes"),
        ("GET", "/version", "get", ""),
        ("GET", "/apis/kubevirt.io/v1", "get", ""),
    ],
)
def test_a_request_has_the_verb_and_the_resource_that_rbac_gives_it(
    method: str, path: str, verb: str, resource: str
) -> None:
    assert call_of(method, path) == (verb, resource)


def test_a_list_that_goes_on_is_a_watch() -> None:
    assert call_of("GET", VMIS, watch=True) == ("watch", "virtualmachineinstances")


async def test_every_attempt_is_told_of_with_its_own_latency(
    connect: Connect, fake_time: FakeTime
) -> None:
    async def slow(exchange: Exchange) -> None:
        fake_time.now += 0.25
        await exchange.reply(201, b"{}", {"Date": DATE})

    throttled = refuses(429, "TooManyRequests", headers={"Retry-After": "7"})
    heard = Heard()
    async with scripted_server(throttled, slow) as server:
        client = (await connect(server)).limited(RateLimiter(0), heard)
        await client.request("POST", VMIS, body=b"{}")
    create = Call("create", "virtualmachineinstances")
    assert heard.answers == [(create, 429, 0.0, None), (create, 201, 0.25, DATE)]
    assert heard.throttled_s == fake_time.slept


async def test_what_is_not_answered_and_what_is_refused_is_told_of(connect: Connect) -> None:
    heard = Heard()
    silent = [never_answers]

    async def by_path(exchange: Exchange) -> None:
        # A busy machine may be late with an answer that does come, and is asked once more.
        if exchange.request.path == VMIS and silent:
            await silent.pop()(exchange)
        elif exchange.request.path == f"{VMIS}/vmi-1":
            await refuses(404, "NotFound")(exchange)
        else:
            await answers({})(exchange)

    async with scripted_server(by_path) as server:
        client = (await connect(server)).limited(RateLimiter(0), heard)
        await client.request("GET", "/version")
        await client.request("GET", VMIS, timeout_s=SILENCE_S)
        with pytest.raises(NotFoundError):
            await client.request("GET", f"{VMIS}/vmi-1")
    assert set(heard.silences) == {(Call("list", "virtualmachineinstances"), True)}
    assert [status for _, status, _, _ in heard.answers] == [200, 200, 404]
    assert heard.throttled_s == [0.0] * len(heard.silences)


async def test_a_watch_is_told_of_when_it_is_opened(connect: Connect) -> None:
    heard = Heard()
    async with scripted_server(answers({})) as server:
        client = (await connect(server)).limited(RateLimiter(0), heard)
        with closing(await client.open_stream(VMIS)):
            pass
    assert [answer[:2] for answer in heard.answers] == [
        (Call("watch", "virtualmachineinstances"), 200)
    ]


async def test_requests_of_several_loads_are_told_to_their_own_observers(connect: Connect) -> None:
    one, other = Heard(), Heard()
    async with scripted_server(answers({}), answers({})) as server:
        client = (await connect(server)).limited(RateLimiter(0))
        await client.observed_by(one).request("GET", "/version")
        await client.observed_by(other).request("GET", VMIS)
    assert [call.verb for call, *_ in one.answers] == ["get"]
    assert [call.verb for call, *_ in other.answers] == ["list"]
    assert client.stats.sent == 2
