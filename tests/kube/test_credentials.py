import asyncio

from scripted_server import FakeTime
from static_issuer import StaticIssuer

from perfscale.errors import CredentialsError
from perfscale.kube.auth.credentials import Credentials, Grant, lifetime_s


class Issuer:
    renewable = True

    def __init__(self, *grants: Grant | CredentialsError) -> None:
        self._grants = list(grants)
        self.fresh: list[bool] = []

    async def issue(self, *, fresh: bool) -> Grant:
        self.fresh.append(fresh)
        await asyncio.sleep(0)
        grant = self._grants.pop(0)
        if isinstance(grant, CredentialsError):
            raise grant
        return grant


async def test_credentials_are_renewed_when_they_are_due(fake_time: FakeTime) -> None:
    issuer = Issuer(Grant("a", 60), Grant("b", None))
    credentials = await Credentials.obtain(issuer, clock=fake_time.clock)
    due = [credentials.due]
    fake_time.now += 60
    due.append(credentials.due)
    await credentials.renew()
    assert due == [False, True]
    assert credentials.authorization == "b"
    assert issuer.fresh == [False, False]


async def test_only_one_request_renews_them_and_the_others_go_on(fake_time: FakeTime) -> None:
    credentials = await Credentials.obtain(
        Issuer(Grant("a", 60), Grant("b", 60)), clock=fake_time.clock
    )
    fake_time.now += 61
    renewing = asyncio.create_task(credentials.renew())
    await asyncio.sleep(0)
    assert (credentials.due, credentials.authorization) == (False, "a")
    await credentials.renew()
    await renewing
    assert credentials.authorization == "b"


async def test_those_in_hand_stay_in_use_while_renewing_fails(fake_time: FakeTime) -> None:
    issuer = Issuer(Grant("a", 60), CredentialsError("not now"), Grant("b", 60))
    credentials = await Credentials.obtain(issuer, clock=fake_time.clock)
    fake_time.now += 61
    await credentials.renew()
    assert (credentials.authorization, credentials.due) == ("a", False)
    fake_time.now += 60
    await credentials.renew()
    assert credentials.authorization == "b"


async def test_refused_credentials_that_are_replaced_already_are_not_asked_for_again(
    fake_time: FakeTime,
) -> None:
    issuer = Issuer(Grant("a"), Grant("b"), Grant("b"))
    credentials = await Credentials.obtain(issuer, clock=fake_time.clock)
    assert await asyncio.gather(*(credentials.replace("a") for _ in range(3))) == [True] * 3
    assert issuer.fresh == [False, True]
    assert not await credentials.replace("b")


async def test_what_is_written_down_cannot_be_replaced() -> None:
    credentials = await Credentials.obtain(StaticIssuer("a"))
    assert not await credentials.replace("a")
    assert not credentials.due


def test_credentials_are_renewed_a_minute_before_they_end_but_not_all_the_time() -> None:
    assert lifetime_s(3600) == 3540
    assert lifetime_s(90) == 45
    assert lifetime_s(-5) == 1


def test_a_grant_does_not_show_its_secret() -> None:
    assert "secret" not in repr(Grant("Bearer secret"))
