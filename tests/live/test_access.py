"""Who may read the page of a run, and who may not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import live_pages
import pytest
from live_pages import TOKEN

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- it is refused, or has a token


@asynccontextmanager
async def served(token: str | None = None, host: str = "127.0.0.1") -> AsyncIterator[str]:
    async with live_pages.served(token, host) as page:
        yield page.url


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)  # of addresses too
    async with aiohttp.ClientSession(cookie_jar=jar) as opened:
        yield opened


async def status(session: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with session.get(url, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("path", ["", "events", "nothing"])
async def test_a_page_of_another_site_is_refused(session: aiohttp.ClientSession, path: str) -> None:
    async with served() as url:
        assert await status(session, url + path, Host="page.example.com") == 403
        assert await status(session, url + path, Origin="http://page.example.com") == 403


async def test_loopback_is_read_without_a_token(session: aiohttp.ClientSession) -> None:
    async with served() as url, session.get(url) as answer:
        assert answer.status == 200
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "src=" not in text


@pytest.mark.parametrize("path", ["", "events", "nothing"])
@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE])
async def test_who_does_not_know_the_token_sees_nothing_of_the_run(
    session: aiohttp.ClientSession, path: str, host: str
) -> None:
    async with served(TOKEN, host) as url:
        for headers in (
            {},
            {"Authorization": "Bearer 0123456789abcdeX"},
            {"Authorization": TOKEN},
            {"Cookie": f"perfscale-session={TOKEN}"},
            {"Authorization": "Bearer \udcff"},
        ):
            assert await status(session, url + path, **headers) == 401


async def test_the_token_is_taken_from_a_header(session: aiohttp.ClientSession) -> None:
    async with served(TOKEN) as url:
        assert await status(session, url, Authorization=f"Bearer {TOKEN}") == 200


async def test_a_browser_gives_the_token_once(session: aiohttp.ClientSession) -> None:
    async with served(TOKEN) as url:
        async with session.post(url, data={"token": TOKEN}, allow_redirects=False) as answer:
            assert answer.status == 303
            cookie = answer.headers["Set-Cookie"]
        assert TOKEN not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert await status(session, url) == 200


async def test_a_wrong_token_is_no_way_in(session: aiohttp.ClientSession) -> None:
    async with served(TOKEN) as url:
        async with session.post(url, data={"token": "guess"}) as answer:
            assert answer.status == 401
            assert "Set-Cookie" not in answer.headers
        assert await status(session, url) == 401


async def test_a_form_that_is_no_form_of_ours_is_not_read(session: aiohttp.ClientSession) -> None:
    async with served(TOKEN) as url, session.post(url, data=b"x" * 100_000) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=a",
        "application/x-www-form-urlencoded; charset=none-such",
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_and_not_logged(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    async with (
        served(TOKEN) as url,
        session.post(url, data=b"token=\xff", headers={"Content-Type": kind}) as answer,
    ):
        assert answer.status in {400, 401}
    assert not caplog.records


async def test_a_token_that_is_no_text_is_a_token(session: aiohttp.ClientSession) -> None:
    async with served(f"{TOKEN}\udcff") as url:
        assert await status(session, url, Authorization=f"Bearer {TOKEN}") == 401


async def test_the_pages_of_two_runs_on_one_host_are_read_side_by_side(
    session: aiohttp.ClientSession,
) -> None:
    async with served(TOKEN) as first, served(TOKEN) as second:
        for url in (first, second):
            async with session.post(url, data={"token": TOKEN}) as answer:
                assert answer.status == 200
        assert await status(session, first) == 200
        assert await status(session, second) == 200
