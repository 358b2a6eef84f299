"""What a request does after an answer that may be different the next time."""

import pytest
from kube_client import Connect
from scripted_server import (
    Exchange,
    FakeTime,
    Handler,
    answers,
    not_permitted,
    refuses,
    resets,
    scripted_server,
)

from perfscale.errors import (
    ApiError,
    ConflictError,
    CredentialsError,
    ForbiddenError,
    ServerError,
    UnreachableError,
)
from perfscale.kube.client import ClientSettings
from perfscale.kube.permissions import Permissions
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.resources import Place, Resource
from perfscale.kube.retrying.retry import NOT_SERVED_S

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)


async def test_a_create_that_meets_a_conflict_is_sent_again(connect: Connect) -> None:
    counted = refuses(
        409, "Conflict", message='Operation cannot be fulfilled on resourcequotas "q"'
    )
    async with scripted_server(*[counted] * 9, answers({})) as server:
        client = await connect(server)
        response = await client.request("POST", PODS.path("here"), body=b"{}")
    assert response.attempts == 10


async def test_a_delete_that_meets_a_conflict_is_not_sent_again(connect: Connect) -> None:
    async with scripted_server(refuses(409, "Conflict")) as server:
        client = await connect(server)
        with pytest.raises(ConflictError):
            await client.delete(PODS, "here", "a", uid="1")
    assert len(server.requests) == 1


def names_a_time(status: int, text: str | None, details: object) -> Handler:
    headers = {} if text is None else {"Retry-After": text}
    return refuses(status, "Whatever", headers=headers, details={"retryAfterSeconds": details})


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("-1", None),
        (None, -1),
        (None, -1e300),
        ("0", None),
        ("²", None),
        ("٣", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("9" * 5000, None),
        (None, 1e300),
        ("1e9", None),
        ("nan", None),
    ],
)
@pytest.mark.parametrize("fake_time", [0.0, 0.5], indirect=True)
async def test_whatever_time_an_answer_names_requests_are_few_and_end(
    status: int, text: str | None, details: object, connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(names_a_time(status, text, details)) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=10))
        with pytest.raises((ApiError, UnreachableError)):
            await client.request("GET", "/")
        assert 1 < len(server.requests) <= 600
        assert sum(fake_time.slept) <= 10.1
        assert min(fake_time.slept) > 0


async def test_a_time_that_is_out_of_all_proportion_does_not_keep_a_request_from_succeeding(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(names_a_time(503, "86400", None), answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/")
    assert sum(fake_time.slept) < 100


@pytest.mark.parametrize(
    ("message", "what", "name"),
    [
        (
            'Internal error occurred: failed calling webhook "validate.example": failed to call w',
            "webhook",
            "validate.example",
        ),
        (
            "conversion webhook for kubevirt.io/v1, Kind=VirtualMachine failed: Post: EOF",
            "webhook",
            "conversion of kubevirt.io/v1, Kind=VirtualMachine",
        ),
        ("error trying to reach service: dial tcp: i/o timeout", "aggregated server", "a.example"),
        (
            "the server is currently unable to handle the request",
            "aggregated server",
            "a.example",
        ),
    ],
)
async def test_what_the_server_cannot_call_for_a_while_is_an_outage_of_that(
    message: str, what: str, name: str, connect: Connect, fake_time: FakeTime
) -> None:
    down = refuses(500, "InternalError", message=message)
    things = Resource("a.example", "v1", "things", "Thing", namespaced=True)
    async with scripted_server(*[down] * 12, answers({})) as server:
        client = await connect(server)
        began_s = fake_time.now
        response = await client.request("POST", things.path("here"), body=b"{}")
    assert response.attempts == 13
    assert list(client.outages) == [(began_s, fake_time.now, what, name)]
    assert client.stats.outages == 1
    assert client.stats.outage_seconds == pytest.approx(sum(fake_time.slept))


async def test_a_webhook_that_stays_down_fails_the_create_in_its_own_words(
    connect: Connect, fake_time: FakeTime
) -> None:
    message = 'failed calling webhook "validate.example": connection refused'
    async with scripted_server(refuses(500, "InternalError", message=message)) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=100))
        with pytest.raises(ServerError, match=r"validate\.example"):
            await client.request("POST", PODS.path("here"), body=b"{}")
    assert sum(fake_time.slept) == pytest.approx(100)


async def test_a_webhook_that_answers_no_ends_its_outage(
    connect: Connect, fake_time: FakeTime
) -> None:
    down = refuses(500, "InternalError", message='failed calling webhook "w": EOF')
    denied = refuses(400, "BadRequest", message='admission webhook "w" denied the request: no')
    async with scripted_server(*[down] * 8, denied, answers({})) as server:
        client = await connect(server)
        with pytest.raises(ApiError, match="denied"):
            await client.request("POST", PODS.path("here"), body=b"{}")
        [span] = client.outages
        fake_time.now += 50
        await client.request("POST", PODS.path("here"), body=b"{}")
    assert list(client.outages) == [span]


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_balancer_that_never_finds_a_server_is_a_server_that_is_gone(
    status: int, connect: Connect, fake_time: FakeTime
) -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.reply(status, b"<html>no server</html>", {"Content-Type": "text/html"})

    async with scripted_server(page) as server:
        client = await connect(server, ClientSettings(max_unavailable_s=100))
        with pytest.raises(UnreachableError, match=f"{server.url} for 100 s: {status}") as caught:
            await client.request("GET", "/version")
    assert caught.value.exit_code == 4
    assert sum(fake_time.slept) == pytest.approx(100)


async def test_a_permission_that_has_worked_is_asked_for_again(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), *[not_permitted] * 5, answers({})) as server:
        client = await connect(server)
        await client.request("POST", PODS.path("here"), body=b"{}")
        other = client.limited(RateLimiter(0))
        response = await other.request("POST", PODS.path("there"), body=b"{}")
    assert response.attempts == 6
    assert len(fake_time.slept) == 5


async def test_a_permission_that_is_taken_away_for_good_is_refused_in_the_end(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), not_permitted) as server:
        client = await connect(server)
        await client.request("POST", PODS.path("here"), body=b"{}")
        with pytest.raises(ForbiddenError, match="cannot create") as caught:
            await client.request("POST", PODS.path("here"), body=b"{}")
    assert caught.value.attempts > 5
    assert NOT_SERVED_S - 10 < sum(fake_time.slept) <= NOT_SERVED_S
    assert client.stats.outages == 1


async def test_what_is_refused_right_after_an_outage_is_asked_for_again(connect: Connect) -> None:
    async with scripted_server(answers({}), resets, not_permitted, answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/version")
        response = await client.delete(PODS, "here", "a")
    assert response.attempts == 3


async def test_what_is_refused_long_after_an_outage_is_refused_at_once(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), resets, answers({}), not_permitted) as server:
        client = await connect(server)
        await client.request("GET", "/version")
        await client.request("GET", "/version")
        fake_time.now += 30
        with pytest.raises(ForbiddenError):
            await client.delete(PODS, "here", "a")
    assert len(server.requests) == 4


async def test_what_was_never_allowed_is_not_asked_for_long_after_an_outage(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), resets, not_permitted) as server:
        client = await connect(server)
        await client.request("GET", "/version")
        with pytest.raises(ForbiddenError):
            await client.delete(PODS, "here", "a")
    assert 10 < sum(fake_time.slept) < 31


async def test_a_server_that_starts_a_second_time_has_as_long_again_to_read_the_roles(
    connect: Connect, fake_time: FakeTime
) -> None:
    gone = refuses(503, "ServiceUnavailable")
    async with scripted_server(
        answers({}), *[not_permitted] * 5, *[gone] * 20, *[not_permitted] * 5, answers({})
    ) as server:
        client = await connect(server)
        await client.request("POST", PODS.path("here"), body=b"{}")
        response = await client.request("POST", PODS.path("here"), body=b"{}")
    assert response.attempts == 31
    assert sum(fake_time.slept) > NOT_SERVED_S


async def test_a_server_that_another_client_has_reached_may_be_gone_for_a_while(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/version")
    with pytest.raises(UnreachableError, match="for 300 s"):
        await client.limited(RateLimiter(0)).request("GET", "/version")
    assert sum(fake_time.slept) == pytest.approx(300)


async def test_what_the_review_allowed_is_asked_for_again(connect: Connect) -> None:
    allowed = answers({"status": {"allowed": True}}, status=201)
    async with scripted_server(allowed, not_permitted, answers({})) as server:
        client = await connect(server)
        assert await Permissions(client).allows("delete", Place(PODS))
        response = await client.delete(PODS, "here", "a")
    assert response.attempts == 2


@pytest.mark.parametrize(
    "message",
    [
        'pods "a" is forbidden: exceeded quota: few, requested: pods=1, used: pods=9',
        'admission webhook "no.example" denied the request: because',
    ],
)
async def test_what_admission_forbids_is_refused_at_once(
    message: str, connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), refuses(403, "Forbidden", message=message)) as server:
        client = await connect(server)
        await client.request("POST", PODS.path("here"), body=b"{}")
        with pytest.raises(ForbiddenError):
            await client.request("POST", PODS.path("here"), body=b"{}")
    assert fake_time.slept == []


async def test_credentials_that_have_worked_are_tried_again(
    connect: Connect, fake_time: FakeTime
) -> None:
    rejected = refuses(401, "Unauthorized")
    async with scripted_server(answers({}), *[rejected] * 5, answers({})) as server:
        client = await connect(server)
        await client.request("GET", "/a")
        response = await client.request("GET", "/b")
    assert response.attempts == 6
    assert len(fake_time.slept) == 5


async def test_credentials_that_have_worked_and_stay_refused_are_an_error_in_the_end(
    connect: Connect, fake_time: FakeTime
) -> None:
    async with scripted_server(answers({}), refuses(401, "Unauthorized")) as server:
        client = await connect(server)
        await client.request("GET", "/a")
        with pytest.raises(CredentialsError, match="refused the credentials"):
            await client.request("GET", "/b")
    assert NOT_SERVED_S - 10 < sum(fake_time.slept) <= NOT_SERVED_S
